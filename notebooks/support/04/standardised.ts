import { type DataSet } from "../../../lib/dataSet";
import { rowConditions } from "../../../lib/data/rows";
import type { Standardisation } from "../../../lib/standardisation";

/** The fields of a data set as a network sees them, (rows, fields, cells): less their mean, over their std, 0 where fixed. */
export function standardised(data: DataSet, scale: Standardisation): Float64Array {
  const width = data.problem.fields.length * data.problem.cells;
  const result = new Float64Array(data.fields.length);
  for (let row = 0; row < data.rows; row++) {
    const conditions = rowConditions(data, row);
    const [mean, std] = [scale.mean(conditions), scale.std(conditions)];
    for (let i = 0; i < width; i++) {
      const at = row * width + i;
      result[at] = std[i] > 0 ? (data.fields[at] - mean[i]) / std[i] : 0;
    }
  }
  return result;
}
