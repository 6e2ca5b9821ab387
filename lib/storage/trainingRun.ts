/** A training from data to the end, however it ends: length, validation, divergence, interrupts and kept states. */
import { finishWithPauses, InterruptWatch } from "../backend/interrupt";
import type { RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import { finiteInRange, InputError, positiveInteger } from "../backend/errors";
import { sameProblem } from "../data/conditions";
import { type Preset, storedSettings, type TrainingSettings } from "../presets/presets";
import type { Problem } from "../problem";
import type { ScoreModel } from "../scoreModel";
import { train, Training, type TrainingStep } from "../training";
import { digesting, type Fingerprint } from "./checkpoint";
import { Feed, planBatches } from "./feed";
import type { Steering, Turn } from "./turns";
import { checkStates, type StateOptions, type TrainingSpan, TrainingStates } from "./trainingStates";

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
  /** What was turned while the training ran, and after which step; see {@link TrainOptions.steer}. */
  readonly turned: readonly Turn[];
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
  /** Ends the training at its next step. */
  readonly signal?: AbortSignal;
  /** Steps between two validations; default: 50 in the whole training. */
  readonly validateEvery?: number;
  /**
   * Asked before each step for what to turn, and whether to pause: then again every 50 ms, and the time is not counted. What
   * was turned, and when, is a part of the training's state. Throws InputError in the training for values out of range.
   */
  readonly steer?: () => Steering | Promise<Steering>;
}

/** ms between two questions whether a pause is over. */
const PAUSE = 50;

/** A loss so many times the usual one is taken for the beginning of a divergence, once there is a usual one. */
const EXPLODED = 100;
const USUAL_AFTER = 100;

/**
 * Trains a model by denoising score matching (see {@link train}); yields its state after every step. Until the end the
 * model itself has the weights of the last validation: those of each step stay in the optimiser.
 *
 * data: fields (rows, fields, cells) in their units, in memory or read batch by batch; loss and gradient norm are of
 * standardised fields, without unit.
 * The length is one of steps, epochs and minutes; without any the preset's epochs. However it ends - by itself, by
 * break, by an interrupt (which throws Interrupted within one step) - the model keeps the averaged weights of the
 * steps done and all other memory is freed. With one seed and one thread the result repeats exactly, unless the
 * length is given in minutes. Throws InputError for settings out of range or data of another problem.
 */
export async function* trainModel(
  model: ScoreModel,
  data: DataSet | RowSource,
  settings: TrainingSettings,
  options: TrainOptions = {},
): AsyncGenerator<TrainingState, void, void> {
  const { seed = 1, note, steer } = options;
  if (!sameProblem(model.problem, data.problem)) {
    throw new InputError(
      "The data are of another problem than the model; give data of its problem and convention.",
    );
  }
  const watch = new InterruptWatch("The training", options.signal);
  const start = performance.now();
  let feed: Feed | undefined;
  let training: Training | undefined;
  let states: TrainingStates | undefined;
  try {
    const nothing = "nothing is trained yet.";
    const given = await watch.finish(Feed.making(model, data, settings, seed), nothing);
    feed = given;
    const run = new Training(model, given, settings);
    training = run;
    const { stepsPerEpoch } = given;
    const limit = lengthOf(options, settings, stepsPerEpoch);
    const validateEvery = options.validateEvery ?? Math.max(1, Math.ceil((limit.steps ?? 2500) / 50));
    const parts = { problem: model.problem, model: model.settings, training: settings, limit, seed };
    const fingerprint = fingerprintOf({
      ...parts,
      digest: options.checkpoint ? await watch.finish(digesting(data), nothing) : "",
    });
    const kept = new TrainingStates(run, settings, fingerprint, options, start);
    states = kept;
    kept.begin();
    let usual = NaN;
    let validationLoss = NaN;
    const pace = new Pace();
    let wanted: Steering = {};
    const turn = () => {
      kept.turns.take(run.steps, wanted);
      given.preferredLevel = kept.turns.noiseLevel;
    };
    const steps = train(run, settings, {
      progress: (done) => (limit.steps === undefined ? kept.seconds / limit.seconds : done / limit.steps),
      rateFactor: () => 0.5 ** kept.rollbacks * kept.turns.rateFactor,
      accepts(loss: number, rate: number) {
        if (Number.isFinite(loss) && !(run.steps >= USUAL_AFTER && loss > EXPLODED * usual)) return true;
        const what = `The loss is ${loss.toPrecision(3)} after ${run.steps} steps at a rate of ${rate.toPrecision(2)}`;
        if (!kept.rollBack()) throw new InputError(`${what}; train with a smaller rate or with clipping.`);
        turn(); // what the state that it went back to has not heard of
        note?.(`${what}: back to step ${run.steps}, from there at half the rate.`);
        return false;
      },
    });
    for (;;) {
      for (const began = performance.now(); ; await pause(PAUSE)) {
        await watch.check(`the model keeps the weights of ${run.steps} steps.`);
        wanted = (await steer?.()) ?? {};
        if (wanted.pause) continue;
        if (steer) kept.paused(performance.now() - began);
        break;
      }
      turn();
      const next = steps.next();
      if (next.done) return;
      const taken = next.value as TrainingStep;
      const { loss } = taken;
      usual = Number.isNaN(usual) ? loss : 0.98 * usual + 0.02 * loss;
      const step = run.steps;
      const validated = step % validateEvery === 0 || step === limit.steps;
      if (validated) {
        validationLoss = run.validate();
        kept.validated(validationLoss);
      }
      kept.keepInTime();
      const { seconds } = kept;
      pace.step(seconds);
      const secondsLeft =
        limit.steps === undefined
          ? Math.max(0, limit.seconds - seconds)
          : step === limit.steps
            ? 0
            : (limit.steps - step) * pace.secondsPerStep;
      yield {
        ...taken,
        step,
        steps: limit.steps ?? step + Math.round(secondsLeft / (pace.secondsPerStep || seconds)),
        epoch: step / stepsPerEpoch,
        validationLoss,
        validated,
        turned: kept.turns.list,
        secondsElapsed: seconds,
        secondsLeft,
      };
    }
  } finally {
    watch.close();
    try {
      states?.close();
    } finally {
      training?.dispose();
      feed?.dispose();
    }
  }
}

/**
 * Throws InputError for what would end a training before its first step, whatever its model: settings and length out of
 * range, too few rows, states that are another training's. Better known before the moments are taken than after.
 */
export async function checkTraining(
  data: DataSet | RowSource,
  { model, training }: Preset,
  options: TrainOptions = {},
): Promise<void> {
  const { stepsPerEpoch } = planBatches(data, training);
  const { seed = 1, checkpoint } = options;
  const limit = lengthOf(options, training, stepsPerEpoch);
  if (!checkpoint) return;
  const digest = await finishWithPauses(digesting(data));
  checkStates(checkpoint, fingerprintOf({ problem: data.problem, model, training, limit, seed, digest }));
}

/** What must be the same when a training goes on. */
function fingerprintOf({
  problem,
  model,
  training,
  limit,
  seed,
  digest,
}: {
  readonly problem: Problem;
  readonly model: object;
  readonly training: TrainingSettings;
  readonly limit: TrainingSpan;
  readonly seed: number;
  readonly digest: string;
}): Fingerprint {
  return {
    problem: JSON.stringify([problem.name, problem.version, problem.settings]),
    model: JSON.stringify(storedSettings(model)),
    "set of training settings": JSON.stringify(training),
    length: JSON.stringify(limit),
    seed: String(seed),
    "data set": digest,
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
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
): TrainingSpan {
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
