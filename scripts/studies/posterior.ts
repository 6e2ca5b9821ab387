/**
 * Posteriors from sensors against the solver's own, and their calibration: data/results/posterior.json.
 *
 * Truths are taken in turn at all conditions and for all sets of sensors, and what is done is kept after each, so that the
 * study can be stopped at any time, and goes on where it was.
 */
import fs from "node:fs";
import { columnMean, columnStd } from "../../lib/comparison";
import { tf } from "../../lib/backend/tensors";
import { finish } from "../../lib/backend/interrupt";
import { derivedSeed } from "../../lib/evaluation/derivedSeed";
import { median } from "../../lib/evaluation/statistics";
import type { PosteriorRun, PosteriorStudy, RankRun } from "../../lib/evaluation/studies";
import { gaussianExact } from "../../lib/gaussian/exactSampler";
import { crankNicolson } from "../../lib/posterior/crankNicolson";
import { diffusionPosteriorSampling } from "../../lib/posterior/dps";
import { gaussianGuidance } from "../../lib/posterior/gaussianGuidance";
import { linearisedImportance, type WeightedFields } from "../../lib/posterior/importance";
import { kalmanDraws } from "../../lib/posterior/kalman";
import { momentMatching } from "../../lib/posterior/mmps";
import { type LinearObservation, observationOf, type Sensor } from "../../lib/posterior/observation";
import { type ModelPrior, modelPrior } from "../../lib/posterior/prior";
import { electrodeSimulator } from "../../lib/posterior/simulator";
import { systematic } from "../../lib/posterior/resampling";
import { twistedSampling } from "../../lib/posterior/twisted";
import type { PresetModel } from "../../lib/presets/createModel";
import { PotentialInversion } from "../../lib/presets/recoveredPorosity";
import { simulateAt } from "../../lib/presets/simulate";
import { Random } from "../../lib/random";
import { sample } from "../../lib/samplers";
import { tensorSpace } from "../../lib/sampling";
import { loadModel } from "../../lib/storage/modelFolder";

export interface PosteriorOptions {
  readonly truths: number;
  readonly pairs: number;
}

type Method = "twisted" | "jfps" | "mmps" | "kalman" | "dps";
const METHODS: readonly Method[] = ["twisted", "jfps", "mmps", "kalman", "dps"];
const MODEL = "data/models/figures";
const CELLS = 100;
const WIDTH = 2 * CELLS;
const CONDITIONS: readonly { readonly name: string; readonly at: readonly number[] }[] = [
  { name: "l = L/10", at: [1e-5, 0, 25] },
  { name: "l = L/5", at: [2e-5, -0.1, 10] },
  { name: "l = L/40", at: [2.5e-6, 0.1, 40] },
];
/** Cells of the sensors of c and of phi; the noise of each is so many of the prior's standard deviations there. */
const NOISE = 0.1;
const SETS: readonly {
  readonly name: string;
  readonly c: readonly number[];
  readonly phi: readonly number[];
}[] = [
  { name: "blunt", c: [50], phi: [50] },
  { name: "sharp", c: [10, 40, 70], phi: [30, 60, 90] },
];
/** Network calls, and samples of each method for the accuracy. */
const STEPS = { twisted: 60, guided: 32 };
const SAMPLES: Readonly<Record<Method, number>> = {
  twisted: 1000,
  jfps: 500,
  mmps: 150,
  kalman: 4000,
  dps: 150,
};
/** Of DPS: of 0.1, 0.3, 1, 2 and 4 the one of the smallest error, for another truth at the first condition. */
const DPS_WEIGHT = 0.3;
/** Of the reference: solves, and the effective number below which chains take over. */
const SOLVES = 6000;
const LEAST_EFFECTIVE = 400;
const CHAINS = { chains: 400, movesPerTemperature: 10, moves: 60, thin: 6 };
/** Of the calibration: draws of the posterior for each truth, network calls, particles. */
const RANKS = 63;
const RANK_STEPS = 24;
const RANK_PARTICLES = 126;
const SEEDS = { prior: 41, truth: 42, noise: 43, method: 44, pairs: 45 };

/** What stays the same at one set of conditions. */
interface Place {
  readonly conditions: Float64Array;
  readonly deviation: Float64Array;
  readonly priors: Readonly<Record<"twisted" | "guided", ModelPrior>>;
}

