import { InputError } from "../../../lib/backend/errors";
import { rowCount } from "../../../lib/comparison";

/** Pearson's correlation coefficient of x and y (n each), in [-1, 1]; NaN if one is constant. Throws InputError. */
export function correlation(x: Float64Array, y: Float64Array): number {
  if (x.length !== y.length || x.length < 2) {
    throw new InputError(`There are ${x.length} and ${y.length} numbers; give as many of both, two or more.`);
  }
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xx += (x[i] - meanX) ** 2;
    xy += (x[i] - meanX) * (y[i] - meanY);
    yy += (y[i] - meanY) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Column `column` of rows x columns values: (rows). */
export function columnOf(values: Float64Array, columns: number, column: number): Float64Array {
  return Float64Array.from({ length: rowCount(values, columns) }, (_, row) => values[row * columns + column]);
}

/** Correlation of every column of rows x columns values with y (rows): (columns). */
export function columnCorrelations(values: Float64Array, columns: number, y: Float64Array): Float64Array {
  return Float64Array.from({ length: columns }, (_, j) => correlation(columnOf(values, columns, j), y));
}
