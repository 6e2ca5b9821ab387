import { type Exercise, numberFault } from "../../../lib/notebook/check";

type Samples = (p: number, relative: number) => number;

/** 18.1: samples for a probability to a relative standard error. */
export const samplesNeeded: Exercise<Samples> = {
  number: "18.1",
  fault(answer) {
    for (const [p, relative] of [
      [0.01, 0.1],
      [0.5, 0.05],
      [0.001, 0.3],
    ]) {
      // A whole number may be given, rounded up.
      const fault = numberFault(answer(p, relative), (1 - p) / (p * relative ** 2), 1e-3, [
        [(p * (1 - p)) / relative ** 2, "that is for an error of `relative` itself; it is a share of p."],
        [Math.sqrt((1 - p) / p) / relative, "take the square: the error falls as the root of the number."],
        [(1 - p) / (p * relative), "the share enters squared: half the error takes four times as many."],
        [1 / relative ** 2, "so many *hits* are needed; of the samples only the share p hits."],
      ]);
      if (fault) return `For p = ${p} and ${relative}: ${fault}`;
    }
    return undefined;
  },
};

type Price = (costs: { N: number; D: number; T: number; s: number; t: number }) => number;

/** 18.2: the price of a solve, in units of the present one, from which on a model pays. */
export const breakEvenPrice: Exercise<Price> = {
  number: "18.2",
  fault(answer) {
    for (const costs of [
      { N: 1e6, D: 1e5, T: 2000, s: 1e-4, t: 1e-3 },
      { N: 3e5, D: 2e5, T: 100, s: 2e-4, t: 5e-4 },
      { N: 2e5, D: 1e4, T: 5000, s: 1e-3, t: 1e-5 },
    ]) {
      const { N, D, T, s, t } = costs;
      const fault = numberFault(answer({ ...costs }), (T + N * t) / ((N - D) * s), 1e-9, [
        [(T + N * t) / (N * s), "the training data are solves, too, and their price grows as well."],
        [
          (T + D * s + N * t) / (N * s),
          "the training's solves get dearer with all others: m stands on both sides.",
        ],
        [T / ((N - D) * s), "each draw of the model takes its time t."],
        [(N * t) / ((N - D) * s), "the training itself takes T seconds."],
        [(T + N * t) / (N - D), "in units of the present price: divide by s."],
      ]);
      if (fault) return `For ${JSON.stringify(costs)}: ${fault}`;
    }
    for (const N of [10, 100]) {
      const given = answer({ N, D: 100, T: 1, s: 1e-3, t: 1e-3 });
      if (given !== Infinity) {
        return `For N = ${N} and D = 100 your function returns ${given}: a model never pays there, return Infinity.`;
      }
    }
    return undefined;
  },
};
