import { columnMean, columnStd } from "../../../lib/comparison";
import { groupByCondition, selectRows } from "../../../lib/data/rows";
import type { DataSet } from "../../../lib/dataSet";

/** How much the fields vary while the conditions are held, as shares of their one standard deviation over all data. */
export interface ConditionalSpread {
  /** (conditions) */
  readonly conditions: Float64Array;
  /** (fields) */
  readonly shares: readonly number[];
}

/**
 * The spread of each field (root mean square over cells) within each condition of a data set, divided by the field's
 * standard deviation over all rows and cells: what one global scale leaves of a unit. Rows of one condition: two or more.
 */
export function conditionalSpread(data: DataSet): ConditionalSpread[] {
  const { fields, cells } = data.problem;
  const width = fields.length * cells;
  const ofField = (values: Float64Array, f: number) => values.subarray(f * cells, (f + 1) * cells);
  const meanSquare = (values: Float64Array) =>
    values.reduce((sum, value) => sum + value * value, 0) / values.length;
  const [mean, std] = [columnMean(data.fields, width), columnStd(data.fields, width)];
  const scales = fields.map((_, f) => {
    const means = ofField(mean, f);
    const centre = means.reduce((sum, value) => sum + value, 0) / cells;
    return Math.sqrt(meanSquare(ofField(std, f)) + meanSquare(means.map((value) => value - centre)));
  });
  return groupByCondition(data).map(({ conditions, rows }) => {
    const spread = columnStd(selectRows(data, rows).fields, width);
    return {
      conditions,
      shares: scales.map((scale, f) => Math.sqrt(meanSquare(ofField(spread, f))) / scale),
    };
  });
}
