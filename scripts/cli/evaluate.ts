import fs from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Command, Option } from "commander";
import { InputError, integerInRange, oneOf, positiveInteger, shown } from "../../lib/backend/errors";
import { derivedSeed } from "../../lib/evaluation/derivedSeed";
import { type DrawFields, evaluateAt, evaluateFullyAt, type Evaluation } from "../../lib/evaluation/evaluate";
import {
  HELD_OUT_SETS,
  heldOutConditions,
  type HeldOutSet,
  referenceConditions,
} from "../../lib/evaluation/heldOut";
import { atConditions, confirmLargest, summariseEvaluations } from "../../lib/evaluation/manyConditions";
import {
  evaluationHead,
  evaluationLine,
  evaluationSummary,
  formatFullEvaluation,
  formatHeldOut,
} from "../../lib/evaluation/report";
import { evaluateOnHeldOut } from "../../lib/evaluation/imported";
import { sameProblem } from "../../lib/data/conditions";
import { describeProblem, isImported } from "../../lib/presets/importedData";
import { readDataSet } from "../../lib/storage/arrowReader";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import type { DataSet } from "../../lib/dataSet";
import type { SampleProgress } from "../../lib/storage/samplingRun";
import type { Problem } from "../../lib/problem";
import type { ScoreModel } from "../../lib/scoreModel";
import { streams } from "../../lib/backend/streams";
import { type StoredEvaluations, storedEvaluations } from "../../lib/storage/evaluations";
import { AtomicFile, writeWhole } from "../../lib/storage/files";
import { conditionHelp, conditionsFrom } from "./conditions";
import { breakEven, type Cost, formatCost } from "./cost";
import { Progress } from "./progress";
import { addSamplingOptions, modelFrom, type SamplingOptions, warn } from "./samplingOptions";

interface Options extends SamplingOptions {
  set: HeldOutSet;
  conditions: number;
  n: number;
  sets: number;
  confirm?: number;
  from?: string;
  json?: string;
  data?: string;
}

/** Distances of all pairs of 2 n rows are held at once: 800 MB for this n. */
const MOST_ROWS = 10_000;
const MOST_SETS = 1000;

/** What is added to the name of an evaluation's file until all is measured: who finds the file itself finds it whole. */
const PART = ".part";

/** Keeps results: those of some conditions for another evaluation to go on from, or all. */
interface Save {
  readonly soFar: (result: object) => void;
  readonly whole: (result: object) => void;
}

/** Measures the model at conditions, unless an earlier evaluation has it. */
interface Measurement {
  readonly at: (conditions: Float64Array) => Promise<Evaluation>;
  readonly earlier: readonly Evaluation[];
}

