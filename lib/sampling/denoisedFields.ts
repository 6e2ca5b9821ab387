import type { DataSet } from "../data/dataset";
import { InputError } from "../errors";
import type { ScoreModel } from "../network/scoreModel";
import { normal, tf } from "../tensorflow";
import { disposeSet, tensorSet } from "../training/batches";
import { toDataSet } from "./sampleFields";

/** Fields under noise, and a model's guess of what lies under it; both in the fields' units. */
export interface DenoisedFields {
  readonly noiseLevel: number;
  /** y = x_0 + s z */
  readonly noisy: DataSet;
  /** E[x_0 | y] as the model has it */
  readonly denoised: DataSet;
}

/** First number of the stream of noise. */
const STREAM = 62;

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
  const set = tensorSet(model, data);
  try {
    if (set.groups.length > 1) {
      throw new InputError(`There are ${set.groups.length} conditions; give fields of one.`);
    }
    const conditions = data.conditions.slice(0, data.problem.conditions.length);
    const result: DenoisedFields[] = [];
    for (const noiseLevel of levels) {
      tf.tidy(() => {
        const t = model.schedule.timeOf(noiseLevel);
        const y = set.fields.add(normal(set.fields.shape, seed, STREAM).mul(noiseLevel)) as tf.Tensor3D;
        const denoised = model.denoise(y.mul(model.schedule.mean(t)) as tf.Tensor3D, t, set.context);
        const [noisy, guess] = [y, denoised].map((x) => toDataSet(model, conditions, x));
        result.push({ noiseLevel, noisy, denoised: guess });
      });
    }
    return result;
  } finally {
    disposeSet(set);
  }
}
