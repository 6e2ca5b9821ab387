import type { Problem } from "./problem";

/** Fields of a problem in memory, one row for each realisation; arrays row by row, in the problem's units. */
export interface DataSet {
  readonly problem: Problem;
  readonly rows: number;
  /** (rows, conditions); of the porous electrode l in m, U0 in V, F_right in A/m2 */
  readonly conditions: Float64Array;
  /** (rows, fields, cells); of the porous electrode c in mol/m3, phi in V */
  readonly fields: Float64Array;
  /** (rows, cells), where it is known; of the porous electrode the porosity, without unit */
  readonly latent?: Float64Array;
  /** of the random numbers, where the rows were drawn with one */
  readonly seed?: number;
}

/** A data set of zeros, to be filled. */
export function allocateDataSet(
  problem: Problem,
  rows: number,
  seed?: number,
): DataSet & { latent: Float64Array } {
  return {
    problem,
    rows,
    conditions: new Float64Array(rows * problem.conditions.length),
    fields: new Float64Array(rows * problem.fields.length * problem.cells),
    latent: new Float64Array(rows * problem.cells),
    seed,
  };
}

/** Conditions of one row, a view (conditions), in their units. */
export function rowConditions({ problem, conditions }: DataSet, row: number): Float64Array {
  const width = problem.conditions.length;
  return conditions.subarray(row * width, (row + 1) * width);
}

/** One field (its number, from 0) of one row, a view (cells), in the field's unit. */
export function rowField({ problem, fields }: DataSet, row: number, field: number): Float64Array {
  const start = (row * problem.fields.length + field) * problem.cells;
  return fields.subarray(start, start + problem.cells);
}
