/** Exercises of the gallery's notebook 6: the two variances of a rating, and laws that no data can tell apart. */
import { type Exercise, numberFault } from "../../../lib/notebook/check";

const laws = [
  [0.5, 2, 0.6],
  [3, 4.5, 1.4],
] as const;

/** Noise and ignorance of a normal-inverse-gamma law: (nu, alpha, beta) -> [aleatoric, epistemic]. */
export const twoVariances: Exercise<(nu: number, alpha: number, beta: number) => readonly [number, number]> =
  {
    number: "G6.1",
    fault(answer) {
      for (const [nu, alpha, beta] of laws) {
        const noise = beta / (alpha - 1);
        const [found, unknown] = answer(nu, alpha, beta);
        const fault =
        numberFault(found, noise, 1e-9, [
          [beta / alpha, "The mean of an inverse gamma law is β / (α - 1); β / α is the inverse of the precision's mean."],
          [noise / nu, "That is the other one: divide by ν for the variance of the mean."],
        ]) ??
        numberFault(unknown, noise / nu, 1e-9, [
          [noise, "That is the noise again; ν observations have been made of the mean, so to speak."],
          [noise * nu, "More evidence ν makes the mean surer: divide by it."],
          [noise * (1 + 1 / nu), "That is the variance of a rating, noise and ignorance together."],
        ]); // prettier-ignore
        if (fault) return `At ν = ${nu}, α = ${alpha}, β = ${beta}: ${fault}`;
      }
      return undefined;
    },
  };

/** The beta that gives a law with another nu the same density of ratings: (nu, beta, other nu) -> number. */
export const sameDensity: Exercise<(nu: number, beta: number, other: number) => number> = {
  number: "G6.2",
  fault(answer) {
    for (const [nu, beta, other] of [
      [1, 0.5, 4],
      [0.2, 1.5, 2],
    ]) {
      const kept = (beta * (1 + nu)) / nu;
      const fault = numberFault(answer(nu, beta, other), (kept * other) / (1 + other), 1e-9, [
        [beta, "With β as it was, the scale β (1 + ν) / (ν α) of Student's law changes with ν."],
        [(beta * other) / nu, "That keeps β / ν, the ignorance alone; the density knows the sum, β (1 + 1/ν)."],
        [(beta * (1 + nu)) / (1 + other), "That keeps β (1 + ν); in the density it is divided by ν."],
      ]); // prettier-ignore
      if (fault) return `At ν = ${nu}, β = ${beta}, other ν = ${other}: ${fault}`;
    }
    return undefined;
  },
};
