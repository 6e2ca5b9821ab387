import { finiteInRange, InputError, integerInRange } from "../errors";

/** The mean of some numbers; NaN of none. */
export function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** The middle one of some numbers, or the mean of the middle two; NaN of none. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** The mean of each column of rows x columns values, row by row: (columns), in their units. */
export function columnMean(values: Float64Array, columns: number): Float64Array {
  const rows = rowCount(values, columns);
  const mean = new Float64Array(columns);
  for (let i = 0; i < values.length; i++) mean[i % columns] += values[i];
  return mean.map((sum) => sum / rows);
}

/** Standard deviation (columns) of each column of rows x columns values, with n - 1; 0 for a single row. */
export function columnStd(values: Float64Array, columns: number): Float64Array {
  const rows = rowCount(values, columns);
  return centralMoment(values, columns, 2).map((m2) => (rows > 1 ? Math.sqrt((m2 * rows) / (rows - 1)) : 0));
}

/** Skewness m3 / m2^1.5 of each column from its central moments; NaN where a column is constant. */
export function columnSkewness(values: Float64Array, columns: number): Float64Array {
  const m2 = centralMoment(values, columns, 2);
  return centralMoment(values, columns, 3).map((m3, j) => m3 / m2[j] ** 1.5);
}

/** Excess kurtosis m4 / m2^2 - 3 of each column: 0 for a Gaussian; NaN where a column is constant. */
export function columnKurtosis(values: Float64Array, columns: number): Float64Array {
  const m2 = centralMoment(values, columns, 2);
  return centralMoment(values, columns, 4).map((m4, j) => m4 / m2[j] ** 2 - 3);
}

/**
 * Percentiles of each column, one Float64Array (columns) for each percentage asked; default the ends of a 95 % band.
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

/** Root mean square of the second differences along the cells of rows x cells values; 0 for straight lines. */
export function roughness(field: Float64Array, cells: number): number {
  const rows = rowCount(field, cells);
  integerInRange("The number of cells", cells, 3, Number.MAX_SAFE_INTEGER); // a second difference takes three
  let square = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = row * cells + 1; i < (row + 1) * cells - 1; i++) {
      square += (field[i - 1] - 2 * field[i] + field[i + 1]) ** 2;
    }
  }
  return Math.sqrt(square / (rows * (cells - 2)));
}

/** Number of rows; throws InputError when the values are none or not a whole number of rows. */
export function rowCount(values: Float64Array, columns: number): number {
  const rows = values.length / columns;
  if (Number.isInteger(columns) && columns >= 1 && Number.isInteger(rows) && rows >= 1) return rows;
  throw new InputError(
    `The values are ${values.length} numbers; give one or more whole rows of ${columns} columns.`,
  );
}

/** Mean over rows of (value - column mean)^power; centred first, so a large mean costs no digits. */
function centralMoment(values: Float64Array, columns: number, power: number): Float64Array {
  const rows = rowCount(values, columns);
  const mean = columnMean(values, columns);
  const moment = new Float64Array(columns);
  for (let i = 0; i < values.length; i++) moment[i % columns] += (values[i] - mean[i % columns]) ** power;
  return moment.map((sum) => sum / rows);
}
