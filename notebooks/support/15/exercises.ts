/** Exercises of notebook 15: conditional scores and guidance. */
import { type Exercise, listFault, numberFault } from "../../../lib/notebook/check";
import { vpSchedule } from "../../../lib/schedule";

const schedule = vpSchedule();

/** The score of p_t(x | p) where X given p is normal with mean a p and variance lambda. */
export type ConditionalScore = (
  x: number,
  p: number,
  a: number,
  lambda: number,
  m: number,
  v: number,
) => number;

export const conditionalScore: Exercise<ConditionalScore> = {
  number: "15.1",
  fault(answer) {
    const [a, lambda] = [0.8, 0.36];
    for (const t of [0.1, 0.4]) {
      const [m, v] = [schedule.mean(t), schedule.std(t) ** 2];
      for (const [x, p] of [
        [0.5, 1.2],
        [-1, 0.4],
      ]) {
        const fault = numberFault(
          answer(x, p, a, lambda, m, v),
          (m * a * p - x) / (m * m * lambda + v),
          1e-6,
          [
            [
              -x / (m * m * (lambda + a * a) + v),
              "That is the score without the condition, for p standard normal.",
            ],
            [(a * p - x) / (m * m * lambda + v), "The mean of X_t given p is m a p, not a p."],
            [(m * a * p - x) / lambda, "The variance of X_t given p is m² λ + v, not λ."],
            [(m * a * p - x) / (m * lambda + v), "The variance shrinks by m², not by m."],
            [(m * a * p - x) / v, "That is the score given x₀ = a p; x₀ still varies, by λ."],
            [(m * a * p - x) / Math.sqrt(m * m * lambda + v), "Divide by the variance, not by its root."],
          ],
        );
        if (fault) return `At x = ${x}, p = ${p}, t = ${t}: ${fault}`;
      }
    }
    return undefined;
  },
};

/** The guided noise from the guess with the condition and the one without, and the strength w. */
export type Guided = (withCondition: Float64Array, without: Float64Array, w: number) => Float64Array;

/** Classifier-free guidance. Source: Ho & Salimans 2022, with w = 1 for the condition alone. */
export const guidedNoise: Exercise<Guided> = {
  number: "15.2",
  fault(answer) {
    const [given, free] = [Float64Array.of(0.4, -1, 2), Float64Array.of(0.1, 0.5, 1.5)];
    const mix = (onGiven: number, onFree: number) => given.map((g, i) => onGiven * g + onFree * free[i]);
    for (const w of [1, 0, 3]) {
      const fault = listFault(answer(given.slice(), free.slice(), w), mix(w, 1 - w), 1e-9, [
        [
          mix(1 + w, -w),
          "That is Ho and Salimans' own count, where w = 0 is the condition alone; here w = 1 is.",
        ],
        [mix(1 - w, w), "The two are exchanged: w = 1 must give the guess with the condition."],
        [mix(w, 1), "Add w times the *difference* of the two guesses."],
        [mix(1, w), "Add w times the *difference* of the two guesses."],
        [mix(w, -w), "The guess without the condition is missing: start from it."],
        [mix(1 - w, w - 1), "The signs of the difference are exchanged."],
      ]);
      if (fault) return `For w = ${w}: ${fault}`;
    }
    return undefined;
  },
};

/** Variance of the law proportional to p(x | p)^w p(x)^(1 - w) for X | p ~ N(a p, lambda) and P ~ N(0, 1). */
export const guidedVariance: Exercise<(w: number, a: number, lambda: number) => number> = {
  number: "15.3",
  fault(answer) {
    const [a, lambda] = [0.8, 0.36];
    const all = lambda + a * a;
    for (const w of [1, 2, 5]) {
      const right = 1 / (w / lambda + (1 - w) / all);
      const fault = numberFault(answer(w, a, lambda), right, 1e-6, [
        [1 / right, "That is the precision, one over the variance."],
        [lambda / w, "That is the variance of p(x | p)^w alone; dividing by p(x)^(w − 1) widens it again."],
        [
          w * lambda + (1 - w) * all,
          "Not the variances add up, but their inverses: the exponents of Gaussians do.",
        ],
        [Math.sqrt(right), "That is the standard deviation."],
        [1 / (w / lambda + (w - 1) / all), "p(x) is divided by: its precision is taken off."],
      ]);
      if (fault) return `For w = ${w}: ${fault}`;
    }
    return undefined;
  },
};
