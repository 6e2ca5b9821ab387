import { lastAtMost, type RowGroups } from "./storage/conditionGroups";
import { type DataSet, groupByCondition, selectRows } from "./dataSet";
import { isSource, type RowSource } from "./storage/rowSource";
import { quadraticTime, stratifiedUniform } from "./loss";
import { InputError } from "./errors";
import { type Context, disposeContext, type Levels, type ScoreModel } from "./scoreModel";
import type { TrainingSettings } from "./presets/presets";
import { Random } from "./random";
import { normal, tf } from "./backend/tensors";

/** Standardised fields as a tensor, with what the model knows of their conditions. */
export interface TensorSet {
  /** [rows, cells, channels] of what the model generates */
  readonly fields: tf.Tensor3D;
  /** Of each distinct condition, in the order of groups. */
  readonly context: Context;
  /** Rows that share a condition. */
  readonly groups: readonly (readonly number[])[];
  /** Rows of the data; their mirror images, if any, follow them. */
  readonly rows: number;
  readonly mirrored: boolean;
}

/** Rows of a batch, condition by condition, with the context of these conditions. */
export interface Batch {
  /** [conditions x rowsPerCondition, cells, fields] */
  readonly fields: tf.Tensor3D;
  /** of the batch's conditions */
  readonly context: Context;
  /** The second half of a condition's rows mirrors the first half, and gets its times and the opposite noise. */
  readonly mirrored: boolean;
}

/** Throws InputError for rows that were solved for a given latent field, whose conditions are in part unknown. */
export function checkConditionsKnown(data: DataSet | RowSource): void {
  if ((isSource(data) ? data.groups : data).conditions.every(Number.isFinite)) return;
  throw new InputError("Some rows of the data are of unknown conditions; train on data that were generated.");
}

/**
 * Standardises what a model generates: the fields of a data set or, for the target "rest", their responses. Throws
 * InputError for values that are not finite and for data that lack the latent fields that this needs.
 *
 * mirrored: after all rows those of the mirrored latent fields (see Problem.mirror), in the same order.
 */
export function tensorSet(model: ScoreModel, data: DataSet, mirrored = false): TensorSet {
  checkConditionsKnown(data);
  const { problem, channels } = model;
  const { cells, fields } = problem;
  const size = channels * cells;
  const values = new Float32Array((mirrored ? 2 : 1) * data.rows * size);
  const groups = groupByCondition(data);
  const sources = mirrored ? [false, true] : [false];
  for (const { conditions, rows } of groups) {
    const { mean, std } =
      model.settings.target === "rest"
        ? model.responses(conditions)
        : { mean: model.standardisation.mean(conditions), std: model.standardisation.std(conditions) };
    for (const row of rows) {
      for (const image of sources) {
        const to = (row + (image ? data.rows : 0)) * size;
        generated(model, data, row, image).forEach((part, k) => {
          for (let i = 0; i < part.length; i++) {
            const at = k * part.length + i;
            const value = std[at] > 0 ? (part[i] - mean[at]) / std[at] : 0;
            if (!Number.isFinite(value)) {
              const name = `${fields[Math.floor(i / cells)].name} in cell ${i % cells} of row ${row + 1}`;
              throw new InputError(`The field ${name} is not finite when standardised; mend the data.`);
            }
            values[to + (i % cells) * channels + k * fields.length + Math.floor(i / cells)] = value;
          }
        });
      }
    }
  }
  const width = problem.conditions.length;
  const distinct = new Float64Array(groups.length * width);
  groups.forEach(({ conditions }, i) => distinct.set(conditions, i * width));
  return {
    context: model.context(distinct),
    fields: tf.tensor3d(values, [values.length / size, cells, channels]),
    groups: groups.map(({ rows }) => rows),
    rows: data.rows,
    mirrored,
  };
}

/** What a model generates, for one row or its mirror image: (responses), each (fields, cells). */
function generated(
  { problem, settings }: ScoreModel,
  { latent, fields, conditions }: DataSet,
  row: number,
  image: boolean,
): Float64Array[] {
  const { cells, affineIn } = problem;
  const size = problem.fields.length * cells;
  const responses = settings.target === "rest" && affineIn.length > 0;
  if (!responses && !image) return [fields.subarray(row * size, (row + 1) * size)];
  if (!latent) {
    throw new InputError(
      "The data have no latent field, which this preset needs; train on data that generate made.",
    );
  }
  const drawn = latent.subarray(row * cells, (row + 1) * cells);
  if (image && !problem.mirror) throw new InputError(`The problem ${problem.name} has no mirror images.`);
  const given = image ? problem.mirror!(drawn) : drawn;
  if (responses) return problem.responses(given);
  const solved = new Float64Array(size);
  const width = problem.conditions.length;
  problem.solve(given, conditions.subarray(row * width, (row + 1) * width), solved);
  return [solved];
}

/** Frees a tensor set. */
export function disposeSet({ fields, context }: TensorSet): void {
  fields.dispose();
  disposeContext(context);
}