async function runEvaluation(options: Options, command: Command): Promise<void> {
  const { model, sampler, steps, warning } = await modelFrom(options);
  const { sampleFields } = await import("../../lib/storage/samplingRun");
  const { problem } = model;
  const { conditionsWarning } = await import("../../lib/evaluation/warnings");
  const at = conditionsAsked(problem, command);
  checkData(problem, options);
  const head = {
    problem: problem.name,
    settings: problem.settings,
    folder: options.model,
    history: model.history,
    sampler: sampler.name,
    steps,
    seed: options.seed,
    rows: options.n,
    sets: options.sets,
  };
  if (options.data !== undefined) {
    warn(warning);
    const { sampleEach } = await import("../../lib/storage/samplingRun");
    const drawing = new Progress("fields");
    return evaluateOnData(problem, options, head, async (conditions, seed) => {
      const onProgress = ({ fields, count }: SampleProgress) => drawing.update(fields, count);
      try {
        return await sampleEach(model, conditions, { seed, sampler, steps, onProgress });
      } finally {
        drawing.end();
      }
    });
  }
  const earlier = options.from === undefined ? undefined : earlierOf(options.from, head);
  const known = earlier ? [...earlier.evaluations, earlier.reference] : [];
  const places = at ? [at] : heldOutConditions(problem, options.conditions, options.set);
  const wanted = at ? places : [...places, referenceConditions(problem)];
  const missing = wanted.filter((place) => !atConditions(known, place));
  const progress = new Progress("fields");
  let drawn = 0;
  let all = missing.length * options.sets * options.n;
  const draw: DrawFields = async (conditions, count, seed) => {
    const onProgress = ({ fields }: { fields: number }): void => progress.update(drawn + fields, all);
    const set = await sampleFields(model, conditions, {
      count,
      seed,
      sampler,
      steps,
      onProgress,
    });
    drawn += count;
    return set;
  };
  const measurement = (before: readonly Evaluation[], sets: number, seed: number): Measurement => ({
    at: async (conditions) => {
      const same = atConditions(before, conditions);
      if (same?.model.sets === sets) return same;
      all = Math.max(all, drawn + sets * options.n); // how much is measured again was not known before
      return evaluateAt(problem, conditions, draw, { rows: options.n, sets, seed });
    },
    earlier: before,
  });
  const { sets, confirm, seed } = options;
  const first = measurement(known, sets, seed);
  const fresh =
    confirm === undefined
      ? undefined
      : measurement(earlier?.again ?? [], confirm, derivedSeed(seed, streams.confirmation));
  const print = (text: string): void => {
    progress.end(); // the progress line must not stand in the output's way
    process.stdout.write(`${text}\n`);
  };
  const { json } = options;
  const write = (name: string, result: object): void =>
    writeWhole(name, Buffer.from(`${JSON.stringify({ ...head, ...result }, null, 1)}\n`));
  const save: Save = {
    soFar: (result) => json !== undefined && write(json + PART, result),
    whole(result) {
      if (json === undefined) return;
      write(json, result);
      fs.rmSync(json + PART, { force: true });
    },
  };
  if (json !== undefined) new AtomicFile(json).abandon(); // whether it can be written is better known before than after
  warn(warning);
  if (at) warn(conditionsWarning(model, at));
  try {
    print(
      `${problem.name}, ${Object.entries(problem.settings).flat().join(" ")}; ${options.model}; ` +
        `${sampler.name}, ${steps} steps, seed ${options.seed}`,
    );
    if (at) save.whole(await evaluateOne(model, at, draw, options, print));
    else await evaluateMany(problem, places, { first, fresh, options, print, save });
  } finally {
    progress.end();
  }
}

/** The evaluations in a file. Throws InputError unless they are of the same model, measured in the same way. */
function earlierOf(file: string, head: Readonly<Record<string, unknown>>): StoredEvaluations {
  const earlier = storedEvaluations(file);
  for (const [name, value] of Object.entries(head)) {
    const before = earlier.head[name];
    // The same model may be in another folder; it is known by the history of its training.
    if (name === "folder" || isDeepStrictEqual(JSON.parse(JSON.stringify(value)), before)) continue;
    const values = typeof value === "object" ? "" : ` (${shown(before)}, not ${shown(value)})`;
    throw new InputError(
      `${shown(file)} has another ${name} than this evaluation${values}; give the same model and options, or leave ` +
        `out --from.`,
    );
  }
  return earlier;
}

/** The conditions given as options; undefined if there are none. Throws InputError if a set is given as well. */
function conditionsAsked(problem: Problem, command: Command): Float64Array | undefined {
  if (command.args.length === 0) return undefined;
  const conditions = conditionsFrom(problem, command.args);
  for (const name of ["set", "conditions", "confirm", "from", "data"]) {
    if (command.getOptionValueSource(name) === "cli") {
      throw new InputError(`Conditions are given, and --${name} as well; give one or the other.`);
    }
  }
  return conditions;
}

