import type { DataSet } from "../../../lib/dataSet";
import { streams } from "../../../lib/backend/streams";
import type { ScoreModel } from "../../../lib/scoreModel";
import { normal, tf } from "../../../lib/backend/tensors";
import { ofOneCondition } from "../../../lib/storage/batches";
import { toDataSet } from "../../../lib/storage/samplingRun";

/** Fields under noise, and a model's guess of what lies under it; both in the fields' units. */
export interface DenoisedFields {
  readonly noiseLevel: number;
  /** y = x_0 + s z */
  readonly noisy: DataSet;
  /** E[x_0 | y] as the model has it */
  readonly denoised: DataSet;
}

/**
 * Adds noise to fields of one condition, level by level the same noise, and takes it off again with a model.
 *
 * Throws InputError for rows of several conditions.
 */
export function denoisedFields(
  model: ScoreModel,
  data: DataSet,
  levels: readonly number[],
  seed = 1,
): DenoisedFields[] {
  const conditions = data.conditions.slice(0, data.problem.conditions.length);
  return ofOneCondition(model, data, ({ fields }) =>
    levels.map((noiseLevel) => {
      const t = model.schedule.timeOf(noiseLevel);
      const both = tf.tidy(() => {
        const y = fields.add(
          normal(fields.shape, seed, streams.denoisedFields).mul(noiseLevel),
        ) as tf.Tensor3D;
        return [y, model.denoise(y.mul(model.schedule.mean(t)) as tf.Tensor3D, t, conditions)];
      });
      const [noisy, denoised] = both.map((x) => toDataSet(model, conditions, x));
      return { noiseLevel, noisy, denoised };
    }),
  );
}
