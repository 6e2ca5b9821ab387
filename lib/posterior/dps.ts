import { tf } from "../backend/tensors";
import type { Denoiser } from "../sde";
import { innovation } from "./linearUpdate";
import type { LinearObservation } from "./observation";
import type { ModalPrior } from "./prior";

/**
 * Diffusion posterior sampling, shown as a warning: a step down the gradient of |y - A D| beside each step of the sampler,
 *
 *     D_y = D + weight (1 + s^2) dD/dy^T A^T (y - A D) / |y - A D|.
 *
 * It takes x_0 to be known exactly once the noisy state is, so it knows no covariance, and the step's length is a number to
 * tune, whatever the noise of the sensors: it finds fields that fit the sensors, not the posterior.
 * Source: Chung, Kim, Mccann, Klasky & Ye 2023, "Diffusion posterior sampling for general noisy inverse problems", algorithm 1, whose step in
 * x = mean(t) y is this one; 1 + s^2 = 1 / mean(t)^2.
 */
export function diffusionPosteriorSampling(
  { schedule, denoise, pull }: Pick<ModalPrior, "schedule" | "denoise" | "pull">,
  observation: LinearObservation,
  weight: number,
): Denoiser<tf.Tensor> {
  const { matrix, values, size } = observation;
  return (x, t) =>
    tf.tidy(() => {
      const denoised = denoise(x, t);
      const a = tf.tensor2d(Float32Array.from(matrix), [values.length, size]);
      const missing = innovation(observation, denoised); // [rows, sensors]
      const direction = missing.div(missing.square().sum(1, true).sqrt().add(1e-12));
      const pulled = pull(x, t, a); // [sensors, rows, modes]
      const slope = pulled.mul(direction.transpose().expandDims(2)).sum(0);
      return denoised.add(slope.mul(weight * (1 + schedule.noiseLevel(t) ** 2)).expandDims(0));
    });
}
