import { normaliseConditions, type Problem } from "../problem";
import { drawnConditions } from "../storage/tasks";
import { integerInRange, positiveInteger } from "../errors";

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
