import { InputError, positiveInteger, shown } from "./errors";
import type { Random } from "./random";
import type { Denoiser } from "./samplerSteps";
import type { Schedule } from "./schedule";

/** What a network can be trained to return; given x_t, each determines the others. */
export type Target = "score" | "noise" | "denoised" | "v";

/**
 * Each target as a linear map of x_t and the denoised state D: target = onState x_t + onDenoised D.
 *
 *             target         onState      onDenoised    D from the target
 *   score     -z / std       -1/std^2     mean/std^2    (x + std^2 score) / mean
 *   noise      z              1/std       -mean/std     (x - std noise) / mean
 *   denoised   x_0            0            1            denoised
 *   v          mean z - std x_0   mean/std   -1/std     mean x - std v
 *
 * An error e in D is an error onDenoised e in the target, so the plain squared loss of a target is that of D weighted
 * by onDenoised^2: see denoisedWeight. Source of v: Salimans & Ho 2022, section 4.
 */
export function targetCoefficients(
  target: Target,
  schedule: Schedule,
  t: number,
): { onState: number; onDenoised: number } {
  const [m, std] = [schedule.mean(t), schedule.std(t)];
  switch (target) {
    case "score":
      return { onState: -1 / std ** 2, onDenoised: m / std ** 2 };
    case "noise":
      return { onState: 1 / std, onDenoised: -m / std };
    case "denoised":
      return { onState: 0, onDenoised: 1 };
    case "v":
      return { onState: m / std, onDenoised: -1 / std };
    default:
      throw new InputError(`The target is ${shown(target)}; give one of score, noise, denoised, v.`);
  }
}

/** The weight w with w |error in D|^2 = |error in the target|^2 at time t. */
export function denoisedWeight(target: Target, schedule: Schedule, t: number): number {
  return targetCoefficients(target, schedule, t).onDenoised ** 2;
}

/**
 * The blog's weight v_t = std^2 on the squared error of the score.
 *
 * It makes the loss the plain squared error of the noise: v_t |score error|^2 = |D error|^2 / noiseLevel^2.
 */
export function blogWeight(schedule: Schedule, t: number): number {
  return schedule.std(t) ** 2;
}

/** EDM's weight (s^2 + d^2) / (s d)^2 on |error in D|^2, with s the noise level and d the data's standard deviation. */
export function edmWeight(noiseLevel: number, dataStd: number): number {
  return (noiseLevel ** 2 + dataStd ** 2) / (noiseLevel * dataStd) ** 2;
}

/** The blog's training times, smallest + (T - smallest) u^2 for u uniform in [0, 1): dense near the data. */
export function quadraticTime(schedule: Schedule, u: number, smallestTime = 1e-4): number {
  return smallestTime + (schedule.endTime - smallestTime) * u * u;
}

/**
 * One uniform number in each of `count` equal parts of [0, 1), in rising order.
 *
 * A batch then covers all times evenly and the variance of its mean loss falls; each number alone is not uniform, so
 * pair them with a batch in random order.
 */
export function stratifiedUniform(count: number, random: Random): Float64Array {
  positiveInteger("The number of draws", count);
  return Float64Array.from({ length: count }, (_, i) => (i + random.uniform()) / count);
}

/**
 * Denoising score matching loss of a denoiser on clean rows: the mean over rows of weight(t) |D(x_t, t) - x_0|^2.
 *
 * clean is rows x d, times one value a row; the mean over t, not a maximum, is what is minimised.
 * Its smallest value is reached by the exact denoiser and is not 0. Source: Vincent 2011; Song et al. 2021,
 * equation (7).
 */
export function denoisingLoss(
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
