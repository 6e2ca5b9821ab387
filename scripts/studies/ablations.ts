/**
 * Variants of models trained for equal compute, several seeds each: data/results/ablations.json.
 *
 * Lengths are in steps, so that a run repeats exactly: a calibration measures each variant's step by turns with the
 * base's, and all have steps for the same time. What is done is kept after every run, and a run is done again only when
 * its settings changed.
 */
import fs from "node:fs";
import type { DataSet } from "../../lib/dataSet";
import { InputError } from "../../lib/backend/errors";
import { pooledRatio, pooledReference, Reference } from "../../lib/evaluation/floorRatio";
import { heldOutConditions, referenceConditions } from "../../lib/evaluation/heldOut";
import { influenceOfFirstCell } from "../../lib/evaluation/receptiveField";
import { median } from "../../lib/evaluation/statistics";
import type {
  AblationCondition,
  AblationRun,
  AblationStudy,
  AblationVariant,
} from "../../lib/evaluation/studies";
import { conditionalMoments } from "../../lib/gaussian/conditionalMoments";
import { simulatedMoments } from "../../lib/gaussian/simulatedMoments";
import { buildModel, createModel, type PresetModel, type Scaling } from "../../lib/presets/createModel";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { generateDataSet, simulateAt } from "../../lib/presets/simulate";
import type { Problem } from "../../lib/problem";
import { derivedSeed } from "../../lib/evaluation/derivedSeed";
import { globalStandardisation } from "../../lib/standardisation";
import { sampleFields } from "../../lib/storage/samplingRun";
import { trainModel } from "../../lib/storage/trainingRun";
import { questions, type Variant, variants } from "./ablationVariants";

export interface AblationOptions {
  /** Minutes of a training with factor 1. */
  readonly minutes: number;
  readonly seeds: number;
  /** Measure the time of steps again. */
  readonly calibrate: boolean;
  /** Only these variants. */
  readonly only?: readonly string[];
}

const DATA_SEED = 101;
const MOMENT_SEED = 102;
const EVALUATION_SEED = 103;
const MOMENT_DRAWS = 4000;
const REFERENCE_ROWS = 8000;
const FLOOR_ROWS = 2000;
const CONTROLS = 6;
/** Share of a training over which the rate rises, where the preset has a warm-up at all: that of fast. */
const WARM_UP = 0.05;

/** Conditions of the evaluation (by their number in the tuning set), and fields drawn there from models of each kind. */
const PLACES: readonly Place[] = [
  { name: "reference", rows: { token: 2000, film: 500, filmResidual: 1000 } },
  { name: "smallest correlation length", number: 0, rows: { token: 1000, film: 0, filmResidual: 0 } },
  { name: "inside the ranges", number: 14, rows: { token: 1000, film: 0, filmResidual: 0 } },
];
interface Place {
  readonly name: string;
  readonly number?: number;
  /** A field of the blog's network costs five times as much; at a large floor ratio few of them tell enough. */
  readonly rows: { readonly token: number; readonly film: number; readonly filmResidual: number };
}

function rowsAt({ rows }: Place, { model }: Variant): number {
  if (model.network.kind === "token") return rows.token;
  return model.target === "residual" ? rows.filmResidual : rows.film;
}

function callsOf({ target }: Variant["model"]): number {
  return target === "residual" ? CALLS.residual : CALLS.others;
}

/** Network calls of a sample: below the scatter of the estimate for both samplers (see the study of samplers). */
const CALLS = { residual: 12, others: 20 } as const;

/**
 * Runs what is missing in the study of `file`, handing it to `save` after each run.
 *
 * Throws InputError where the file's study is of other minutes.
 */
