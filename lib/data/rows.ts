/** Rows of data sets: picked, joined, grouped by their conditions, in memory or where they are. */
import type { DataSet } from "../dataSet";
import { InputError } from "../backend/errors";
import { type Problem } from "../problem";
import { sameProblem } from "./conditions";

/** What a row of a problem takes in memory and on the disk, with its latent field. */
export function rowBytes({ conditions, fields, cells }: Problem): number {
  return 8 * (conditions.length + (fields.length + 1) * cells);
}

/** A data set of zeros, to be filled. */
export function allocateDataSet(
  problem: Problem,
  rows: number,
  seed?: number,
): DataSet & { latent: Float64Array } {
  return {
    problem,
    rows,
    conditions: new Float64Array(rows * problem.conditions.length),
    fields: new Float64Array(rows * problem.fields.length * problem.cells),
    latent: new Float64Array(rows * problem.cells),
    seed,
  };
}

/** Conditions of one row, a view (conditions), in their units. */
export function rowConditions({ problem, conditions }: DataSet, row: number): Float64Array {
  const width = problem.conditions.length;
  return conditions.subarray(row * width, (row + 1) * width);
}

/** One field (its number, from 0) of one row, a view (cells), in the field's unit. */
export function rowField({ problem, fields }: DataSet, row: number, field: number): Float64Array {
  const start = (row * problem.fields.length + field) * problem.cells;
  return fields.subarray(start, start + problem.cells);
}

/** Rows start (included) to end (excluded), as views of the same memory. */
export function sliceRows(data: DataSet, start: number, end: number): DataSet {
  const { problem, conditions, fields, latent } = data;
  const part = (array: Float64Array, width: number): Float64Array =>
    array.subarray(start * width, end * width);
  return {
    ...data,
    rows: Math.min(end, data.rows) - start,
    conditions: part(conditions, problem.conditions.length),
    fields: part(fields, problem.fields.length * problem.cells),
    latent: latent && part(latent, problem.cells),
  };
}

/** The given rows in the given order, copied. */
export function selectRows(data: DataSet, rows: ArrayLike<number>): DataSet {
  const { problem, conditions, fields, latent } = data;
  const part = (array: Float64Array, width: number): Float64Array => {
    const copy = new Float64Array(rows.length * width);
    for (let i = 0; i < rows.length; i++)
      copy.set(array.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
    return copy;
  };
  return {
    ...data,
    rows: rows.length,
    conditions: part(conditions, problem.conditions.length),
    fields: part(fields, problem.fields.length * problem.cells),
    latent: latent && part(latent, problem.cells),
  };
}

/** One data set after the other, copied. The seed is kept if all share it. Throws InputError if problems differ. */
export function concatenate(parts: readonly DataSet[]): DataSet {
  if (parts.length === 0) throw new InputError("There are 0 data sets; give at least one.");
  const { problem, seed } = parts[0];
  if (parts.some((part) => !sameProblem(part.problem, problem))) {
    throw new InputError("The data sets are of different problems; give data of one problem and convention.");
  }
  const join = (arrays: readonly Float64Array[]): Float64Array => {
    const joined = new Float64Array(arrays.reduce((sum, array) => sum + array.length, 0));
    let position = 0;
    for (const array of arrays) {
      joined.set(array, position);
      position += array.length;
    }
    return joined;
  };
  const latents = parts.flatMap((part) => (part.latent ? [part.latent] : []));
  return {
    problem,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    conditions: join(parts.map((part) => part.conditions)),
    fields: join(parts.map((part) => part.fields)),
    latent: latents.length === parts.length ? join(latents) : undefined,
    seed: parts.every((part) => part.seed === seed) ? seed : undefined,
  };
}

/** Rows that share their conditions. */
export interface Group {
  /** (conditions), in their units */
  readonly conditions: Float64Array;
  /** their numbers in the data set, from 0 */
  readonly rows: readonly number[];
}

/** Groups rows by equal conditions, in order of first appearance. */
export function groupByCondition(data: DataSet): Group[] {
  const groups = new Map<string, { conditions: Float64Array; rows: number[] }>();
  for (let row = 0; row < data.rows; row++) {
    const conditions = rowConditions(data, row);
    const key = conditions.join(); // the shortest text that reads back exactly, so equal keys are equal numbers
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else groups.set(key, { conditions: conditions.slice(), rows: [row] });
  }
  return [...groups.values()];
}

/** The numbers of the rows of some groups. An array of arrays is one, too. */
export interface RowGroups {
  readonly length: number;
  at(group: number): ArrayLike<number> | undefined;
}

/** Rows of fields that stay where they are, as in a large file, until some of them are asked for. */
export interface RowSource {
  readonly problem: Problem;
  readonly rows: number;
  /** Rows that share their conditions, with these conditions (groups, conditions). */
  readonly groups: RowGroups & { readonly conditions: Float64Array };
  /** The given rows in the given order, in memory. */
  select(rows: ArrayLike<number>): DataSet;
  /** All rows in order, piece by piece. */
  pieces(): Iterable<DataSet>;
  /** (rows of a piece, conditions) of all rows in order, piece by piece. */
  conditions(): Iterable<Float64Array>;
}

/** Rows in memory as a source of rows. */
export function sourceOf(data: DataSet): RowSource {
  const groups = groupByCondition(data);
  return {
    problem: data.problem,
    rows: data.rows,
    groups: {
      length: groups.length,
      at: (group) => groups[group]?.rows,
      conditions: Float64Array.from(groups.flatMap(({ conditions }) => [...conditions])),
    },
    select: (rows) => selectRows(data, rows),
    pieces: () => [data],
    conditions: () => [data.conditions],
  };
}

/** True for rows that are not in memory. */
export function isSource(data: DataSet | RowSource): data is RowSource {
  return "select" in data;
}

/** The given rows in the given order, in memory, copied. */
export function pickRows(data: DataSet | RowSource, rows: ArrayLike<number>): DataSet {
  return isSource(data) ? data.select(rows) : selectRows(data, rows);
}

/** All rows in order, in pieces that are in memory. */
export function piecesOf(data: DataSet | RowSource): Iterable<DataSet> {
  return isSource(data) ? data.pieces() : [data];
}

/** Throws InputError for rows that were solved for a given latent field, whose conditions are in part unknown. */
export function checkConditionsKnown(data: DataSet | RowSource): void {
  if ((isSource(data) ? data.groups : data).conditions.every(Number.isFinite)) return;
  throw new InputError("Some rows of the data are of unknown conditions; train on data that were generated.");
}
