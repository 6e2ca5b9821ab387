import { columnsOf, columnStd, type FieldSample } from "../../../lib/comparison";
import { type PrincipalComponents, principalComponents } from "../../../lib/evaluation/principalComponents";

/** Principal modes of all fields together. */
export interface FieldModes extends PrincipalComponents {
  /** The modes in the fields' units, one standard deviation of each: modes x fields x cells. */
  readonly shapes: Float64Array;
}

/**
 * Principal modes of a set under one condition, c and phi together; default all of them.
 *
 * Each field is divided by the root mean square over its cells of its standard deviation, so that units do not matter
 * and both fields weigh the same. Throws InputError for a set without rows.
 */
export function fieldModes(set: FieldSample, count?: number): FieldModes {
  const columns = columnsOf(set);
  const { cells } = set.problem;
  const std = columnStd(set.fields, columns);
  const scales = set.problem.fields.map((_, f) => {
    const part = std.subarray(f * cells, (f + 1) * cells);
    return Math.sqrt(part.reduce((sum, value) => sum + value ** 2, 0) / cells) || 1;
  });
  const scale = (column: number) => scales[Math.floor(column / cells)];
  const modes = principalComponents(
    set.fields.map((value, i) => value / scale(i % columns)),
    columns,
    count,
  );
  const shapes = modes.vectors.map(
    (value, i) => value * scale(i % columns) * Math.sqrt(modes.variances[Math.floor(i / columns)]),
  );
  return { ...modes, shapes };
}

/** Number of leading modes that carry at least a share (such as 0.99) of the variance. */
export function modesForShare({ variances, totalVariance }: PrincipalComponents, share: number): number {
  let sum = 0;
  const last = variances.findIndex((variance) => (sum += variance) >= share * totalVariance);
  return last < 0 ? variances.length : last + 1;
}
