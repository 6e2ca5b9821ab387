/** The update of a Gaussian by a linear observation, which all methods but importance sampling and pCN are made of. */
import { CholeskyDecomposition, Matrix, solve } from "ml-matrix";
import { tf } from "../backend/tensors";
import type { LinearObservation } from "./observation";

/**
 * With x of covariance C = diag(c) and y = A x + z: S = 1 + A C A^T, the covariance of y; the gain C A^T S^-1; and W with
 * W^T W = S^-1, by which y becomes white. Source: Kalman 1960.
 */
export class LinearUpdate {
  /** (size, values) */
  readonly gain: Float64Array;
  /** W (values, values) */
  readonly whitener: Float64Array;

  /** covariance: c (size). */
  constructor(
    readonly observation: LinearObservation,
    readonly covariance: Float64Array,
  ) {
    const { matrix, values, size } = observation;
    const m = values.length;
    const spread = new Matrix(m, m);
    for (let j = 0; j < m; j++) {
      for (let k = 0; k <= j; k++) {
        let sum = j === k ? 1 : 0;
        for (let i = 0; i < size; i++) sum += matrix[j * size + i] * covariance[i] * matrix[k * size + i];
        spread.set(j, k, sum);
        spread.set(k, j, sum);
      }
    }
    const lower = new CholeskyDecomposition(spread).lowerTriangularMatrix;
    this.whitener = Float64Array.from(solve(lower, Matrix.eye(m)).to1DArray());
    const inverse = solve(spread, Matrix.eye(m));
    this.gain = new Float64Array(size * m);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < m; j++) {
        let sum = 0;
        for (let k = 0; k < m; k++) sum += matrix[k * size + i] * inverse.get(k, j);
        this.gain[i * m + j] = covariance[i] * sum;
      }
    }
  }

  /** |W d|^2 for d = y - A x, from `start` on: of x's mean it has as many degrees of freedom as there are values. */
  square(difference: ArrayLike<number>, start = 0): number {
    const m = this.observation.values.length;
    let square = 0;
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let k = 0; k <= j; k++) sum += this.whitener[j * m + k] * difference[start + k];
      square += sum * sum;
    }
    return square;
  }

  /** Rows x [1, rows, size] moved by the gain times what y differs from A x (and from noise [rows, values], if given). */
  apply(x: tf.Tensor, noise?: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => {
      const { size, values } = this.observation;
      const missing = values.length;
      const from = innovation(this.observation, x);
      const gain = tf.tensor2d(Float32Array.from(this.gain), [size, missing]);
      const moved = tf.matMul(noise ? (from.sub(noise) as tf.Tensor2D) : from, gain, false, true);
      return x.add(moved.expandDims(0)) as tf.Tensor3D;
    });
  }
}

/** y - A x for rows x [1, rows, size]: [rows, values]. */
export function innovation({ matrix, values, size }: LinearObservation, x: tf.Tensor): tf.Tensor2D {
  return tf.tidy(() => {
    const a = tf.tensor2d(Float32Array.from(matrix), [values.length, size]);
    const seen = tf.matMul(x.reshape([-1, size]) as tf.Tensor2D, a, false, true);
    return tf.tensor1d(Float32Array.from(values)).sub(seen) as tf.Tensor2D;
  });
}

/** Variance of each mode of the clean data given its noisy value: l s^2 / (l + s^2), exact for a Gaussian. */
export function conditionalVariances(variances: Float64Array, level: number): Float64Array {
  return variances.map((variance) => (variance * level * level) / (variance + level * level));
}
