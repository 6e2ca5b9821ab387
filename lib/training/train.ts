import type { DataSet } from "../data/dataset";
import { sameProblem } from "../data/problems";
import type { RowSource } from "../data/rowSource";
import {
  conditionalMoments,
  conditionalStandardisation,
  globalStandardisation,
} from "../data/standardisation";
import { finiteInRange, InputError, positiveInteger, shown } from "../errors";
import { CompiledFunction } from "../graph/compiled";
import { InterruptWatch } from "../interrupt";
import type { Preset, TrainingSettings } from "../network/presets";
import { ConditionalCovariance } from "../network/covariance";
import { canSimulateMoments, simulatedMoments } from "../network/simulatedMoments";
import { ScoreModel } from "../network/scoreModel";
import { tf } from "../tensorflow";
import { checkConditionsKnown } from "./batches";
import { type Checkpoint, checkSame, digestOf } from "./checkpoint";
import { CheckpointFolder } from "./checkpointFolder";
import { type BatchTensors, Feed, lossAt } from "./feed";
import { FlatAdam, flatGradient } from "./flatAdam";

/** Where a training stands after a step. */
export interface TrainingState {
  /** Steps done, from 1. */
  readonly step: number;
  /** Steps in all; an estimate where the length is given in minutes. */
  readonly steps: number;
  /** Passes over the data done, with fraction. */
  readonly epoch: number;
  /** The step's loss. */
  readonly loss: number;
  /** Norm of the gradient, before clipping. */
  readonly gradientNorm: number;
  /** Loss of the averaged weights on conditions that are not trained on, when last measured. */
  readonly validationLoss: number;
  /** True if validationLoss was measured at this step. */
  readonly validated: boolean;
  /** The step's learning rate. */
  readonly rate: number;
  /** s */
  readonly secondsElapsed: number;
  /** s, an estimate */
  readonly secondsLeft: number;
}

/** How long to train: at most one of the three. */
export interface TrainingLength {
  /** Updates of the weights. */
  readonly steps?: number;
  /** Passes over the data. */
  readonly epochs?: number;
  /** Of the clock. */
  readonly minutes?: number;
}

/** Length, seed, validation and checkpoint of a training. */
export interface TrainOptions extends TrainingLength {
  /** Of order, times and noise; default 1. */
  readonly seed?: number;
  /** Steps between two validations; default: 50 in the whole training. */
  readonly validateEvery?: number;
  readonly checkpoint?: CheckpointOptions;
  /**
   * What to do when the loss is not finite or a hundred times the usual: "stop" (default), or "step-back" to the last good
   * state and go on at half the rate, five times at most.
   */
  readonly divergence?: Divergence;
  /** Gets a sentence when a damaged state was passed over, when a training goes on, and when it steps back. */
  readonly note?: (sentence: string) => void;
}

export const divergences = ["stop", "step-back"] as const;
export type Divergence = (typeof divergences)[number];

export interface CheckpointOptions {
  /** Where states are kept: the last three, and that of the smallest validation loss (see CheckpointFolder). */
  readonly folder: string;
  /** Go on from the newest state, if there is one. Settings, data, length and seed must be the same. */
  readonly resume?: boolean;
  /** A state is kept every so many seconds (300), and when the training ends in whichever way but by diverging. */
  readonly everySeconds?: number;
  /** A state is kept every so many steps, too. */
  readonly everySteps?: number;
}

/** A loss so many times the usual one is taken for the beginning of a divergence, once there is a usual one. */
const EXPLODED = 100;
const USUAL_AFTER = 100;
const MOST_SETBACKS = 5;

/**
 * An untrained model of a preset for a data set, with the moments that the preset asks for taken from the data: fields
 * (rows, fields, cells) in their units become standardised ones without unit, [batch, cells, fields].
 *
 * seed: of the first weights. Throws InputError for data that the preset cannot be trained on.
 */
export function createModel(data: DataSet | RowSource, preset: Preset, seed = 1): ScoreModel {
  checkConditionsKnown(data);
  const { standardisation: kind, target, momentDraws: draws } = preset.model;
  if (kind === "global")
    return ScoreModel.create(data.problem, preset.model, globalStandardisation(data), seed);
  if (target === "rest" && draws && canSimulateMoments(data.problem)) {
    const { standardisation, covariance } = simulatedMoments(data, draws, seed);
    return ScoreModel.create(data.problem, preset.model, standardisation, seed, covariance);
  }
  if (target !== "rest")
    return ScoreModel.create(data.problem, preset.model, conditionalStandardisation(data), seed);
  const moments = conditionalMoments(data);
  const covariance = ConditionalCovariance.fit(data.problem, moments);
  return ScoreModel.create(data.problem, preset.model, moments.standardisation, seed, covariance);
}

