/** The Fokker-Planck-Kolmogorov equation in the plane on a grid: what the moments are held against. */
import { Matrix } from "ml-matrix";
import type { Diffusion } from "./diffusion";
import type { Gaussian } from "./gaussianMoments";

/** A density on a square grid of equal cells. */
export interface Density {
  /** cells along each side */
  readonly side: number;
  /** centres of the cells along each side: (side) */
  readonly centres: Float64Array;
  /** density in each cell, x_1 running fastest: (side * side) */
  readonly values: Float64Array;
}

/**
 * Solves p_t = -div(f p) + 1/2 sum_i d^2/dx_i^2 (q_i p) on the square [-reach, reach]^2 without flux through its sides, and
 * yields the density at each of the times, which rise.
 *
 * Finite volumes. What f carries through a face is the density that a limited slope gives there, upwind; what spreads is
 * the difference of q p / 2. Both are of second order where p is smooth. Time steps are Heun's, a mean of Euler steps so
 * short that none takes more out of a cell than it holds: p stays positive, and what leaves one cell enters the next, so
 * the sum stays. Source: van Leer 1974 (the limiter); Shu & Osher 1988 (the steps).
 */
export function* fokkerPlanck(
  diffusion: Diffusion,
  start: Gaussian,
  times: readonly number[],
  { reach, side }: { reach: number; side: number },
): Generator<Density> {
  const h = (2 * reach) / side;
  const centres = Float64Array.from({ length: side }, (_, i) => -reach + (i + 0.5) * h);
  const cells = new Float64Array(2 * side * side);
  centres.forEach((y, j) => centres.forEach((x, i) => cells.set([x, y], 2 * (j * side + i))));
  const spread = diffusion.spread(cells);
  const axes = [0, 1].map((axis) => {
    const faces = cells.map((x, k) => (k % 2 === axis ? x + h / 2 : x));
    return {
      axis,
      stride: axis === 0 ? 1 : side,
      carried: diffusion.drift(faces).filter((_, k) => k % 2 === axis).map((f) => f / h), // prettier-ignore
      rate: spread.filter((_, k) => k % 2 === axis).map((q) => q / (2 * h * h)),
    };
  });
  let fastest = 0;
  for (const { carried, rate } of axes) {
    for (let k = 0; k < rate.length; k++) fastest = Math.max(fastest, 4 * Math.abs(carried[k]) + 4 * rate[k]);
  }
  const euler = (p: Float64Array, dt: number) => {
    const next = p.slice();
    for (const { axis, stride, carried, rate } of axes) {
      for (let k = 0; k + stride < p.length; k++) {
        const place = axis === 0 ? k % side : Math.floor(k / side);
        if (place === side - 1) continue; // a side of the square
        const forward = carried[k] > 0;
        const upwind = forward ? k : k + stride;
        // No slope in the cells along the sides, whose other neighbour is not there.
        const inner = forward ? place > 0 : place < side - 2;
        const half = inner
          ? limitedSlope(p[upwind] - p[upwind - stride], p[upwind + stride] - p[upwind]) / 2
          : 0;
        const face = p[upwind] + (forward ? half : -half);
        const flow = dt * (carried[k] * face + rate[k] * p[k] - rate[k + stride] * p[k + stride]);
        next[k] -= flow;
        next[k + stride] += flow;
      }
    }
    return next;
  };
  let p = gaussianOn(cells, start, h);
  let t = 0;
  for (const end of times) {
    const steps = Math.ceil((end - t) * fastest);
    const dt = (end - t) / Math.max(steps, 1);
    for (let k = 0; k < steps; k++) {
      const twice = euler(euler(p, dt), dt);
      p = p.map((value, i) => 0.5 * (value + twice[i]));
    }
    t = end;
    yield { side, centres, values: p };
  }
}

/** Van Leer's mean of two differences: 0 where they have opposite signs, so that no new extremum arises. */
function limitedSlope(left: number, right: number): number {
  return left * right > 0 ? (2 * left * right) / (left + right) : 0;
}

/** A Gaussian's density in the cells, of sum 1 / h^2. */
function gaussianOn(cells: Float64Array, { mean, covariance }: Gaussian, h: number): Float64Array {
  const [a, b, c] = [covariance.get(0, 0), covariance.get(0, 1), covariance.get(1, 1)];
  const determinant = a * c - b * b;
  const values = Float64Array.from({ length: cells.length / 2 }, (_, k) => {
    const [x, y] = [cells[2 * k] - mean[0], cells[2 * k + 1] - mean[1]];
    return Math.exp((-0.5 * (c * x * x - 2 * b * x * y + a * y * y)) / determinant);
  });
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / (sum * h * h));
}

/** Mean and covariance of a density. */
export function densityMoments({ side, centres, values }: Density): Gaussian {
  const weight = values.reduce((sum, value) => sum + value, 0);
  const expect = (g: (x: number, y: number) => number) =>
    values.reduce((sum, p, k) => sum + p * g(centres[k % side], centres[Math.floor(k / side)]), 0) / weight;
  const [mx, my] = [expect((x) => x), expect((_, y) => y)];
  const xy = expect((x, y) => (x - mx) * (y - my));
  return {
    mean: Float64Array.of(mx, my),
    covariance: new Matrix([
      [expect((x) => (x - mx) ** 2), xy],
      [xy, expect((_, y) => (y - my) ** 2)],
    ]),
  };
}
