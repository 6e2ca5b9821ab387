import { InputError } from "../errors";

/** A set of solutions under one condition: fields is rows x (number of fields) x cells. */
export interface FieldSample {
  readonly rows: number;
  readonly fields: Float64Array;
  readonly problem: {
    readonly fields: ReadonlyArray<{ readonly name: string; readonly unit: string }>;
    readonly cells: number;
    /** See Problem.imbalance. */
    imbalance?(fields: Float64Array): number;
  };
}

/** Independent sets of one distribution: set number `set` (from 0) with `count` rows, the same whenever asked. */
export type SampleSource = (set: number, count: number) => FieldSample | Promise<FieldSample>;

/** Values in a row: fields times cells. */
export function columnsOf({ problem }: FieldSample): number {
  return problem.fields.length * problem.cells;
}

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
