import { columnStd } from "../../../lib/comparison";
import { groupByCondition } from "../../../lib/data/rows";
import type { DataSet } from "../../../lib/dataSet";

/** Variances of every column of a data set, in the square of its unit (fields x cells). */
export interface VarianceParts {
  /** over all rows */
  readonly total: Float64Array;
  /** over the rows of one condition, averaged over conditions */
  readonly within: Float64Array;
}

/**
 * Splits the variance of each cell of each field: what is left of it when the condition is known is `within`, and
 * 1 - within / total is the share that the conditions explain.
 *
 * Unbiased: sums of squares divided by rows - 1 and by rows - conditions, as in the analysis of variance.
 */
export function varianceParts(data: DataSet): VarianceParts {
  const width = data.problem.fields.length * data.problem.cells;
  const groups = groupByCondition(data);
  const within = new Float64Array(width);
  for (const { rows } of groups) {
    const mean = new Float64Array(width);
    for (const row of rows)
      for (let i = 0; i < width; i++) mean[i] += data.fields[row * width + i] / rows.length;
    for (const row of rows) {
      for (let i = 0; i < width; i++) {
        within[i] += (data.fields[row * width + i] - mean[i]) ** 2 / (data.rows - groups.length);
      }
    }
  }
  return { total: columnStd(data.fields, width).map((std) => std ** 2), within };
}
