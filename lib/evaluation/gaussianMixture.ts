import { EigenvalueDecomposition } from "ml-matrix";
import { InputError } from "../backend/errors";
import type { Random } from "../random";
import type { Denoiser } from "../sde";
import type { Schedule } from "../schedule";

/** One Gaussian of a mixture, its covariance as axes diag(variances) axes^T. */
export interface GaussianComponent {
  readonly weight: number;
  /** (d) */
  readonly mean: Float64Array;
  /** (d), along the axes */
  readonly variances: Float64Array;
  /** d x d, column j is axis j */
  readonly axes: Float64Array;
}

/**
 * A Gaussian from its weight, mean (d) and symmetric covariance (d x d).
 *
 * Throws InputError when the weight is not positive, the shapes differ or the covariance is not positive definite.
 */
export function gaussian(weight: number, mean: number[], covariance: number[][]): GaussianComponent {
  const d = mean.length;
  if (!(weight > 0 && weight < Infinity)) {
    throw new InputError(`The weight of a Gaussian is ${weight}; give a positive number.`);
  }
  if (d === 0 || covariance.length !== d || covariance.some((row) => row.length !== d)) {
    throw new InputError(`The mean of a Gaussian has ${d} numbers; give a covariance of ${d} rows of ${d}.`);
  }
  const eigen = new EigenvalueDecomposition(covariance, { assumeSymmetric: true });
  if (!eigen.realEigenvalues.every((variance) => variance > 0)) {
    throw new InputError(
      `The covariance has the eigenvalues ${eigen.realEigenvalues}; give one whose eigenvalues are positive.`,
    );
  }
  return {
    weight,
    mean: Float64Array.from(mean),
    variances: Float64Array.from(eigen.realEigenvalues),
    axes: Float64Array.from(eigen.eigenvectorMatrix.to1DArray()),
  };
}

/**
 * Mixture of Gaussians, whose score and denoiser are known exactly at every time.
 *
 * Points are rows x d, row by row. Weights are scaled to sum 1.
 */
export class GaussianMixture {
  readonly components: readonly GaussianComponent[];
  readonly dimension: number;

  constructor(components: readonly GaussianComponent[]) {
    if (components.length === 0) throw new InputError("The mixture is empty; give at least one Gaussian.");
    const total = components.reduce((sum, { weight }) => sum + weight, 0);
    this.components = components.map((component) => ({ ...component, weight: component.weight / total }));
    this.dimension = components[0].mean.length;
    if (components.some(({ mean }) => mean.length !== this.dimension)) {
      throw new InputError("The Gaussians of the mixture differ in dimension; give all the same.");
    }
  }

  /** Independent draws, rows x d. */
  sample(rows: number, random: Random): Float64Array {
    const d = this.dimension;
    const points = new Float64Array(rows * d);
    const z = new Float64Array(d);
    for (let row = 0; row < rows; row++) {
      let [k, left] = [0, random.uniform() - this.components[0].weight];
      while (left >= 0 && k < this.components.length - 1) left -= this.components[++k].weight;
      const { mean, variances, axes } = this.components[k];
      random.fillNormal(z);
      for (let i = 0; i < d; i++) {
        let value = mean[i];
        for (let j = 0; j < d; j++) value += axes[i * d + j] * Math.sqrt(variances[j]) * z[j];
        points[row * d + i] = value;
      }
    }
    return points;
  }

  /** The distribution of x_t when this one is that of x_0: again a mixture. */
  marginal(schedule: Schedule, t: number): GaussianMixture {
    const [m, noise] = [schedule.mean(t), schedule.std(t) ** 2];
    return new GaussianMixture(
      this.components.map((component) => ({
        ...component,
        mean: component.mean.map((value) => m * value),
        variances: component.variances.map((value) => m * m * value + noise),
      })),
    );
  }

  /** Log of the density at each point, one value a row. */
  logDensity(points: Float64Array): Float64Array {
    return this.evaluate(points).logDensity;
  }

  /** Gradient of the log density at each point, rows x d. */
  score(points: Float64Array): Float64Array {
    return this.evaluate(points).score;
  }

  /** E[x_0 | x_t] as a function of points (rows x d) and the time, rows x d: (x + std^2 score) / mean (Tweedie). */
  denoiser(schedule: Schedule): Denoiser<Float64Array> {
    return (points, t) => {
      const [m, noise] = [schedule.mean(t), schedule.std(t) ** 2];
      const score = this.marginal(schedule, t).score(points);
      return points.map((x, i) => (x + noise * score[i]) / m);
    };
  }

  /** The score is that of each component, -axes diag(1 / variances) axes^T (x - mean), weighted by its posterior probability. */
  private evaluate(points: Float64Array): { logDensity: Float64Array; score: Float64Array } {
    const { components, dimension: d } = this;
    const logDensity = new Float64Array(points.length / d);
    const score = new Float64Array(points.length);
    const logs = new Float64Array(components.length);
    const scores = new Float64Array(components.length * d);
    for (let row = 0; row < logDensity.length; row++) {
      scores.fill(0);
      components.forEach(({ weight, mean, variances, axes }, k) => {
        logs[k] = Math.log(weight) - 0.5 * d * Math.log(2 * Math.PI);
        for (let j = 0; j < d; j++) {
          let q = 0;
          for (let i = 0; i < d; i++) q += axes[i * d + j] * (points[row * d + i] - mean[i]);
          logs[k] -= 0.5 * (Math.log(variances[j]) + (q * q) / variances[j]);
          for (let i = 0; i < d; i++) scores[k * d + i] -= (axes[i * d + j] * q) / variances[j];
        }
      });
      const largest = Math.max(...logs); // taken out, so that the sum of exponentials does not underflow
      logDensity[row] = largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
      for (let k = 0; k < components.length; k++) {
        const probability = Math.exp(logs[k] - logDensity[row]);
        for (let i = 0; i < d; i++) score[row * d + i] += probability * scores[k * d + i];
      }
    }
    return { logDensity, score };
  }
}
