import { Random } from "../../../lib/random";
import { energyDistance } from "../../../lib/comparison";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

type Distance = (x: number[], y: number[]) => number;

/** 10.1: the energy distance of two sets of numbers. */
export const energyOfNumbers: Exercise<Distance> = {
  number: "10.1",
  fault(answer) {
    const random = new Random(101);
    for (const [n, m, shift] of [
      [5, 5, 0],
      [8, 5, 1],
      [40, 30, -0.5],
    ]) {
      const x = random.fillNormal(new Float64Array(n));
      const y = random.fillNormal(new Float64Array(m)).map((value) => value + shift);
      const mean = (a: Float64Array, b: Float64Array, pairs = a.length * b.length) =>
        a.reduce((sum, p) => sum + b.reduce((part, q) => part + Math.abs(p - q), 0), 0) / pairs;
      const [between, withinX, withinY] = [mean(x, y), mean(x, x), mean(y, y)];
      const unbiased = [mean(x, x, n * (n - 1)), mean(y, y, m * (m - 1))];
      const given = answer([...x], [...y]);
      const fault = numberFault(given, energyDistance(x, y, 1), 1e-9, [
        [between - withinX - withinY, "the distance between the sets counts twice."],
        [2 * between, "the distances within each set are to be subtracted."],
        [
          between,
          "the distances within each set are to be subtracted, and those between the sets count twice.",
        ],
        [
          2 * between - unbiased[0] - unbiased[1],
          "you leave out the pairs of a row with itself; the V-statistic counts their zero distance.",
        ],
        [Math.sqrt(2 * between - withinX - withinY), "the root is not taken here."],
        [
          2 * between - (withinX + withinY) / 2,
          "all n² ordered pairs count, so that each pair within a set comes twice.",
        ],
      ]);
      if (fault) return `For ${n} and ${m} numbers your function returns ${given}: ${fault}`;
    }
    return undefined;
  },
};

/** Relative error of a standard deviation that exercise 10.2 asks to see, and in how many standard errors. */
const [ERROR, ERRORS] = [0.01, 2];

/** 10.2: rows of two sets from which on a standard deviation that is one per cent off stands out by two standard errors. */
export const rowsForOnePercent: Exercise<number> = {
  number: "10.2",
  fault(answer) {
    // Each set's standard deviation has the relative variance 1 / (2 n); the ratio of two has 1 / n.
    const rows = (variance: number, errors: number) => (variance * errors ** 2) / ERROR ** 2;
    return numberFault(answer, rows(1, ERRORS), 0.01, [
      [rows(0.5, ERRORS), "both sets have a sampling error: their variances add up."],
      [rows(1, 1), "one standard error is seen by chance in a third of all cases; asked are two."],
      [rows(0.5, 1), "both sets have a sampling error, and asked are two standard errors."],
      [rows(2, ERRORS), "1/√n is the error of a mean; that of a standard deviation is 1/√(2n)."],
    ]);
  },
};

type PValue = (observed: number, permuted: number[]) => number;

/** 10.3: the p-value of a permutation test. */
export const permutationPValue: Exercise<PValue> = {
  number: "10.3",
  fault(answer) {
    const random = new Random(103);
    const permuted = Array.from({ length: 99 }, () => random.uniform());
    for (const [observed, what] of [
      [0.7, "in the midst of the permutations"],
      [2, "above all permutations"],
      [permuted[3], "equal to one of the permutations"],
    ] as const) {
      const count = permuted.filter((value) => value >= observed).length;
      const above = permuted.filter((value) => value > observed).length;
      const tied = [(1 + above) / 100, "a permutation that is as far apart counts, too."] as const;
      const ties = above === count ? [] : [tied];
      const given = answer(observed, [...permuted]);
      const fault = numberFault(given, (1 + count) / 100, 1e-9, [
        ...ties,
        [count / 99, "the observed split is one of the possible ones, too: count it above and below."],
        [(1 + count) / 99, "the observed split counts below as well: divide by the permutations and one."],
        [count / 100, "the observed split counts above as well, so that the p-value is never 0."],
        [1 - (1 + count) / 100, "this is the share of permutations that are smaller."],
      ]);
      if (fault) return `For a distance ${what} your function returns ${given}: ${fault}`;
    }
    return undefined;
  },
};
