/** Moments of an SDE whose state is taken to be Gaussian at every time: two ordinary differential equations. */
import { CholeskyDecomposition, EigenvalueDecomposition, inverse, Matrix } from "ml-matrix";
import { InputError } from "../backend/errors";
import type { Diffusion } from "./diffusion";

/** A normal distribution. */
export interface Gaussian {
  /** (dimension) */
  readonly mean: Float64Array;
  /** dimension x dimension */
  readonly covariance: Matrix;
}

/** What the moment equations need of a diffusion under a Gaussian. */
export interface Expectations {
  /** E f: (dimension) */
  readonly drift: Float64Array;
  /** E[f (x - m)^T]: dimension x dimension */
  readonly cross: Matrix;
  /** E q: (dimension) */
  readonly spread: Float64Array;
}

/** A way to find these expectations. */
export type Closure = (diffusion: Diffusion, gaussian: Gaussian) => Expectations;

/** Points and weights of a quadrature under the standard normal distribution. */
export interface Quadrature {
  /** (points, dimension) */
  readonly points: Float64Array;
  /** (points) */
  readonly weights: Float64Array;
}

/** The 2 d points +- sqrt(d) e_i of equal weight, exact for cubic polynomials. Source: Arasaratnam & Haykin 2009. */
export function cubature(dimension: number): Quadrature {
  const points = new Float64Array(2 * dimension * dimension);
  for (let i = 0; i < dimension; i++) {
    points[2 * i * dimension + i] = Math.sqrt(dimension);
    points[(2 * i + 1) * dimension + i] = -Math.sqrt(dimension);
  }
  return { points, weights: new Float64Array(2 * dimension).fill(1 / (2 * dimension)) };
}

/**
 * Gauss and Hermite's rule, exact for polynomials of degree 2 order - 1 in each coordinate: order^dimension points.
 *
 * Nodes are the eigenvalues of the Jacobi matrix of the Hermite polynomials, weights the squared first components of its
 * eigenvectors. Source: Golub & Welsch 1969.
 */
export function gaussHermite(order: number, dimension: number): Quadrature {
  const jacobi = Matrix.zeros(order, order);
  for (let k = 1; k < order; k++) {
    jacobi.set(k, k - 1, Math.sqrt(k));
    jacobi.set(k - 1, k, Math.sqrt(k));
  }
  const { realEigenvalues: nodes, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(jacobi);
  const count = order ** dimension;
  const points = new Float64Array(count * dimension);
  const weights = new Float64Array(count).fill(1);
  for (let p = 0; p < count; p++) {
    for (let i = 0, rest = p; i < dimension; i++, rest = Math.floor(rest / order)) {
      points[p * dimension + i] = nodes[rest % order];
      weights[p] *= vectors.get(0, rest % order) ** 2;
    }
  }
  return { points, weights };
}

/** Expectations with the drift linearised at the mean: that of the extended Kalman filter. */
export const linearised: Closure = (diffusion, { mean, covariance }) => {
  const n = diffusion.dimension;
  const jacobian = Matrix.from1DArray(n, n, diffusion.jacobian(mean));
  return { drift: diffusion.drift(mean), cross: jacobian.mmul(covariance), spread: diffusion.spread(mean) };
};

/** Expectations by quadrature at the points m + chol(P) xi. Throws InputError where P is not positive definite. */
export function matched({ points, weights }: Quadrature): Closure {
  return (diffusion, { mean, covariance }) => {
    const n = diffusion.dimension;
    const offsets = new Float64Array(points.length); // chol(P) xi
    const factor = choleskyFactor(covariance);
    for (let p = 0; p < weights.length; p++) {
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j <= i; j++) sum += factor.get(i, j) * points[p * n + j];
        offsets[p * n + i] = sum;
      }
    }
    const x = offsets.map((offset, i) => mean[i % n] + offset);
    const [f, q] = [diffusion.drift(x), diffusion.spread(x)];
    const [drift, spread, cross] = [new Float64Array(n), new Float64Array(n), new Float64Array(n * n)];
    for (let i = 0; i < f.length; i++) {
      const [p, row] = [Math.floor(i / n), i % n];
      drift[row] += weights[p] * f[i];
      spread[row] += weights[p] * q[i];
      for (let j = 0; j < n; j++) cross[row * n + j] += weights[p] * f[i] * offsets[p * n + j];
    }
    return { drift, cross: Matrix.from1DArray(n, n, cross), spread };
  };
}

/**
 * Expectations for a drift and a spread whose i-th components depend on x_i alone, by a rule of one dimension for each
 * coordinate: the work grows with the dimension, not with its power.
 *
 * Coordinates may be correlated: E[f_i (x_j - m_j)] = P_ij E[f_i'], Stein's lemma, and E[f_i'] = E[f_i (x_i - m_i)] / P_ii.
 */