/** Throws InputError unless the data are there where no solver is, and only there. */
function checkData(problem: Problem, { data }: Options): void {
  if (isImported(problem) === (data !== undefined)) return;
  throw new InputError(
    data === undefined
      ? "The model's data were imported, and there is no solver to draw more of them; give --data with rows that were held " +
          "out of its training, and no conditions."
      : `There is a solver for the problem ${problem.name}, which draws what the model is compared with; leave out --data.`,
  );
}

/** Compares a model with rows that were held out of its training. */
async function evaluateOnData(
  problem: Problem,
  { data: file, model, n, seed, json }: Options,
  head: object,
  draw: (conditions: Float64Array, seed: number) => Promise<DataSet>,
): Promise<void> {
  const data = await readDataSet(file!);
  if (!sameProblem(problem, data.problem)) {
    throw new InputError(
      `${shown(file)} holds ${describeProblem(data.problem)}, of other conditions, ranges or fields than the model's data; ` +
        `give the file that import wrote as --held-out beside them.`,
    );
  }
  const evaluation = await evaluateOnHeldOut(data, draw, { rows: n, seed });
  const { rows } = evaluation;
  const floorSource = `${rows} other rows of ${shown(file)}, as there is no solver to draw more`;
  const lines = [
    `${describeProblem(problem)}; ${model}`,
    `reference: ${rows} of ${data.rows} rows of ${shown(file)}; sample: the model at the floor's conditions, row for row`,
    `floor: ${floorSource}`,
    "",
    formatHeldOut(evaluation),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  if (json !== undefined) {
    writeWhole(json, Buffer.from(`${JSON.stringify({ ...head, ...evaluation, floorSource }, null, 1)}\n`));
  }
}

/** Prints everything about one set of conditions; returns what is to be saved. */
async function evaluateOne(
  { problem, history }: ScoreModel,
  at: Float64Array,
  draw: DrawFields,
  { n: rows, sets, seed }: Options,
  print: (text: string) => void,
): Promise<object> {
  const evaluation = await evaluateFullyAt(problem, at, draw, { rows, sets, seed });
  const { model, comparison, controls, seconds } = evaluation;
  const cost: Cost = {
    fields: rows * sets,
    solverSeconds: seconds.solver,
    modelSeconds: seconds.model,
    trainingSeconds: numberOr(history.seconds),
    trainingFields: numberOr(history.rows),
  };
  print(
    problem.conditions.map(({ name, unit }, k) => `${name} ${at[k]} ${unit}`.replace(/_/g, " ")).join(", "),
  );
  print(`\n${formatFullEvaluation(problem, evaluation)}\n\n${formatCost(cost)}`);
  const from = breakEven(cost);
  return {
    conditions: byName(problem, at),
    model,
    comparison,
    controls: {
      ...controls,
      nearest: { ...controls.nearest, conditions: byName(problem, controls.nearest.conditions) },
    },
    cost: { ...cost, breakEven: from === Infinity ? "never" : from },
  };
}

/** Prints a line for each set of conditions and a summary. Saves what there is after each measurement, and all in the end. */
async function evaluateMany(
  problem: Problem,
  places: readonly Float64Array[],
  {
    first,
    fresh,
    options: { n: rows, sets, set },
    print,
    save,
  }: {
    readonly first: Measurement;
    /** Measures again, with fresh sets; undefined where nothing is to be confirmed. */
    readonly fresh: Measurement | undefined;
    readonly options: Options;
    readonly print: (text: string) => void;
    readonly save: Save;
  },
): Promise<void> {
  print(`set ${set}: ${places.length} conditions, each ${sets} sets of ${rows} rows\n`);
  print(evaluationHead(problem));
  const evaluations: Evaluation[] = [];
  const again: Evaluation[] = [];
  const reference = await first.at(referenceConditions(problem));
  const named = ({ conditions, ...rest }: Evaluation) => ({
    ...rest,
    conditions: byName(problem, conditions),
  });
  const resultOf = (evaluations: readonly Evaluation[], again: readonly Evaluation[]) => {
    const { worst, ...medians } = summariseEvaluations(evaluations, again);
    return {
      set,
      evaluations: evaluations.map(named),
      ...(again.length > 0 ? { again: again.map(named) } : {}),
      median: medians,
      worst: named(worst),
      reference: named(reference),
    };
  };
  /** Saves what is measured, and what is known of what comes next. */
  const saveSoFar = (): void => {
    const next = places.slice(evaluations.length).flatMap((at) => atConditions(first.earlier, at) ?? []);
    const confirmed = (fresh?.earlier ?? []).filter(({ conditions }) => !atConditions(again, conditions));
    save.soFar(resultOf([...evaluations, ...next], [...again, ...confirmed]));
  };
  for (const [number, at] of places.entries()) {
    const evaluation = await first.at(at);
    evaluations.push(evaluation);
    print(evaluationLine(String(number + 1), evaluation));
    saveSoFar();
  }
  if (fresh) {
    await confirmLargest(evaluations, async (largest) => {
      const evaluation = await fresh.at(largest.conditions);
      again.push(evaluation);
      print(evaluationLine(`again ${evaluations.indexOf(largest) + 1}`, evaluation));
      saveSoFar();
      return evaluation;
    });
  }
  print(evaluationSummary(evaluations, reference, again));
  const floor = reference.model.meanErrorFloor.toPrecision(3);
  print(`expected of the PDE: floor ratio 1, mean error ${floor}, std ratio 1`);
  save.whole(resultOf(evaluations, again));
}

function byName(problem: Problem, conditions: Float64Array): Record<string, number> {
  return Object.fromEntries(problem.conditions.map(({ name }, k) => [name, conditions[k]]));
}

function numberOr(value: unknown): number {
  return typeof value === "number" ? value : NaN;
}

export function command(): Command {
  const verb = new Command("evaluate")
    .usage("[options] [--<condition> <value> ...]")

    .addOption(
      new Option("--set <name>", `conditions that no training sees: ${HELD_OUT_SETS.join(" or ")}`)
        .default("test")
        .argParser((text) => oneOf("The set of conditions", text, HELD_OUT_SETS)),
    )
    .option(
      "--conditions <k>",
      "number of them, the ends of all ranges first",
      (text) => positiveInteger("The number of conditions", text, 1_000_000),
      50,
    )
    .option(
      "--n <rows>",
      "fields of each set",
      (text) => integerInRange("The number of fields", text, 2, MOST_ROWS),
      2000,
    )
    .option(
      "--sets <m>",
      "independent pairs of sets, of the PDE and of the model",
      (text) => positiveInteger("The number of sets", text, MOST_SETS),
      4,
    )
    .option(
      "--confirm <m>",
      "measure the condition of the largest ratio again, with so many fresh sets, until the largest is such a one",
      (text) => positiveInteger("The number of fresh sets", text, MOST_SETS),
    )
    .option("--data <file.arrow>", "of imported data: rows that were held out, in the place of the solver's")
    .option("--from <file>", "take what is in such a file of an earlier evaluation (--json) from there");
  return addSamplingOptions(verb)
    .option(
      "--json <file>",
      `file to write all numbers to; until it is complete, FILE${PART} has what is measured, for --from`,
    )
    .addHelpText(
      "after",
      `\nThe floor ratio is the energy distance between the model's and the PDE's fields, in units of that between two\n` +
        `sets of the PDE, +- its spread over the sets: 1 means indistinguishable. "pooled" is the same from all pairs of\n` +
        `all sets, which scatters less. With all conditions given, the fields there are compared in\n` +
        `detail, beside controls; without any, one line is printed for each of a set of conditions.\n` +
        conditionHelp(porousElectrode("figures")),
    )
    .allowUnknownOption()
    .allowExcessArguments()
    .action(runEvaluation);
}