/**
 * Trains a model by denoising score matching; yields its state after every step. Until the end the model itself has the
 * weights of the last validation: those of each step stay in the optimiser.
 *
 * data: fields (rows, fields, cells) in their units, in memory or read batch by batch; loss and gradient norm are of
 * standardised fields, without unit.
 * The length is one of steps, epochs and minutes; without any the preset's epochs. However it ends - by itself, by
 * break, by an interrupt (which throws Interrupted within one step) - the model keeps the averaged weights of the
 * steps done and all other memory is freed. With one seed and one thread the result repeats exactly, unless the
 * length is given in minutes. Throws InputError for settings out of range or data of another problem.
 */
export async function* train(
  model: ScoreModel,
  data: DataSet | RowSource,
  settings: TrainingSettings,
  options: TrainOptions = {},
): AsyncGenerator<TrainingState, void, void> {
  const { seed = 1 } = options;
  if (!sameProblem(model.problem, data.problem)) {
    throw new InputError(
      "The data are of another problem than the model; give data of its problem and convention.",
    );
  }
  const watch = new InterruptWatch("The training");
  const resources: { dispose(): void }[] = [];
  let adam: FlatAdam | undefined;
  let start = performance.now();
  let folder: CheckpointFolder | undefined;
  let keep: (() => void) | undefined;
  let validationLoss = NaN;
  let step = 0;
  try {
    const feed = new Feed(model, data, settings, seed);
    resources.push(feed);
    const { stepsPerEpoch } = feed;
    const limit = lengthOf(options, settings, stepsPerEpoch);
    const validateEvery = options.validateEvery ?? Math.max(1, Math.ceil((limit.steps ?? 2500) / 50));
    adam = new FlatAdam(model.variables, settings);
    const optimizer = adam;
    const descent = new CompiledFunction((inputs: BatchTensors & { weights: tf.Tensor }) => {
      optimizer.assign(inputs.weights);
      const { value, grads } = tf.variableGrads(() => lossAt(model, inputs, feed.mirrored), model.variables);
      return { loss: value, ...flatGradient(model.variables.map(({ name }) => grads[name])) };
    });
    const heldLoss = new CompiledFunction(
      (inputs: BatchTensors) => ({ loss: lossAt(model, inputs, false) }),
      () => model.variables,
    );
    resources.push(descent, heldLoss);
    const fingerprint = {
      problem: JSON.stringify([model.problem.name, model.problem.version, model.problem.settings]),
      model: JSON.stringify(model.settings),
      "set of training settings": JSON.stringify(settings),
      length: JSON.stringify(limit),
      seed: String(seed),
      "data set": options.checkpoint ? digestOf(data) : "",
    };
    let [bestLoss, setbacks] = [Infinity, 0];
    const state = (): Checkpoint => {
      const seconds = (performance.now() - start) / 1000;
      return { fingerprint, step, seconds, bestLoss, setbacks, vectors: optimizer.vectors() };
    };
    const goBackTo = (checkpoint: Checkpoint) => {
      optimizer.restore(checkpoint.vectors, checkpoint.step);
      step = checkpoint.step;
    };
    if (options.checkpoint) {
      folder = new CheckpointFolder(options.checkpoint.folder);
      const found = resumed(folder, options, fingerprint);
      if (found) {
        goBackTo(found);
        ({ bestLoss, setbacks } = found);
        start -= 1000 * found.seconds;
      }
    }
    const stepsBack = options.divergence === "step-back";
    let good = stepsBack ? state() : undefined;
    let saved = performance.now();
    keep = () => {
      const now = state();
      if (stepsBack) good = now;
      folder?.keep(now);
      saved = performance.now();
    };
    let usual = NaN;
    for (;;) {
      await watch.check(`the model keeps the weights of ${step} steps.`);
      const elapsed = (performance.now() - start) / 1000;
      const progress = limit.steps === undefined ? elapsed / limit.seconds : step / limit.steps;
      if (progress >= 1 && step > 0) return;
      const rate = rateAt(settings, progress, step) * 0.5 ** setbacks;
      const slope = tf.tidy(() => descent.run({ ...feed.batch(step), weights: optimizer.last() }));
      step++;
      const [loss, halfSquare] = [slope.loss, slope.halfSquare].map((tensor) => tensor.dataSync()[0]);
      const gradientNorm = Math.sqrt(2 * halfSquare);
      const diverges = !Number.isFinite(loss) || (step > USUAL_AFTER && loss > EXPLODED * usual);
      if (!diverges) optimizer.update(slope.gradient, gradientNorm, rate);
      tf.dispose([slope.gradient, slope.loss, slope.halfSquare]);
      if (diverges) {
        const what = `The loss is ${loss.toPrecision(3)} after ${step - 1} steps at a rate of ${rate.toPrecision(2)}`;
        if (!good || setbacks === MOST_SETBACKS) {
          keep = undefined; // these weights are not worth keeping
          step--; // this step is not taken
          throw new InputError(`${what}; train with a smaller rate or with clipping.`);
        }
        setbacks++;
        goBackTo(good);
        options.note?.(`${what}: back to step ${step}, from there at half the rate.`);
        continue;
      }
      usual = Number.isNaN(usual) ? loss : 0.98 * usual + 0.02 * loss;
      const validated = step % validateEvery === 0 || step === limit.steps;
      if (validated) {
        adam.useAverage();
        validationLoss = tf.tidy(() => heldLoss.run(feed.held()).loss.dataSync()[0]);
        adam.useLast();
      }
      if (validated && validationLoss < bestLoss) {
        bestLoss = validationLoss;
        folder?.keepBest(state());
      }
      const { everySeconds = 300, everySteps = Infinity } = options.checkpoint ?? {};
      if (performance.now() - saved > 1000 * everySeconds || step % everySteps === 0) keep();
      const secondsElapsed = (performance.now() - start) / 1000;
      const perStep = secondsElapsed / step;
      const secondsLeft =
        limit.steps === undefined
          ? Math.max(0, limit.seconds - secondsElapsed)
          : (limit.steps - step) * perStep;
      yield {
        step,
        steps: limit.steps ?? step + Math.round(secondsLeft / perStep),
        epoch: step / stepsPerEpoch,
        loss,
        gradientNorm,
        validationLoss,
        validated,
        rate,
        secondsElapsed,
        secondsLeft,
      };
    }
  } finally {
    watch.close();
    try {
      if (step > 0 && folder?.steps[0] !== step) keep?.();
    } finally {
      folder?.close();
      adam?.useAverage();
      adam?.dispose();
      resources.forEach((resource) => resource.dispose());
    }
  }
}

