import { type Problem, sampleConditions } from "../problem";
import { oneOf, positiveInteger } from "../backend/errors";
import { Random } from "../random";
import { streams } from "../backend/streams";

/** Conditions to tune settings on, and others that only final results are taken at. */
export const HELD_OUT_SETS = ["test", "tuning"] as const;
export type HeldOutSet = (typeof HELD_OUT_SETS)[number];

/** Seeds that are used for nothing else. */
const SEEDS: Readonly<Record<HeldOutSet, number>> = { test: 900_001, tuning: 900_002 };

/**
 * Conditions to evaluate at: the ends of all ranges first, the others drawn as those of a data set are.
 *
 * Few drawn conditions fall near an end, where models are worst, so the ends are put in: each condition at its
 * smallest and at its largest value with the others drawn, then all corners, every condition at one of its ends.
 * With one set, a smaller count gives the first of a larger one. Throws InputError for a bad count or set.
 */
export function heldOutConditions(problem: Problem, count: number, set: HeldOutSet): Float64Array[] {
  positiveInteger("The number of conditions", count, 1_000_000);
  const seed = SEEDS[oneOf("The set of conditions", set, HELD_OUT_SETS)];
  const ends = problem.conditions.map(({ min, max }) => [min, max]);
  const faces = ends.length * 2;
  const corners = 2 ** ends.length;
  return Array.from({ length: count }, (_, number) => {
    const values = sampleConditions(problem, new Random(seed, streams.heldOut, number));
    if (number < faces) values[Math.floor(number / 2)] = ends[Math.floor(number / 2)][number % 2];
    else if (number < faces + corners) {
      ends.forEach((pair, k) => (values[k] = pair[Math.floor((number - faces) / 2 ** k) % 2]));
    }
    return values;
  });
}

/** The problem's reference conditions, or the middle of all ranges on their scales. */
export function referenceConditions({ conditions, reference }: Problem): Float64Array {
  return Float64Array.from(
    conditions,
    ({ min, max, scale }, k) => reference?.[k] ?? (scale === "log" ? Math.sqrt(min * max) : (min + max) / 2),
  );
}