export async function ablationStudy(
  file: string,
  options: AblationOptions,
  save: (study: AblationStudy) => void,
  print: (text: string) => void,
): Promise<void> {
  const found = fs.existsSync(file)
    ? (JSON.parse(fs.readFileSync(file, "utf8")) as AblationStudy)
    : undefined;
  if (found && found.minutes !== options.minutes) {
    throw new InputError(
      `The study of ${file} is of trainings of ${found.minutes} minutes; give --minutes ${found.minutes} or remove the file.`,
    );
  }
  const problem = porousElectrode("figures");
  const before = options.calibrate ? [] : (found?.variants ?? []);
  const measured = await calibration(problem, before, options.minutes, print);
  const { conditions, references } = evaluationAt(problem, print);
  const names = new Set(variants.map(({ name }) => name));
  let runs = (found?.runs ?? []).filter(({ variant }) => names.has(variant));
  const studyNow = (): AblationStudy => ({
    problem: "porous-electrode, convention figures",
    minutes: options.minutes,
    evaluation: { floorRows: FLOOR_ROWS, referenceRows: REFERENCE_ROWS, conditions },
    questions,
    variants: measured,
    runs,
  });
  save(studyNow());
  const material = materialOf(problem);
  for (let seed = 1; seed <= options.seeds; seed++) {
    for (const [i, variant] of variants.entries()) {
      if (options.only && !options.only.includes(variant.name)) continue;
      const fingerprint = fingerprintOf(variant, measured[i].steps);
      const same = (run: AblationRun) => run.variant === variant.name && run.seed === seed;
      if (runs.some((run) => same(run) && run.fingerprint === fingerprint)) continue;
      const run = await runOnce(variant, measured[i].steps, seed, material, references, fingerprint);
      runs = [...runs.filter((other) => !same(other)), run];
      save(studyNow());
      const ratios = run.results.map(({ floorRatio }) => floorRatio?.toFixed(2) ?? "not finite").join(", ");
      print(
        `seed ${seed} ${variant.name.padEnd(14)} ${run.steps} steps in ${run.trainingSeconds.toFixed(0)} s, ` +
          `loss ${run.loss?.toFixed(4)}, floor ratio ${ratios} (${run.evaluationSeconds.toFixed(0)} s)`,
      );
    }
  }
}

/** What a run's numbers depend on. */
function fingerprintOf(variant: Variant, steps: number): string {
  const { model, training, data, moments, affine } = variant;
  const rows = PLACES.map((place) => rowsAt(place, variant));
  return JSON.stringify({ model, training, data, moments, affine, steps, rows, calls: callsOf(model) });
}

/** Data and moments that variants share, made when first asked for. */
interface Material {
  data(variant: Variant): DataSet;
  model(variant: Variant, seed: number): PresetModel;
}

function materialOf(problem: Problem): Material {
  const fieldsOnly: Problem = { ...problem, affineIn: [] };
  const plain = remembered(({ data }: Variant) => generateDataSet(problem, { ...data, seed: DATA_SEED }));
  const data = (variant: Variant): DataSet => ({
    ...plain(variant),
    problem: variant.affine ? problem : fieldsOnly,
  });
  const fromSolver = remembered((variant) => simulatedMoments(plain(variant), MOMENT_DRAWS, MOMENT_SEED));
  const fromData = remembered((variant) => conditionalMoments(data(variant)));
  const scaling = (variant: Variant): Scaling => {
    if (variant.model.standardisation === "global")
      return { standardisation: globalStandardisation(plain(variant)) };
    const moments = variant.moments === "solver" ? fromSolver(variant) : fromData(variant);
    return variant.model.target === "residual" ? moments : { standardisation: moments.standardisation };
  };
  const model = (variant: Variant, seed: number): PresetModel =>
    buildModel(data(variant).problem, variant.model, scaling(variant), seed);
  return { data, model };
}

/** One value for all variants of the same data and problem. */
function remembered<Value>(make: (variant: Variant) => Value): (variant: Variant) => Value {
  const known = new Map<string, Value>();
  return (variant) => {
    const key = JSON.stringify([variant.data, variant.affine]);
    if (!known.has(key)) known.set(key, make(variant));
    return known.get(key) as Value;
  };
}

