import { type DataSet, groupByCondition, selectRows } from "../data/dataset";
import { quadraticTime, stratifiedUniform } from "../diffusion/loss";
import { InputError } from "../errors";
import type { Schedule } from "../diffusion/schedule";
import type { ScoreModel } from "../network/scoreModel";
import type { TrainingSettings } from "../network/presets";
import { Random } from "../random";
import { normal, tf } from "../tensorflow";

/** Standardised fields and normalised conditions as tensors. */
export interface TensorSet {
  /** [rows, cells, fields] */
  readonly fields: tf.Tensor3D;
  /** [rows, conditions] in [-1, 1] */
  readonly conditions: tf.Tensor2D;
  readonly rows: number;
}

/** Throws InputError for rows that were solved for a given latent field, whose conditions are in part unknown. */
export function checkConditionsKnown({ conditions }: DataSet): void {
  if (conditions.every(Number.isFinite)) return;
  throw new InputError("Some rows of the data are of unknown conditions; train on data that were generated.");
}

/** Standardises a data set for a model. Throws InputError for values that are not finite. */
export function tensorSet(model: ScoreModel, data: DataSet): TensorSet {
  checkConditionsKnown(data);
  const { cells, fields } = model.problem;
  const values = new Float32Array(data.rows * cells * fields.length);
  for (const { conditions, rows } of groupByCondition(data)) {
    const [mean, std] = [model.standardisation.mean(conditions), model.standardisation.std(conditions)];
    for (const row of rows) {
      for (let f = 0; f < fields.length; f++) {
        for (let i = 0; i < cells; i++) {
          const at = f * cells + i;
          const value = std[at] > 0 ? (data.fields[row * mean.length + at] - mean[at]) / std[at] : 0;
          if (!Number.isFinite(value)) {
            const name = `${fields[f].name} in cell ${i} of row ${row + 1}`;
            throw new InputError(`The field ${name} is not finite when standardised; mend the data.`);
          }
          values[(row * cells + i) * fields.length + f] = value;
        }
      }
    }
  }
  return {
    fields: tf.tensor3d(values, [data.rows, cells, fields.length]),
    conditions: model.conditionTensor(data.conditions),
    rows: data.rows,
  };
}

/**
 * Splits by condition, so that validation asks for conditions that were never trained on.
 *
 * share: of the conditions that go to validation; at most mostRows of their rows are taken. Where all rows share one
 * condition, that share of the rows goes there instead.
 */
export function splitByCondition(
  data: DataSet,
  share: number,
  mostRows: number,
): { training: DataSet; validation: DataSet } {
  const groups = groupByCondition(data).map(({ rows }) => rows);
  const parts = groups.length > 1 ? groups : groups.flat().map((row) => [row]);
  const held = Math.min(parts.length - 1, Math.max(1, Math.round(share * parts.length)));
  // Conditions are drawn independently, so any of them serve.
  const validation = parts.slice(parts.length - held).flat();
  const stride = Math.max(1, Math.ceil(validation.length / mostRows));
  return {
    training: selectRows(data, parts.slice(0, parts.length - held).flat()),
    validation: selectRows(
      data,
      validation.filter((_, i) => i % stride === 0),
    ),
  };
}

/** A random order of 0 .. count - 1 (Fisher and Yates). */
export function permutation(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.min(i, Math.floor(random.uniform() * (i + 1)));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Where most of the learning is to be had: of these noise levels the network sees more (60 % of the draws). */
const CENTRE = [0.07, 13] as const;
const CENTRE_SHARE = 0.6;
const SMALLEST_LEVEL = 0.002;

/** Times of a batch, stratified, in random order. */
export function drawTimes(
  schedule: Schedule,
  noise: TrainingSettings["noise"],
  count: number,
  random: Random,
): Float64Array {
  const largest = schedule.noiseLevel(schedule.endTime);
  const between = (low: number, high: number, u: number) => low * (high / low) ** u;
  const logLevel = (u: number) => {
    if (u < CENTRE_SHARE) return between(CENTRE[0], CENTRE[1], u / CENTRE_SHARE);
    // The rest is uniform in the logarithm over the whole range.
    return between(SMALLEST_LEVEL, largest, (u - CENTRE_SHARE) / (1 - CENTRE_SHARE));
  };
  const times = stratifiedUniform(count, random).map((u) =>
    noise === "quadratic-time"
      ? quadraticTime(schedule, u)
      : Math.min(schedule.endTime, schedule.timeOf(logLevel(u))),
  );
  const order = permutation(count, random);
  return times.map((_, i) => times[order[i]]);
}

/**
 * The denoising loss of a model on clean rows at given times, as a scalar tensor.
 *
 * For the score the blog's weight v_t = std^2 multiplies the squared error; for v the weight is 1, which is EDM's.
 */
export function batchLoss(
  model: ScoreModel,
  clean: tf.Tensor3D,
  conditions: tf.Tensor2D,
  times: Float64Array,
  seed: number,
  ...stream: number[]
): tf.Scalar {
  return tf.tidy(() => {
    const { schedule, settings } = model;
    const column = (value: (t: number) => number) =>
      tf.tensor3d(Float32Array.from(times, value), [times.length, 1, 1]);
    const noise = normal(clean.shape, seed, ...stream);
    const [mean, std] = [column(schedule.mean), column(schedule.std)];
    const noisy = clean.mul(mean).add(noise.mul(std)) as tf.Tensor3D;
    const output = model.target(noisy, times, conditions);
    // std (score + z / std) = std score + z: written so that no division by a small std loses digits.
    const error =
      settings.target === "score"
        ? output.mul(std).add(noise)
        : output.sub(noise.mul(mean).sub(clean.mul(std)));
    return error.square().mean() as tf.Scalar;
  });
}
