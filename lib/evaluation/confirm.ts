import type { Evaluation } from "./evaluate";

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

/** The evaluation with the largest pooled floor ratio. */
export function largestRatio(evaluations: readonly Evaluation[]): Evaluation {
  return evaluations.reduce((a, b) => (b.model.pooled > a.model.pooled ? b : a));
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
