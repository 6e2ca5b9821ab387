/** The random porosity: a Gaussian process, squashed between two bounds. */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { InputError, positive } from "./backend/errors";
import type { Random } from "./random";

/** Added to the diagonal of the covariance: the squared exponential alone is singular to working precision. */
export const JITTER = 1e-4;

/**
 * Covariance matrix exp(-(x_i - x_j)^2 / (2 l^2)) + jitter [i = j] of a Gaussian process.
 * points: (n), m; correlationLength l in m, positive. Returns n x n. Throws InputError.
 */
export function squaredExponential(points: Float64Array, correlationLength: number, jitter = JITTER): Matrix {
  positive("The correlation length", correlationLength, "m");
  const n = points.length;
  const covariance = new Matrix(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const distance = (points[i] - points[j]) / correlationLength;
      const value = Math.exp(-0.5 * distance * distance) + (i === j ? jitter : 0);
      covariance.set(i, j, value);
      covariance.set(j, i, value);
    }
  }
  return covariance;
}

/** A zero-mean Gaussian process with squared exponential covariance, ready to be drawn on fixed points. */
export class GaussianProcess {
  readonly size: number;
  /** Cholesky factor, lower triangle row by row (n (n + 1) / 2): contiguous for the product in draw(). */
  private readonly factor: Float64Array;
  private readonly noise: Float64Array;

  /** points: (n), m; correlationLength in m, positive. Throws InputError. */
  constructor(points: Float64Array, correlationLength: number, jitter = JITTER) {
    const decomposition = new CholeskyDecomposition(squaredExponential(points, correlationLength, jitter));
    if (!decomposition.isPositiveDefinite()) {
      throw new InputError(`The jitter is ${jitter}; give a larger one, for the covariance is singular.`);
    }
    const lower = decomposition.lowerTriangularMatrix;
    this.size = points.length;
    this.factor = new Float64Array((this.size * (this.size + 1)) / 2);
    this.noise = new Float64Array(this.size);
    let position = 0;
    for (let i = 0; i < this.size; i++) {
      for (let j = 0; j <= i; j++) this.factor[position++] = lower.get(i, j);
    }
  }

  /** Draws one realisation into out (n) and returns it. */
  draw(random: Random, out: Float64Array): Float64Array {
    const { size, factor, noise } = this;
    random.fillNormal(noise);
    let position = 0;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += factor[position++] * noise[j];
      out[i] = sum;
    }
    return out;
  }
}

/** Bounds of the porosity, dimensionless. */
export const POROSITY_MIN = 0.2;
export const POROSITY_MAX = 0.5;

/** Maps Gaussian values to porosity 0.2 + 0.3 sigmoid(value), in place (n); returns it. */
export function squashToPorosity(values: Float64Array): Float64Array {
  for (let i = 0; i < values.length; i++) {
    values[i] = POROSITY_MIN + (POROSITY_MAX - POROSITY_MIN) / (1 + Math.exp(-values[i]));
  }
  return values;
}
