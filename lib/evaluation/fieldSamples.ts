/** Parts of sets of fields: their first rows, and the columns that a reference holds constant. */
import { InputError } from "../backend/errors";
import { columnsOf, type FieldSample, rowCount, type Standardiser } from "../comparison";

/** Throws InputError unless both sets hold the same fields on as many cells. */
export function checkSameFields(reference: FieldSample, other: FieldSample): void {
  const describe = ({ problem }: FieldSample) =>
    `${problem.fields.map(({ name, unit }) => `${name} (${unit})`).join(", ")} on ${problem.cells} cells`;
  if (describe(other) === describe(reference)) return;
  throw new InputError(
    `The sets to compare hold ${describe(other)} and ${describe(reference)}; give sets of the same fields.`,
  );
}

/** The first rows of a set, as a view: (rows, fields, cells). */
export function firstRows(set: FieldSample, rows: number): Float64Array {
  return set.fields.subarray(0, rows * columnsOf(set));
}

/** Columns that a reference holds constant but for round-off, in rising order. */
export function pinnedColumns({ free, mean }: Standardiser): number[] {
  return Array.from(mean.keys()).filter((j) => !free.includes(j));
}

/** Whether these columns of values (rows, columns) keep to the reference's mean, to 1e-10 of it. */
export function keepsPinned(
  { mean }: Standardiser,
  pinned: readonly number[],
  values: Float64Array,
): boolean {
  const columns = mean.length;
  for (let row = 0; row < rowCount(values, columns); row++) {
    for (const j of pinned) {
      if (!(Math.abs(values[row * columns + j] - mean[j]) <= 1e-10 * Math.abs(mean[j]))) return false;
    }
  }
  return true;
}
