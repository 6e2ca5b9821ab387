import type { DataSet } from "../../../lib/dataSet";
import { streams } from "../../../lib/backend/streams";
import { InputError } from "../../../lib/backend/errors";
import type { ScoreModel } from "../../../lib/scoreModel";
import { normal, tf } from "../../../lib/backend/tensors";
import { ofOneCondition } from "../../../lib/storage/batches";
import { modalCombination } from "../../../lib/gaussian/drawing";
import { toCells, toModes } from "../../../lib/gaussian/preconditioner";

/**
 * What a denoised field is made of at one noise level s, and how far it is from the clean one: root mean squares in
 * standard deviations of the data. With y = x / mean(t),
 * `scaled` is the guess y / (1 + s^2), best among all that are the same for every mode, and `linear` that of the modes.
 */
export interface DenoisingLevel {
  readonly noiseLevel: number;
  /** The denoised field. */
  readonly denoised: number;
  /** What is left of it for a network to add, without and with either guess. */
  readonly beyond: { readonly nothing: number; readonly scaled: number; readonly linear: number };
  /** Distance from the clean field: of either guess alone, and with what the network adds. */
  readonly error: { readonly scaled: number; readonly linear: number; readonly network: number };
}

/**
 * Denoises real fields at several noise levels with a model of the target "residual" (see ScoreModel.denoise).
 *
 * data: rows of one condition. Cells in which nothing varies do not count. Throws InputError for rows of several
 * conditions and for models of other targets.
 */
export function denoisingProfile(
  model: ScoreModel,
  data: DataSet,
  levels: readonly number[],
  seed = 1,
): DenoisingLevel[] {
  return ofOneCondition(model, data, ({ fields: clean, conditioning }, conditions) => {
    if (!conditioning["vectors"])
      throw new InputError('The model has no modes; give one whose target is "residual".');
    const { variances, vectors } = conditioning;
    const combine = modalCombination(variances, {
      toModes: (x) => toModes(x, vectors),
      fromModes: (z) => toCells(z, vectors, clean.shape),
    });
    return levels.map((s, k) =>
      tf.tidy(() => {
        const varies = clean.abs().max(0).greater(0).toFloat();
        const share = varies.mean().dataSync()[0];
        const rms = (x: tf.Tensor) => Math.sqrt(x.mul(varies).square().mean().dataSync()[0] / share);
        const t = model.schedule.timeOf(s);
        const m = model.schedule.mean(t);
        const noise = normal(clean.shape, seed, streams.denoisingProfile, k).mul(s);
        const y = clean.add(noise) as tf.Tensor3D;
        const denoised = model.denoise(y.mul(m) as tf.Tensor3D, t, conditions);
        const scaled = y.div(1 + s * s);
        const linear = combine([[(l) => l / (l + s * s), y]]);
        const size = rms(denoised);
        return {
          noiseLevel: s,
          denoised: size,
          beyond: { nothing: size, scaled: rms(denoised.sub(scaled)), linear: rms(denoised.sub(linear)) },
          error: {
            scaled: rms(scaled.sub(clean)),
            linear: rms(linear.sub(clean)),
            network: rms(denoised.sub(clean)),
          },
        };
      }),
    );
  });
}
