/** What samplers make of Gaussian data, whose score is linear: without a random number. */
import { type Denoiser } from "../sde";
import { arraySpace } from "./forwardProcess";
import { type ModalCombination, sample, type Sampler } from "../samplers";
import type { Schedule } from "../schedule";

/** A Gaussian of one dimension. */
export interface Gaussian {
  readonly mean: number;
  readonly variance: number;
}

/** The distribution of x_t when that of x_0 is this Gaussian. */
export function marginalGaussian({ mean, variance }: Gaussian, schedule: Schedule, t: number): Gaussian {
  const m = schedule.mean(t);
  return { mean: m * mean, variance: m * m * variance + schedule.std(t) ** 2 };
}

/** E[x_0 | x_t] of Gaussian data, for any number of states. */
export function gaussianDenoiser(data: Gaussian, schedule: Schedule): Denoiser<Float64Array> {
  return (x, t) => {
    const { mean, variance } = marginalGaussian(data, schedule, t);
    const gain = (schedule.mean(t) * data.variance) / variance;
    return x.map((value) => data.mean + gain * (value - mean));
  };
}

/**
 * The distribution of what a sampler returns at the last time when the data are Gaussian, their score is exact and it
 * starts from `start` (default: the true distribution of x at the first time); and how often it called the denoiser.
 *
 * Every step is affine: the result is offset + gain x_T + sum_k gain_k z_k. All gains come from one run of the sampler over
 * as many states as there are: from 0, from 1, and from 0 with the k-th noise 1.
 */
export function sampledGaussian(
  sampler: Sampler,
  schedule: Schedule,
  times: Float64Array,
  data: Gaussian,
  start: Gaussian = marginalGaussian(data, schedule, times[0]),
): Gaussian & { readonly networkCalls: number } {
  let networkCalls = 0;
  const exact = gaussianDenoiser(data, schedule);
  const denoise: typeof exact = (x, t) => {
    networkCalls++;
    return exact(x, t);
  };
  const { combine } = arraySpace(0);
  const combineModes: ModalCombination<Float64Array> = (terms) =>
    combine(terms.map(([coefficient, x]) => [coefficient(data.variance), x] as const));
  const probes = new Float64Array(times.length + 1); // 0, 1, and one for each step's noise
  probes[1] = 1;
  const normal = (like: Float64Array, draw: number) => like.map((_, i) => (i === draw + 1 ? 1 : 0));
  const space = { combine, normal };
  const results = sample({ sampler, schedule, times, denoise, space, combineModes, start: probes });
  const [offset, one, ...noisy] = results;
  const gain = one - offset;
  const noise = noisy.reduce((sum, value) => sum + (value - offset) ** 2, 0);
  return { mean: offset + gain * start.mean, variance: gain ** 2 * start.variance + noise, networkCalls };
}
