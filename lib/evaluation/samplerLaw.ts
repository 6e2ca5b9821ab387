import type { ModalCombination, Sampler } from "../samplerSteps";
import { sample } from "../samplers";
import type { Schedule } from "../schedule";

/** A Gaussian of one dimension. */
export interface Law {
  readonly mean: number;
  readonly variance: number;
}

/** The law of x_t when that of x_0 is this Gaussian. */
export function marginalLaw({ mean, variance }: Law, schedule: Schedule, t: number): Law {
  const m = schedule.mean(t);
  return { mean: m * mean, variance: m * m * variance + schedule.std(t) ** 2 };
}

/** The law of what a sampler returns, and how often it called the denoiser. */
export interface SamplerLaw extends Law {
  readonly networkCalls: number;
}

/**
 * The law of what a sampler returns at the last time when the data are Gaussian, their score is exact and it starts from
 * `start` (default: the true law of x at the first time). Without a random number.
 *
 * The score is then affine, and with it every step: the result is offset + gain x_T + sum_k gain_k z_k. All gains come
 * from one run of the sampler over as many states as there are: from 0, from 1, and from 0 with the k-th noise 1.
 */
export function samplerLaw(
  sampler: Sampler,
  schedule: Schedule,
  times: Float64Array,
  data: Law,
  start: Law = marginalLaw(data, schedule, times[0]),
): SamplerLaw {
  let networkCalls = 0;
  const denoise = (x: Float64Array, t: number) => {
    networkCalls++;
    const { mean, variance } = marginalLaw(data, schedule, t);
    const gain = (schedule.mean(t) * data.variance) / variance;
    return x.map((value) => data.mean + gain * (value - mean));
  };
  const combine = (terms: ReadonlyArray<readonly [number, Float64Array]>) =>
    terms[0][1].map((_, i) => terms.reduce((sum, [coefficient, x]) => sum + coefficient * x[i], 0));
  const combineModes: ModalCombination<Float64Array> = (terms) =>
    combine(terms.map(([coefficient, x]) => [coefficient(data.variance), x] as const));
  const probes = new Float64Array(times.length + 1); // 0, 1, and one for each step's noise
  probes[1] = 1;
  const space = {
    combine,
    normal: (like: Float64Array, draw: number) => like.map((_, i) => (i === draw + 1 ? 1 : 0)),
  };
  const [offset, one, ...noisy] = sample({
    sampler,
    schedule,
    times,
    denoise,
    space,
    combineModes,
    start: probes,
  });
  const gain = one - offset;
  const noise = noisy.reduce((sum, value) => sum + (value - offset) ** 2, 0);
  return { mean: offset + gain * start.mean, variance: gain ** 2 * start.variance + noise, networkCalls };
}