function placeAt(model: PresetModel, at: readonly number[], steps: typeof STEPS): Place {
  const conditions = Float64Array.from(at);
  const times = (count: number) => gaussianExact.grid(model.schedule, count, model.noiseLevels);
  const priorOf = (count: number) => finish(modelPrior(model, conditions, times(count)));
  const known = simulateAt(model.problem, conditions, 1000, SEEDS.prior).fields;
  return {
    conditions,
    deviation: columnStd(known, WIDTH),
    priors: { twisted: priorOf(steps.twisted), guided: priorOf(steps.guided) },
  };
}

function dispose({ priors }: Place): void {
  priors.twisted.dispose();
  priors.guided.dispose();
}

/** Sensors at a truth (fields, cells), with noise. */
function sensorsOn(
  truth: Float64Array,
  { deviation }: Place,
  set: (typeof SETS)[number],
  seed: number,
): Sensor[] {
  const random = new Random(seed);
  const on = (field: string, offset: number) => (cell: number) => {
    const std = NOISE * deviation[offset + cell];
    const weights = new Float64Array(CELLS);
    weights[cell] = 1;
    return { field, weights, value: truth[offset + cell] + std * random.normal(), std };
  };
  return [...set.c.map(on("c", 0)), ...set.phi.map(on("phi", CELLS))];
}

/** Samples of a method: fields (rows, fields, cells) with weights. */
function drawn(
  method: Method,
  model: PresetModel,
  place: Place,
  seen: LinearObservation,
  rows: number,
  steps: typeof STEPS,
  seed: number,
): WeightedFields {
  const prior = place.priors[method === "twisted" ? "twisted" : "guided"];
  const observation = prior.inModes(seen);
  const times = (count: number) => gaussianExact.grid(model.schedule, count, model.noiseLevels);
  const equal = new Float64Array(rows).fill(1 / rows);
  const take = (x: tf.Tensor, weights: Float64Array, effective: number): WeightedFields => {
    const fields = prior.fields(x);
    x.dispose();
    return { fields, weights, effective };
  };
  if (method === "kalman") return take(kalmanDraws(prior.variances, observation, rows, 0, seed), equal, rows);
  if (method === "twisted") {
    const found = finish(asWork(twistedSampling(prior, observation, times(steps.twisted), rows, seed)));
    return take(found.x, found.weights, found.effective);
  }
  const denoise =
    method === "jfps"
      ? gaussianGuidance(prior, observation)
      : method === "mmps"
        ? momentMatching(prior, observation)
        : diffusionPosteriorSampling(prior, observation, DPS_WEIGHT);
  const way = times(steps.guided);
  const first = model.schedule.noiseLevel(way[0]);
  const start = tf.tidy(() =>
    kalmanDraws(prior.variances, observation, rows, first, seed).mul(model.schedule.mean(way[0])),
  );
  const space = tensorSpace(seed, 1);
  const x = sample({ ...prior, denoise, sampler: gaussianExact, start, times: way, space });
  start.dispose();
  return take(x, equal, rows);
}

function* asWork<R>(run: Generator<unknown, R, void>): Generator<void, R, void> {
  for (;;) {
    const next = run.next();
    if (next.done) return next.value;
    yield;
  }
}

/** Weighted mean and standard deviation of each column. */
function momentsOf(values: Float64Array, weights: Float64Array): { mean: Float64Array; std: Float64Array } {
  const columns = values.length / weights.length;
  const [mean, square] = [new Float64Array(columns), new Float64Array(columns)];
  weights.forEach((w, row) => {
    for (let i = 0; i < columns; i++) mean[i] += w * values[row * columns + i];
  });
  weights.forEach((w, row) => {
    for (let i = 0; i < columns; i++) square[i] += w * (values[row * columns + i] - mean[i]) ** 2;
  });
  return { mean, std: square.map(Math.sqrt) };
}

/** Porosities (rows, cells) of fields, read back from their potentials; rows whose potential has none keep weight 0. */
function porositiesOf(
  { fields, weights }: WeightedFields,
  flux: number,
): { values: Float64Array; weights: Float64Array } {
  const inversion = new PotentialInversion("figures");
  const values = new Float64Array(weights.length * CELLS);
  const kept = weights.slice();
  for (let row = 0; row < weights.length; row++) {
    const phi = fields.subarray(row * WIDTH + CELLS, (row + 1) * WIDTH);
    const out = values.subarray(row * CELLS, (row + 1) * CELLS);
    if (inversion.recover(phi, flux, out) === undefined) continue;
    out.fill(0.35);
    kept[row] = 0;
  }
  const sum = kept.reduce((total, w) => total + w, 0);
  return { values, weights: kept.map((w) => w / sum) };
}

