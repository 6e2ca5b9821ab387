import { forEachDistance } from "../backend/distances";
import { rowCount } from "../comparison";
import { InputError } from "../backend/errors";
import type { Denoiser } from "../sde";
import type { Schedule } from "../schedule";

/**
 * Exact denoiser of a finite sample: the mean of the samples weighted by softmax(-|x - m x_i|^2 / (2 std^2)).
 *
 * samples is rows x d, row by row; points given to the denoiser are any number of rows x d. It is what a network of
 * unlimited size would learn from these samples, so sampling with it returns the samples themselves.
 * The denoiser throws InputError for t = 0. Source: Karras et al. 2022 (EDM), appendix B.3.
 */
export function empiricalDenoiser(
  samples: Float64Array,
  dimension: number,
  schedule: Schedule,
): Denoiser<Float64Array> {
  const rows = samples.length / dimension;
  if (!(Number.isInteger(rows) && rows >= 1)) {
    throw new InputError(
      `The samples are ${samples.length} numbers; give a whole number of rows of dimension ${dimension}.`,
    );
  }
  return (points, t) => {
    if (!(t > 0)) throw new InputError(`The time is ${t}; give t > 0, where the empirical score exists.`);
    const [m, precision] = [schedule.mean(t), 1 / schedule.std(t) ** 2];
    const denoised = new Float64Array(points.length);
    const weights = new Float64Array(rows);
    for (let start = 0; start < points.length; start += dimension) {
      let largest = -Infinity;
      for (let i = 0; i < rows; i++) {
        let square = 0;
        for (let j = 0; j < dimension; j++)
          square += (points[start + j] - m * samples[i * dimension + j]) ** 2;
        weights[i] = -0.5 * precision * square;
        if (weights[i] > largest) largest = weights[i];
      }
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        weights[i] = Math.exp(weights[i] - largest); // the nearest sample has weight 1: no underflow of the sum
        sum += weights[i];
      }
      for (let i = 0; i < rows; i++) {
        if (weights[i] === 0) continue;
        const weight = weights[i] / sum;
        for (let j = 0; j < dimension; j++) denoised[start + j] += weight * samples[i * dimension + j];
      }
    }
    return denoised;
  };
}

/**
 * Exact score of a finite sample: gradient of log((1/n) sum over i of N(x; m x_i, std^2 I)) = (m D - x) / std^2.
 *
 * Shapes and errors as empiricalDenoiser.
 */
export function empiricalScore(
  samples: Float64Array,
  dimension: number,
  schedule: Schedule,
): Denoiser<Float64Array> {
  const denoise = empiricalDenoiser(samples, dimension, schedule);
  return (points, t) => {
    const [m, variance] = [schedule.mean(t), schedule.std(t) ** 2];
    return denoise(points, t).map((value, i) => (m * value - points[i]) / variance);
  };
}

/** Euclidean distance of each row of x to the nearest row of y (another array), columns numbers a row. */
export function nearestDistances(x: Float64Array, y: Float64Array, columns: number): Float64Array {
  const nearest = new Float64Array(rowCount(x, columns)).fill(Infinity);
  forEachDistance(x, y, columns, (i, _j, distance) => {
    if (distance < nearest[i]) nearest[i] = distance;
  });
  return nearest;
}