/** The newest state of a folder that may be gone on from; throws InputError if it may not. */
function resumed(
  folder: CheckpointFolder,
  { checkpoint, note = () => undefined }: TrainOptions,
  fingerprint: Checkpoint["fingerprint"],
): Checkpoint | undefined {
  const found = folder.newest(note);
  if (!found) return undefined;
  if (!checkpoint?.resume) {
    throw new InputError(
      `${shown(folder.folder)} holds the states of a training; resume it, or give another folder to start anew.`,
    );
  }
  checkSame(folder.folder, found.fingerprint, fingerprint);
  note(`The training goes on after step ${found.step}.`);
  return found;
}

/** The cosine from the first to the last rate, after a linear warm-up. progress: 0 .. 1. */
export function rateAt(
  { rate, finalRate, warmUp }: TrainingSettings,
  progress: number,
  step: number,
): number {
  const cosine = finalRate + 0.5 * (rate - finalRate) * (1 + Math.cos(Math.PI * Math.min(1, progress)));
  return step < warmUp ? (cosine * (step + 1)) / (warmUp + 1) : cosine;
}

function lengthOf(
  { steps, epochs, minutes }: TrainingLength,
  settings: TrainingSettings,
  stepsPerEpoch: number,
): { steps?: number; seconds: number } {
  if ([steps, epochs, minutes].filter((value) => value !== undefined).length > 1) {
    throw new InputError("The training's length is given twice; give one of steps, epochs and minutes.");
  }
  if (minutes !== undefined)
    return { seconds: 60 * finiteInRange("The training's length", minutes, 0.001, 1e6, "minutes") };
  const given = steps ?? (epochs === undefined ? settings.steps : undefined);
  if (given !== undefined) return { steps: positiveInteger("The number of steps", given), seconds: Infinity };
  const passes = finiteInRange("The number of epochs", epochs ?? settings.epochs, 1e-6, 1e9);
  return { steps: Math.max(1, Math.round(passes * stepsPerEpoch)), seconds: Infinity };
}
