/** Exercises of notebook 3. */
import type { DataSet } from "../../../lib/dataSet";
import { type Exercise, numberFault } from "../../../lib/notebook/check";
import { simulateAt } from "../../../lib/presets/simulate";
import type { Problem } from "../../../lib/problem";
import { Random } from "../../../lib/random";
import { correlation } from "./correlation";
import { fieldModes, modesForShare } from "./fieldModes";
import { varianceParts } from "./varianceParts";

/** Share of the variance of c at x = 0 in a data set that the conditions explain. */
export function explainedShare(data: DataSet): Exercise<number> {
  return {
    number: "3.1",
    fault(answer) {
      const { total, within } = varianceParts(data);
      const last = total.length - 1;
      const left = within[0] / total[0];
      return numberFault(answer, 1 - left, 1e-4, [
        [100 * (1 - left), "That is in per cent; asked is the share, a number from 0 to 1."],
        [left, "That share is left within a condition; the conditions explain the rest."],
        [
          1 - Math.sqrt(left),
          "That compares standard deviations; shares add up for variances, their squares.",
        ],
        [Math.sqrt(left), "That is a ratio of standard deviations, and of what is left within a condition."],
        [1 - within[last] / total[last], "That is the share for φ at x = L; asked is c at x = 0."],
      ]);
    },
  };
}

/** Number of modes that carry 99 % of the variance of both fields at l = 2 µm, U0 = 0, F = 25 A/m2. */
export function modesNeeded(problem: Problem): Exercise<number> {
  return {
    number: "3.2",
    fault(answer) {
      const modes = (correlationLength: number) =>
        fieldModes(simulateAt(problem, [correlationLength, 0, 25], 1000, 12));
      const short = modes(problem.conditions[0].min);
      const expected = modesForShare(short, 0.99);
      if (!Number.isInteger(answer)) return `${answer} is no number of modes.`;
      // Another set of samples moves the cumulative variance by some tenths of a per cent.
      if (Math.abs(answer - expected) <= 1) return undefined;
      return numberFault(answer, expected, 0, [
        [modesForShare(modes(problem.conditions[0].max), 0.99), "So many are needed at l = 20 µm."],
        [modesForShare(short, 0.9), "So many carry 90 %; asked are 99 %."],
        [modesForShare(short, 0.999), "So many carry 99.9 %; asked are 99 %."],
        [short.variances.findIndex((variance) => variance < 0.01 * short.totalVariance), "So many modes carry more than 1 % each; asked is when their sum reaches 99 %."], // prettier-ignore
      ]);
    },
  };
}

/** Pearson's correlation of two lists of numbers of one length. */
export type Correlation = (x: number[], y: number[]) => number;

/** A function that computes a correlation. */
export const correlationOf: Exercise<Correlation> = {
  number: "3.3",
  fault(answer) {
    const n = 50;
    const random = new Random(5);
    const [a, b] = [0, 1].map(() => random.fillNormal(new Float64Array(n)));
    // A mean and a spread far from 0 and 1, so that each mistake shows.
    const x = a.map((value) => 3 + 2 * value);
    const y = a.map((value, i) => 5 - 4 * (0.6 * value + 0.8 * b[i]));
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const product = (u: Float64Array, v: Float64Array) => mean(u.map((value, i) => value * v[i]));
    const centred = (values: Float64Array) => values.map((value) => value - mean(values));
    const covariance = product(centred(x), centred(y));
    const r = correlation(x, y);
    const given = answer(Array.from(x), Array.from(y));
    return numberFault(given, r, 1e-9, [
      [covariance, "That is the covariance; divide it by both standard deviations."],
      [(covariance * n) / (n - 1), "That is the covariance; divide it by both standard deviations."],
      [
        product(x, y) / Math.sqrt(product(x, x) * product(y, y)),
        "The means are not subtracted: two lists around 3 and 5 look alike whatever they do.",
      ],
      [r * r, "That is the square, which loses the sign."],
      [
        covariance / (product(centred(x), centred(x)) * product(centred(y), centred(y))),
        "That divides by the variances; divide by their square roots.",
      ],
      [(r * n) / (n - 1), "The sum is divided by n − 1 above and by n below; take the same in both."],
      [(r * (n - 1)) / n, "The sum is divided by n above and by n − 1 below; take the same in both."],
      [covariance / product(centred(x), centred(x)), "That is the slope of y against x."],
    ]);
  },
};
