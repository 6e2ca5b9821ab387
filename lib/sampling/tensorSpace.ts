import type { VectorSpace } from "../diffusion/vectorSpace";
import { normal, tf } from "../tensorflow";

/** States of samplers as native tensors, with counter-based noise: draw k is the stream (seed, ...stream, k). */
export function tensorSpace<T extends tf.Tensor>(seed: number, ...stream: number[]): VectorSpace<T> {
  return {
    combine: (terms) => tf.tidy(() => tf.addN(terms.map(([coefficient, x]) => x.mul(coefficient))) as T),
    normal: (like, draw) => normal(like.shape, seed, ...stream, draw) as T,
    scope: <R>(body: () => R): R => {
      // tf.tidy keeps the tensors that it finds in the body's result, whatever its shape.
      const result = tf.tidy(() => body() as unknown as tf.TensorContainer);
      return result as unknown as R;
    },
    release: (x) => x.dispose(),
  };
}
