import type { ModalCombination } from "../diffusion/samplers";
import type { VectorSpace } from "../diffusion/vectorSpace";
import type { Modes } from "../network/scoreModel";
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

/** Combinations in the modes of one set of conditions; states are [rows, cells, channels]. */
export function modalCombination({ variances, vectors }: Modes): ModalCombination<tf.Tensor3D> {
  const values = variances.dataSync();
  return (terms) =>
    tf.tidy(() => {
      const [rows, cells, channels] = terms[0][1].shape;
      const inModes = terms.map(([coefficient, x]) =>
        tf
          .matMul(x.reshape([1, rows, cells * channels]) as tf.Tensor3D, vectors)
          .mul(tf.tensor1d(Float32Array.from(values, coefficient))),
      );
      const back = tf.matMul(tf.addN(inModes) as tf.Tensor3D, vectors, false, true);
      return back.reshape([rows, cells, channels]) as tf.Tensor3D;
    });
}
