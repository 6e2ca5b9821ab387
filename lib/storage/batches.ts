/** Batches of standardised fields from a data set: blocks of rows that share a condition, shuffled. */
import { finish, type Stoppable } from "../backend/interrupt";
import { tf } from "../backend/tensors";
import { fieldsOf } from "../data/images";
import { checkConditionsKnown, type Group, groupByCondition, type RowGroups } from "../data/rows";
import type { DataSet } from "../dataSet";
import { InputError } from "../backend/errors";
import type { Conditioning, Preconditioner } from "../preconditioner";
import type { Random } from "../random";
import type { ScoreModel } from "../scoreModel";
import { lastAtMost } from "./conditionGroups";

/** Standardised fields as a tensor, with what the model knows of their conditions. */
export interface TensorSet {
  /** [rows, cells, channels] of what the model generates */
  readonly fields: tf.Tensor3D;
  /** Of each distinct condition, in the order of groups. */
  readonly conditioning: Conditioning;
  /** Rows that share a condition. */
  readonly groups: readonly (readonly number[])[];
  /** Rows of the data; their mirror images, if any, follow them. */
  readonly rows: number;
  readonly mirrored: boolean;
}

/** Rows of a batch, condition by condition, with the conditioning of these conditions. */
export interface Batch {
  /** [conditions x rowsPerCondition, cells, fields] */
  readonly fields: tf.Tensor3D;
  /** of the batch's conditions */
  readonly conditioning: Conditioning;
  /** The second half of a condition's rows mirrors the first half, and gets its times and the opposite noise. */
  readonly mirrored: boolean;
}

/** Mean and standard deviation (channels, cells) of what is generated at some conditions. */
export type Moments = ReturnType<Preconditioner["moments"]>;

/** Rows that are standardised, and conditions whose modes are found, before the work may be stopped. */
const ROWS_AT_ONCE = 256;
const CONDITIONS_AT_ONCE = 16;

/**
 * Standardises what a model generates: the fields of a data set or, with a Gaussian part, their responses. Throws
 * InputError for values that are not finite and for data that lack the latent fields that this needs.
 *
 * mirrored: after all rows those of the mirrored latent fields (see Problem.mirror), in the same order.
 */
export function tensorSet(model: ScoreModel, data: DataSet, mirrored = false): TensorSet {
  checkConditionsKnown(data);
  return finish(makingTensorSet(model, data, mirrored));
}

/** The same, as work that can be stopped. chosen: the rows that are taken, in their order (default: all as they are). */
export function* makingTensorSet(
  model: ScoreModel,
  data: DataSet,
  mirrored = false,
  chosen?: readonly Group[],
): Stoppable<TensorSet> {
  const groups = chosen ?? groupByCondition(data);
  const rows = groups.reduce((sum, group) => sum + group.rows.length, 0);
  let place = 0;
  const places = groups.map((group) => group.rows.map((row) => (chosen ? place++ : row)));
  const values = yield* standardised(model, data, groups, places, mirrored);
  const conditioning = yield* conditioningOf(model, groups);
  const size = values.length / ((mirrored ? 2 : 1) * rows);
  const { channels } = model;
  return {
    conditioning,
    fields: tf.tensor3d(values, [values.length / size, size / channels, channels]),
    groups: places,
    rows,
    mirrored,
  };
}

/** Standardised values (rows, cells, channels), each row at its place, then those of the mirror images. */
function* standardised(
  model: ScoreModel,
  data: DataSet,
  groups: readonly Group[],
  places: readonly (readonly number[])[],
  mirrored: boolean,
): Stoppable<Float32Array> {
  const size = model.channels * model.problem.cells;
  const rows = groups.reduce((sum, group) => sum + group.rows.length, 0);
  const values = new Float32Array((mirrored ? 2 : 1) * rows * size);
  let done = 0;
  for (const [g, group] of groups.entries()) {
    const moments = model.preconditioner.moments(group.conditions);
    for (const [r, row] of group.rows.entries()) {
      if (done++ % ROWS_AT_ONCE === 0) yield;
      for (const image of mirrored ? [false, true] : [false]) {
        const to = (places[g][r] + (image ? rows : 0)) * size;
        standardiseRow(model, moments, data, row, image, values.subarray(to, to + size));
      }
    }
  }
  return values;
}

/**
 * Standardises a row, or its mirror image: values (cells, channels). Throws InputError for what is not finite then, by the
 * row's number, which is `named` where the data are a part of others. parts: of what is generated, where that is known.
 */
export function standardiseRow(
  model: ScoreModel,
  { mean, std }: Moments,
  data: DataSet,
  row: number,
  image: boolean,
  values: Float32Array,
  named = row,
  parts = model.preconditioner.generated?.(data, row, image) ?? [fieldsOf(data, row, image)],
): void {
  const { channels } = model;
  const { cells, fields } = model.problem;
  parts.forEach((part, k) => {
    for (let i = 0; i < part.length; i++) {
      const at = k * part.length + i;
      const value = std[at] > 0 ? (part[i] - mean[at]) / std[at] : 0;
      if (!Number.isFinite(value)) {
        const name = `${fields[Math.floor(i / cells)].name} in cell ${i % cells} of row ${named + 1}`;
        throw new InputError(`The field ${name} is not finite when standardised; mend the data.`);
      }
      values[(i % cells) * channels + k * fields.length + Math.floor(i / cells)] = value;
    }
  });
}

