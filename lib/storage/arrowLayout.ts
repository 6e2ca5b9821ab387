import type { Problem } from "../problem";

/** Version of the file layout; raised when a reader of the old layout could not read the new one. */
export const FORMAT_VERSION = "1";

export interface Column {
  readonly name: string;
  /** values a row: 1 for a condition, the cells for a field */
  readonly width: number;
}

/** The columns of a problem's files, in order. */
export function columns(problem: Problem, withLatent: boolean): Column[] {
  const latent = withLatent && problem.latent ? [problem.latent] : [];
  return [
    ...problem.conditions.map(({ name }) => ({ name, width: 1 })),
    ...[...latent, ...problem.fields].map(({ name }) => ({ name, width: problem.cells })),
  ];
}

/** Bytes that a row takes in a record batch. */
export function rowBytes(problem: Problem, withLatent: boolean): number {
  return 8 * columns(problem, withLatent).reduce((sum, { width }) => sum + width, 0);
}

/** Block `part` of each row, for rows of `parts` blocks of `width` values. */
export function strided(
  array: Float64Array,
  rows: number,
  parts: number,
  part: number,
  width: number,
): Float64Array {
  const out = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const start = (row * parts + part) * width;
    for (let i = 0; i < width; i++) out[row * width + i] = array[start + i];
  }
  return out;
}

/** The inverse of strided(): puts a column into block `part` of each row. */
export function scatter(
  values: Float64Array,
  target: Float64Array,
  rows: number,
  parts: number,
  part: number,
  width: number,
): void {
  for (let row = 0; row < rows; row++) {
    const start = (row * parts + part) * width;
    for (let i = 0; i < width; i++) target[start + i] = values[row * width + i];
  }
}