/** What `use` makes of the tensor set of rows that share a condition. Throws InputError for rows of several conditions. */
export function ofOneCondition<T>(model: ScoreModel, data: DataSet, use: (set: TensorSet) => T): T {
  const set = tensorSet(model, data);
  try {
    if (set.groups.length === 1) return use(set);
    throw new InputError(`There are ${set.groups.length} conditions; give fields of one.`);
  } finally {
    disposeSet(set);
  }
}

/** A number of rows that share a condition: its group and their numbers. */
export interface Block {
  readonly group: number;
  readonly rows: readonly number[];
}

/** Blocks in random order. There may be millions of them: they are made when they are asked for. */
export interface ShuffledBlocks {
  readonly length: number;
  /** Blocks start (included) to end (excluded); all of them without arguments. */
  slice(start?: number, end?: number): Block[];
}

/**
 * Cuts a set into blocks of `size` rows of one condition, in random order; rows that fill no block are left out, other
 * ones each time.
 */
export function shuffledBlocks(groups: RowGroups, size: number, random: Random): ShuffledBlocks {
  // Where the rows of each group begin in `rows`, and the number that its first block has before they are shuffled.
  const starts = new Int32Array(groups.length + 1);
  const firsts = new Int32Array(groups.length + 1);
  for (let group = 0; group < groups.length; group++) {
    const { length } = groups.at(group)!;
    starts[group + 1] = starts[group] + length;
    firsts[group + 1] = firsts[group] + Math.floor(length / size);
  }
  const rows = new Int32Array(starts[groups.length]);
  for (let group = 0; group < groups.length; group++) {
    const own = groups.at(group)!;
    permutation(own.length, random).forEach((i, k) => (rows[starts[group] + k] = own[i]));
  }
  const length = firsts[groups.length];
  const order = permutation(length, random);
  const made = (block: number): Block => {
    const group = lastAtMost(firsts, block);
    const start = starts[group] + (block - firsts[group]) * size;
    return { group, rows: Array.from(rows.subarray(start, start + size)) };
  };
  return { length, slice: (start = 0, end = length) => Array.from(order.subarray(start, end), made) };
}

