import { InputError } from "../errors";
import type { Random } from "../random";
import { columnMean, columnStd, rowCount } from "./summary";

/**
 * Energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| between two sets of rows, Euclidean norm over all columns.
 *
 * The V-statistic (each row is also paired with itself), so it is never negative, and not its root. For two sets of
 * n rows from one distribution its mean is 2 E|X - X'| / n. Standardise columns of different units first.
 * Source: Szekely & Rizzo 2013, "Energy statistics", equation (6.1).
 */
export function energyDistance(x: Float64Array, y: Float64Array, columns: number): number {
  return 2 * meanDistance(x, y, columns) - meanDistance(x, x, columns) - meanDistance(y, y, columns);
}

/**
 * Mean Euclidean distance between the rows of x and those of y, over all pairs (with x === y, over half of them).
 *
 * Takes differences before squaring, so nothing cancels.
 */
export function meanDistance(x: Float64Array, y: Float64Array, columns: number): number {
  let total = 0;
  forEachDistance(x, y, columns, (_i, _j, distance) => (total += distance));
  return ((x === y ? 2 : 1) * total) / (rowCount(x, columns) * rowCount(y, columns));
}

/**
 * Permutation p-value of the energy distance: how often rows dealt at random into two sets lie as far apart.
 *
 * (1 + count) / (1 + permutations), uniform when both sets have one distribution. Holds all distances at once:
 * 2 (n + m)^2 bytes. Source: Szekely & Rizzo 2004, "Testing for equal distributions in high dimension".
 */
export function permutationPValue(
  x: Float64Array,
  y: Float64Array,
  columns: number,
  random: Random,
  permutations = 199,
): number {
  const [n, m] = [rowCount(x, columns), rowCount(y, columns)];
  const both = new Float64Array(x.length + y.length);
  both.set(x);
  both.set(y, x.length);
  const distances = new Float32Array(((n + m) * (n + m - 1)) / 2); // i > j at i (i - 1) / 2 + j
  forEachDistance(both, both, columns, (i, j, distance) => {
    distances[(j * (j - 1)) / 2 + i] = distance;
  });
  // With weights +1/n on one set and -1/m on the other the statistic is minus the quadratic form of the distances.
  const weights = Float64Array.from({ length: n + m }, (_, i) => (i < n ? 1 / n : -1 / m));
  const statistic = () => {
    let sum = 0;
    for (let i = 1, at = 0; i < n + m; i++) {
      let row = 0;
      for (let j = 0; j < i; j++) row += distances[at++] * weights[j];
      sum -= 2 * weights[i] * row;
    }
    return sum;
  };
  const observed = statistic() * (1 - 1e-9); // an equal split, summed in another order, counts as equal
  let count = 1;
  for (let k = 0; k < permutations; k++) {
    for (let i = n + m - 1; i > 0; i--) {
      const j = Math.floor(random.uniform() * (i + 1));
      [weights[i], weights[j]] = [weights[j], weights[i]];
    }
    if (statistic() >= observed) count++;
  }
  return count / (1 + permutations);
}

/** Centre and scale of each column by a reference set, with the columns that the reference holds constant apart. */
export interface Standardiser {
  /** Columns that vary, in rising order. */
  readonly free: readonly number[];
  /** Columns whose standard deviation is at most 1e-10 of their mean: constant but for round-off. */
  readonly pinned: readonly number[];
  readonly mean: Float64Array; // columns
  readonly std: Float64Array; // columns
  /** The free columns of rows x columns values, (value - mean) / std: rows x free.length. */
  apply(values: Float64Array): Float64Array;
}

/** The standardiser of rows x columns reference values; throws InputError when no column varies. */
export function standardiser(reference: Float64Array, columns: number): Standardiser {
  const mean = columnMean(reference, columns);
  const std = columnStd(reference, columns);
  const isPinned = (j: number) => std[j] <= 1e-10 * Math.abs(mean[j]);
  const all = Array.from({ length: columns }, (_, j) => j);
  const free = all.filter((j) => !isPinned(j));
  if (free.length === 0)
    throw new InputError("No column of the reference varies; give a reference with some spread.");
  return {
    free,
    pinned: all.filter(isPinned),
    mean,
    std,
    apply(values) {
      const rows = rowCount(values, columns);
      const result = new Float64Array(rows * free.length);
      for (let row = 0, at = 0; row < rows; row++) {
        for (const j of free) result[at++] = (values[row * columns + j] - mean[j]) / std[j];
      }
      return result;
    },
  };
}

/**
 * Visits the distance of every pair of rows, in blocks of two by two that stay in registers.
 *
 * With x === y only the pairs i < j.
 */
function forEachDistance(
  x: Float64Array,
  y: Float64Array,
  columns: number,
  visit: (i: number, j: number, distance: number) => void,
): void {
  const [n, m] = [rowCount(x, columns), rowCount(y, columns)];
  const same = x === y;
  for (let i = 0; i < n; i += 2) {
    const a = i * columns;
    const b = i + 1 < n ? a + columns : a; // past the end the last row stands in and is not visited
    for (let j = same ? i : 0; j < m; j += 2) {
      const p = j * columns;
      const q = j + 1 < m ? p + columns : p;
      let ap = 0;
      let aq = 0;
      let bp = 0;
      let bq = 0;
      for (let k = 0; k < columns; k++) {
        const xa = x[a + k];
        const xb = x[b + k];
        const yp = y[p + k];
        const yq = y[q + k];
        ap += (xa - yp) * (xa - yp);
        aq += (xa - yq) * (xa - yq);
        bp += (xb - yp) * (xb - yp);
        bq += (xb - yq) * (xb - yq);
      }
      const diagonal = same && i === j;
      if (!diagonal) visit(i, j, Math.sqrt(ap));
      if (j + 1 < m) visit(i, j + 1, Math.sqrt(aq));
      if (i + 1 < n && !diagonal) visit(i + 1, j, Math.sqrt(bp));
      if (i + 1 < n && j + 1 < m && !diagonal) visit(i + 1, j + 1, Math.sqrt(bq));
    }
  }
}
