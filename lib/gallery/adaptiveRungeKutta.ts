/** Explicit Runge-Kutta pairs with adaptive steps, which count how often they evaluate the vector field. */
import { InputError } from "../backend/errors";

/** Two Runge-Kutta methods that share their stages; their difference says how long a step may be. */
export interface Pair {
  readonly nodes: readonly number[];
  /** Row i: what stage i takes of the stages before it. */
  readonly matrix: readonly (readonly number[])[];
  /** Of the method that goes on. */
  readonly weights: readonly number[];
  /** Weights less those of the other method. */
  readonly error: readonly number[];
  /** The smaller of the two orders. */
  readonly order: number;
}

/** Heun's method, of order 2, with Euler's. */
export const heunEuler: Pair = {
  nodes: [0, 1],
  matrix: [[], [1]],
  weights: [1 / 2, 1 / 2],
  error: [-1 / 2, 1 / 2],
  order: 1,
};

/** Orders 5 and 4; its last stage is the next step's first, which is evaluated once. Source: Dormand & Prince 1980. */
export const dormandPrince: Pair = {
  nodes: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
  matrix: [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  ],
  weights: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
  error: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
  order: 4,
};

/** y' = f(t, y); returns a new array. */
export type VectorField = (t: number, y: Float64Array) => Float64Array;

export interface Solution {
  readonly y: Float64Array;
  /** Calls of the vector field, those of refused steps among them. */
  readonly evaluations: number;
  readonly steps: number;
}

/** More steps than any use needs: a vector field that asks for more has a fault. */
const MOST_STEPS = 100_000;

/**
 * Solves y' = f(t, y) from time `from` to a later `to`. A step is taken if the root mean square of its errors, each over
 * tolerance (1 + |y|), is at most 1. Throws InputError for a bad tolerance or an equation that cannot be followed.
 * Source: Hairer, Norsett & Wanner 1993, section II.4, which also says how long the first step is.
 */
export function solveOde(
  field: VectorField,
  y0: Float64Array,
  { from, to, tolerance, pair }: { from: number; to: number; tolerance: number; pair: Pair },
): Solution {
  if (!(tolerance > 0)) throw new InputError(`The tolerance is ${tolerance}; give a positive number.`);
  const { nodes, matrix, weights, error, order } = pair;
  let evaluations = 0;
  const evaluate: VectorField = (t, y) => (evaluations++, field(t, y));
  const norm = (values: Float64Array, y: Float64Array, z: Float64Array) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      sum += (values[i] / (1 + Math.max(Math.abs(y[i]), Math.abs(z[i])))) ** 2;
    }
    return Math.sqrt(sum / values.length) / tolerance;
  };
  const combined = (y: Float64Array, h: number, row: readonly number[], stages: readonly Float64Array[]) => {
    const sum = y.slice();
    row.forEach((a, j) => {
      const [own, by] = [stages[j], h * a];
      if (a !== 0) for (let i = 0; i < sum.length; i++) sum[i] += by * own[i];
    });
    return sum;
  };
  const lastIsFirst = nodes[nodes.length - 1] === 1 && weights[weights.length - 1] === 0;

  let [t, y, first] = [from, y0, evaluate(from, y0)];
  let h = firstStep();
  for (let steps = 0; steps < MOST_STEPS;) {
    const last = t + h >= to - 1e-12 * (to - from);
    if (last) h = to - t;
    const stages = [first];
    for (let i = 1; i < nodes.length; i++)
      stages.push(evaluate(t + nodes[i] * h, combined(y, h, matrix[i], stages)));
    const next = combined(y, h, weights, stages);
    const off = norm(combined(new Float64Array(y.length), h, error, stages), y, next);
    if (!(h > 1e-12 * (to - from)) || Number.isNaN(off)) break;
    if (off <= 1) {
      steps++;
      if (last) return { y: next, evaluations, steps };
      [t, y] = [t + h, next];
      first = lastIsFirst ? stages[stages.length - 1] : evaluate(t, y);
    }
    h *= Math.min(off <= 1 ? 5 : 1, Math.max(0.2, 0.9 * off ** (-1 / (order + 1))));
  }
  throw new InputError(`The equation cannot be followed beyond t = ${t}; give a larger tolerance.`);

  /** So long that Euler's step and the change of the slope along it are small beside the state. */
  function firstStep(): number {
    const [size, slope] = [norm(y, y, y), norm(first, y, y)];
    const guess = size < 1e-5 || slope < 1e-5 ? 1e-6 : (0.01 * size) / slope;
    const there = evaluate(from + guess, combined(y, guess, [1], [first]));
    const turn = there.map((value, i) => value - first[i]);
    const bend = norm(turn, y, y) / guess;
    const steep = Math.max(slope, bend);
    const fine = steep <= 1e-15 ? Math.max(1e-6, 1e-3 * guess) : (0.01 / steep) ** (1 / (order + 1));
    return Math.min(100 * guess, fine, to - from);
  }
}
