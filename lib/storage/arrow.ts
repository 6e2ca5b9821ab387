export { ArrowFieldsFile, readBatches, readDataSet } from "./arrowReader";
export { ArrowFieldsWriter, writeDataSet } from "./arrowWriter";
