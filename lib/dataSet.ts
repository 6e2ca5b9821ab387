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
