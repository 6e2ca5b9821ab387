/** What the steps of a training are given: rows, times and noise, as functions of seed and step alone. */
import { normal, tf } from "../backend/tensors";
import { isSource, type RowGroups, type RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import { InputError, positiveInteger } from "../errors";
import type { NoisyBatch } from "../preconditioner";
import { Random } from "../random";
import type { ScoreModel } from "../scoreModel";
import { streams } from "../backend/streams";
import { type Batches, drawTimes } from "../training";
import type { TrainingSettings } from "../presets/presets";
import {
  type Batch,
  type Block,
  disposeSet,
  gatherBatch,
  noiseShape,
  repeatedTimes,
  type ShuffledBlocks,
  shuffledBlocks,
  splitByCondition,
  type TensorSet,
  tensorSet,
  withOpposite,
} from "./batches";
import { splitSource, streamedBatch } from "./streaming";

/** Share of the conditions kept for validation, and most rows taken of them. */
const VALIDATION_SHARE = 0.05;
const VALIDATION_ROWS = 512;

/** Batches to train on and the rows to validate with, of conditions that are not trained on. */
export class Feed implements Batches {
  /** Batches in a pass over the data. */
  readonly stepsPerEpoch: number;
  /** Whether every second half of a condition's rows mirrors the first (see Batch). */
  readonly mirrored: boolean;
  private readonly gather: (chosen: readonly Block[]) => Batch;
  private readonly groups: RowGroups;
  /** Rows of a condition that are drawn together; their images join them. */
  private readonly together: number;
  private readonly blocksPerBatch: number;
  private readonly heldSet: TensorSet;
  private readonly heldBlocks: readonly Block[];
  private readonly heldTimes: Float64Array;
  private readonly sets: TensorSet[] = [];
  private order: { readonly epoch: number; readonly blocks: ShuffledBlocks } | undefined;

  /**
   * Splits the data and puts those that are in memory into tensors. Throws InputError for settings out of range, for
   * values that are not finite, and for fewer rows than a batch takes.
   */
  constructor(
    private readonly model: ScoreModel,
    data: DataSet | RowSource,
    private readonly settings: TrainingSettings,
    private readonly seed: number,
  ) {
    if (data.rows < 2) throw new InputError(`There are ${data.rows} rows of data; training needs more.`);
    this.mirrored = settings.mirrored ?? false;
    const perCondition = positiveInteger("The number of rows per condition", settings.rowsPerCondition ?? 1);
    const mostRows = positiveInteger("The batch size", settings.batch);
    const images = this.mirrored ? 2 : 1;
    this.together = Math.ceil(perCondition / images);
    const { training, validation } = isSource(data)
      ? splitSource(data, VALIDATION_SHARE, VALIDATION_ROWS)
      : splitByCondition(data, VALIDATION_SHARE, VALIDATION_ROWS);
    const batch = Math.min(mostRows, training.rows);
    this.blocksPerBatch = Math.max(1, Math.floor(batch / (images * this.together)));
    try {
      if ("source" in training) {
        this.groups = training.groups;
        this.gather = (chosen) => streamedBatch(model, training.source, chosen, this.mirrored);
      } else {
        const set = tensorSet(model, training, this.mirrored);
        this.sets.push(set);
        this.groups = set.groups;
        this.gather = (chosen) => gatherBatch(set, chosen);
      }
      const { groups, together } = this;
      let available = 0;
      for (let k = 0; k < groups.length; k++) available += Math.floor(groups.at(k)!.length / together);
      this.stepsPerEpoch = Math.floor(available / this.blocksPerBatch);
      if (this.stepsPerEpoch === 0) {
        throw new InputError(
          `The data have too few rows (${data.rows}) for batches of ${batch}, ${together} of a condition; generate more.`,
        );
      }
      this.heldSet = tensorSet(model, validation);
      this.sets.push(this.heldSet);
      const random = new Random(seed, streams.validation);
      const size = Math.min(together, ...this.heldSet.groups.map((group) => group.length));
      this.heldBlocks = shuffledBlocks(this.heldSet.groups, size, random).slice();
      const rows = this.heldBlocks.length * size;
      this.heldTimes = drawTimes(model, settings.noise, rows, random);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** What the step after so many steps is given. The caller disposes of it (or calls it within tf.tidy). */
  batch(step: number): NoisyBatch {
    const { model, settings, seed, together, blocksPerBatch, stepsPerEpoch } = this;
    const epoch = Math.floor(step / stepsPerEpoch);
    if (this.order?.epoch !== epoch) {
      const random = new Random(seed, streams.order, epoch);
      this.order = { epoch, blocks: shuffledBlocks(this.groups, together, random) };
    }
    const first = (step % stepsPerEpoch) * blocksPerBatch;
    const chosen = this.order.blocks.slice(first, first + blocksPerBatch);
    const random = new Random(seed, streams.times, step);
    const drawn = drawTimes(model, settings.noise, blocksPerBatch * together, random);
    const times = this.mirrored ? repeatedTimes(drawn, blocksPerBatch) : drawn;
    return noisyBatch(model, this.gather(chosen), times, seed, streams.noise, step + 1);
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

  dispose(): void {
    this.sets.splice(0).forEach(disposeSet);
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
