/** Denoising score matching: what a network is trained to return, how far it is off, and at which times. */
import { tf } from "./backend/tensors";
import { positiveInteger } from "./backend/errors";
import type { NoisyBatch } from "./preconditioner";
import type { Random } from "./random";

/** What a network can be trained to return: -z / std, z, x_0 or mean z - std x_0; given x_t, each determines the others. */
export type Target = "score" | "noise" | "denoised" | "v";

/** The denoised state D = E[x_0 | x_t] from what the network returns for x_t. Source of v: Salimans & Ho 2022, section 4. */
export function denoisedFrom(
  target: Target,
  output: tf.Tensor,
  x: tf.Tensor,
  mean: tf.Tensor,
  std: tf.Tensor,
): tf.Tensor3D {
  const denoised = {
    score: () => x.add(output.mul(std.square())).div(mean),
    noise: () => x.sub(output.mul(std)).div(mean),
    denoised: () => output,
    v: () => x.mul(mean).sub(output.mul(std)),
  };
  return denoised[target]() as tf.Tensor3D;
}

/**
 * The denoising loss: the mean squared error of what the network returns for x_t = mean x_0 + std z.
 *
 * For every target it is the plain error of a quantity of order 1, which is what a network learns best: of v, of the
 * noise, of x_0, and of the score times std (the post's weight v_t = std^2, which makes it the noise's error). As errors
 * of the denoiser those of noise and score are weighted by 1 / s^2, that of v by 1 + 1 / s^2 (EDM's weight), and that of
 * x_0 by 1: weighted by 1 / s^2, too, an output that is x_0 itself would learn the smallest noise level and nothing else.
 * Its smallest value is not 0. Source: Vincent 2011; Song et al. 2021, equation (7).
 */
export function denoisingLoss(
  target: Target,
  output: tf.Tensor,
  { fields: clean, noise, mean, std }: Pick<NoisyBatch, "fields" | "noise" | "mean" | "std">,
): tf.Scalar {
  const errors = {
    // std (score + z / std) = std score + z: written so that no division by a small std loses digits.
    score: () => output.mul(std).add(noise),
    noise: () => output.sub(noise),
    denoised: () => output.sub(clean),
    v: () => output.sub(noise.mul(mean).sub(clean.mul(std))),
  };
  return errors[target]().square().mean() as tf.Scalar;
}

/**
 * One uniform number in each of `count` equal parts of [0, 1), in rising order.
 *
 * A batch then covers all times evenly and the variance of its mean loss falls; each number alone is not uniform, so
 * pair them with a batch in random order.
 */
export function stratifiedUniform(count: number, random: Random): Float64Array {
  positiveInteger("The number of draws", count);
  return Float64Array.from({ length: count }, (_, i) => (i + random.uniform()) / count);
}
