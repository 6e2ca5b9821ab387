import { average } from "../../../lib/evaluation/statistics";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

/** 12.1: the smallest p-value that a two-sided permutation test can give for three seeds against three. */
export const smallestPValue: Exercise<number> = {
  number: "12.1",
  fault: (answer) =>
    numberFault(answer, permutationPValue([1, 2, 3], [10, 11, 12]), 1e-6, [
      [
        1 / 20,
        "1 in 20 is the share of the one split seen; the test is two-sided, and its mirror image counts, too.",
      ],
      [
        1 / 720,
        "The order inside a group does not matter: of the 6! orders count the ways to choose 3 of 6.",
      ],
      [0.05, "0.05 is a level that people like, not a property of the test: count the splits."],
    ]),
};

/**
 * 12.2: a function of two lists of floor ratios, one number a seed, that returns the two-sided permutation p-value of the
 * difference of their mean logarithms.
 */
export const permutationTest: Exercise<(a: readonly number[], b: readonly number[]) => number> = {
  number: "12.2",
  fault(answer) {
    const cases = [
      [[1.26, 1.02, 1.1], [6.7, 5.8, 7.1]],
      [[1.26, 1.02, 1.1], [1.04, 1.21, 1.15]],
      [[9, 1, 2], [3, 1.5]],
    ] as const; // prettier-ignore
    for (const [a, b] of cases) {
      const expected = permutationPValue(a, b);
      const fault = numberFault(answer(a, b), expected, 1e-9, [
        [permutationPValue(a, b, { sided: 1 }), "This is the one-sided test: a difference of the other sign counts, too."],
        [permutationPValue(a, b, { ties: false }), "The split that was seen is one of the splits: count those that are at least as far apart, not farther."],
        [permutationPValue(a, b, { of: (x) => x }), "This compares means of the ratios; the mean of logarithms is not ruled by a single large one."],
      ]); // prettier-ignore
      if (fault) return `For [${a.join(", ")}] and [${b.join(", ")}]: ${fault}`;
    }
    return undefined;
  },
};

interface Variation {
  readonly sided?: 1 | 2;
  readonly ties?: boolean;
  readonly of?: (value: number) => number;
}

/** Share of the ways to split all numbers that have groups at least as far apart as the given ones. */
function permutationPValue(
  a: readonly number[],
  b: readonly number[],
  { sided = 2, ties = true, of = Math.log }: Variation = {},
): number {
  const all = [...a, ...b].map(of);
  const distance = (chosen: number): number => {
    const [one, other] = [1, 0].map((bit) => average(all.filter((_, i) => ((chosen >> i) & 1) === bit)));
    return sided === 2 ? Math.abs(one - other) : other - one;
  };
  const seen = distance((1 << a.length) - 1);
  const slack = 1e-12 * (Math.abs(seen) + 1); // equal splits, added up in another order
  let [count, splits] = [0, 0];
  for (let chosen = 0; chosen < 1 << all.length; chosen++) {
    if (bits(chosen) !== a.length) continue;
    splits++;
    if (ties ? distance(chosen) >= seen - slack : distance(chosen) > seen + slack) count++;
  }
  return count / splits;
}

function bits(value: number): number {
  return value === 0 ? 0 : (value & 1) + bits(value >> 1);
}
