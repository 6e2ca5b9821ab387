import { Command, Option } from "commander";
import type { Convention } from "../../lib/electrode";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { ArrowRows, openData } from "../../lib/storage/arrowReader";
import { abandonAll, lostItsPlace } from "../../lib/storage/files";
import { finiteInRange, InputError, integerInRange, oneOf, positiveInteger } from "../../lib/backend/errors";
import { finishWithPauses, Interrupted } from "../../lib/backend/interrupt";
import { FIELDS_FROM, type FieldsFrom } from "../../lib/presets/givenFields";
import { bytesToLoad } from "../../lib/storage/memory";
import type { TrainingState } from "../../lib/storage/trainingRun";
import { type Divergence, StatesLost } from "../../lib/storage/trainingStates";
import type { History } from "../../lib/scoreModel";
import { duration } from "../../lib/notebook/duration";
import { conventionOption } from "./conditions";
import { outlivesTerminal } from "./terminal";
import { Progress } from "./progress";

interface Options {
  data: string;
  out: string;
  preset: string;
  minutes?: number;
  epochs?: number;
  steps?: number;
  checkpoint?: string;
  resume?: boolean;
  inMemory?: boolean;
  convention?: Convention;
  fromFile?: boolean;
  fields?: FieldsFrom;
  onDivergence: Divergence;
  seed: number;
}

/** Between two rewritings of the progress line on a terminal: its numbers are to be read. */
const REWRITE_MS = 2_000;
/** Steps that a reported loss is the mean of, as one step's is noisy. */
const LOSS_STEPS = 100;
/**
 * Fields are scaled to be of order 1, and so is the loss of a network that has learned nothing. Beyond this it has learned
 * from fields that are not scaled as they should be, or has diverged.
 */
const ABSURD_LOSS = 100;
/** Exit status where a model was saved, but is not what was asked for. */
const STATUS_NOT_AS_ASKED = 2;
/** 128 + SIGINT, as shells report it. */
const STATUS_INTERRUPTED = 130;

