import { finiteInRange, positive } from "./backend/errors";

/**
 * Noise schedule of the forward SDE dx = -beta/2 x dt + sqrt(beta) dW.
 *
 * Its marginal is x_t = mean(t) x_0 + std(t) z with standard normal z. Equivalently x_t / mean(t) is x_0 plus
 * noise of standard deviation noiseLevel(t), so a time and a noise level name the same thing.
 * (The blog writes v_t for std(t)^2: a variance.)
 */
export interface Schedule {
  /** T, where the forward process stops and sampling starts. */
  readonly endTime: number;
  /** Rate at which data turn into noise. */
  beta(t: number): number;
  /** Integral of beta from 0 to t. */
  alpha(t: number): number;
  /** exp(-alpha / 2), the factor on x_0. */
  mean(t: number): number;
  /** sqrt(1 - exp(-alpha)), the factor on the noise. */
  std(t: number): number;
  /** std / mean = sqrt(exp(alpha) - 1). */
  noiseLevel(t: number): number;
  /** The time at which noiseLevel has this value: the inverse of noiseLevel. */
  timeOf(noiseLevel: number): number;
}

/**
 * Variance-preserving schedule whose beta grows linearly from betaMin at 0 to betaMax at endTime.
 *
 * Times, 0 .. endTime, have no unit; betas are per unit of time. Defaults: the blog's 0.001, 20 and 1.
 * Throws InputError unless 0 <= betaMin <= betaMax, betaMax > 0 and endTime > 0.
 * Source: Song et al. 2021, "Score-Based Generative Modeling through SDEs", appendix C; the blog's equation (4).
 */
export function vpSchedule({ betaMin = 0.001, betaMax = 20, endTime = 1 } = {}): Schedule {
  positive("betaMax", betaMax);
  finiteInRange("betaMin", betaMin, 0, betaMax);
  positive("The end time", endTime);
  const slope = (betaMax - betaMin) / endTime;
  const alpha = (t: number) => betaMin * t + 0.5 * slope * t * t;
  return {
    endTime,
    beta: (t) => betaMin + slope * t,
    alpha,
    mean: (t) => Math.exp(-0.5 * alpha(t)),
    std: (t) => Math.sqrt(-Math.expm1(-alpha(t))), // expm1 keeps all digits where t is small
    noiseLevel: (t) => Math.sqrt(Math.expm1(alpha(t))),
    timeOf(noiseLevel) {
      finiteInRange("The noise level", noiseLevel, 0, Number.MAX_VALUE);
      if (noiseLevel === 0) return 0;
      const target = Math.log1p(noiseLevel * noiseLevel);
      // The root of slope/2 t^2 + betaMin t = target in the form that does not cancel.
      return (2 * target) / (betaMin + Math.sqrt(betaMin * betaMin + 2 * slope * target));
    },
  };
}

/** The blog's times, smallest + (T - smallest) u^2 for u in [0, 1]: dense near the data. */
export function quadraticTime({ endTime }: Schedule, u: number, smallestTime = 1e-4): number {
  return smallestTime + (endTime - smallestTime) * u * u;
}