/** Root mean square over columns of the error of a mean, in the reference's deviations; and of its deviations the ratios. */
function against(
  found: { mean: Float64Array; std: Float64Array },
  exact: { mean: Float64Array; std: Float64Array },
  deviation: Float64Array,
): { error: number; ratios: [number, number, number] } {
  const free = [...exact.std.keys()].filter((i) => deviation[i] > 1e-9 && exact.std[i] > 1e-3 * deviation[i]);
  const squares = free.map((i) => ((found.mean[i] - exact.mean[i]) / exact.std[i]) ** 2);
  const ratios = free.map((i) => found.std[i] / exact.std[i]);
  return {
    error: Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / free.length),
    ratios: [Math.min(...ratios), median(ratios), Math.max(...ratios)],
  };
}

function runAccuracy(
  model: PresetModel,
  place: Place,
  condition: string,
  set: (typeof SETS)[number],
  truth: number,
): PosteriorRun {
  const { conditions, deviation } = place;
  const seed = derivedSeed(SEEDS.truth, truth);
  const fields = simulateAt(model.problem, conditions, 1, seed).fields;
  const sensors = sensorsOn(fields, place, set, derivedSeed(SEEDS.noise, truth));
  const seen = observationOf(model.problem, sensors);
  const simulator = electrodeSimulator(model.problem, conditions);
  const imported = finish(asWork(linearisedImportance(simulator, seen, SOLVES, seed, simulator.porosity)));
  let exact: WeightedFields = imported;
  let reference: PosteriorRun["reference"] = {
    by: "importance sampling",
    effective: Math.round(imported.effective),
  };
  if (imported.effective < LEAST_EFFECTIVE) {
    const chains = finish(asWork(crankNicolson(simulator, seen, { ...CHAINS, seed })));
    const rows = chains.fields.length / WIDTH;
    exact = { fields: chains.fields, weights: new Float64Array(rows).fill(1 / rows), effective: rows };
    reference = { by: "pCN", effective: rows };
  }
  const known = momentsOf(exact.fields, exact.weights);
  const pores = porositiesOf(exact, conditions[2]);
  const knownPores = momentsOf(pores.values, pores.weights);
  const results = METHODS.map((method) => {
    const begin = process.cpuUsage();
    const samples = drawn(
      method,
      model,
      place,
      seen,
      SAMPLES[method],
      STEPS,
      derivedSeed(SEEDS.method, truth),
    );
    const used = process.cpuUsage(begin);
    const found = against(momentsOf(samples.fields, samples.weights), known, deviation);
    const own = porositiesOf(samples, conditions[2]);
    const porosity = against(
      momentsOf(own.values, own.weights),
      knownPores,
      new Float64Array(CELLS).fill(0.1),
    );
    return {
      method,
      error: round(found.error),
      ratios: found.ratios.map(round) as [number, number, number],
      porosityError: round(porosity.error),
      porosityRatio: round(porosity.ratios[1]),
      effective: Math.round(samples.effective),
      seconds: round((used.user + used.system) / 1e6),
    };
  });
  return { condition, sensors: set.name, truth, reference, results };
}

/** Ranks of a truth among draws of the posterior, in four functionals, and scores: one run of each method. */
function runRanks(
  model: PresetModel,
  place: Place,
  pair: number,
  steps: typeof STEPS,
  methods: readonly Method[],
): RankRun {
  const { conditions, deviation } = place;
  const data = simulateAt(model.problem, conditions, 1, derivedSeed(SEEDS.pairs, pair));
  const sensors = sensorsOn(data.fields, place, SETS[0], derivedSeed(SEEDS.noise + 1000, pair));
  const seen = observationOf(model.problem, sensors);
  const truth = functionals(data.fields, data.latent!);
  const results = methods.map((method) => {
    const rows = method === "twisted" ? RANK_PARTICLES : RANKS;
    const seed = derivedSeed(SEEDS.method + 1000, pair);
    const samples = drawn(method, model, place, seen, rows, steps, seed);
    const chosen = systematic(samples.weights, RANKS, new Random(seed, 7).uniform());
    const equal = { ...samples, weights: new Float64Array(rows).fill(1 / rows) };
    const pores = porositiesOf(equal, conditions[2]).values;
    const ranks = truth.map(() => 0);
    const tie = new Random(seed, 8);
    for (const row of chosen) {
      const values = functionals(
        samples.fields.subarray(row * WIDTH, (row + 1) * WIDTH),
        pores.subarray(row * CELLS, (row + 1) * CELLS),
      );
      values.forEach(
        (value, k) => (ranks[k] += value < truth[k] || (value === truth[k] && tie.uniform() < 0.5) ? 1 : 0),
      );
    }
    const picked = Float64Array.from({ length: RANKS * WIDTH }, (_, i) => samples.fields[chosen[Math.floor(i / WIDTH)] * WIDTH + (i % WIDTH)]); // prettier-ignore
    return { method, ranks, ...scores(picked, data.fields, deviation) };
  });
  return { pair, results };
}

