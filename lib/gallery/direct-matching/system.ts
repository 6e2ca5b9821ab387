/** The systems of the chapter, and their exact references. */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import type { Diffusion } from "../diffusion";

/** Places and velocities around a bean: what a drift is learned from. */
export interface Velocities {
  /** (count, 2) */
  readonly places: Float64Array;
  /** (count, 2) */
  readonly values: Float64Array;
}

/** Nine points of a bean-shaped curve with the velocities of a round along it. Source: Solin, Tamir & Verma 2021, their code. */
export function bean(): Velocities {
  const curve = Array.from({ length: 63 }, (_, k) => {
    const angle = (Math.PI * k) / 62;
    const r = Math.sin(angle) ** 3 + Math.cos(angle) ** 3;
    return [r * Math.cos(angle) - 0.3, r * Math.sin(angle) - 0.3];
  });
  const taken = Array.from({ length: 9 }, (_, k) => 7 * k);
  return {
    places: Float64Array.from(taken.flatMap((k) => curve[k])),
    values: Float64Array.from(taken.flatMap((k) => [0, 1].map((i) => 10 * (curve[k + 1][i] - curve[k][i])))),
  };
}

/** The Gaussian process's prior: variance times exp(-|x - y|^2 / (2 length^2)), and the variance of the velocities' noise. */
const PRIOR = { length: 0.5, variance: 0.5, noise: 0.01 };

function priorCovariance(x: Float64Array, i: number, y: Float64Array, j: number): number {
  const squared = (x[2 * i] - y[2 * j]) ** 2 + (x[2 * i + 1] - y[2 * j + 1]) ** 2;
  return PRIOR.variance * Math.exp(-squared / (2 * PRIOR.length ** 2));
}

/** Covariance matrix of what is seen of either component of the velocity at some places (count, 2): count x count. */
export function driftPrior(places: Float64Array): Matrix {
  const count = places.length / 2;
  const gram = new Matrix(count, count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      gram.set(i, j, priorCovariance(places, i, places, j) + (i === j ? PRIOR.noise : 0));
    }
  }
  return gram;
}

/**
 * dX = f(X) dt + sqrt(q(X)) dW in the plane, where f is the mean and q the variance of a Gaussian process that has seen some
 * velocities (q with the noise of one more velocity): where there are none, the process is slow and its noise large. Source: Solin, Tamir & Verma 2021, section 4.
 */
export function gaussianProcessDrift({ places, values }: Velocities): Diffusion {
  const count = places.length / 2;
  const { length, variance, noise } = PRIOR;
  const covariance = (x: Float64Array, row: number, k: number) => priorCovariance(x, row, places, k);
  const solver = new CholeskyDecomposition(driftPrior(places));
  const weights = solver.solve(
    new Matrix(Array.from({ length: count }, (_, k) => Array.from(values.subarray(2 * k, 2 * k + 2)))),
  );
  const inverse = solver.solve(Matrix.eye(count));
  const kernel = (x: Float64Array, row: number) =>
    Array.from({ length: count }, (_, k) => covariance(x, row, k));
  return {
    dimension: 2,
    drift(x) {
      const f = new Float64Array(x.length);
      for (let row = 0; row < x.length / 2; row++) {
        for (let k = 0; k < count; k++) {
          const value = covariance(x, row, k);
          f[2 * row] += value * weights.get(k, 0);
          f[2 * row + 1] += value * weights.get(k, 1);
        }
      }
      return f;
    },
    spread(x) {
      const q = new Float64Array(x.length);
      for (let row = 0; row < x.length / 2; row++) {
        const own = kernel(x, row);
        let left = variance + noise;
        for (let i = 0; i < count; i++)
          for (let j = 0; j < count; j++) left -= own[i] * inverse.get(i, j) * own[j];
        q.fill(left, 2 * row, 2 * row + 2);
      }
      return q;
    },
    jacobian(x) {
      const result = new Float64Array(4);
      kernel(x, 0).forEach((value, k) => {
        for (let i = 0; i < 2; i++) {
          for (let j = 0; j < 2; j++)
            result[2 * i + j] -= (value * weights.get(k, i) * (x[j] - places[2 * k + j])) / length ** 2;
        }
      });
      return result;
    },
  };
}

/** Independent Benes processes, dX = tanh(X) dt + dW. Source: Benes 1981. */
export function benes(dimension: number): Diffusion {
  return {
    dimension,
    drift: (x) => x.map(Math.tanh),
    spread: (x) => new Float64Array(x.length).fill(1),
    jacobian: (x) => {
      const result = new Float64Array(dimension * dimension);
      x.forEach((value, i) => (result[i * (dimension + 1)] = 1 / Math.cosh(value) ** 2));
      return result;
    },
  };
}

/** Mean and variance of a Benes process that starts in x0: x0 + t tanh x0 and t + t^2 / cosh^2 x0. */
export function benesMoments(x0: number, t: number): { mean: number; variance: number } {
  return { mean: x0 + t * Math.tanh(x0), variance: t + (t / Math.cosh(x0)) ** 2 };
}

/** Density of a Benes process that starts in x0: that of a Brownian motion times cosh(x) / cosh(x0) exp(-t / 2). */
export function benesDensity(x0: number, t: number): (x: number) => number {
  return (x) =>
    ((Math.cosh(x) / Math.cosh(x0)) * Math.exp(-0.5 * t - (x - x0) ** 2 / (2 * t))) /
    Math.sqrt(2 * Math.PI * t);
}

/** Where the particles on the bean start: N((-1/2, 0), 0.01 I). */
export const beanStart = { mean: Float64Array.of(-0.5, 0), covariance: Matrix.diag([0.01, 0.01]) };
