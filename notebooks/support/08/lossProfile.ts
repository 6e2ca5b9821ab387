import type { DataSet } from "../../../lib/dataSet";
import { streams } from "../../../lib/backend/streams";
import type { ScoreModel } from "../../../lib/scoreModel";
import { tf } from "../../../lib/backend/tensors";
import { batchLoss } from "../../../lib/storage/feed";
import { ofOneCondition } from "../../../lib/storage/batches";

/**
 * The loss that training minimises, noise level by noise level: (levels), on rows of one condition.
 *
 * Each level gets noise of its own, the same for one seed. Throws InputError for rows of several conditions.
 */
export function lossProfile(
  model: ScoreModel,
  data: DataSet,
  levels: readonly number[],
  seed = 1,
): Float64Array {
  return ofOneCondition(model, data, ({ fields, conditioning }) =>
    Float64Array.from(levels, (s, k) => {
      const times = new Float64Array(data.rows).fill(model.schedule.timeOf(s));
      return tf.tidy(
        () =>
          batchLoss(
            model,
            { fields, conditioning, mirrored: false },
            times,
            seed,
            streams.lossProfile,
            k,
          ).dataSync()[0],
      );
    }),
  );
}
