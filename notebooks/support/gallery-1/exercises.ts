/** Exercises of the gallery's notebook 1: averages over the law of the fast variable. */
import { type Exercise, numberFault } from "../../../lib/notebook/check";

const cases = [
  [1, 0.8, 0.2],
  [-2, 0, 0.9],
  [0.5, 1.2, 0.1],
] as const;

/** The wave's averaged drift where Y is normal: (x, m, v) -> -x / 2 + 2 E cos(x Y). */
export const averagedDrift: Exercise<(x: number, mean: number, variance: number) => number> = {
  number: "G1.1",
  fault(answer) {
    for (const [x, m, v] of cases) {
      const damped = (power: number) => 2 * Math.cos(m * x) * Math.exp(power);
      const fault = numberFault(answer(x, m, v), damped((-v * x * x) / 2) - x / 2, 1e-9, [
        [2 * Math.cos(m * x) - x / 2, "That is the drift at the mean of Y, not the mean of the drift."],
        [damped((-v * v * x * x) / 2) - x / 2, "v is the variance: it stands in the exponent as it is."],
        [damped(-v * x * x) - x / 2, "The exponent is v x² / 2."],
        [damped((-v * x * x) / 2), "The drift has a second term, -λ x."],
      ]);
      if (fault) return `At x = ${x}, m = ${m}, v = ${v}: ${fault}`;
    }
    return undefined;
  },
};

/** An estimate of the square of a mean that has no bias: the product of two independent means. */
export const unbiasedSquare: Exercise<(first: number[], second: number[]) => number> = {
  number: "G1.2",
  fault(answer) {
    const [first, second] = [
      [1, 2, 6],
      [0, 5, 4],
    ];
    return numberFault(answer(first, second), 9, 1e-9, [
      [38 / 3, "Products of pairs add up to the mean of the product, with only three of the nine pairs."],
      [82 / 6, "The mean of squares is larger than the square of the mean, by the variance."],
      [81, "Divide each sum by the number of its draws."],
    ]);
  },
};
