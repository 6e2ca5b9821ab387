/** Fields of a model given sensors, by any of the methods, with progress, and ended by an interrupt. */
import { InterruptWatch } from "../backend/interrupt";
import { tf } from "../backend/tensors";
import { streams } from "../backend/streams";
import { InputError, positiveInteger } from "../backend/errors";
import { checkConditions } from "../data/conditions";
import type { DataSet } from "../dataSet";
import { gaussianExact } from "../gaussian/exactSampler";
import { Random } from "../random";
import { trajectory } from "../samplers";
import { tensorSpace } from "../sampling";
import type { ScoreModel } from "../scoreModel";
import type { Denoiser } from "../sde";
import { diffusionPosteriorSampling } from "./dps";
import { gaussianGuidance } from "./gaussianGuidance";
import { linearisedImportance } from "./importance";
import { kalmanDraws } from "./kalman";
import { momentMatching } from "./mmps";
import { type LinearObservation, observationOf, type Sensor } from "./observation";
import { type ModelPrior, modelPrior } from "./prior";
import { systematic } from "./resampling";
import { electrodeSimulator } from "./simulator";
import { type Surprise, surpriseOf } from "./surprise";
import { twistedSampling } from "./twisted";

/** The methods; dps is there to be shown failing. */
export const METHODS = ["twisted", "jfps", "mmps", "kalman", "importance", "dps"] as const;
export type Method = (typeof METHODS)[number];

export interface PosteriorOptions {
  /** Default: twisted. */
  readonly method?: Method;
  /** Fields to draw. */
  readonly count: number;
  /** Default 1. */
  readonly seed?: number;
  /** Of the twisted sampler, at a time; default 1000. */
  readonly particles?: number;
  /** Network calls; default 60, of jfps, mmps and dps 32. */
  readonly steps?: number;
  /** Of dps; see there. */
  readonly weight?: number;
  readonly onProgress?: (progress: { readonly fields: number; readonly count: number }) => void;
  readonly signal?: AbortSignal;
}

/** Fields given sensors, all of one weight. */
export interface Posterior {
  readonly data: DataSet;
  /** Smallest number of equally weighted samples that those of a batch were worth on the way, and how many these were. */
  readonly effective?: { readonly number: number; readonly of: number };
  readonly surprise: Surprise;
}

/** Fields drawn side by side by a guided sampler. */
const BATCH = 250;
const PARTICLES = 1000;
/** Solves for each field that importance sampling returns, and at least. */
const SOLVES = 4;
const LEAST_SOLVES = 4000;

/**
 * Draws fields at one set of conditions (conditions) given sensors. Throws InputError for bad sensors, conditions and counts, and
 * for models that do not know their covariance; Interrupted within one step when the user interrupts.
 */
