import { tf } from "../backend/tensors";
import type { Denoiser } from "../sde";
import { conditionalVariances, LinearUpdate } from "./linearUpdate";
import type { LinearObservation } from "./observation";
import type { ModalPrior } from "./prior";

/**
 * Guidance by the Gaussian covariance: the denoised mean given the noisy state and the sensors,
 *
 *     D_y = D + C A^T (1 + A C A^T)^-1 (y - A D),   C = diag(l s^2 / (l + s^2)),
 *
 * as if x_0 given the noisy state were Gaussian around D with the covariance C that a Gaussian prior has. It is a
 * denoiser made from a denoiser, for any sampler, and takes no gradient of the network. Exact for a Gaussian prior.
 * Source: joint flow and posterior sampling with covariance from the prior, as "JFPS" in azula; Ho et al. 2022, "Video
 * diffusion models", section 3.1, with a scalar in the place of C; Rozet & Louppe 2023, "Score-based data assimilation".
 */
export function gaussianGuidance(
  { schedule, denoise, variances }: Pick<ModalPrior, "schedule" | "denoise" | "variances">,
  observation: LinearObservation,
): Denoiser<tf.Tensor> {
  return (x, t) =>
    tf.tidy(() => {
      const covariance = conditionalVariances(variances, schedule.noiseLevel(t));
      return new LinearUpdate(observation, covariance).apply(denoise(x, t));
    });
}
