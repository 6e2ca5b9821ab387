/** How rankings and their certainty are judged, over all tests of a log and by the time before them. */
import { gapBins, type RatingLog } from "./system";

/** nDCG of the first `top` of a ranking by falling score; gain 2^rating - 1. Source: Jarvelin & Kekalainen 2002. */
export function ndcg(scores: ArrayLike<number>, ratings: ArrayLike<number>, top = 5): number {
  const dcg = (by: ArrayLike<number>) =>
    ranking(by, top).reduce((sum, item, rank) => sum + (2 ** ratings[item] - 1) / Math.log2(rank + 2), 0);
  return dcg(scores) / dcg(ratings);
}

/** Share of the first `top` that are rated 4 or more. */
export function precision(scores: ArrayLike<number>, ratings: ArrayLike<number>, top = 5): number {
  return ranking(scores, top).filter((item) => ratings[item] >= 4).length / top;
}

function ranking(scores: ArrayLike<number>, top: number): number[] {
  const order = Array.from({ length: scores.length }, (_, k) => k);
  return order.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, top);
}

/** Rank correlation: that of the ranks, equal values sharing theirs. Source: Spearman 1904. */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const ranks = (values: ArrayLike<number>) => {
    const order = Array.from({ length: values.length }, (_, k) => k).sort((i, j) => values[i] - values[j]);
    const rank = new Float64Array(values.length);
    for (let from = 0, to = 0; from < order.length; from = to) {
      while (to < order.length && values[order[to]] === values[order[from]]) to++;
      for (let k = from; k < to; k++) rank[order[k]] = (from + to - 1) / 2 - (order.length - 1) / 2;
    }
    return rank;
  };
  const [x, y] = [ranks(a), ranks(b)];
  const product = (p: Float64Array, q: Float64Array) => p.reduce((sum, value, k) => sum + value * q[k], 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

/** Days before each test: (users, tests.visits) */
export function testGaps({ users, visits, gaps, tests }: RatingLog): Float64Array {
  return Float64Array.from({ length: users * tests.visits }, (_, k) => {
    const [user, test] = [Math.floor(k / tests.visits), k % tests.visits];
    return gaps[user * visits + visits - tests.visits + test];
  });
}

/** Mean of what is found at every test visit, over all of them and by the bin of their gap. */
export function byGap(log: RatingLog, value: (from: number, to: number) => number): ByGap {
  const { count } = log.tests;
  const sums = gapBins.slice(1).map(() => ({ sum: 0, count: 0 }));
  const gaps = testGaps(log);
  gaps.forEach((gap, k) => {
    const bin = sums[gapBins.slice(1, -1).filter((edge) => gap >= edge).length];
    bin.sum += value(k * count, (k + 1) * count);
    bin.count++;
  });
  const total = sums.reduce((sum, { sum: own }) => sum + own, 0);
  return { all: total / gaps.length, bins: sums.map(({ sum, count: own }) => sum / own) };
}

export interface ByGap {
  readonly all: number;
  /** One a bin of {@link gapBins}; NaN where there is none. */
  readonly bins: readonly number[];
}