/** What the model knows of the conditions of some groups, in their order. */
function* conditioningOf(model: ScoreModel, groups: readonly Group[]): Stoppable<Conditioning> {
  const parts: Conditioning[] = [];
  try {
    for (let start = 0; start < groups.length; start += CONDITIONS_AT_ONCE) {
      const some = groups.slice(start, start + CONDITIONS_AT_ONCE);
      parts.push(model.preconditioner.conditioning(Float64Array.from(some.flatMap(({ conditions }) => [...conditions])))); // prettier-ignore
      yield;
    }
    return joined(parts);
  } finally {
    parts.forEach((part) => tf.dispose(Object.values(part)));
  }
}

/** What is known of some conditions after what is known of others, in new tensors. */
export function joined(parts: readonly Conditioning[]): Conditioning {
  const whole = Object.keys(parts[0]).map((name) => [name, tf.concat(parts.map((part) => part[name]), 0)]); // prettier-ignore
  return Object.fromEntries(whole) as Conditioning;
}

/** Frees a tensor set. */
export function disposeSet({ fields, conditioning }: TensorSet): void {
  tf.dispose([fields, ...Object.values(conditioning)]);
}

/** What `use` makes of the tensor set of rows that share a condition, and of this condition. Throws InputError for rows of several conditions. */
export function ofOneCondition<T>(
  model: ScoreModel,
  data: DataSet,
  use: (set: TensorSet, conditions: Float64Array) => T,
): T {
  const set = tensorSet(model, data);
  try {
    if (set.groups.length === 1) return use(set, data.conditions.slice(0, data.problem.conditions.length));
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
    random.permutation(own.length).forEach((i, k) => (rows[starts[group] + k] = own[i]));
  }
  const length = firsts[groups.length];
  const order = random.permutation(length);
  const made = (block: number): Block => {
    const group = lastAtMost(firsts, block);
    const start = starts[group] + (block - firsts[group]) * size;
    return { group, rows: Array.from(rows.subarray(start, start + size)) };
  };
  return { length, slice: (start = 0, end = length) => Array.from(order.subarray(start, end), made) };
}

/** The rows of some blocks of equal size, as tensors. The caller disposes of them (or calls it within tf.tidy). */
export function gatherBatch(set: TensorSet, blocks: readonly Block[]): Batch {
  const { fields, conditioning, mirrored } = set;
  const withImages = (rows: readonly number[]) => [...rows, ...rows.map((row) => set.rows + row)];
  const rows = tf.tensor1d(blocks.flatMap((block) => mirrored ? withImages(block.rows) : block.rows), "int32"); // prettier-ignore
  const groups = tf.tensor1d(blocks.map(({ group }) => group), "int32"); // prettier-ignore
  const gathered = Object.entries(conditioning).map(([name, tensor]) => [name, tf.gather(tensor, groups)]);
  return {
    mirrored,
    fields: tf.gather(fields, rows),
    conditioning: Object.fromEntries(gathered) as Conditioning,
  };
}

/** What the model knows of a condition may take 600 KB: rows to validate with are of at most so many conditions. */
const VALIDATION_CONDITIONS = 64;

/**
 * Splits rows by condition, so that validation asks for conditions that were never trained on: numbers of rows. Conditions are
 * drawn independently, so any of them serve: the last.
 *
 * share: of the conditions that go to validation; at most mostRows of their rows are taken. Where all rows share one
 * condition, that share of the rows goes there instead.
 */
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

/** Each condition's times once more: times (conditions x rows) -> (conditions x 2 rows). */
export function repeatedTimes(times: Float64Array, conditions: number): Float64Array {
  const rows = times.length / conditions;
  return Float64Array.from(
    { length: 2 * times.length },
    (_, i) => times[Math.floor(i / (2 * rows)) * rows + (i % rows)],
  );
}

/** Shape of the noise that a batch is given: where rows are mirrored, that of half the rows. */
export function noiseShape({ fields, mirrored }: Pick<Batch, "fields" | "mirrored">): number[] {
  const [rows, cells, channels] = fields.shape;
  return [mirrored ? rows / 2 : rows, cells, channels];
}

/** Each condition's noise and then its opposite: [rows / 2, cells, channels] -> [rows, cells, channels]. */
export function withOpposite(drawn: tf.Tensor, conditions: number): tf.Tensor3D {
  const [half, cells, channels] = drawn.shape;
  const byCondition = drawn.reshape([conditions, half / conditions, cells, channels]);
  return tf.concat([byCondition, byCondition.neg()], 1).reshape([2 * half, cells, channels]) as tf.Tensor3D;
}