async function runTraining(options: Options): Promise<void> {
  checkTogether(options);
  const { data: file, out, preset: presetName, checkpoint, seed } = options;
  const { checkApart, checkModelFolder, keepModel } = await import("../../lib/storage/modelFolder");
  const { presetByName } = await import("../../lib/presets/presets");
  const { chooseFields } = await import("../../lib/presets/givenFields");
  const { creatingModel } = await import("../../lib/presets/createModel");
  const { checkTraining, trainModel } = await import("../../lib/storage/trainingRun");
  const { settled, turnText } = await import("../../lib/storage/turns");
  const asked = presetByName(presetName);
  checkModelFolder(out);
  const assumed = options.convention && porousElectrode(options.convention);
  if (checkpoint !== undefined) checkApart(out, checkpoint);
  const { minutes, epochs, steps, resume, onDivergence: divergence } = options;
  const given = await openData(
    file,
    options.inMemory ? Infinity : options.fromFile ? 0 : bytesToLoad(),
    assumed,
  );
  const progress = new Progress("steps", REWRITE_MS);
  const note = (sentence: string) => {
    progress.end();
    process.stderr.write(`porous-sgm: ${sentence}\n`);
  };
  // Takes half a minute for the presets fast and best.
  const { model, data, preset } = await progress.preparing("preparing the training ...", async () => {
    const chosen = await finishWithPauses(chooseFields(given, asked, presetName, options.fields));
    const settings = { minutes, epochs, steps, seed };
    const states = checkpoint === undefined ? undefined : { folder: checkpoint, resume };
    await checkTraining(chosen.data, chosen.preset, { ...settings, checkpoint: states });
    const { told, warning } = chosen;
    const way = given instanceof ArrowRows ? "read from the file as they are needed" : "in memory";
    process.stdout.write(`${file}: ${given.rows} rows, ${way}; ${told}\n`);
    if (warning !== undefined) note(warning);
    return { ...chosen, model: await finishWithPauses(creatingModel(chosen.data, chosen.preset, seed)) };
  });

  const restore = leaveInterruptToTraining();
  const states = trainModel(model, data, preset.training, {
    minutes,
    epochs,
    steps,
    divergence,
    note,
    seed,
    checkpoint: checkpoint === undefined ? undefined : { folder: checkpoint, resume },
  });
  let run: Run;
  try {
    run = await follow(states, progress);
  } finally {
    progress.end();
    if (given instanceof ArrowRows) given.close();
  }
  const { last, loss, interrupted, lost } = run;
  if (interrupted) process.exitCode = STATUS_INTERRUPTED;
  if (last === undefined && interrupted) {
    process.stderr.write(
      "porous-sgm: The training was interrupted before its first step; nothing is saved.\n",
    );
    return;
  }
  const save = async (history: History): Promise<string> => {
    const kept = await keepModel(model, out, history);
    if (kept.reason !== undefined) {
      note(lostItsPlace("The model", kept.folder, kept.reason));
      process.exitCode ||= STATUS_NOT_AS_ASKED;
    }
    return kept.folder;
  };
  const history = { preset: presetName, seed, rows: data.rows };
  if (last === undefined) {
    // Its last state was kept, but perhaps not its model.
    const place = await save(history);
    process.stdout.write(`${place}: the training in ${checkpoint} was complete; its model is saved\n`);
    return;
  }
  const { step, epoch, validationLoss, turned } = last;
  const seconds = Number(last.secondsElapsed.toFixed(3));
  const validated = Number.isFinite(validationLoss);
  const place = await save({
    ...history,
    steps: step,
    epochs: epoch,
    seconds,
    loss,
    interrupted,
    ...(turned.length > 0 ? { turned: settled(turned).map(turnText).join(", ") } : {}),
    ...(validated ? { validationLoss } : {}),
  });
  restore();
  if (lost !== undefined) {
    note(
      `${lost.replace(/(; [^;]*)?\.$/, "")}; the training ended, and the model of ${step} steps is in ${place}.`,
    );
    process.exitCode ||= STATUS_NOT_AS_ASKED;
    return;
  }
  if (interrupted) {
    process.stderr.write(
      `porous-sgm: The training was interrupted: the model of ${step} steps is in ${place}.\n`,
    );
    return;
  }
  process.stdout.write(
    `${place}: preset ${presetName}, ${step} steps in ${duration(seconds)} on ${data.rows} rows, ` +
      `loss ${loss.toPrecision(3)}${validated ? `, validation loss ${validationLoss.toPrecision(3)}` : ""}\n`,
  );
  const worst = Math.max(loss, validated ? validationLoss : 0);
  if (worst > ABSURD_LOSS) {
    note(
      `The model is of no use: its loss is ${worst.toPrecision(3)}, where that of one which has learned nothing is about 1; ` +
        `look for rows or conditions unlike the others in the data, or train longer or at other settings.`,
    );
    process.exitCode ||= STATUS_NOT_AS_ASKED;
  }
}

/** Throws InputError for options that exclude or need one another. */
function checkTogether({ minutes, epochs, steps, resume, checkpoint, inMemory, fromFile }: Options): void {
  if (inMemory && fromFile) {
    throw new InputError("There are --in-memory and --from-file; give one of them.");
  }
  if ([minutes, epochs, steps].filter((value) => value !== undefined).length > 1) {
    throw new InputError(
      "The training's length is given twice; give one of --minutes, --epochs and --steps.",
    );
  }
  if (resume && checkpoint === undefined) {
    throw new InputError(
      "There is --resume without --checkpoint; give the folder of the states to go on from.",
    );
  }
}

/** How a training went: its last state, if a step was taken, and the mean loss of the last steps. */
interface Run {
  readonly last: TrainingState | undefined;
  readonly loss: number;
  readonly interrupted: boolean;
  /** Why its states could not be kept any more, which ended it. */
  readonly lost?: string;
}

/** Follows a training to its end or its interruption. */
async function follow(states: AsyncIterable<TrainingState>, progress: Progress): Promise<Run> {
  const losses: number[] = [];
  let last: TrainingState | undefined;
  let interrupted = false;
  try {
    for await (const state of states) {
      last = state;
      losses.push(state.loss);
      if (losses.length > LOSS_STEPS) losses.shift();
      progress.report(() => progressLine(state, mean(losses)));
    }
  } catch (error) {
    if (error instanceof StatesLost && last) {
      return { last: { ...last, step: error.steps }, loss: mean(losses), interrupted, lost: error.message };
    }
    if (!(error instanceof Interrupted)) throw error;
    interrupted = true;
  }
  return { last, loss: mean(losses), interrupted };
}

