import { Matrix, solve } from "ml-matrix";
import { tf } from "../backend/tensors";
import type { Denoiser } from "../sde";
import { innovation } from "./linearUpdate";
import type { LinearObservation } from "./observation";
import type { ModalPrior } from "./prior";

/**
 * Moment-matching posterior sampling: guidance by the covariance that the denoiser itself implies,
 *
 *     D_y = D + C A^T (1 + A C A^T)^-1 (y - A D),   C = s^2 dD/dy^T,
 *
 * which is the exact covariance of x_0 given y = x_0 + s z (Tweedie's formula of second order). One product with the
 * Jacobian a sensor; the systems of as many unknowns as there are sensors are solved directly, row by row.
 * Exact for a Gaussian prior. Source: Rozet, Andry, Lanusse & Louppe 2024, "Learning diffusion priors from observations by
 * expectation maximization", equations (17) to (21).
 */
export function momentMatching(
  { schedule, denoise, pull }: Pick<ModalPrior, "schedule" | "denoise" | "pull">,
  observation: LinearObservation,
): Denoiser<tf.Tensor> {
  const { matrix, values, size } = observation;
  const m = values.length;
  return (x, t) =>
    tf.tidy(() => {
      const denoised = denoise(x, t);
      const a = tf.tensor2d(Float32Array.from(matrix), [m, size]);
      const spread = pull(x, t, a).mul(schedule.noiseLevel(t) ** 2); // C A^T: [sensors, rows, modes]
      const rows = spread.shape[1]!;
      const projected = tf.matMul(spread.reshape([m * rows, size]) as tf.Tensor2D, a, false, true);
      const covariances = projected.dataSync(); // (sensors, rows, sensors)
      const missing = innovation(observation, denoised).dataSync(); // (rows, sensors)
      const weights = new Float32Array(m * rows);
      for (let row = 0; row < rows; row++) {
        const system = new Matrix(m, m);
        for (let j = 0; j < m; j++) {
          for (let k = 0; k < m; k++) {
            // Of a trained network the Jacobian is symmetric only nearly.
            const [there, back] = [
              covariances[(j * rows + row) * m + k],
              covariances[(k * rows + row) * m + j],
            ];
            system.set(j, k, 0.5 * (there + back) + (j === k ? 1 : 0));
          }
        }
        const right = Matrix.columnVector(Array.from(missing.subarray(row * m, (row + 1) * m)));
        const solved = solve(system, right);
        for (let j = 0; j < m; j++) weights[j * rows + row] = solved.get(j, 0);
      }
      const moved = spread.mul(tf.tensor3d(weights, [m, rows, 1])).sum(0, false);
      return denoised.add(moved.expandDims(0));
    });
}
