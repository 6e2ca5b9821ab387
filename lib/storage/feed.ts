/** What the steps of a training are given: rows, times and noise, as functions of seed and step, and of the noise levels that are preferred. */
import type { Stoppable } from "../backend/interrupt";
import { normal, tf } from "../backend/tensors";
import { checkConditionsKnown, type Group, groupByCondition, isSource, pickRows, type RowGroups, type RowSource, sourceOf } from "../data/rows"; // prettier-ignore
import type { DataSet } from "../dataSet";
import { InputError, positiveInteger } from "../backend/errors";
import type { NoisyBatch } from "../preconditioner";
import { Random } from "../random";
import type { ScoreModel } from "../scoreModel";
import { streams } from "../backend/streams";
import { type Batches, drawTimes, PREFERRED_LEVEL } from "../training";
import type { TrainingSettings } from "../presets/presets";
import {
  type Batch,
  type Block,
  disposeSet,
  gatherBatch,
  makingTensorSet,
  noiseShape,
  repeatedTimes,
  type ShuffledBlocks,
  shuffledBlocks,
  splitGroups,
  type TensorSet,
  withOpposite,
} from "./batches";
import { memoryToUse } from "./memory";
import { bytesOfCondition, StreamedBatches } from "./streaming";

/** Share of the conditions kept for validation, and most rows taken of them. */
const VALIDATION_SHARE = 0.05;
const VALIDATION_ROWS = 512;

/** How rows make batches, which is known of data and settings alone. */
interface BatchPlan {
  /** Rows of a condition that are drawn together; their images join them. */
  readonly together: number;
  readonly blocksPerBatch: number;
  /** Batches in a pass over the data. */
  readonly stepsPerEpoch: number;
  readonly training: RowGroups;
  readonly validation: readonly number[];
}

/** Which rows are trained on, and how many go together. Throws InputError for settings out of range and for too few rows. */
export function planBatches(data: DataSet | RowSource, settings: TrainingSettings): BatchPlan {
  if (data.rows < 2) throw new InputError(`There are ${data.rows} rows of data; training needs more.`);
  const perCondition = positiveInteger("The number of rows per condition", settings.rowsPerCondition ?? 1);
  const mostRows = positiveInteger("The batch size", settings.batch);
  const images = settings.mirrored ? 2 : 1;
  const together = Math.ceil(perCondition / images);
  const groups = isSource(data) ? data.groups : groupByCondition(data).map(({ rows }) => rows);
  const { training, validation } = splitGroups(groups, VALIDATION_SHARE, VALIDATION_ROWS);
  let [rows, blocks, most] = [0, 0, 0];
  for (let k = 0; k < training.length; k++) {
    const { length } = training.at(k)!;
    rows += length;
    blocks += Math.floor(length / together);
    most = Math.max(most, length);
  }
  const batch = Math.min(mostRows, rows);
  const blocksPerBatch = Math.max(1, Math.floor(batch / (images * together)));
  const stepsPerEpoch = Math.floor(blocks / blocksPerBatch);
  if (blocks === 0) {
    throw new InputError(
      `Batches take ${together} fields of one condition, and no condition of the data has more than ${most} to train on; ` +
        `generate at least ${together} fields for each condition, or take a preset that needs one, such as lesson.`,
    );
  }
  if (stepsPerEpoch === 0) {
    throw new InputError(
      `The data have too few rows (${data.rows}) for batches of ${batch}, ${together} of a condition; generate more.`,
    );
  }
  return { together, blocksPerBatch, stepsPerEpoch, training, validation };
}

/** Batches to train on and the rows to validate with, of conditions that are not trained on. */
export class Feed implements Batches {
  /** Batches in a pass over the data. */
  readonly stepsPerEpoch: number;
  /** Whether every second half of a condition's rows mirrors the first (see Batch). */
  readonly mirrored: boolean;
  private readonly heldBlocks: readonly Block[];
  private readonly heldTimes: Float64Array;
  /** Middle of the noise levels of which the next batches see more. */
  preferredLevel = PREFERRED_LEVEL;
  private order: { readonly epoch: number; readonly blocks: ShuffledBlocks } | undefined;

  private constructor(
    private readonly model: ScoreModel,
    private readonly settings: TrainingSettings,
    private readonly seed: number,
    private readonly plan: BatchPlan,
    private readonly groups: RowGroups,
    private readonly gather: (chosen: readonly Block[], next: readonly Block[]) => Batch,
    private readonly heldSet: TensorSet,
    readonly dispose: () => void,
  ) {
    this.stepsPerEpoch = plan.stepsPerEpoch;
    this.mirrored = settings.mirrored ?? false;
    const random = new Random(seed, streams.validation);
    const size = Math.min(plan.together, ...heldSet.groups.map((group) => group.length));
    this.heldBlocks = shuffledBlocks(heldSet.groups, size, random).slice();
    this.heldTimes = drawTimes(model, settings.noise, this.heldBlocks.length * size, random);
  }