/** The rows of some blocks of equal size, as tensors. The caller disposes of them (or calls it within tf.tidy). */
export function gatherBatch(set: TensorSet, blocks: readonly Block[]): Batch {
  const { fields, context, mirrored } = set;
  const withImages = (rows: readonly number[]) => [...rows, ...rows.map((row) => set.rows + row)];
  const rows = tf.tensor1d(blocks.flatMap((block) => mirrored ? withImages(block.rows) : block.rows), "int32"); // prettier-ignore
  const groups = tf.tensor1d(blocks.map(({ group }) => group), "int32"); // prettier-ignore
  const { inputs, modes } = context;
  return {
    mirrored,
    fields: tf.gather(fields, rows),
    context: {
      inputs: tf.gather(inputs, groups),
      modes: modes && {
        variances: tf.gather(modes.variances, groups),
        vectors: tf.gather(modes.vectors, groups),
      },
    },
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
  const { training, validation } = splitGroups(groups, share, mostRows);
  const kept = Array.from({ length: training.length }, (_, k) => Array.from(training.at(k)!));
  return { training: selectRows(data, kept.flat()), validation: selectRows(data, validation) };
}

/** What the model knows of a condition may take 600 KB: rows to validate with are of at most so many conditions. */
const VALIDATION_CONDITIONS = 64;

/** splitByCondition in terms of numbers of rows. Conditions are drawn independently, so any of them serve: the last. */
export function splitGroups(
  groups: RowGroups,
  share: number,
  mostRows: number,
): { training: RowGroups; validation: number[] } {
  const evenly = <T>(items: readonly T[], most: number): T[] => {
    const stride = Math.max(1, Math.ceil(items.length / most));
    return items.filter((_, i) => i % stride === 0);
  };
  const heldOf = (count: number) => Math.min(count - 1, Math.max(1, Math.round(share * count)));
  if (groups.length === 1) {
    const rows = Int32Array.from(groups.at(0)!);
    const kept = rows.length - heldOf(rows.length);
    return { training: [rows.subarray(0, kept)], validation: evenly([...rows.subarray(kept)], mostRows) };
  }
  const kept = groups.length - heldOf(groups.length);
  const held = Array.from({ length: groups.length - kept }, (_, k) => kept + k);
  const rows = evenly(held, VALIDATION_CONDITIONS).flatMap((group) => Array.from(groups.at(group)!));
  return {
    training: { length: kept, at: (group) => groups.at(group) },
    validation: evenly(rows, mostRows),
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

/** Each condition's times once more: times (conditions x rows) -> (conditions x 2 rows). */
export function repeatedTimes(times: Float64Array, conditions: number): Float64Array {
  const rows = times.length / conditions;
  return Float64Array.from(
    { length: 2 * times.length },
    (_, i) => times[Math.floor(i / (2 * rows)) * rows + (i % rows)],
  );
}

/** Times of a batch, stratified, in random order. */
export function drawTimes(
  { schedule, noiseLevels: { smallest, largest } }: Pick<ScoreModel, "schedule" | "noiseLevels">,
  noise: TrainingSettings["noise"],
  count: number,
  random: Random,
): Float64Array {
  const between = (low: number, high: number, u: number) => low * (high / low) ** u;
  const logLevel = (u: number) => {
    if (u < CENTRE_SHARE) return between(CENTRE[0], CENTRE[1], u / CENTRE_SHARE);
    // The rest is uniform in the logarithm over the whole range.
    return between(smallest, largest, (u - CENTRE_SHARE) / (1 - CENTRE_SHARE));
  };
  const times = stratifiedUniform(count, random).map((u) =>
    noise === "quadratic-time"
      ? quadraticTime(schedule, u)
      : Math.min(schedule.endTime, schedule.timeOf(logLevel(u))),
  );
  const order = permutation(count, random);
  return times.map((_, i) => times[order[i]]);
}

/** Modes of less variance than this (of standardised fields) hardly count: they are too small to be seen. */
const FAINT_VARIANCE = 1e-4;

/** Weights of the modes' squared errors in the loss of the target "rest", [n, 1, size], with mean 1. */
function modeWeights(variances: tf.Tensor2D): tf.Tensor3D {
  return tf.tidy(() => {
    const seen = variances.div(variances.add(FAINT_VARIANCE));
    return seen.div(seen.mean(1, true)).expandDims(1) as tf.Tensor3D;
  });
}

/**
 * The denoising loss of a model on a batch at given times (one a row), as a scalar tensor.
 *
 * For every target it is the plain squared error of a quantity of order 1, which is what a network learns best: of v and,
 * in each mode, of the rest (EDM's weight), of the noise, of x_0, and of the score times std (the blog's weight v_t =
 * std^2, which makes it the noise's error). As errors of the denoiser those of noise and score are weighted by 1 / s^2,
 * that of v by 1 + 1 / s^2, and that of x_0 by 1: weighted by 1 / s^2, too, an output that is x_0 itself would learn the
 * smallest noise level s = 0.002 and nothing else.
 */
export function batchLoss(
  model: ScoreModel,
  batch: Batch,
  times: Float64Array,
  seed: number,
  ...stream: number[]
): tf.Scalar {
  return tf.tidy(() => {
    const noise = normal(noiseShape(batch), seed, ...stream);
    return lossOf(model, batch, model.levels(times), noise);
  });
}

/** Shape of the noise that a batch is given: where rows are mirrored, that of half the rows. */
export function noiseShape({ fields, mirrored }: Pick<Batch, "fields" | "mirrored">): number[] {
  const [rows, cells, channels] = fields.shape;
  return [mirrored ? rows / 2 : rows, cells, channels];
}

/** The loss of {@link batchLoss}, as a function of tensors alone. */
export function lossOf(
  model: ScoreModel,
  { fields: clean, context, mirrored }: Batch,
  levels: Levels,
  drawn: tf.Tensor,
): tf.Scalar {
  return tf.tidy(() => {
    const { settings } = model;
    const count = clean.shape[0];
    const { mean, std } = levels;
    const noise = mirrored ? withOpposite(drawn, context.inputs.shape[0]) : drawn;
    if (settings.target === "rest") {
      const { variances, vectors } = context.modes!;
      const n = variances.shape[0];
      const rows = count / n;
      // y = x_0 + s z in modes, and what is left of x_0 when the linear estimate has been taken off.
      // Both in one product, as most of its time goes into reading the vectors.
      const both = [clean, noise.mul(levels.level)].map((x) => x.reshape([n, rows, -1]));
      const [exact, blur] = tf.split(tf.matMul(tf.concat(both, 1) as tf.Tensor3D, vectors), 2, 1);
      const z = exact.add(blur) as tf.Tensor3D;
      const gains = model.gains(variances, levels, rows);
      const left = exact.sub(z.mul(gains.linear)).div(gains.error);
      return model
        .rest(z, levels, context, gains)
        .sub(left)
        .square()
        .mul(modeWeights(variances))
        .mean() as tf.Scalar;
    }
    const noisy = clean.mul(mean).add(noise.mul(std)) as tf.Tensor3D;
    const rows = count / context.inputs.shape[0];
    const inputs = rows === 1 ? context.inputs : tf.tile(context.inputs.expandDims(1), [1, rows, 1]);
    const output = model.target(noisy, levels, inputs.reshape([count, -1]) as tf.Tensor2D);
    const errors = {
      // std (score + z / std) = std score + z: written so that no division by a small std loses digits.
      score: () => output.mul(std).add(noise),
      noise: () => output.sub(noise),
      denoised: () => output.sub(clean),
      v: () => output.sub(noise.mul(mean).sub(clean.mul(std))),
    };
    return errors[settings.target]().square().mean() as tf.Scalar;
  });
}

/** Each condition's noise and then its opposite: [rows / 2, cells, channels] -> [rows, cells, channels]. */
function withOpposite(drawn: tf.Tensor, conditions: number): tf.Tensor {
  const [half, cells, channels] = drawn.shape;
  const byCondition = drawn.reshape([conditions, half / conditions, cells, channels]);
  return tf.concat([byCondition, byCondition.neg()], 1).reshape([2 * half, cells, channels]);
}