async function runOnce(
  variant: Variant,
  steps: number,
  seed: number,
  material: Material,
  references: readonly Reference[],
  fingerprint: string,
): Promise<AblationRun> {
  const model = material.model(variant, seed);
  let trained = processorSeconds();
  let [sum, count, validationLoss] = [0, 0, NaN];
  let diverged = false;
  const warmUp = variant.training.warmUp === 0 ? 0 : Math.round(WARM_UP * steps);
  try {
    const training = trainModel(model, material.data(variant), { ...variant.training, warmUp }, { steps, seed, validateEvery: steps }); // prettier-ignore
    for await (const state of training) {
      if (state.step === 1) trained = processorSeconds(); // the data are tensors now
      if (state.step > 0.9 * steps) [sum, count] = [sum + state.loss, count + 1];
      validationLoss = state.validationLoss;
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    diverged = true;
  }
  const done = processorSeconds();
  const results: AblationRun["results"][number][] = [];
  for (const [i, place] of PLACES.entries()) {
    const rows = rowsAt(place, variant);
    if (rows > 0) results.push(await evaluate(model, place.name, references[i], rows, seed));
  }
  model.dispose();
  return {
    variant: variant.name,
    seed,
    fingerprint,
    steps,
    loss: diverged ? null : finite(sum / count),
    validationLoss: finite(validationLoss),
    trainingSeconds: finite(done - trained, 3) ?? 0,
    evaluationSeconds: finite(processorSeconds() - done, 3) ?? 0,
    results,
  };
}

async function evaluate(
  model: PresetModel,
  condition: string,
  reference: Reference,
  rows: number,
  seed: number,
): Promise<AblationRun["results"][number]> {
  const { sampler } = model;
  const networkCalls = callsOf(model.settings);
  const about = { condition, rows, sampler: sampler.name, networkCalls };
  const steps = networkCalls / sampler.networkCallsPerStep;
  // All variants of one seed start from the same noise, so that much of its scatter is common to them.
  const drawing = { count: rows, sampler, steps, seed: derivedSeed(EVALUATION_SEED, 1, seed) };
  const conditions = referenceOf(reference);
  try {
    const drawn = await sampleFields(model, conditions, drawing);
    const { pooled, meanError, stdRatio } = pooledRatio(reference, drawn);
    return {
      ...about,
      floorRatio: finite(pooled),
      meanError: finite(meanError),
      stdRatio: finite(stdRatio),
    };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...about, floorRatio: null, meanError: null, stdRatio: null };
  }
}

/** The conditions of a reference's rows, all the same. */
function referenceOf({ sample }: Reference): Float64Array {
  const { conditions, rows } = sample as DataSet;
  return conditions.slice(0, conditions.length / rows);
}

/** Processor time of this process so far, s. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** A number for the file, or null for one that JSON does not have. */
function finite(value: number, digits = 5): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : null;
}

/** PDE sets to compare with, and what further PDE sets come to by the same estimator. */
function evaluationAt(
  problem: Problem,
  print: (text: string) => void,
): { conditions: AblationCondition[]; references: Reference[] } {
  const references: Reference[] = [];
  const conditions = PLACES.map((place, i): AblationCondition => {
    const { number } = place;
    const at =
      number === undefined
        ? referenceConditions(problem)
        : heldOutConditions(problem, number + 1, "tuning")[number];
    const set = (which: number, rows: number) =>
      simulateAt(problem, at, rows, derivedSeed(EVALUATION_SEED, 2, i, which));
    const reference = pooledReference(set(0, REFERENCE_ROWS), FLOOR_ROWS);
    references.push(reference);
    const counts = [...new Set(Object.values(place.rows))].filter((count) => count > 0);
    const control = counts.map((rows, k) => {
      const ratio = (c: number) => pooledRatio(reference, set(1 + k * CONTROLS + c, rows)).pooled;
      const floorRatios = Array.from({ length: CONTROLS }, (_, c) => finite(ratio(c))!);
      print(`PDE, ${place.name}, ${rows} rows: floor ratio ${floorRatios.join(", ")}`);
      return { rows, floorRatios };
    });
    return { name: place.name, conditions: [...at], floor: finite(reference.floor)!, control };
  });
  return { conditions, references };
}

