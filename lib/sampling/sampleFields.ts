import { allocateDataSet, type DataSet } from "../data/dataset";
import { checkConditions } from "../data/problem";
import { karrasGrid } from "../diffusion/grids";
import { type Sampler, samplerByName, trajectory } from "../diffusion/samplers";
import { InputError, positiveInteger } from "../errors";
import { InterruptWatch } from "../interrupt";
import { disposeContext, type ScoreModel } from "../network/scoreModel";
import { tf } from "../tensorflow";
import { tensorSpace } from "./tensorSpace";

export interface SampleOptions {
  /** Number of fields to draw. */
  readonly count: number;
  readonly seed?: number;
  /** Name of a sampler; default "dpm-solver++2m". */
  readonly sampler?: string;
  /** Steps of the sampler; default: its own. */
  readonly steps?: number;
  /** Fields drawn side by side; default 250. */
  readonly batch?: number;
  readonly onProgress?: (progress: SampleProgress) => void;
}

export interface SampleProgress {
  readonly fields: number;
  readonly count: number;
  readonly secondsLeft: number;
}

/** First number of the streams of noise. */
const STREAM = 20;

/**
 * Draws fields from a score model at one set of conditions, batch by batch.
 *
 * conditions (conditions) in their units; yields data sets without latent field. Field number k depends on the seed,
 * the batch size and k alone. Throws InputError for conditions, samplers or counts out of range, and Interrupted
 * within one step when the user interrupts.
 */
export async function* sampleBatches(
  model: ScoreModel,
  conditions: ArrayLike<number>,
  options: SampleOptions,
): AsyncGenerator<DataSet, void, void> {
  const { seed = 1, batch = 250, onProgress } = options;
  const checked = checkConditions(model.problem, conditions);
  const count = positiveInteger("The number of fields", options.count);
  const sampler = samplerByName(options.sampler ?? "dpm-solver++2m");
  const steps =
    options.steps === undefined
      ? sampler.defaultSteps
      : positiveInteger("The number of steps", options.steps);
  const watch = new InterruptWatch("The sampling");
  const start = performance.now();
  try {
    for (let done = 0, index = 0; done < count; index++) {
      const rows = Math.min(positiveInteger("The batch size", batch), count - done);
      for await (const state of sampleTensor(model, checked, rows, sampler, steps, seed, index)) {
        await watch.check(`${done} of ${count} fields are done.`);
        if (onProgress && state.step > 0) {
          const fields = done + (rows * state.step) / steps;
          const seconds = (performance.now() - start) / 1000;
          onProgress({
            fields: Math.floor(fields),
            count,
            secondsLeft: (seconds * (count - fields)) / Math.max(fields, 1e-9),
          });
        }
        if (state.step === steps) yield toDataSet(model, checked, state.x, seed);
      }
      done += rows;
    }
  } finally {
    watch.close();
  }
}

/** Draws fields and returns them all; see {@link sampleBatches}. */
export async function sampleFields(
  model: ScoreModel,
  conditions: ArrayLike<number>,
  options: SampleOptions,
): Promise<DataSet> {
  const result = allocateDataSet(
    model.problem,
    positiveInteger("The number of fields", options.count),
    options.seed,
  );
  let row = 0;
  for await (const part of sampleBatches(model, conditions, options)) {
    result.conditions.set(part.conditions, row * model.problem.conditions.length);
    result.fields.set(part.fields, row * model.problem.fields.length * model.problem.cells);
    row += part.rows;
  }
  return { ...result, latent: undefined };
}

/**
 * A sampler's trajectory for one batch: x [rows, cells, fields] standardised, valid until the next step.
 *
 * Starts at the largest noise level that the model is for, from the Gaussian that the model knows to be the marginal
 * there: standard normal, or with the conditional covariance.
 */
export function* sampleTensor(
  model: ScoreModel,
  conditions: Float64Array,
  rows: number,
  sampler: Sampler,
  steps: number,
  seed: number,
  index: number,
): Generator<{ step: number; steps: number; t: number; x: tf.Tensor3D }, void, void> {
  const { cells, fields } = model.problem;
  const space = tensorSpace<tf.Tensor3D>(seed, STREAM, index);
  const shape: [number, number, number] = [rows, cells, fields.length];
  const { schedule, noiseLevels } = model;
  const times =
    sampler.grid === karrasGrid ? karrasGrid(schedule, steps, noiseLevels) : sampler.grid(schedule, steps);
  const noise = tf.tidy(() => space.normal(tf.zeros(shape) as tf.Tensor3D, 0));
  const context = model.context(conditions);
  const start = model.gaussianMarginal(noise, times[0], context);
  try {
    yield* trajectory({
      sampler,
      schedule,
      space,
      denoise: (x: tf.Tensor3D, t: number) => model.denoise(x, t, context),
      start,
      times,
    });
  } finally {
    tf.dispose([noise, start]);
    disposeContext(context);
  }
}

/** Standardised fields [rows, cells, fields] back in their units. Throws InputError if one is not finite. */
export function toDataSet(
  model: ScoreModel,
  conditions: Float64Array,
  x: tf.Tensor3D,
  seed?: number,
): DataSet {
  const { cells, fields } = model.problem;
  const [rows, width] = [x.shape[0], cells * fields.length];
  const [mean, std] = [model.standardisation.mean(conditions), model.standardisation.std(conditions)];
  const values = x.dataSync();
  if (!values.every(Number.isFinite)) {
    throw new InputError("The sampled fields are not finite; take more steps or train the model for longer.");
  }
  const data = allocateDataSet(model.problem, rows, seed);
  for (let row = 0; row < rows; row++) {
    data.conditions.set(conditions, row * conditions.length);
    for (let f = 0; f < fields.length; f++) {
      for (let i = 0; i < cells; i++) {
        const at = f * cells + i;
        data.fields[row * width + at] = mean[at] + std[at] * values[(row * cells + i) * fields.length + f];
      }
    }
  }
  return { ...data, latent: undefined };
}
