import type { DataSet } from "../../../lib/dataSet";
import { checkConditions } from "../../../lib/problem";
import { samplerByName } from "../../../lib/samplers";
import { disposeContext, type ScoreModel } from "../../../lib/scoreModel";
import {
  defaultSampler,
  measureDrifts,
  type SampleOptions,
  sampleTensor,
  toDataSet,
} from "../../../lib/sampling";

/** A batch of fields on its way out of the noise. */
export interface PathState {
  readonly step: number;
  readonly steps: number;
  /** 0 at the end */
  readonly noiseLevel: number;
  /** x_t in the fields' units: as much noise as field once t is large. */
  readonly fields: DataSet;
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
  const sampler = options.sampler === undefined ? defaultSampler(model) : samplerByName(options.sampler);
  const steps = options.steps ?? sampler.defaultSteps;
  const context = model.context(checked);
  try {
    const measuring = measureDrifts(model, checked, context, sampler, steps);
    let next = measuring.next();
    while (!next.done) next = measuring.next();
    const states = sampleTensor(model, context, count, sampler, steps, seed, 0, next.value);
    return Array.from(states, ({ step, t, x }) => ({
      step,
      steps,
      noiseLevel: model.schedule.noiseLevel(t),
      fields: toDataSet(model, checked, x, seed),
    }));
  } finally {
    disposeContext(context);
  }
}