export function coordinatewise({ points, weights }: Quadrature): Closure {
  return (diffusion, { mean, covariance }) => {
    const n = diffusion.dimension;
    const x = new Float64Array(points.length * n);
    const deviation = mean.map((_, i) => Math.sqrt(covariance.get(i, i)));
    for (let i = 0; i < x.length; i++) x[i] = mean[i % n] + deviation[i % n] * points[Math.floor(i / n)];
    const [f, q] = [diffusion.drift(x), diffusion.spread(x)];
    const [drift, spread, slope] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
    for (let i = 0; i < f.length; i++) {
      const [p, row] = [Math.floor(i / n), i % n];
      drift[row] += weights[p] * f[i];
      spread[row] += weights[p] * q[i];
      slope[row] += (weights[p] * f[i] * points[p]) / deviation[row];
    }
    const cross = covariance.clone();
    for (let row = 0; row < n; row++) cross.mulRow(row, slope[row]);
    return { drift, cross, spread };
  };
}

/**
 * Mean and covariance through equal steps to endTime, the Gaussian after each step:
 *
 *     m' = E f,   P' = E[f (x - m)^T] + E[(x - m) f^T] + diag(E q),
 *
 * by the classical Runge-Kutta method, order 4. Exact where f is affine and q constant; elsewhere the Gaussian itself is
 * the approximation. Source: Sarkka & Solin 2019, section 9.1; Solin, Tamir & Verma 2021.
 */
export function* moments(
  diffusion: Diffusion,
  closure: Closure,
  start: Gaussian,
  { endTime, steps }: { endTime: number; steps: number },
): Generator<Gaussian> {
  const rate = (gaussian: Gaussian): Gaussian => {
    const { drift, cross, spread } = closure(diffusion, gaussian);
    return {
      mean: drift,
      covariance: Matrix.add(cross, cross.transpose()).add(Matrix.diag(Array.from(spread))),
    };
  };
  const h = endTime / steps;
  let state = start;
  for (let k = 0; k < steps; k++) {
    const k1 = rate(state);
    const k2 = rate(along(state, [[h / 2, k1]]));
    const k3 = rate(along(state, [[h / 2, k2]]));
    const k4 = rate(along(state, [[h, k3]]));
    state = along(state, [[h / 6, k1], [h / 3, k2], [h / 3, k3], [h / 6, k4]]); // prettier-ignore
    yield state;
  }
}

/** The state plus some rates, each times its factor. */
function along({ mean, covariance }: Gaussian, terms: readonly (readonly [number, Gaussian])[]): Gaussian {
  const sum = { mean: mean.slice(), covariance: covariance.clone() };
  for (const [factor, rate] of terms) {
    rate.mean.forEach((value, i) => (sum.mean[i] += factor * value));
    sum.covariance.add(Matrix.mul(rate.covariance, factor));
  }
  return sum;
}

/** Mean and covariance of a cloud (rows, dimension), divided by rows. */
export function cloudMoments(cloud: Float64Array, dimension: number): Gaussian {
  const rows = cloud.length / dimension;
  const mean = new Float64Array(dimension);
  cloud.forEach((value, k) => (mean[k % dimension] += value / rows));
  const covariance = Matrix.zeros(dimension, dimension);
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j < dimension; j++) {
      let sum = 0;
      for (let r = 0; r < cloud.length; r += dimension)
        sum += (cloud[r + i] - mean[i]) * (cloud[r + j] - mean[j]);
      covariance.set(i, j, sum / rows);
    }
  }
  return { mean, covariance };
}

/** Mean of log N(x; mean, covariance) over points of the seen mean and covariance, in nats. */
export function expectedLogDensity(seen: Gaussian, { mean, covariance }: Gaussian): number {
  const factor = choleskyFactor(covariance);
  const inverseP = inverse(covariance);
  const shift = Matrix.columnVector(seen.mean.map((value, i) => value - mean[i]));
  const squared = inverseP.mmul(Matrix.add(seen.covariance, shift.mmul(shift.transpose()))).trace();
  const logRoot = factor.diagonal().reduce((sum, value) => sum + Math.log(value), 0); // log det^(1/2)
  return -0.5 * (squared + mean.length * Math.log(2 * Math.PI)) - logRoot;
}

/** Lower triangular L with L L^T = covariance. Throws InputError where there is none. */
export function choleskyFactor(covariance: Matrix): Matrix {
  const decomposition = new CholeskyDecomposition(covariance);
  if (decomposition.isPositiveDefinite()) return decomposition.lowerTriangularMatrix;
  throw new InputError("The covariance is not positive definite any more; take smaller steps.");
}
