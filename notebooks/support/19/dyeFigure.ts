import { rowConditions, rowField } from "../../../lib/data/rows";
import type { DataSet } from "../../../lib/dataSet";
import { curvesFigure } from "../../../lib/figures/curves";
import { colour, type Figure } from "../../../lib/figures/figure";

/** Rows that are drawn as curves. */
const CURVES = 6;

/** Some rows of data and of a model's draws at the same conditions; and the mean of each row against its first condition. */
export function dyeFigure(data: DataSet, drawn: DataSet, rows: number): Figure {
  const x = data.problem.positions;
  const sets = [
    { name: "measured", hex: colour.pde, set: data, dash: undefined, symbol: "circle" },
    { name: "model", hex: colour.sgm, set: drawn, dash: "dash", symbol: "x" },
  ];
  const curves = sets.flatMap(({ name, hex, set, dash }) =>
    Array.from({ length: Math.min(CURVES, rows) }, (_, row) => ({
      ...{ name, hex, dash, x, y: rowField(set, row, 0), width: 1.8, unnamed: row > 0 },
    })),
  );
  const meanOf = (set: DataSet, row: number) =>
    rowField(set, row, 0).reduce((sum, value) => sum + value, 0) / data.problem.cells;
  const points = sets.map(({ name, hex, set, symbol }) => ({
    ...{ name, hex, symbol, mode: "markers" as const, unnamed: true },
    x: Array.from({ length: rows }, (_, row) => rowConditions(set, row)[0]),
    y: Array.from({ length: rows }, (_, row) => meanOf(set, row)),
  }));
  return curvesFigure([
    { title: "single rows", x: "x (1)", y: "c (1)", curves },
    { title: "how far the dye has come", x: "time (h)", y: "mean of c (1)", curves: points },
  ]);
}
