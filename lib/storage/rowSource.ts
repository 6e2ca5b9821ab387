export { isSource, pickRows, piecesOf, type RowSource } from "../dataSet";