  /**
   * Splits the data and puts those that are in memory into tensors: work that can be stopped. Where what the model knows of
   * all conditions would fill the memory, it is found for each batch. Throws InputError for settings out of range, for values
   * that are not finite, and for fewer rows than a batch takes.
   */
  static *making(
    model: ScoreModel,
    data: DataSet | RowSource,
    settings: TrainingSettings,
    seed: number,
  ): Stoppable<Feed> {
    checkConditionsKnown(data);
    const plan = planBatches(data, settings);
    const { training, validation } = plan;
    const mirrored = settings.mirrored ?? false;
    const sets: TensorSet[] = [];
    let streamed: StreamedBatches | undefined;
    const dispose = () => {
      sets.splice(0).forEach(disposeSet);
      streamed?.dispose();
    };
    let made = false;
    try {
      let gather: (chosen: readonly Block[], next: readonly Block[]) => Batch;
      let groups = training;
      const budget = memoryToUse();
      const width = data.problem.conditions.length;
      if (
        isSource(data) ||
        training.length * bytesOfCondition(model, data.conditions.slice(0, width)) > budget
      ) {
        const source = isSource(data) ? data : sourceOf(data);
        const batches = new StreamedBatches(model, source, mirrored, budget);
        streamed = batches;
        gather = (chosen, next) => batches.batch(chosen, next);
      } else {
        const chosen = Array.from({ length: training.length }, (_, k): Group => {
          const rows = Array.from(training.at(k)!);
          return { conditions: data.conditions.subarray(rows[0] * width, (rows[0] + 1) * width), rows };
        });
        const set = yield* makingTensorSet(model, data, mirrored, chosen);
        sets.push(set);
        groups = set.groups;
        gather = (blocks) => gatherBatch(set, blocks);
      }
      const heldSet = yield* makingTensorSet(model, pickRows(data, validation));
      sets.push(heldSet);
      const feed = new Feed(model, settings, seed, plan, groups, gather, heldSet, dispose);
      made = true;
      return feed;
    } finally {
      if (!made) dispose();
    }
  }

  /** What the step after so many steps is given. The caller disposes of it (or calls it within tf.tidy). */
  batch(step: number): NoisyBatch {
    const { model, settings, seed, stepsPerEpoch } = this;
    const { together, blocksPerBatch } = this.plan;
    const epoch = Math.floor(step / stepsPerEpoch);
    if (this.order?.epoch !== epoch) {
      const random = new Random(seed, streams.order, epoch);
      this.order = { epoch, blocks: shuffledBlocks(this.groups, together, random) };
    }
    const first = (step % stepsPerEpoch) * blocksPerBatch;
    const chosen = this.order.blocks.slice(first, first + blocksPerBatch);
    const last = (step + 1) % stepsPerEpoch === 0;
    const next = last ? [] : this.order.blocks.slice(first + blocksPerBatch, first + 2 * blocksPerBatch);
    const random = new Random(seed, streams.times, step);
    const rows = blocksPerBatch * together;
    const drawn = drawTimes(model, settings.noise, rows, random, this.preferredLevel);
    const times = this.mirrored ? repeatedTimes(drawn, blocksPerBatch) : drawn;
    return noisyBatch(model, this.gather(chosen, next), times, seed, streams.noise, step + 1);
  }

  /** The rows to validate with, always with the same times and noise; to be disposed of like a batch. */
  held(): NoisyBatch {
    const rows = gatherBatch(this.heldSet, this.heldBlocks);
    return noisyBatch(this.model, rows, this.heldTimes, this.seed, streams.validation, 1);
  }

  /** Where rows are mirrored, a row's image gets the opposite noise. */
  prepare(batch: NoisyBatch): NoisyBatch {
    return this.mirrored ? paired(batch) : batch;
  }
}

/** What the loss of a batch at given times needs; seed and stream of its noise. */
export function noisyBatch(
  model: ScoreModel,
  batch: Batch,
  times: Float64Array,
  seed: number,
  ...stream: number[]
): NoisyBatch {
  const { fields, conditioning } = batch;
  const noise = normal(noiseShape(batch), seed, ...stream) as tf.Tensor3D;
  return { ...model.levels(times), ...conditioning, fields, noise };
}

/** The denoising loss of a model on a batch at given times (one a row), with noise of this seed and stream. */
export function batchLoss(
  model: ScoreModel,
  batch: Batch,
  times: Float64Array,
  seed: number,
  ...stream: number[]
): tf.Scalar {
  return tf.tidy(() => {
    const given = noisyBatch(model, batch, times, seed, ...stream);
    return model.loss(batch.mirrored ? paired(given) : given);
  });
}

/** A batch whose noise is joined by its opposite. */
function paired(batch: NoisyBatch): NoisyBatch {
  return { ...batch, noise: withOpposite(batch.noise, batch.inputs.shape[0]) };
}
