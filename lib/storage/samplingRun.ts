/** Drawing fields in batches, with progress, and ended by an interrupt. */
import { InterruptWatch } from "../backend/interrupt";
import { tf } from "../backend/tensors";
import { checkConditions } from "../data/conditions";
import { type DataSet } from "../dataSet";
import { allocateDataSet } from "../data/rows";
import { InputError, positiveInteger } from "../backend/errors";
import type { Drawing } from "../preconditioner";
import type { Sampler } from "../samplers";
import { drawBatch, plainDrawing } from "../sampling";
import type { ScoreModel } from "../scoreModel";

/** How fields are drawn. */
export interface SampleOptions {
  /** Number of fields to draw. */
  readonly count: number;
  /** Of the noise; default 1. */
  readonly seed?: number;
  /** Default: the model's. */
  readonly sampler?: Sampler;
  /** Steps of the sampler; default: its own. */
  readonly steps?: number;
  /** True: the bias of the network is neither measured nor taken off, where the model would do so; default false. */
  readonly keepBias?: boolean;
  /** Fields drawn side by side; default 250. */
  readonly batch?: number;
  /** Called after each step of the sampler. */
  readonly onProgress?: (progress: SampleProgress) => void;
  /** Ends the drawing at its next step. */
  readonly signal?: AbortSignal;
}

/** How far the drawing of fields is. */
export interface SampleProgress {
  /** Fields done, a part of a batch included. */
  readonly fields: number;
  /** Fields to draw in all. */
  readonly count: number;
  /** s, an estimate */
  readonly secondsLeft: number;
}

/**
 * Draws fields from a score model at one set of conditions, batch by batch.
 *
 * conditions (conditions) in their units; yields data sets without latent field. Field number k depends on the seed,
 * the batch size and k alone. Throws InputError for conditions or counts out of range, and Interrupted within one step
 * when the user interrupts.
 */
export async function* sampleBatches(
  model: ScoreModel,
  conditions: ArrayLike<number>,
  options: SampleOptions,
): AsyncGenerator<DataSet, void, void> {
  const { seed = 1, batch = 250, sampler = model.sampler, onProgress } = options;
  const checked = checkConditions(model.problem, conditions);
  const count = positiveInteger("The number of fields", options.count);
  const steps = positiveInteger("The number of steps", options.steps ?? sampler.defaultSteps);
  const watch = new InterruptWatch("The sampling", options.signal);
  const begin = performance.now();
  const times = sampler.grid(model.schedule, steps, model.noiseLevels);
  const preparing = model.preconditioner.drawing?.(model, checked, sampler, times, options.keepBias);
  let drawing = preparing ? undefined : plainDrawing(model, checked);
  try {
    while (preparing && !drawing) {
      const next = preparing.next();
      if (next.done) drawing = next.value;
      await watch.check(`0 of ${count} fields are done.`);
    }
    for (let done = 0, index = 0; done < count; index++) {
      const rows = Math.min(positiveInteger("The batch size", batch), count - done);
      for (const { step, x } of drawBatch(model, drawing!, rows, sampler, times, seed, index)) {
        await watch.check(`${done} of ${count} fields are done.`);
        if (onProgress && step > 0) {
          const fields = done + (rows * step) / steps;
          const seconds = (performance.now() - begin) / 1000;
          const secondsLeft = (seconds * (count - fields)) / Math.max(fields, 1e-9);
          onProgress({ fields: Math.floor(fields), count, secondsLeft });
        }
        if (step === steps) yield toDataSet(model, checked, drawing!.fields(x), seed);
      }
      done += rows;
    }
  } finally {
    watch.close();
    if (drawing) drawing.dispose();
    else preparing?.return(undefined as never); // frees what it has so far
  }
}

/**
 * Draws fields from a score model at one set of conditions (conditions), in their units: for the porous electrode
 * [l in m, U0 in V, F_right in A/m2].
 *
 * Returns a data set with fields (count, fields, cells), c in mol/m3 and phi in V. Field number k depends on the seed, the
 * batch size and k alone. Errors as {@link sampleBatches}, which yields the fields batch by batch.
 */
