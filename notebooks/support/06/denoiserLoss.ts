import { denoisedWeight } from "../../../lib/evaluation/lossWeights";
import type { Random } from "../../../lib/random";
import type { Schedule } from "../../../lib/schedule";
import type { Denoiser } from "../../../lib/sde";

/**
 * Denoising score matching loss of a denoiser on clean rows: the mean over rows of weight(t) |D(x_t, t) - x_0|^2.
 *
 * clean is rows x d, times one value a row; the mean over t, not a maximum, is what is minimised.
 * Its smallest value is reached by the exact denoiser and is not 0. Source: Vincent 2011; Song et al. 2021,
 * equation (7).
 */
export function denoiserLoss(
  denoise: Denoiser<Float64Array>,
  schedule: Schedule,
  clean: Float64Array,
  times: Float64Array,
  random: Random,
  weight: (t: number) => number = (t) => denoisedWeight("noise", schedule, t),
): number {
  const d = clean.length / times.length;
  let loss = 0;
  times.forEach((t, row) => {
    const x0 = clean.subarray(row * d, (row + 1) * d);
    const noise = random.fillNormal(new Float64Array(d));
    const denoised = denoise(
      noise.map((z, i) => schedule.mean(t) * x0[i] + schedule.std(t) * z),
      t,
    );
    const square = denoised.reduce((sum, value, i) => sum + (value - x0[i]) ** 2, 0);
    loss += (weight(t) * square) / times.length;
  });
  return loss;
}
