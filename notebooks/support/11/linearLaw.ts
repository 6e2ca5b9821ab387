/** Gaussian data in one dimension under the printed equations: simulated particles, and the least loss. */
import { type Gaussian, gaussianDenoiser, marginalGaussian } from "../../../lib/evaluation/gaussianSampling";
import { reverseSampler } from "../../../lib/evaluation/reverseForms";
import type { Random } from "../../../lib/random";
import { trajectory } from "../../../lib/samplers";
import type { Schedule } from "../../../lib/schedule";
import { type ReverseForm } from "../../../lib/sde";
import { arraySpace } from "../../../lib/evaluation/forwardProcess";

/**
 * The variances that reverseVariances tells, of `particles` simulated by Euler-Maruyama with the exact score: (times).
 *
 * The mean of the data must be 0. The sampling error is sqrt(2 / particles).
 */
export function simulatedReverseVariances(
  form: ReverseForm,
  data: Gaussian,
  schedule: Schedule,
  times: Float64Array,
  particles: number,
  random: Random,
): Float64Array {
  const std = Math.sqrt(marginalGaussian(data, schedule, times[0]).variance);
  const start = random.fillNormal(new Float64Array(particles)).map((z) => std * z);
  const normal = (like: Float64Array) => random.fillNormal(new Float64Array(like.length));
  const space = { ...arraySpace(0), normal };
  const sampler = reverseSampler(form);
  const denoise = gaussianDenoiser(data, schedule);
  const variances: number[] = [];
  for (const { x } of trajectory({ sampler, schedule, times, denoise, space, start })) {
    variances.push(x.reduce((sum, value) => sum + value * value, 0) / particles);
  }
  return Float64Array.from(variances);
}

/**
 * Smallest value that the loss E|target - s(x_t, t)|^2 of score matching can have at one time, for Gaussian data.
 *
 * The target -z / std has the variance 1 / std^2 and the exact score -x / V explains 1 / V of it, so that
 * 1 / std^2 - 1 / V is left: it grows like 1 / std^2 towards t = 0, whatever the network.
 */
export function smallestScoreLoss(data: Gaussian, schedule: Schedule, t: number): number {
  return 1 / schedule.std(t) ** 2 - 1 / marginalGaussian(data, schedule, t).variance;
}
