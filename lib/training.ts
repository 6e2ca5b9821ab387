import { conditionalMoments, conditionalStandardisation } from "./gaussian/conditionalMoments";
import type { DataSet } from "./dataSet";
import { sameProblem } from "./problem";
import type { RowSource } from "./storage/rowSource";
import { globalStandardisation } from "./standardisation";
import { finiteInRange, InputError, positiveInteger } from "./errors";
import { InterruptWatch } from "./storage/interrupt";
import { ConditionalCovariance } from "./gaussian/covariance";
import type { Preset, TrainingSettings } from "./presets/presets";
import { ScoreModel } from "./scoreModel";
import { canSimulateMoments, simulatedMoments } from "./gaussian/simulatedMoments";
import { checkConditionsKnown } from "./batches";
import { digestOf } from "./storage/checkpoint";
import { Descent } from "./descent";
import { type StateOptions, TrainingStates } from "./storage/trainingStates";

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
  /** s, an estimate; NaN where there is none, after a first step whose time tells little about the others */
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

/** Length, seed, validation and kept states of a training. */
export interface TrainOptions extends TrainingLength, StateOptions {
  /** Of order, times and noise; default 1. */
  readonly seed?: number;
  /** Steps between two validations; default: 50 in the whole training. */
  readonly validateEvery?: number;
}

/** A loss so many times the usual one is taken for the beginning of a divergence, once there is a usual one. */
const EXPLODED = 100;
const USUAL_AFTER = 100;

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
  const start = performance.now();
  let descent: Descent | undefined;
  let states: TrainingStates | undefined;
  try {
    descent = new Descent(model, data, settings, seed);
    const { stepsPerEpoch } = descent;
    const limit = lengthOf(options, settings, stepsPerEpoch);
    const validateEvery = options.validateEvery ?? Math.max(1, Math.ceil((limit.steps ?? 2500) / 50));
    const fingerprint = {
      problem: JSON.stringify([model.problem.name, model.problem.version, model.problem.settings]),
      model: JSON.stringify(model.settings),
      "set of training settings": JSON.stringify(settings),
      length: JSON.stringify(limit),
      seed: String(seed),
      "data set": options.checkpoint ? digestOf(data) : "",
    };
    states = new TrainingStates(descent, fingerprint, options, start);
    states.begin();
    let usual = NaN;
    let validationLoss = NaN;
    const pace = new Pace();
    for (;;) {
      await watch.check(`the model keeps the weights of ${descent.steps} steps.`);
      const progress =
        limit.steps === undefined ? states.seconds / limit.seconds : descent.steps / limit.steps;
      if (progress >= 1 && descent.steps > 0) return;
      const rate = rateAt(settings, progress, descent.steps) * 0.5 ** states.setbacks;
      const slope = descent.slope();
      const { loss, gradientNorm } = slope;
      if (!Number.isFinite(loss) || (descent.steps >= USUAL_AFTER && loss > EXPLODED * usual)) {
        slope.gradient.dispose();
        const what = `The loss is ${loss.toPrecision(3)} after ${descent.steps} steps at a rate of ${rate.toPrecision(2)}`;
        if (!states.stepBack()) throw new InputError(`${what}; train with a smaller rate or with clipping.`);
        options.note?.(`${what}: back to step ${descent.steps}, from there at half the rate.`);
        continue;
      }
      descent.follow(slope, rate);
      usual = Number.isNaN(usual) ? loss : 0.98 * usual + 0.02 * loss;
      const step = descent.steps;
      const validated = step % validateEvery === 0 || step === limit.steps;
      if (validated) {
        validationLoss = descent.validate();
        states.validated(validationLoss);
      }
      states.keepInTime();
      const { seconds } = states;
      pace.step(seconds);
      const secondsLeft =
        limit.steps === undefined
          ? Math.max(0, limit.seconds - seconds)
          : step === limit.steps
            ? 0
            : (limit.steps - step) * pace.secondsPerStep;
      yield {
        step,
        steps: limit.steps ?? step + Math.round(secondsLeft / (pace.secondsPerStep || seconds)),
        epoch: step / stepsPerEpoch,
        loss,
        gradientNorm,
        validationLoss,
        validated,
        rate,
        secondsElapsed: seconds,
        secondsLeft,
      };
    }
  } finally {
    watch.close();
    try {
      states?.close();
    } finally {
      descent?.dispose();
    }
  }
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

/** How long a step takes, without the first one of a run and what comes before it: tables, modes, graphs. */
class Pace {
  private taken = 0;
  private first = NaN;
  private last = NaN;

  /** Counts a step that ended so many seconds after the start. */
  step(seconds: number): void {
    if (this.taken++ === 0) this.first = seconds;
    this.last = seconds;
  }

  /** NaN before the second step. */
  get secondsPerStep(): number {
    return (this.last - this.first) / (this.taken - 1);
  }
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