function progressLine(state: TrainingState, loss: number): string {
  const { step, steps, gradientNorm, validationLoss, rate, secondsLeft } = state;
  const validation = Number.isFinite(validationLoss) ? validationLoss.toPrecision(3) : "-";
  const left = Number.isNaN(secondsLeft) ? "" : `, ${duration(secondsLeft)} left`;
  return (
    `step ${step}/${steps} loss ${loss.toPrecision(3)} gradient ${gradientNorm.toPrecision(2)} ` +
    `validation ${validation} rate ${rate.toExponential(1)}${left}`
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * A first Ctrl-C is for the training, which stops within one step, and lets a model be saved; a second ends the
 * process. Returns a function that puts back what Ctrl-C did before.
 */
function leaveInterruptToTraining(): () => void {
  let count = 0;
  const listen = (): void => {
    if (++count < 2) return;
    abandonAll();
    process.exit(STATUS_INTERRUPTED);
  };
  // What batch systems send before they kill is for the training, too. A terminal that is closed may tell it more than once.
  const forward = (): void => void process.emit("SIGINT");
  const forwardOnce = (): void => void (count === 0 && forward());
  const nohup = outlivesTerminal();
  const taken = (["SIGINT", "SIGTERM", "SIGHUP"] as const).filter(
    (signal) => !(nohup && signal === "SIGHUP"),
  );
  const changes = taken.map((signal) => {
    const before = process.listeners(signal);
    const own = { SIGINT: listen, SIGTERM: forward, SIGHUP: forwardOnce }[signal];
    // The new listener first: without any for a moment, a signal on its way would be lost.
    process.on(signal, own);
    for (const listener of before) process.removeListener(signal, listener);
    return () => {
      process.removeListener(signal, own);
      for (const listener of before) process.on(signal, listener);
    };
  });
  return () => changes.forEach((undo) => undo());
}

export function command(): Command {
  return new Command("train")
    .requiredOption(
      "--data <file.arrow>",
      "data set to train on, as written by generate; - is standard input",
    )
    .addOption(
      conventionOption("of data that do not say it, as after a way through pandas, polars or duckdb"),
    )
    .requiredOption(
      "--out <folder>",
      "folder of the model; a model that is there is replaced when the training ends",
    )
    .option(
      "--preset <name>",
      "lesson (minutes), fast (ten minutes, at the sampling floor), best (an hour) or blog (as published: hours)",
      "fast",
    )
    .option(
      "--in-memory",
      "load the data whatever their size (default: where they fit into half of the memory that is free)",
    )
    .option("--from-file", "read rows from the file whenever they are needed, even if they fit into memory")
    .addOption(
      new Option(
        "--fields <whose>",
        "train on the fields of the file, or on those that the solver gives for its porosities, where the two differ",
      )
        .default("file")
        .argParser((text) => oneOf("The choice of fields", text, FIELDS_FROM)),
    )
    .option("--minutes <m>", "length of the training in minutes", (text) =>
      finiteInRange("The training's length", text, 0.001, 1e6, "minutes"),
    )
    .option(
      "--epochs <n>",
      "length of the training in passes over the data (default: the preset's)",
      (text) => finiteInRange("The number of epochs", text, 1e-6, 1e9),
    )
    .option("--steps <n>", "length of the training in steps", (text) =>
      positiveInteger("The number of steps", text),
    )
    .option(
      "--checkpoint <folder>",
      "keep the training's last three states and the best one in this folder (safetensors), every five minutes",
    )
    .option("--resume", "go on from the newest state in that folder, if there is one")
    .addOption(
      new Option(
        "--on-divergence <what>",
        "when the loss explodes: stop, or step-back to the last state, at half the rate",
      )
        .choices(["stop", "step-back"])
        .default("stop"),
    )
    .option(
      "--seed <s>",
      "seed of the first weights and of the random numbers, from 0 to 2^53 - 1",
      (text) => integerInRange("The seed", text, 0, Number.MAX_SAFE_INTEGER),
      1,
    )
    .action(runTraining);
}
