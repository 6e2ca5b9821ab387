/** What an error of the denoised state weighs in each loss. */
import { InputError, shown } from "../backend/errors";
import type { Target } from "../loss";
import type { Schedule } from "../schedule";

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
