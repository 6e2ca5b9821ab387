/** Evaluations at many conditions: their medians, and the worst of them without the bias of having been picked. */
import type { Evaluation } from "./evaluate";
import { median } from "./statistics";

/** Medians over conditions, and the evaluation with the largest pooled floor ratio. */
export interface EvaluationSummary {
  readonly floorRatio: number;
  readonly pooled: number;
  readonly meanError: number;
  readonly stdRatio: number;
  readonly worst: Evaluation;
}

/** Summarises evaluations. `again`: where a condition was measured again (see confirmLargest), that decides on the worst. */
export function summariseEvaluations(
  evaluations: readonly Evaluation[],
  again: readonly Evaluation[] = [],
): EvaluationSummary {
  const over = (name: "floorRatio" | "pooled" | "meanError" | "stdRatio") =>
    median(evaluations.map(({ model }) => model[name]));
  return {
    floorRatio: over("floorRatio"),
    pooled: over("pooled"),
    meanError: over("meanError"),
    stdRatio: over("stdRatio"),
    worst: largestRatio(replaced(evaluations, again)),
  };
}

/**
 * Measures the condition of the largest pooled floor ratio again, until the largest is one that was measured again.
 *
 * The largest of many measured values is so partly by its own error, the more so the more values there are: of fifty
 * models without any error the worst would look bad. An independent measurement at the condition that was picked is free
 * of this. It takes the first one's place, and the next largest is looked at. Returns the new measurements in their order.
 */
export async function confirmLargest(
  evaluations: readonly Evaluation[],
  measureAgain: (first: Evaluation) => Promise<Evaluation>,
): Promise<Evaluation[]> {
  const again: Evaluation[] = [];
  for (;;) {
    const largest = largestRatio(replaced(evaluations, again));
    if (again.includes(largest)) return again;
    again.push(await measureAgain(largest));
  }
}

/** The evaluations, each at whose conditions there is a later one replaced by that. */
export function replaced<T extends { readonly conditions: ArrayLike<number> }>(
  evaluations: readonly T[],
  again: readonly T[],
): T[] {
  return evaluations.map((first) => atConditions(again, first.conditions) ?? first);
}

/** The one that was measured at these conditions, if there is one. */
export function atConditions<T extends { readonly conditions: ArrayLike<number> }>(
  evaluations: readonly T[],
  conditions: ArrayLike<number>,
): T | undefined {
  return evaluations.find((one) => Array.from(conditions).every((value, k) => value === one.conditions[k]));
}

/** The evaluation with the largest pooled floor ratio, which scatters least. */
function largestRatio(evaluations: readonly Evaluation[]): Evaluation {
  return evaluations.reduce((a, b) => (b.model.pooled > a.model.pooled ? b : a));
}