export async function sampleFields(
  model: ScoreModel,
  conditions: ArrayLike<number>,
  options: SampleOptions,
): Promise<DataSet> {
  const { problem } = model;
  const result = allocateDataSet(
    problem,
    positiveInteger("The number of fields", options.count),
    options.seed,
  );
  let row = 0;
  for await (const part of sampleBatches(model, conditions, options)) {
    result.conditions.set(part.conditions, row * problem.conditions.length);
    result.fields.set(part.fields, row * problem.fields.length * problem.cells);
    row += part.rows;
  }
  return { ...result, latent: undefined };
}

/**
 * Draws a field at each of some sets of conditions (rows, conditions), in their units. For models without a Gaussian part
 * alone; errors as {@link sampleBatches}.
 */
export async function sampleEach(
  model: ScoreModel,
  conditions: Float64Array,
  { seed = 1, batch = 250, sampler = model.sampler, onProgress, ...options }: Omit<SampleOptions, "count">,
): Promise<DataSet> {
  const { problem, preconditioner } = model;
  const width = problem.conditions.length;
  const count = conditions.length / width;
  const steps = positiveInteger("The number of steps", options.steps ?? sampler.defaultSteps);
  if (preconditioner.drawing)
    throw new InputError("The model draws at one set of conditions; give these to it.");
  const times = sampler.grid(model.schedule, steps, model.noiseLevels);
  const result = { ...allocateDataSet(problem, count, seed), latent: undefined };
  const watch = new InterruptWatch("The sampling", options.signal);
  const begin = performance.now();
  try {
    for (let done = 0, index = 0; done < count; index++) {
      const rows = Math.min(batch, count - done);
      const own = conditions.slice(done * width, (done + rows) * width);
      const at = (row: number) => checkConditions(problem, own.subarray(row * width, (row + 1) * width));
      for (let row = 0; row < rows; row++) at(row);
      const conditioning = preconditioner.conditioning(own);
      const drawing: Drawing = {
        ...plainDrawing(model, own),
        denoise: (x, t) =>
          tf.tidy(() => {
            const given = { x: x as tf.Tensor3D, ...model.levels(new Array<number>(rows).fill(t)) };
            return preconditioner.denoise(model.apply, { ...given, ...conditioning });
          }),
      };
      try {
        for (const { step, x } of drawBatch(model, drawing, rows, sampler, times, seed, index)) {
          await watch.check(`${done} of ${count} fields are done.`);
          const fields = Math.floor(done + (rows * step) / steps);
          const secondsLeft =
            ((performance.now() - begin) * (count - fields)) / Math.max(fields, 1e-9) / 1000;
          onProgress?.({ fields, count, secondsLeft });
          if (step < steps) continue;
          const values = (x as tf.Tensor3D).dataSync() as Float32Array;
          const size = values.length / rows;
          for (let row = 0; row < rows; row++) {
            const one = preconditioner.toFields(at(row), values.subarray(row * size, (row + 1) * size));
            result.fields.set(one, (done + row) * size);
          }
        }
      } finally {
        tf.dispose(Object.values(conditioning));
      }
      result.conditions.set(own, done * width);
      done += rows;
    }
  } finally {
    watch.close();
  }
  return result;
}

/** Standardised fields x [rows, cells, channels], which are freed, in their units. Throws InputError if one is not finite. */
export function toDataSet(
  { problem, preconditioner }: ScoreModel,
  conditions: Float64Array,
  x: tf.Tensor3D,
  seed?: number,
): DataSet {
  const values = x.dataSync() as Float32Array;
  x.dispose();
  if (!values.every(Number.isFinite)) {
    throw new InputError("The sampled fields are not finite; take more steps or train the model for longer.");
  }
  const [rows] = x.shape;
  const repeated = Float64Array.from(
    { length: rows * conditions.length },
    (_, i) => conditions[i % conditions.length],
  );
  return { problem, rows, conditions: repeated, fields: preconditioner.toFields(conditions, values), seed };
}
