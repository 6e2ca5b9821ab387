/** Stochastic differential equations in several dimensions, as the systems of the gallery state them, and their paths. */
import type { Matrix } from "ml-matrix";
import { InputError } from "../backend/errors";
import { Random } from "../random";
import { eulerMaruyamaStep, type Sde } from "../sde";
import { arraySpace } from "../evaluation/forwardProcess";

/**
 * dX = f(X) dt + L(X) dW with independent noise in each coordinate, so that L L^T = diag(q(X)).
 *
 * All functions take any number of states in rows, (rows, dimension), and return new arrays.
 */
export interface Diffusion {
  readonly dimension: number;
  /** f: (rows, dimension) */
  drift(x: Float64Array): Float64Array;
  /** q, the rate at which variance is added to each coordinate: (rows, dimension) */
  spread(x: Float64Array): Float64Array;
  /** Jacobian of f at one state, row by row: (dimension, dimension), [i][j] = df_i / dx_j */
  jacobian(x: Float64Array): Float64Array;
}

/** What the random numbers of a simulation are drawn for. */
const stream = { start: 0, steps: 1 };

/** Draws from a normal distribution: (rows, dimension). factor: the Cholesky factor of its covariance. */
export function normalDraws(mean: Float64Array, factor: Matrix, rows: number, seed: number): Float64Array {
  const n = mean.length;
  const z = new Random(seed, stream.start).fillNormal(new Float64Array(rows * n));
  return z.map((_, k) => {
    const [row, i] = [Math.floor(k / n), k % n];
    let value = mean[i];
    for (let j = 0; j <= i; j++) value += factor.get(i, j) * z[row * n + j];
    return value;
  });
}

/**
 * Euler-Maruyama paths from x0 (rows, dimension) through equal steps to endTime: the states after each step. The steps are
 * those of {@link eulerMaruyamaStep}, the only ones of the project. Throws InputError for a bad number of steps.
 */
export function* paths(
  diffusion: Diffusion,
  x0: Float64Array,
  { endTime, steps, seed }: { endTime: number; steps: number; seed: number },
): Generator<Float64Array> {
  if (!(Number.isInteger(steps) && steps >= 1)) {
    throw new InputError(`The number of steps is ${steps}; give a whole number from 1.`);
  }
  const space = arraySpace(seed, stream.steps);
  // The noise that depends on the state goes into the draw, so that the equation's own g is 1.
  const sde: Sde<Float64Array> = { drift: (x) => [[1, diffusion.drift(x)]], diffusion: () => 1 };
  let x = x0;
  for (let k = 0; k < steps; k++) {
    const state = x;
    const noise = () => {
      const rate = diffusion.spread(state);
      return space.normal(state, k).map((z, i) => Math.sqrt(rate[i]) * z);
    };
    x = eulerMaruyamaStep(space, sde, state, (k * endTime) / steps, endTime / steps, noise);
    yield x;
  }
}
