import { tf } from "./backend/tensors";
import { InputError } from "./errors";

/** What a network must know of a problem: numbers of cells, fields and conditions. */
export interface NetworkShape {
  /** Fields returned; default: as many as go in. */
  readonly outputs?: number;
  readonly cells: number;
  readonly fields: number;
  readonly conditions: number;
}

/**
 * Initialisers with seeds of their own, one a call: two layers with one seed would start with the same weights.
 * tfjs takes seed 0 as no seed, so they count from a positive number.
 */
export function seededInitializers(seed: number): () => ReturnType<typeof tf.initializers.glorotUniform> {
  if (!Number.isInteger(seed) || seed < 0)
    throw new InputError(`A seed must be a whole number from 0, not ${seed}.`);
  let next = ((seed * 10007) % 2147483000) + 1;
  return () => tf.initializers.glorotUniform({ seed: next++ });
}
