/** The update of the Gaussian with the prior's mean and covariance: the baseline, and where guided samplers start. */
import { normal, tf } from "../backend/tensors";
import { LinearUpdate } from "./linearUpdate";
import type { LinearObservation } from "./observation";

/**
 * Draws [1, rows, modes] of y = x_0 + level z, x_0 from the posterior of a Gaussian prior of these variances:
 *
 *     x_0 = p + C A^T (1 + A C A^T)^-1 (y - A p - e),   p ~ N(0, C), e ~ N(0, 1) (Matheron's rule).
 *
 * seed, ...stream: of the random numbers. Source: Kalman 1960; Wilson et al. 2021, "Pathwise conditioning of Gaussian processes".
 */
export function kalmanDraws(
  variances: Float64Array,
  observation: LinearObservation,
  rows: number,
  level: number,
  seed: number,
  ...stream: number[]
): tf.Tensor3D {
  return tf.tidy(() => {
    const size = variances.length;
    const deviation = tf.tensor1d(Float32Array.from(variances, Math.sqrt));
    const drawn = normal([1, rows, size], seed, ...stream, 0).mul(deviation);
    const noise = normal([rows, observation.values.length], seed, ...stream, 1) as tf.Tensor2D;
    const updated = new LinearUpdate(observation, variances).apply(drawn, noise);
    return updated.add(normal([1, rows, size], seed, ...stream, 2).mul(level)) as tf.Tensor3D;
  });
}

/** Mean and variance of each mode of the posterior of a Gaussian prior: both (modes). */
export function kalmanMoments(
  variances: Float64Array,
  observation: LinearObservation,
): { mean: Float64Array; variance: Float64Array } {
  const { gain } = new LinearUpdate(observation, variances);
  const { matrix, values, size } = observation;
  const m = values.length;
  const mean = variances.map((_, i) => values.reduce((sum, value, j) => sum + gain[i * m + j] * value, 0));
  const variance = variances.map((prior, i) => {
    let left = prior;
    for (let j = 0; j < m; j++) left -= gain[i * m + j] * matrix[j * size + i] * prior;
    return left;
  });
  return { mean, variance };
}
