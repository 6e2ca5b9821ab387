import type { DataSet } from "../../../lib/dataSet";
import type { Drawing } from "../../../lib/preconditioner";
import { streams } from "../../../lib/backend/streams";
import { normal, type tf } from "../../../lib/backend/tensors";
import type { Sampler } from "../../../lib/samplers";
import { checkConditions } from "../../../lib/data/conditions";
import { drawBatch, plainDrawing } from "../../../lib/sampling";
import { type SampleOptions, toDataSet } from "../../../lib/storage/samplingRun";
import type { ScoreModel } from "../../../lib/scoreModel";

/** A batch of fields on its way out of the noise. */
export interface PathState {
  readonly step: number;
  readonly steps: number;
  /** 0 at the end */
  readonly noiseLevel: number;
  /** x_t in the fields' units: as much noise as field once t is large. */
  readonly fields: DataSet;
}

/** What draws at conditions (conditions) in their units down these times, as sampleFields makes it; to be disposed of. */
export function drawingOf(
  model: ScoreModel,
  conditions: ArrayLike<number>,
  sampler: Sampler,
  times: Float64Array,
  keepBias = false,
): Drawing {
  const checked = checkConditions(model.problem, conditions);
  const preparing = model.preconditioner.drawing?.(model, checked, sampler, times, keepBias);
  let next = preparing?.next();
  while (next && !next.done) next = preparing?.next();
  return (next?.value as Drawing | undefined) ?? plainDrawing(model, checked);
}

/** Draw k of the noise that sampleFields takes for so many rows in one batch: 0 is its start, k that of its step k. */
export function samplingNoise(model: ScoreModel, rows: number, seed: number, k: number): tf.Tensor3D {
  return normal([rows, model.problem.cells, model.channels], seed, streams.sampling, 0, k) as tf.Tensor3D;
}

/**
 * All states of one batch on a sampler's way, from the noise at step 0 to the fields that sampleFields returns.
 *
 * conditions (conditions) in their units; options as for sampleFields, count being the batch. Throws InputError as it does.
 */
export function samplingPath(
  model: ScoreModel,
  conditions: ArrayLike<number>,
  { count, seed = 1, ...options }: Omit<SampleOptions, "batch" | "onProgress">,
): PathState[] {
  const checked = checkConditions(model.problem, conditions);
  const { sampler = model.sampler } = options;
  const steps = options.steps ?? sampler.defaultSteps;
  const times = sampler.grid(model.schedule, steps, model.noiseLevels);
  const drawing = drawingOf(model, checked, sampler, times, options.keepBias);
  try {
    return Array.from(drawBatch(model, drawing, count, sampler, times, seed, 0), ({ step, t, x }) => ({
      step,
      steps,
      noiseLevel: model.schedule.noiseLevel(t),
      fields: toDataSet(model, checked, drawing.fields(x), seed),
    }));
  } finally {
    drawing.dispose();
  }
}
