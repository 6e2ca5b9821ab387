/** Slow paths, the likelihood of a drift on them, and the drifts that a formula or a convex problem gives. */
import { inverse, Matrix, solve } from "ml-matrix";
import { InputError } from "../backend/errors";

/** A slow path at equal times, and the part of each increment that is noise, which only a simulation knows. */
export interface SlowPath {
  readonly interval: number;
  /** (increments + 1) */
  readonly x: Float64Array;
  /** s times the increments of the Brownian motion: (increments) */
  readonly noise: Float64Array;
}

/** The intervals of a path from one to another. */
export function partOf({ interval, x, noise }: SlowPath, from: number, to: number): SlowPath {
  return { interval, x: x.subarray(from, to + 1), noise: noise.subarray(from, to) };
}

/**
 * The increments of a path by narrow bins of x, in which a smooth drift hardly changes: all that the likelihood needs.
 */
export interface Increments {
  readonly interval: number;
  /** Mean x of each bin: (bins) */
  readonly x: Float64Array;
  /** Increments that start in it: (bins) */
  readonly count: Float64Array;
  /** Their sum: (bins) */
  readonly sum: Float64Array;
  /** Sum of all squared increments. */
  readonly squares: number;
  /** s^2 from the squared increments, into which the drift enters with the order of the interval. */
  readonly variance: number;
}

/** The increments of a path in bins of this width. withoutNoise: less their noise, to measure what a simulation does. */
export function increments({ interval, x, noise }: SlowPath, width = 0.03, withoutNoise = false): Increments {
  if (!(width > 0)) throw new InputError(`The width of the bins is ${width}; give a positive number.`);
  const bins = new Map<number, { count: number; x: number; sum: number }>();
  let squares = 0;
  let seen = 0;
  noise.forEach((own, i) => {
    const key = Math.floor(x[i] / width);
    const bin = bins.get(key) ?? { count: 0, x: 0, sum: 0 };
    const increment = x[i + 1] - x[i];
    bin.count++;
    bin.x += x[i];
    bin.sum += withoutNoise ? increment - own : increment;
    squares += (withoutNoise ? increment - own : increment) ** 2;
    seen += increment ** 2;
    bins.set(key, bin);
  });
  const sorted = [...bins].sort(([a], [b]) => a - b).map(([, bin]) => bin);
  return {
    interval,
    x: Float64Array.from(sorted, (bin) => bin.x / bin.count),
    count: Float64Array.from(sorted, ({ count }) => count),
    sum: Float64Array.from(sorted, ({ sum }) => sum),
    squares,
    variance: seen / (noise.length * interval),
  };
}

/**
 * What a drift b (bins) gains in log likelihood over no drift at all, in nats: sum (b dX - b^2 Delta / 2) / s^2, s^2 as the data
 * have it.
 */
export function gain({ interval, count, sum, variance }: Increments, b: ArrayLike<number>): number {
  return (
    sum.reduce((total, own, k) => total + b[k] * own - 0.5 * interval * count[k] * b[k] ** 2, 0) / variance
  );
}

/** The s^2 of largest likelihood beside a drift b (bins): the mean square of dX - b Delta, over Delta. */
export function fittedVariance({ interval, count, sum, squares }: Increments, b: ArrayLike<number>): number {
  const total = count.reduce((all, n) => all + n, 0);
  const off = sum.reduce(
    (all, own, k) => all - 2 * interval * b[k] * own + count[k] * (interval * b[k]) ** 2,
    squares,
  );
  return off / (total * interval);
}

/** Root mean squared difference of a drift b (bins) from the true one where the path has been, relative to the true one's. */
export function driftError(
  { x, count }: Increments,
  b: ArrayLike<number>,
  truth: (x: number) => number,
): number {
  let [off, all] = [0, 0];
  count.forEach((n, k) => {
    off += n * (b[k] - truth(x[k])) ** 2;
    all += n * truth(x[k]) ** 2;
  });
  return Math.sqrt(off / all);
}

/** A normal distribution of a drift's coefficients. */
export interface Coefficients {
  readonly mean: Float64Array;
  readonly covariance: Matrix;
  /** The drift at the mean: (bins) */
  readonly drift: Float64Array;
}

/**
 * The posterior of the coefficients of a drift that is linear in them, under a flat prior: normal, with the precision
 * H = Delta / s^2 sum n f f^T and the mean H^-1 sum f dX / s^2. features: of each bin.
 */
export function linearPosterior(data: Increments, features: (x: number) => readonly number[]): Coefficients {
  const { x, interval, count, sum, variance } = data;
  const rows = Array.from(x, features);
  const design = new Matrix(rows);
  const weighted = new Matrix(rows.map((row, k) => row.map((f) => (interval * count[k] * f) / variance)));
  const precision = design.transpose().mmul(weighted);
  const right = design.transpose().mmul(Matrix.columnVector(sum.map((own) => own / variance)));
  const mean = solve(precision, right);
  return {
    mean: Float64Array.from(mean.to1DArray()),
    covariance: inverse(precision),
    drift: Float64Array.from(design.mmul(mean).to1DArray()),
  };
}

/**
 * The same with coefficients >= 0: a convex problem, solved to round-off by Lawson and Hanson's active sets (1974, chapter 23).
 * With the features -x and cos(x y_j) on a grid of y it is the estimate of the law of Y over all laws on the grid.
 */
export function nonNegativeFit(
  { x, interval, count, sum }: Increments,
  features: (x: number) => readonly number[],
): Pick<Coefficients, "mean" | "drift"> {
  const rows = Array.from(x, features);
  const n = rows[0].length;
  const design = new Matrix(rows);
  const weighted = new Matrix(rows.map((row, k) => row.map((f) => interval * count[k] * f)));
  const gram = design.transpose().mmul(weighted);
  const right = design.transpose().mmul(Matrix.columnVector(sum)).to1DArray();
  const mean = new Float64Array(n);
  const enough = 1e-10 * Math.max(...right.map(Math.abs));
  let active: number[] = [];
  for (let round = 0; round < 5 * n; round++) {
    const slope = right.map((own, i) => own - active.reduce((all, j) => all + gram.get(i, j) * mean[j], 0));
    let best = -1;
    slope.forEach((own, i) => {
      if (!active.includes(i) && own > Math.max(enough, best < 0 ? 0 : slope[best])) best = i;
    });
    if (best < 0) break;
    active.push(best);
    for (;;) {
      const wanted = solve(
        gram.selection(active, active),
        Matrix.columnVector(active.map((i) => right[i])),
      ).to1DArray();
      // As far towards the free optimum as no coefficient turns negative; one that reaches zero is left out.
      const blocked = active.map((i, k) => (wanted[k] > 0 ? 1 : mean[i] / (mean[i] - wanted[k])));
      const step = Math.min(1, ...blocked);
      active.forEach((i, k) => (mean[i] += step * (wanted[k] - mean[i])));
      if (step === 1) break;
      const out = active[blocked.indexOf(step)];
      mean[out] = 0;
      active = active.filter((i) => i !== out);
    }
  }
  return { mean, drift: Float64Array.from(design.mmul(Matrix.columnVector(mean)).to1DArray()) };
}

/** A polynomial of degree 5. */
export function polynomialFit(data: Increments): Coefficients {
  return linearPosterior(data, (x) => [0, 1, 2, 3, 4, 5].map((power) => (x / 3) ** power));
}
