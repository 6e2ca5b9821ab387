/** Direct matching of the Fokker-Planck-Kolmogorov equation: its accuracy, a drift learned by it, and its cost. */
import { inverse, Matrix, solve } from "ml-matrix";
import { InputError } from "../../backend/errors";
import { paths } from "../diffusion";
import {
  type Closure,
  coordinatewise,
  cubature,
  expectedLogDensity,
  type Gaussian,
  gaussHermite,
  linearised,
  matched,
  moments,
} from "../gaussianMoments";
import { secondsOf } from "../timing";
import { benes, benesMoments, driftPrior, gaussianProcessDrift, type Velocities } from "./system";

/** The last of some states. */
export function lastOf<T>(states: Iterable<T>): T {
  let last: T | undefined;
  for (const state of states) last = state;
  if (last === undefined) throw new Error("There is no state.");
  return last;
}

/** The closures that the chapter compares, in a number of dimensions. */
export function closures(dimension: number): Record<"linearised" | "cubature" | "Gauss-Hermite", Closure> {
  return {
    linearised,
    cubature: matched(cubature(dimension)),
    "Gauss-Hermite": matched(gaussHermite(dimension === 1 ? 20 : 9, dimension)),
  };
}

/** Points that were seen at one time, of which only their number, mean and covariance count. */
export interface Snapshot {
  /** Number of the step at whose end they were seen, from 1. */
  readonly step: number;
  readonly count: number;
  readonly seen: Gaussian;
}

/** Times, in steps, of the moment equations while a drift is learned. */
export interface LearningSettings {
  readonly endTime: number;
  readonly steps: number;
  readonly iterations: number;
}

/**
 * Learns the velocities at some places from clouds of points at a few times, without drawing a path: the velocities v whose
 * moments make the clouds likely,
 *
 *     maximise  sum_k count_k E_seen[log N(x; m_k(v), P_k(v))] - 1/2 v^T K^-1 v,
 *
 * K the Gaussian process's covariance. Fisher scoring: the gradient and the expected second derivative need only dm/dv and
 * dP/dv, here by differences of the moment equations; a step that does not help is halved. Yields the velocities and what
 * is maximised after each iteration. Source: the idea is Solin, Tamir & Verma 2021's; the scoring is the textbook's.
 */
export function* learnVelocities(
  places: Float64Array,
  start: Gaussian,
  snapshots: readonly Snapshot[],
  { endTime, steps, iterations }: LearningSettings,
): Generator<{ velocities: Velocities; objective: number }> {
  const count = places.length;
  const closure = matched(cubature(2));
  const precision = kronecker2(inverse(driftPrior(places)));
  const predicted = (values: Float64Array): Gaussian[] => {
    const all = Array.from(
      moments(gaussianProcessDrift({ places, values }), closure, start, { endTime, steps }),
    );
    return snapshots.map(({ step }) => all[step - 1]);
  };
  const objectiveOf = (values: Float64Array, at: readonly Gaussian[]) => {
    const v = Matrix.columnVector(values);
    const likelihood = snapshots.map(({ count: n, seen }, k) => n * expectedLogDensity(seen, at[k]));
    return (
      likelihood.reduce((sum, value) => sum + value, 0) -
      0.5 * v.transpose().mmul(precision).mmul(v).get(0, 0)
    );
  };
  let values = new Float64Array(count);
  let at = predicted(values);
  let objective = objectiveOf(values, at);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const gradient = precision.mmul(Matrix.columnVector(values)).mul(-1);
    const information = precision.clone();
    const changes = Array.from(values, (_, i) => {
      const moved = predicted(values.map((value, k) => (k === i ? value + DIFFERENCE : value)));
      return moved.map((gaussian, k) => difference(gaussian, at[k], DIFFERENCE));
    });
    snapshots.forEach(({ count: n, seen }, k) => {
      const inverseP = inverse(at[k].covariance);
      const shift = Matrix.columnVector(seen.mean.map((value, i) => value - at[k].mean[i]));
      const pulled = inverseP.mmul(shift);
      // P^-1 (S + shift shift^T - P) P^-1: what the covariance should change by.
      const surplus = Matrix.add(seen.covariance, shift.mmul(shift.transpose())).sub(at[k].covariance);
      const wanted = inverseP.mmul(surplus).mmul(inverseP);
      changes.forEach((own, i) => {
        const { mean: dm, covariance: dP } = own[k];
        const slope =
          pulled.transpose().mmul(Matrix.columnVector(dm)).get(0, 0) + 0.5 * wanted.mmul(dP).trace();
        gradient.set(i, 0, gradient.get(i, 0) + n * slope);
        const [weightedMean, weightedP] = [
          inverseP.mmul(Matrix.columnVector(dm)),
          inverseP.mmul(dP).mmul(inverseP),
        ];
        changes.forEach((other, j) => {
          const { mean: em, covariance: eP } = other[k];
          const own2 =
            weightedMean.transpose().mmul(Matrix.columnVector(em)).get(0, 0) +
            0.5 * weightedP.mmul(eP).trace();
          information.set(i, j, information.get(i, j) + n * own2);
        });
      });
    });
    const step = solve(information, gradient).to1DArray();
    for (let factor = 1; factor > 1e-3; factor /= 2) {
      const moved = values.map((value, i) => value + factor * step[i]);
      const there = attempt(() => predicted(moved));
      const better = there ? objectiveOf(moved, there) : -Infinity;
      if (!there || !(better > objective)) continue;
      [values, at, objective] = [moved, there, better];
      break;
    }
    yield { velocities: { places, values }, objective };
  }
}

