import { forEachDistance } from "../backend/distances";
import { rowCount } from "../comparison";
import type { Random } from "../random";

/** An energy distance and how likely equal distributions are to lie as far apart. */
export interface EnergyTest {
  readonly energyDistance: number;
  /** Its mean over all splits of the rows into two sets of these sizes: what equal distributions would give. */
  readonly expected: number;
  /** (1 + count) / (1 + permutations): uniform when both sets have one distribution. */
  readonly pValue: number;
}

/**
 * Energy distance with its permutation p-value: how often rows dealt at random into two sets lie as far apart.
 *
 * Holds all distances at once, 2 (n + m)^2 bytes, so that a permutation only adds some of them up.
 * Source: Szekely & Rizzo 2004, "Testing for equal distributions in high dimension".
 */
export function energyTest(
  x: Float64Array,
  y: Float64Array,
  columns: number,
  random: Random,
  permutations = 199,
): EnergyTest {
  if (x.length > y.length) return energyTest(y, x, columns, random, permutations); // fewer sums in the smaller set
  const [n, m] = [rowCount(x, columns), rowCount(y, columns)];
  const size = n + m;
  const both = new Float64Array(x.length + y.length);
  both.set(x);
  both.set(y, x.length);
  // Single precision: its round-off of 1e-8 a distance averages out, and is the same in every permutation.
  const distances = new Float32Array((size * (size - 1)) / 2); // i > j at i (i - 1) / 2 + j
  const toAll = new Float64Array(size); // sum of a row's distances to all others
  const totals = { withinX: 0, withinY: 0, between: 0 };
  forEachDistance(both, both, columns, (i, j, distance) => {
    const stored = Math.fround(distance);
    distances[(j * (j - 1)) / 2 + i] = stored;
    toAll[i] += stored;
    toAll[j] += stored;
    if (j < n) totals.withinX += distance;
    else if (i >= n) totals.withinY += distance;
    else totals.between += distance;
  });
  const statistic = (withinX: number, withinY: number, between: number) =>
    (2 * between) / (n * m) - (2 * withinX) / (n * n) - (2 * withinY) / (m * m);
  const all = toAll.reduce((sum, value) => sum + value, 0) / 2;

  // Of any split the sums inside X and of its rows to all others tell the rest.
  const split = (members: Int32Array) => {
    const inside = sumOfPairs(distances, members);
    const across = members.reduce((sum, i) => sum + toAll[i], 0) - 2 * inside;
    return statistic(inside, all - inside - across, across);
  };
  // An equal split, summed in another order, counts as equal: sums of all distances round to about 1e-13 of them.
  const first = Int32Array.from({ length: n }, (_, i) => i);
  const observed = split(first) - (1e-12 * all) / (n * m);
  const order = Int32Array.from({ length: size }, (_, i) => i);
  let count = 1;
  for (let k = 0; k < permutations; k++) {
    for (let i = 0; i < n; i++) {
      const j = i + Math.floor(random.uniform() * (size - i));
      [order[i], order[j]] = [order[j], order[i]];
    }
    // Sorted, so that the distances are read in the order in which they lie.
    if (split(order.slice(0, n).sort()) >= observed) count++;
  }
  const distance = statistic(totals.withinX, totals.withinY, totals.between);
  const scale = totals.between / (n * m);
  return {
    energyDistance: distance > 1e-13 * scale ? distance : 0, // but for round-off
    // Every pair is split equally often, so all three means are that of all pairs but for each row's 0 to itself.
    expected: (1 / n + 1 / m) * (all / distances.length),
    pValue: count / (1 + permutations),
  };
}

/** Sum of the distances of all pairs of members, which rise; distances: i > j at i (i - 1) / 2 + j. */
function sumOfPairs(distances: Float32Array, members: Int32Array): number {
  let total = 0;
  for (let a = 1; a < members.length; a++) {
    const start = (members[a] * (members[a] - 1)) / 2;
    let [even, odd] = [0, 0]; // two sums, so that one need not wait for the other
    let b = 0;
    for (; b + 1 < a; b += 2) {
      even += distances[start + members[b]];
      odd += distances[start + members[b + 1]];
    }
    if (b < a) even += distances[start + members[b]];
    total += even + odd;
  }
  return total;
}