/** c(0), phi(L), mean porosity, largest slope of the porosity. */
function functionals(fields: ArrayLike<number>, porosity: ArrayLike<number>): number[] {
  let [sum, steepest] = [0, 0];
  for (let i = 0; i < CELLS; i++) {
    sum += porosity[i];
    if (i > 0) steepest = Math.max(steepest, Math.abs(porosity[i] - porosity[i - 1]));
  }
  return [fields[0], fields[WIDTH - 1], sum / CELLS, steepest];
}

/** Over free cells, in the prior's deviations: continuous ranked probability score, squared error of the mean, variance. */
function scores(
  draws: Float64Array,
  truth: Float64Array,
  deviation: Float64Array,
): { crps: number; error: number; spread: number } {
  const rows = draws.length / WIDTH;
  const [mean, std] = [columnMean(draws, WIDTH), columnStd(draws, WIDTH)];
  let [crps, error, spread, free] = [0, 0, 0, 0];
  for (let i = 0; i < WIDTH; i++) {
    if (!(deviation[i] > 1e-9)) continue;
    const column = Float64Array.from({ length: rows }, (_, row) => draws[row * WIDTH + i]).sort();
    let [distance, pairs] = [0, 0];
    column.forEach((value, k) => {
      distance += Math.abs(value - truth[i]);
      pairs += (2 * k + 1 - rows) * value;
    });
    crps += (distance / rows - pairs / (rows * (rows - 1))) / deviation[i];
    error += ((mean[i] - truth[i]) / deviation[i]) ** 2;
    spread += (std[i] / deviation[i]) ** 2;
    free++;
  }
  return { crps: round(crps / free), error: round(error / free), spread: round(spread / free) };
}

const round = (value: number): number => Number(value.toPrecision(4));

/** Runs what is missing, handing the study to `save` after each run. */
export async function posteriorStudy(
  file: string,
  { truths, pairs }: PosteriorOptions,
  save: (study: PosteriorStudy) => void,
  print: (text: string) => void,
): Promise<void> {
  const found = fs.existsSync(file)
    ? (JSON.parse(fs.readFileSync(file, "utf8")) as PosteriorStudy)
    : undefined;
  const model = await loadModel(MODEL);
  const accuracy = [...(found?.accuracy ?? [])];
  const calibration = [...(found?.calibration ?? [])];
  const saveNow = (): void =>
    save({
      model: MODEL,
      conditions: CONDITIONS,
      noise: NOISE,
      sets: SETS,
      samples: SAMPLES,
      steps: STEPS,
      calibrationSettings: { draws: RANKS, steps: RANK_STEPS, particles: RANK_PARTICLES },
      accuracy,
      calibration,
    });
  const rankSteps = { twisted: RANK_STEPS, guided: RANK_STEPS };
  const rounds = Math.max(truths, Math.ceil(pairs / 25));
  for (let round = 0; round < rounds; round++) {
    for (const { name, at } of round < truths ? CONDITIONS : []) {
      const missing = SETS.filter(
        (set) =>
          !accuracy.some((run) => run.condition === name && run.sensors === set.name && run.truth === round),
      );
      if (missing.length === 0) continue;
      const place = placeAt(model, at, STEPS);
      for (const set of missing) {
        const run = runAccuracy(model, place, name, set, round);
        accuracy.push(run);
        saveNow();
        const told = run.results.map((r) => `${r.method} ${r.error.toFixed(3)} (${r.ratios[1].toFixed(2)}; porosity ${r.porosityError.toFixed(2)}) ${r.seconds.toFixed(0)} s`); // prettier-ignore
        print(
          `${name} ${set.name} ${round}: ${run.reference.by} ${run.reference.effective}; ${told.join(", ")}`,
        );
      }
      dispose(place);
    }
    const wanted = Array.from({ length: 25 }, (_, k) => round * 25 + k).filter(
      (pair) => pair < pairs && !calibration.some((run) => run.pair === pair),
    );
    if (wanted.length === 0) continue;
    const place = placeAt(model, CONDITIONS[0].at, rankSteps);
    for (const pair of wanted)
      calibration.push(runRanks(model, place, pair, rankSteps, ["twisted", "jfps", "kalman", "dps"]));
    dispose(place);
    saveNow();
    print(`${calibration.length} pairs of the calibration`);
  }
  model.dispose();
}
