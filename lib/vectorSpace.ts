import { Random } from "./random";

/**
 * What a sampler needs to know of its states: a step is a linear combination of states, denoised states and noise.
 *
 * combine and normal return new states and never change or return one of their arguments. A space whose states
 * hold memory that is not garbage-collected (tensors) also implements scope and release, both or neither.
 * A state can be kept beyond its life by a copy, combine([[1, x]]).
 */
export interface VectorSpace<X> {
  /** Sum of coefficient times state over the terms; at least one term, all states of one shape. */
  combine(terms: ReadonlyArray<readonly [number, X]>): X;
  /** Standard normal noise in the shape of `like`; the same draw number gives the same noise. */
  normal(like: X, draw: number): X;
  /** Runs the body, then frees all states made in it except those in its result (as tf.tidy does). */
  scope?<T>(body: () => T): T;
  /** Frees one state that will not be read again. */
  release?(state: X): void;
}

/**
 * States as Float64Arrays of any length, with counter-based noise.
 *
 * Draw number k is the stream (seed, ...stream, k) of Random, so noise depends on the number alone and not on
 * what was drawn before.
 */
export function arraySpace(seed: number, ...stream: number[]): VectorSpace<Float64Array> {
  return {
    combine(terms) {
      const sum = new Float64Array(terms[0][1].length);
      for (const [coefficient, state] of terms) {
        for (let i = 0; i < sum.length; i++) sum[i] += coefficient * state[i];
      }
      return sum;
    },
    normal: (like, draw) => new Random(seed, ...stream, draw).fillNormal(new Float64Array(like.length)),
  };
}