/** Steps that are timed at a time, and how often. */
const TIMED = 4;
const ROUNDS = 5;

/**
 * Measures the processor time of a step of each variant by turns with the base's, the first variant, and gives each the
 * steps that take equally long; what was measured before is kept while the settings are the same.
 *
 * Other programs hardly count in processor time, and what they do to the caches they do to both alike.
 */
async function calibration(
  problem: Problem,
  found: readonly AblationVariant[],
  minutes: number,
  print: (text: string) => void,
): Promise<AblationVariant[]> {
  const [first] = variants;
  const known = new Map<string, Pick<AblationVariant, "parameters" | "reach" | "relativeStep">>();
  for (const { settings, parameters, reach, relativeStep } of found)
    known.set(settings, { parameters, reach, relativeStep });
  let baseSeconds = found.find(({ settings }) => settings === timedSettings(first))?.stepSeconds;
  const missing = variants.filter((variant) => !known.has(timedSettings(variant)));
  if (missing.length > 0) {
    print("Measuring the time of steps");
    const data = generateDataSet(problem, { conditions: 40, fields: 40, seed: DATA_SEED });
    const base = await timed(first, data);
    const own: number[] = [];
    for (const variant of missing) {
      const settings = timedSettings(variant);
      if (known.has(settings)) continue; // as a variant before it
      const other = await timed(variant, data);
      const ratios: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        own.push(await base.seconds());
        ratios.push((await other.seconds()) / own[own.length - 1]);
      }
      const relativeStep = variant === first ? 1 : finite(median(ratios), 3)!;
      known.set(settings, { ...sizeOf(other.model), relativeStep });
      await other.close();
      print(`${variant.name.padEnd(14)} ${relativeStep.toFixed(2)} x the step of ${first.name}`);
    }
    await base.close();
    baseSeconds ??= finite(median(own), 4)!;
    print(`A step of ${first.name} takes ${(1000 * baseSeconds).toFixed(0)} ms`);
  }
  return variants.map((variant) => {
    const { name, description, factor, training, data } = variant;
    const settings = timedSettings(variant);
    const timing = known.get(settings)!;
    const stepSeconds = finite(baseSeconds! * timing.relativeStep, 4)!;
    const steps = Math.max(1, Math.round((60 * minutes * factor) / stepSeconds));
    return {
      name,
      description,
      factor,
      batch: training.batch,
      data,
      ...timing,
      stepSeconds,
      steps,
      settings,
    };
  });
}

/** What the time of a step depends on. */
function timedSettings({ model, training, affine }: Variant): string {
  return JSON.stringify({ model, training, affine });
}

/** A training on a small data set, on which the time of a step does not depend; its first steps, slower, are done. */
async function timed(variant: Variant, data: DataSet) {
  const problem = { ...data.problem, affineIn: variant.affine ? data.problem.affineIn : [] };
  const own = { ...data, problem };
  // The data's own moments do.
  const model = createModel(own, { ...variant, model: { ...variant.model, momentDraws: undefined } });
  const steps = trainModel(model, own, variant.training, { steps: 100_000, validateEvery: 100_000 });
  /** Mean processor time of the next steps, s. */
  const seconds = async (): Promise<number> => {
    const start = processorSeconds();
    for (let step = 0; step < TIMED; step++) await steps.next();
    return (processorSeconds() - start) / TIMED;
  };
  await seconds();
  const close = async (): Promise<void> => {
    await steps.return();
    model.dispose();
  };
  return { model, seconds, close };
}

function sizeOf({ network, problem }: PresetModel): Pick<AblationVariant, "parameters" | "reach"> {
  const [x, conditions] = network.inputs;
  const shape = { cells: problem.cells, fields: x.shape[2]!, conditions: conditions.shape[1]! };
  const influence = influenceOfFirstCell(network, shape);
  return {
    parameters: network.countParams(),
    reach: influence.reduce((last, value, i) => (value > 0 ? i : last), 0),
  };
}
