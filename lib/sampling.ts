import { allocateDataSet, type DataSet } from "./dataSet";
import { checkConditions } from "./problem";
import { karrasGrid } from "./grids";
import { type Sampler, samplerByName, trajectory } from "./samplers";
import { InputError, positiveInteger } from "./errors";
import { InterruptWatch } from "./storage/interrupt";
import { type Context, disposeContext, type Drift, type ScoreModel } from "./scoreModel";
import { tf } from "./backend/tensors";
import { modalCombination, tensorSpace, whitenedNoise } from "./tensorSpace";

/** How many fields are drawn, and how. */
export interface SampleOptions {
  /** Number of fields to draw. */
  readonly count: number;
  /** Of the noise; default 1. */
  readonly seed?: number;
  /** Name of a sampler; default: the model's, see {@link defaultSampler}. */
  readonly sampler?: string;
  /** Steps of the sampler; default: its own. */
  readonly steps?: number;
  /** Fields drawn side by side; default 250. */
  readonly batch?: number;
  /** Called after each step of the sampler. */
  readonly onProgress?: (progress: SampleProgress) => void;
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

/** The sampler that needs fewest network calls: with the covariance known, the one that is exact for Gaussian data. */
export function defaultSampler({ settings }: ScoreModel): Sampler {
  return samplerByName(settings.target === "rest" ? "gaussian-exact-2m" : "dpm-solver++2m");
}

/** First number of the streams of noise. */
const STREAM = 20;
const ENSEMBLE_STREAM = 21;

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
  const sampler = options.sampler === undefined ? defaultSampler(model) : samplerByName(options.sampler);
  const steps =
    options.steps === undefined
      ? sampler.defaultSteps
      : positiveInteger("The number of steps", options.steps);
  const watch = new InterruptWatch("The sampling");
  const start = performance.now();
  const context = model.context(checked);
  let drifts: Drifts | undefined;
  try {
    const measuring = measureDrifts(model, checked, context, sampler, steps);
    for (let next = measuring.next(); ; next = measuring.next()) {
      if (next.done) {
        drifts = next.value;
        break;
      }
      await watch.check(`0 of ${count} fields are done.`);
    }
    for (let done = 0, index = 0; done < count; index++) {
      const rows = Math.min(positiveInteger("The batch size", batch), count - done);
      for await (const state of sampleTensor(model, context, rows, sampler, steps, seed, index, drifts)) {
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
    disposeContext(context);
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

/** Members of the ensemble on which the drift is measured; more than there are modes, so that it can be whitened. */
const ENSEMBLE = 512;
const ENSEMBLE_SEED = 1;

/** The network's drift (see ScoreModel.denoiseEnsemble) at every time at which a sampler calls it. */
export type Drifts = ReadonlyMap<number, Drift>;

/** Of each model the drifts that were measured last: sampling goes on at the same conditions more often than not. */
const measured = new WeakMap<ScoreModel, { readonly key: string; readonly drifts: Drifts }>();

/**
 * Measures the network's drift along a sampler's way, on an ensemble of its own; empty for targets without modes. The
 * same for all batches, so that fields stay independent of one another.
 */
export function* measureDrifts(
  model: ScoreModel,
  conditions: Float64Array,
  context: Context,
  sampler: Sampler,
  steps: number,
): Generator<{ step: number }, Drifts, void> {
  const drifts = new Map<number, Drift>();
  if (model.settings.target !== "rest") return drifts;
  const weights = tf.tidy(() => tf.addN(model.variables.map((variable) => variable.sum())).dataSync()[0]);
  const key = JSON.stringify([weights, [...conditions], sampler.name, steps]); // a training may go on in between
  const known = measured.get(model);
  if (known?.key === key) return known.drifts;
  const denoise = (x: tf.Tensor3D, t: number) => {
    const { denoised, drift } = model.denoiseEnsemble(x, t, context);
    drifts.set(t, drift); // of a sampler that comes to a time twice the later state, which is the better one
    return denoised;
  };
  const ensemble = [ENSEMBLE_SEED, ENSEMBLE_STREAM] as const;
  for (const { step } of run(model, context, ENSEMBLE, sampler, steps, ensemble, denoise, true))
    yield { step };
  measured.set(model, { key, drifts });
  return drifts;
}

/**
 * A sampler's trajectory for one batch: x [rows, cells, fields] standardised, valid until the next step.
 *
 * Starts at the largest noise level that the model is for, from the Gaussian that the model knows to be the marginal
 * there: standard normal, or with the conditional covariance.
 */
export function* sampleTensor(
  model: ScoreModel,
  context: Context,
  rows: number,
  sampler: Sampler,
  steps: number,
  seed: number,
  index: number,
  drifts?: Drifts,
): Generator<TensorState, void, void> {
  const denoise = (x: tf.Tensor3D, t: number) => model.denoise(x, t, context, drifts?.get(t));
  yield* run(model, context, rows, sampler, steps, [seed, STREAM, index], denoise);
}

interface TensorState {
  readonly step: number;
  readonly steps: number;
  readonly t: number;
  readonly x: tf.Tensor3D;
}

function* run(
  model: ScoreModel,
  context: Context,
  rows: number,
  sampler: Sampler,
  steps: number,
  [seed, ...stream]: readonly [number, ...number[]],
  denoise: (x: tf.Tensor3D, t: number) => tf.Tensor3D,
  whitened = false,
): Generator<TensorState, void, void> {
  const space = tensorSpace<tf.Tensor3D>(seed, ...stream);
  const shape: [number, number, number] = [rows, model.problem.cells, model.channels];
  const { schedule, noiseLevels } = model;
  const times =
    sampler.grid === karrasGrid ? karrasGrid(schedule, steps, noiseLevels) : sampler.grid(schedule, steps);
  const noise = tf.tidy(() => {
    const drawn = space.normal(tf.zeros(shape) as tf.Tensor3D, 0);
    return whitened && context.modes ? whitenedNoise(drawn, context.modes) : drawn;
  });
  const start = model.gaussianMarginal(noise, times[0], context);
  const combineModes = context.modes && modalCombination(context.modes);
  try {
    yield* trajectory({ sampler, schedule, space, denoise, combineModes, start, times });
  } finally {
    tf.dispose([noise, start]);
  }
}

/**
 * What a sampler ends on, [rows, cells, channels], as fields in their units; responses are put together with the
 * affine conditions as weights. Throws InputError if one is not finite.
 */
export function toDataSet(
  model: ScoreModel,
  conditions: Float64Array,
  x: tf.Tensor3D,
  seed?: number,
): DataSet {
  const { cells, fields } = model.problem;
  const { channels, standardisation } = model;
  const [rows, width] = [x.shape[0], cells * fields.length];
  const fixed = standardisation.std(conditions).map((value) => (value > 0 ? 0 : 1));
  const mean = standardisation.mean(conditions);
  const { weights, std } =
    model.settings.target === "rest"
      ? model.responses(conditions)
      : { weights: [1], std: standardisation.std(conditions) };
  const values = x.dataSync();
  if (!values.every(Number.isFinite)) {
    throw new InputError("The sampled fields are not finite; take more steps or train the model for longer.");
  }
  const data = allocateDataSet(model.problem, rows, seed);
  for (let row = 0; row < rows; row++) {
    data.conditions.set(conditions, row * conditions.length);
    for (let at = 0; at < width; at++) {
      let value = mean[at];
      if (!fixed[at]) {
        const from = (row * cells + (at % cells)) * channels + Math.floor(at / cells);
        weights.forEach(
          (weight, k) => (value += weight * std[k * width + at] * values[from + k * fields.length]),
        );
      }
      data.fields[row * width + at] = value;
    }
  }
  return { ...data, latent: undefined };
}
