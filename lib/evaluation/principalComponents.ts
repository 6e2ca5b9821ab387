import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { columnMean, rowCount } from "../comparison";

/** Principal components of a set of rows: the directions in which it varies most, its modes for short. */
export interface PrincipalComponents {
  readonly mean: Float64Array; // columns
  /** Variances along the modes, with n - 1, falling; never negative. */
  readonly variances: Float64Array; // modes
  /** Sum of the variances of all columns. */
  readonly totalVariance: number;
  /** Orthonormal modes, one after the other. */
  readonly vectors: Float64Array; // modes x columns
}

/**
 * The leading principal components of rows x columns values: eigenvectors of their covariance; default all of them.
 *
 * A mode's sign is such that its components have a positive sum, so that skewness has one, too. Standardise columns
 * of different units first. Takes time as rows x columns^2 + columns^3. Throws InputError for values that are no rows.
 */
export function principalComponents(
  values: Float64Array,
  columns: number,
  count = columns,
): PrincipalComponents {
  const mean = columnMean(values, columns);
  const covariance = columnCovariance(values, columns, mean);
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(covariance, {
    assumeSymmetric: true,
  });
  const kept = Math.min(count, columns);
  const vectors = new Float64Array(kept * columns);
  const variances = new Float64Array(kept);
  for (let k = 0; k < kept; k++) {
    const vector = eigenvectorMatrix.getColumn(columns - 1 - k); // eigenvalues come rising
    const sign = vector.reduce((sum, value) => sum + value, 0) < 0 ? -1 : 1;
    for (let j = 0; j < columns; j++) vectors[k * columns + j] = sign * vector[j];
    variances[k] = Math.max(0, realEigenvalues[columns - 1 - k]); // round-off can leave a zero negative
  }
  return { mean, variances, totalVariance: covariance.trace(), vectors };
}

/** Coordinates of rows x columns values along modes, from the modes' mean: rows x modes. */
export function componentCoordinates(
  values: Float64Array,
  { mean, variances, vectors }: PrincipalComponents,
): Float64Array {
  const columns = mean.length;
  const rows = rowCount(values, columns);
  const result = new Float64Array(rows * variances.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let k = 0; k < variances.length; k++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) {
        sum += (values[row * columns + j] - mean[j]) * vectors[k * columns + j];
      }
      result[at++] = sum;
    }
  }
  return result;
}

/** Covariance of the columns about their mean, with n - 1 (1 for a single row). */
function columnCovariance(values: Float64Array, columns: number, mean: Float64Array): Matrix {
  const rows = rowCount(values, columns);
  const sums = new Float64Array(columns * columns);
  const deviation = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++) deviation[j] = values[row * columns + j] - mean[j];
    for (let i = 0; i < columns; i++) {
      const factor = deviation[i];
      for (let j = 0; j <= i; j++) sums[i * columns + j] += factor * deviation[j];
    }
  }
  const covariance = new Matrix(columns, columns);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j <= i; j++) {
      const value = sums[i * columns + j] / Math.max(1, rows - 1);
      covariance.set(i, j, value);
      covariance.set(j, i, value);
    }
  }
  return covariance;
}
