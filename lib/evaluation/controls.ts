/** What others than a model achieve: a Gaussian of the same moments, and looking up the training data. */
import { columnsOf, type FieldSample, standardiser } from "../comparison";
import { integerInRange, positiveInteger } from "../backend/errors";
import { normaliseConditions, type Problem } from "../problem";
import { Random } from "../random";
import { drawnConditions } from "../presets/simulate";
import { firstRows } from "./fieldSamples";
import type { SampleSource } from "./floorRatio";
import { principalComponents } from "./principalComponents";

/**
 * Gaussian fields with the mean and the covariance of a large set: what a model of first and second moments achieves.
 *
 * x = mean + std sum_k sqrt(variance_k) z_k component_k in standardised cells; cells that the set holds constant stay so.
 * The factor is made of principal components, not by Cholesky, as the covariance of smooth fields is singular to
 * round-off. seed, stream: of the random numbers; the number of the set is the last stream number.
 */
export function gaussianControl(set: FieldSample, seed: number, ...stream: number[]): SampleSource {
  const values = firstRows(set, set.rows);
  const width = columnsOf(set);
  const { apply, free, mean, std } = standardiser(values, width);
  const columns = free.length;
  const { variances, vectors } = principalComponents(apply(values), columns);
  return (number, rows) => {
    const random = new Random(seed, ...stream, number);
    const fields = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const standardised = new Float64Array(columns);
      for (let k = 0; k < columns; k++) {
        const amplitude = Math.sqrt(variances[k]) * random.normal();
        for (let j = 0; j < columns; j++) standardised[j] += amplitude * vectors[k * columns + j];
      }
      fields.set(mean, row * width);
      free.forEach((j, k) => (fields[row * width + j] += std[j] * standardised[k]));
    }
    return { rows, fields, problem: set.problem };
  };
}

/** Conditions of a data set, and how far they are from those asked for. */
export interface NearestCondition {
  readonly conditions: Float64Array; // conditions
  /** Euclidean, each condition normalised to [-1, 1] on its scale. */
  readonly distance: number;
}

/**
 * The conditions nearest to the given ones among those that generate() draws for a data set of `count` conditions.
 *
 * The PDE's fields there are what a model would give that looks up its training data. Throws InputError.
 */
export function nearestCondition(
  problem: Problem,
  conditions: Float64Array,
  { count = 1000, seed = 1 }: { readonly count?: number; readonly seed?: number } = {},
): NearestCondition {
  positiveInteger("The number of conditions", count);
  integerInRange("The seed", seed, 0, Number.MAX_SAFE_INTEGER);
  const target = normaliseConditions(problem, conditions);
  let nearest: NearestCondition | undefined;
  for (let number = 0; number < count; number++) {
    const candidate = drawnConditions(problem, seed, number);
    const distance = Math.hypot(...normaliseConditions(problem, candidate).map((x, k) => x - target[k]));
    if (nearest === undefined || distance < nearest.distance) nearest = { conditions: candidate, distance };
  }
  return nearest as NearestCondition;
}