/** What the body returns; undefined where a step was so long that the moments cannot be followed. */
function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Step of the differences: the moments are smooth in the velocities, and known to 12 digits. */
const DIFFERENCE = 1e-5;

/** The matrix with each entry a times the 2 x 2 unit matrix: both components of a velocity have the same prior. */
function kronecker2(a: Matrix): Matrix {
  return a.kroneckerProduct(Matrix.eye(2));
}

function difference(a: Gaussian, b: Gaussian, h: number): Gaussian {
  return {
    mean: a.mean.map((value, i) => (value - b.mean[i]) / h),
    covariance: Matrix.sub(a.covariance, b.covariance).div(h),
  };
}

/** Root mean squared difference of two drifts over points (rows, 2), relative to the first. */
export function driftError(truth: Velocities, learned: Velocities, cloud: Float64Array): number {
  const [f, g] = [truth, learned].map((velocities) => gaussianProcessDrift(velocities).drift(cloud));
  const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(f.map((value, i) => value - g[i])) / squares(f));
}

/** What one way to the means of independent Benes processes costs. */
export interface Cost {
  readonly dimension: number;
  /** Seconds of one solve of the moment equations. */
  readonly solve: number;
  /** Its error: root mean square over the coordinates' means. */
  readonly error: number;
  /** Paths whose mean has the same error, and their seconds. */
  readonly paths: number;
  readonly seconds: number;
}

/**
 * Times one solve of the moment equations for independent Benes processes beside the Monte Carlo paths of equal error: how
 * many these are follows from the exact variance; their time from that of `timed` paths, in proportion.
 */
export function costAtEqualError(dimension: number, structured: boolean, timed: number, seed: number): Cost {
  const [endTime, steps] = [1, 50];
  const diffusion = benes(dimension);
  const x0 = Float64Array.from({ length: dimension }, (_, i) => 1.5 * Math.cos(2 * i)); // all over the bend of tanh
  const closure = structured ? coordinatewise(gaussHermite(20, 1)) : matched(cubature(dimension));
  const start = { mean: x0, covariance: Matrix.eye(dimension).mul(1e-9) }; // a point, but for a Cholesky factor
  const solveOnce = () => lastOf(moments(diffusion, closure, start, { endTime, steps }));
  const { mean } = solveOnce(); // once before the clock starts: compiled code is what counts
  const exact = Array.from(x0, (x) => benesMoments(x, endTime));
  const error = Math.sqrt(exact.reduce((sum, { mean: m }, i) => sum + (mean[i] - m) ** 2, 0) / dimension);
  const spread = exact.reduce((sum, { variance }) => sum + variance, 0) / dimension;
  const repeats = 5;
  const solve = secondsOf(() => { for (let k = 0; k < repeats; k++) solveOnce(); }) / repeats; // prettier-ignore
  const starts = Float64Array.from({ length: timed * dimension }, (_, i) => x0[i % dimension]);
  const simulated = secondsOf(() => lastOf(paths(diffusion, starts, { endTime, steps, seed })));
  const needed = Math.ceil(spread / error ** 2);
  return { dimension, solve, error, paths: needed, seconds: (simulated * needed) / timed };
}
