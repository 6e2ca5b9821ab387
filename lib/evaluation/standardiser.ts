import { InputError } from "../errors";
import { columnMean, columnStd, rowCount } from "./summary";

/** Centre and scale of each column by a reference set, with the columns that the reference holds constant apart. */
export interface Standardiser {
  /** Columns that vary, in rising order. */
  readonly free: readonly number[];
  /** Columns whose standard deviation is at most 1e-10 of their mean: constant but for round-off. */
  readonly pinned: readonly number[];
  readonly mean: Float64Array; // columns
  readonly std: Float64Array; // columns
  /** The free columns of rows x columns values, (value - mean) / std: rows x free.length. */
  apply(values: Float64Array): Float64Array;
  /** Back from rows x free.length standardised values: rows x columns, pinned columns at their mean. */
  restore(standardised: Float64Array): Float64Array;
  /** Whether the pinned columns of rows x columns values keep to their mean, to 1e-10 of it. */
  keepsPinned(values: Float64Array): boolean;
}

/** The standardiser of rows x columns reference values; throws InputError when no column varies. */
export function standardiser(reference: Float64Array, columns: number): Standardiser {
  const mean = columnMean(reference, columns);
  const std = columnStd(reference, columns);
  const isPinned = (j: number) => std[j] <= 1e-10 * Math.abs(mean[j]);
  const all = Array.from({ length: columns }, (_, j) => j);
  const free = all.filter((j) => !isPinned(j));
  const pinned = all.filter(isPinned);
  if (free.length === 0)
    throw new InputError("No column of the reference varies; give a reference with some spread.");
  return {
    free,
    pinned,
    mean,
    std,
    apply(values) {
      const rows = rowCount(values, columns);
      const result = new Float64Array(rows * free.length);
      for (let row = 0, at = 0; row < rows; row++) {
        for (const j of free) result[at++] = (values[row * columns + j] - mean[j]) / std[j];
      }
      return result;
    },
    restore(standardised) {
      const rows = rowCount(standardised, free.length);
      const result = new Float64Array(rows * columns);
      for (let row = 0, at = 0; row < rows; row++) {
        result.set(mean, row * columns);
        for (const j of free) result[row * columns + j] += std[j] * standardised[at++];
      }
      return result;
    },
    keepsPinned(values) {
      const rows = rowCount(values, columns);
      for (let row = 0; row < rows; row++) {
        for (const j of pinned) {
          if (!(Math.abs(values[row * columns + j] - mean[j]) <= 1e-10 * Math.abs(mean[j]))) return false;
        }
      }
      return true;
    },
  };
}
