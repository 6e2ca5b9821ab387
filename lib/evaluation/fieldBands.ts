import { columnsOf, type FieldSample } from "./fieldSample";
import { columnMean, columnPercentiles, columnStd } from "./summary";

/** Mean, standard deviation and 95 % band of one field: each (cells), in the field's unit. */
export interface FieldBand {
  readonly mean: Float64Array;
  readonly std: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** The bands of all fields of a set. */
export function fieldBands(set: FieldSample): FieldBand[] {
  const { fields, cells } = set.problem;
  const columns = columnsOf(set);
  const [low, high] = columnPercentiles(set.fields, columns);
  const all = { mean: columnMean(set.fields, columns), std: columnStd(set.fields, columns), low, high };
  return fields.map((_, f) => {
    const part = (values: Float64Array) => values.subarray(f * cells, (f + 1) * cells);
    return { mean: part(all.mean), std: part(all.std), low: part(all.low), high: part(all.high) };
  });
}