export async function drawPosterior(
  model: ScoreModel,
  conditions: ArrayLike<number>,
  sensors: readonly Sensor[],
  options: PosteriorOptions,
): Promise<Posterior> {
  const { method = "twisted", seed = 1, onProgress, weight = 0.3 } = options;
  const { problem } = model;
  const checked = checkConditions(problem, conditions);
  const count = positiveInteger("The number of fields", options.count);
  const particles = positiveInteger("The number of particles", options.particles ?? PARTICLES);
  const seen = observationOf(problem, sensors);
  const usual = method === "twisted" ? 60 : 32;
  const steps = positiveInteger("The number of steps", options.steps ?? usual);
  const times = gaussianExact.grid(model.schedule, steps, model.noiseLevels);
  const watch = new InterruptWatch("The drawing", options.signal);
  let prior: ModelPrior | undefined;
  let done = 0;
  /** Goes through work that yields, as far as it is of `fields` fields. */
  async function through<P, R>(run: Generator<P, R, void>, fields: (at: P) => number): Promise<R> {
    let ended = false;
    try {
      for (;;) {
        const next = run.next();
        if (next.done) {
          ended = true;
          return next.value as R;
        }
        onProgress?.({ fields: Math.floor(done + fields(next.value as P)), count });
        await watch.check(`${done} of ${count} fields are done.`);
      }
    } finally {
      if (!ended) run.return(undefined as never);
    }
  }
  try {
    prior = await through(modelPrior(model, checked, times), () => 0);
    const given = prior;
    const observation = prior.inModes(seen);
    const surprise = surpriseOf(prior.variances, observation);
    const parts: Float64Array[] = [];
    let effective: Posterior["effective"];
    const add = (x: tf.Tensor, rows: number) => {
      parts.push(given.fields(x));
      x.dispose();
      done += rows;
    };
    if (method === "importance") {
      if (problem.name !== "porous-electrode")
        throw new InputError(`There is no solver of ${problem.name} here; give another method.`);
      const solves = Math.max(LEAST_SOLVES, SOLVES * count);
      const simulator = electrodeSimulator(problem, checked);
      const run = linearisedImportance(simulator, seen, solves, seed);
      const found = await through(run, (solved) => (solved / solves) * count);
      const rows = systematic(found.weights, count, new Random(seed, streams.posterior).uniform());
      const { size } = simulator;
      for (const row of rows) parts.push(found.fields.subarray(row * size, (row + 1) * size));
      effective = { number: found.effective, of: solves };
    }
    for (let index = 0; method !== "importance" && done < count; index++) {
      if (method === "twisted") {
        const run = twistedSampling(prior, observation, times, particles, seed, streams.posterior, index);
        const rows = Math.min(particles, count - done);
        const found = await through(run, ({ step, steps: all }) => (rows * step) / all);
        const u = new Random(seed, streams.posterior, index, 9).uniform();
        const chosen = systematic(found.weights, rows, u);
        const number = Math.min(found.effective, effective?.number ?? Infinity);
        effective = { number, of: particles };
        const kept = tf.tidy(() => tf.gather(found.x, tf.tensor1d(chosen, "int32"), 1));
        found.x.dispose();
        add(kept, rows);
        continue;
      }
      const rows = Math.min(BATCH, count - done);
      const first = method === "kalman" ? 0 : model.schedule.noiseLevel(times[0]);
      const start = kalmanDraws(prior.variances, observation, rows, first, seed, streams.posterior, index);
      if (method === "kalman") add(start, rows);
      else {
        const scaled = tf.tidy(() => start.mul(model.schedule.mean(times[0])));
        start.dispose();
        const denoise = denoiserOf(method, prior, observation, weight);
        const space = tensorSpace(seed, streams.posterior, index);
        const way = trajectory({ ...prior, denoise, sampler: gaussianExact, space, start: scaled, times });
        let end: tf.Tensor | undefined;
        try {
          await through(
            lastOf(way, (x) => (end = x.clone())),
            (share) => rows * share,
          );
          add(end!, rows);
        } finally {
          tf.dispose([scaled, ...(end ? [end] : [])]); // also where an interrupt ends it
        }
      }
      await watch.check(`${done} of ${count} fields are done.`);
    }
    const width = parts[0].length;
    const fields = new Float64Array(count * problem.fields.length * problem.cells);
    let at = 0;
    for (const part of parts) {
      fields.set(part, at);
      at += part.length;
    }
    if (!fields.every(Number.isFinite) || width === 0)
      throw new InputError("The fields are not finite; take more steps or sensors that fit the conditions.");
    const repeated = Float64Array.from(
      { length: count * checked.length },
      (_, i) => checked[i % checked.length],
    );
    return { data: { problem, rows: count, conditions: repeated, fields, seed }, effective, surprise };
  } finally {
    watch.close();
    prior?.dispose();
  }
}

function denoiserOf(
  method: "jfps" | "mmps" | "dps",
  prior: ModelPrior,
  observation: LinearObservation,
  weight: number,
): Denoiser<tf.Tensor> {
  if (method === "jfps") return gaussianGuidance(prior, observation);
  if (method === "mmps") return momentMatching(prior, observation);
  return diffusionPosteriorSampling(prior, observation, weight);
}

/** Runs a trajectory, yielding the share that is done, and hands over its last state. */
function* lastOf(
  way: ReturnType<typeof trajectory<tf.Tensor>>,
  take: (x: tf.Tensor) => void,
): Generator<number, void, void> {
  for (const { step, steps, x } of way) {
    yield step / steps;
    if (step === steps) take(x);
  }
}
