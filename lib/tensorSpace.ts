import type { ModalCombination } from "./samplers";
import type { VectorSpace } from "./vectorSpace";
import type { Modes } from "./scoreModel";
import { normal, selfAdjointEigen, tf } from "./backend/tensors";

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

/**
 * Noise [rows, cells, channels] made to have mean zero and covariance one in the modes exactly, not only in expectation.
 *
 * The mean of what is quadratic in it, as the leading part of a network's drift is, then has no sampling error: a
 * tenth of the rows do. Takes more rows than modes.
 */
export function whitenedNoise(noise: tf.Tensor3D, { vectors }: Modes): tf.Tensor3D {
  return tf.tidy(() => {
    const [rows, cells, channels] = noise.shape;
    const basis = vectors.squeeze([0]) as tf.Tensor2D;
    const z = tf.matMul(noise.reshape([rows, cells * channels]) as tf.Tensor2D, basis);
    const centred = z.sub(z.mean(0)) as tf.Tensor2D;
    const covariance = tf.matMul(centred, centred, true).div(rows).expandDims(0);
    const [variances, axes] = selfAdjointEigen(covariance as tf.Tensor3D).map((part) => part.squeeze([0]));
    const root = tf.matMul(axes.div(variances.sqrt()) as tf.Tensor2D, axes as tf.Tensor2D, false, true);
    const white = tf.matMul(centred, root);
    return tf.matMul(white, basis, false, true).reshape([rows, cells, channels]) as tf.Tensor3D;
  });
}
