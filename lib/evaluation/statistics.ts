/** Numbers that describe distributions and curves beyond mean and spread. */
import { columnMean, rowCount } from "../comparison";
import { integerInRange } from "../backend/errors";

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

/** Mean over rows of (value - column mean)^power: (columns). Centred first, so that a large mean costs no digits. */
function centralMoment(values: Float64Array, columns: number, power: number): Float64Array {
  const mean = columnMean(values, columns);
  return columnMean(
    values.map((value, i) => (value - mean[i % columns]) ** power),
    columns,
  );
}

/** Variances (columns), NaN where all values of a column are equal but for round-off. */
function varianceOf(values: Float64Array, columns: number): Float64Array {
  const square = columnMean(
    values.map((value) => value ** 2),
    columns,
  );
  const ROUND_OFF = 1e-14;
  return centralMoment(values, columns, 2).map((m2, j) => (m2 > ROUND_OFF ** 2 * square[j] ? m2 : NaN));
}

/** Skewness m3 / m2^1.5 of each column from its central moments; NaN where a column is constant. */
export function columnSkewness(values: Float64Array, columns: number): Float64Array {
  const m2 = varianceOf(values, columns);
  return centralMoment(values, columns, 3).map((m3, j) => m3 / m2[j] ** 1.5);
}

/** Excess kurtosis m4 / m2^2 - 3 of each column: 0 for a Gaussian; NaN where a column is constant. */
export function columnKurtosis(values: Float64Array, columns: number): Float64Array {
  const m2 = varianceOf(values, columns);
  return centralMoment(values, columns, 4).map((m4, j) => m4 / m2[j] ** 2 - 3);
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
