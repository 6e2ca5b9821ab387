/** Comparing two sets of fields: moments, bands, the energy distance and what chance alone makes of it. */
import { forEachDistance } from "./backend/distances";
import { finiteInRange, InputError } from "./backend/errors";
import type { Field, Problem } from "./problem";

/** A set of solutions under one condition: fields is (rows, fields, cells), each field in its unit. */
export interface FieldSample {
  readonly rows: number;
  readonly fields: Float64Array;
  readonly problem: Pick<Problem, "cells" | "imbalance"> & {
    readonly fields: ReadonlyArray<Pick<Field, "name" | "unit">>;
  };
}

/** Values in a row: fields times cells. */
export function columnsOf({ problem }: FieldSample): number {
  return problem.fields.length * problem.cells;
}

/** The mean of each column of values (rows, columns): (columns). */
export function columnMean(values: Float64Array, columns: number): Float64Array {
  const rows = rowCount(values, columns);
  const mean = new Float64Array(columns);
  for (let i = 0; i < values.length; i++) mean[i % columns] += values[i];
  return mean.map((sum) => sum / rows);
}

/** Standard deviation of each column of values (rows, columns), with n - 1: (columns); 0 for a single row. */
export function columnStd(values: Float64Array, columns: number): Float64Array {
  const rows = rowCount(values, columns);
  const mean = columnMean(values, columns);
  const squares = values.map((value, i) => (value - mean[i % columns]) ** 2);
  return columnMean(squares, columns).map((m2) => (rows > 1 ? Math.sqrt((m2 * rows) / (rows - 1)) : 0));
}

/**
 * Percentiles of each column of values (rows, columns), one (columns) for each percentage; default the ends of a 95 % band.
 *
 * Between order statistics the value is interpolated linearly (type 7 of Hyndman & Fan 1996, as in numpy and R).
 * Throws InputError for a percentage outside [0, 100].
 */
export function columnPercentiles(
  values: Float64Array,
  columns: number,
  percentages: readonly number[] = [2.5, 97.5],
): Float64Array[] {
  const rows = rowCount(values, columns);
  for (const p of percentages) finiteInRange("The percentage", p, 0, 100);
  const result = percentages.map(() => new Float64Array(columns));
  const column = new Float64Array(rows);
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) column[i] = values[i * columns + j];
    column.sort();
    percentages.forEach((p, k) => {
      const position = (p / 100) * (rows - 1);
      const below = Math.floor(position);
      const above = Math.min(below + 1, rows - 1);
      result[k][j] = column[below] + (position - below) * (column[above] - column[below]);
    });
  }
  return result;
}

/** Number of rows; throws InputError when the values are none or not a whole number of rows. */
export function rowCount(values: Float64Array, columns: number): number {
  const rows = values.length / columns;
  if (Number.isInteger(columns) && columns >= 1 && Number.isInteger(rows) && rows >= 1) return rows;
  throw new InputError(
    `The values are ${values.length} numbers; give one or more whole rows of ${columns} columns.`,
  );
}

/** Mean, standard deviation and 95 % band of one field: each (cells), in the field's unit. */
export interface FieldBand {
  readonly mean: Float64Array;
  readonly std: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** The bands of all fields of a set: what the post's Figure 4 draws, once of the PDE and once of the model. */
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

/** Mean and standard deviation of each column of a reference, and which columns vary. */
export interface Standardiser {
  /** Columns that vary, in rising order: those whose standard deviation is more than round-off, 1e-10 of their mean. */
  readonly free: readonly number[];
  readonly mean: Float64Array; // columns
  readonly std: Float64Array; // columns
  /** The free columns of values (rows, columns), (value - mean) / std: (rows, free). */
  apply(values: Float64Array): Float64Array;
}

/** The standardiser of reference values (rows, columns); throws InputError when no column varies. */
export function standardiser(reference: Float64Array, columns: number): Standardiser {
  const mean = columnMean(reference, columns);
  const std = columnStd(reference, columns);
  const free = Array.from(std.keys()).filter((j) => !(std[j] <= 1e-10 * Math.abs(mean[j])));
  if (free.length === 0)
    throw new InputError("No column of the reference varies; give a reference with some spread.");
  return {
    free,
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
  };
}

/**
 * Mean Euclidean distance between the rows of x and those of y, over all pairs.
 *
 * The zero distance of each row of x === y to itself counts, as in a V-statistic.
 */
export function meanDistance(x: Float64Array, y: Float64Array, columns: number): number {
  let total = 0;
  forEachDistance(x, y, columns, (_i, _j, distance) => (total += distance));
  return ((x === y ? 2 : 1) * total) / (rowCount(x, columns) * rowCount(y, columns));
}

/**
 * Energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| between two sets of rows, Euclidean norm over all columns.
 *
 * x and y (rows, columns) of any number of rows; the result has the unit of the columns. It is the V-statistic (each row
 * is also paired with itself), so it is never negative, and not its root. Standardise columns of different units first.
 * Source: Szekely & Rizzo 2013, "Energy statistics", equation (6.1).
 */
export function energyDistance(x: Float64Array, y: Float64Array, columns: number): number {
  return 2 * meanDistance(x, y, columns) - meanDistance(x, x, columns) - meanDistance(y, y, columns);
}

/**
 * The sampling floor: the mean energy distance of two independent sets of `rows` rows from the reference's distribution,
 * (2 / rows) E|X - X'| exactly, with the mean over the pairs i != j of the reference (rows, columns). An energy distance in
 * units of it is the floor ratio: 1 in the mean for a set like the reference, with a scatter of about as much.
 */
export function samplingFloor(reference: Float64Array, columns: number, rows: number): number {
  const n = rowCount(reference, columns);
  return (2 / rows) * (n / (n - 1)) * meanDistance(reference, reference, columns);
}
