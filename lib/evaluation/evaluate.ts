import type { FieldSample } from "../comparison";
import { simulateAt } from "../presets/simulate";
import { type Problem } from "../problem";
import { checkConditions } from "../data/conditions";
import { derivedSeed } from "./derivedSeed";
import { streams } from "../backend/streams";
import { compare, type Comparison } from "./compare";
import { gaussianControl, type NearestCondition, nearestCondition } from "./controls";
import {
  type FloorRatio,
  measureFloorRatio,
  type ReferenceSets,
  referenceSets,
  type SampleSource,
  type SetOptions,
} from "./floorRatio";

export interface EvaluationOptions extends SetOptions {
  /** Of the PDE's sets and of the model's; default 1. */
  readonly seed?: number;
}

/** The model that is evaluated: draws `count` fields at the conditions (conditions), which the seed determines. */
export type DrawFields = (
  conditions: Float64Array,
  count: number,
  seed: number,
) => FieldSample | Promise<FieldSample>;

/** How close a model is to the PDE at one set of conditions. */
export interface Evaluation {
  readonly conditions: Float64Array; // conditions
  readonly model: FloorRatio;
  /** Time for all rows of all sets, s: of the PDE's solver in this thread, and of the model. */
  readonly seconds: { readonly solver: number; readonly model: number };
}

/** The same with one pair of sets compared in detail, and with what others than the model achieve. */
export interface FullEvaluation extends Evaluation {
  readonly comparison: Comparison;
  readonly controls: {
    /** Further sets of the PDE: 1 but for their scatter. */
    readonly pde: FloorRatio;
    /** Gaussian fields of the PDE's mean and covariance: what the first two moments give. */
    readonly gaussian: FloorRatio;
    /** The PDE at the nearest training conditions: what looking up the training data gives. */
    readonly nearest: FloorRatio & NearestCondition;
  };
}

/** Rows that the Gaussian control takes mean and covariance from, unless told otherwise. */
const GAUSSIAN_ROWS = 20_000;
/** Second number of the streams of seeds, one for each use. */
const use = { reference: 0, model: 1, pde: 2, moments: 3, gaussian: 4, nearest: 5 } as const;

/** Evaluates a model at one set of conditions. Throws InputError for bad conditions or options. */
export async function evaluateAt(
  problem: Problem,
  conditions: ArrayLike<number>,
  draw: DrawFields,
  options: EvaluationOptions = {},
): Promise<Evaluation> {
  return (await measure(problem, conditions, draw, options)).evaluation;
}

/** Evaluates a model at one set of conditions in detail. Throws InputError for bad conditions or options. */
export async function evaluateFullyAt(
  problem: Problem,
  conditions: ArrayLike<number>,
  draw: DrawFields,
  options: EvaluationOptions & { readonly gaussianRows?: number } = {},
): Promise<FullEvaluation> {
  let first: FieldSample | undefined;
  const keepFirst: DrawFields = async (...args) => {
    const drawn = await draw(...args);
    first ??= drawn;
    return drawn;
  };
  const { evaluation, references } = await measure(problem, conditions, keepFirst, options);
  const at = evaluation.conditions;
  const { seed = 1, gaussianRows = GAUSSIAN_ROWS } = options;
  const pde = simulation(problem, at, at, seed, use.pde);
  const moments = simulateAt(problem, at, gaussianRows, setSeed(seed, at, use.moments, 0));
  const gaussian = gaussianControl(moments, setSeed(seed, at, use.gaussian, 0));
  const nearest = nearestCondition(problem, at);
  return {
    ...evaluation,
    comparison: compare(references.sample, first as FieldSample, await pde(0, references.rows)),
    controls: {
      pde: await measureFloorRatio(references, pde),
      gaussian: await measureFloorRatio(references, gaussian),
      nearest: {
        ...(await measureFloorRatio(
          references,
          simulation(problem, nearest.conditions, at, seed, use.nearest),
        )),
        ...nearest,
      },
    },
  };
}

async function measure(
  problem: Problem,
  conditions: ArrayLike<number>,
  draw: DrawFields,
  { seed = 1, ...options }: EvaluationOptions,
): Promise<{ evaluation: Evaluation; references: ReferenceSets }> {
  const at = checkConditions(problem, conditions);
  const seconds = { solver: 0, model: 0 };
  const reference = timed(simulation(problem, at, at, seed, use.reference), (s) => (seconds.solver += s));
  const references = await referenceSets(reference, options);
  const sample = timed(
    (set, rows) => draw(at, rows, setSeed(seed, at, use.model, set)),
    (s) => (seconds.model += s),
  );
  return {
    evaluation: { conditions: at, model: await measureFloorRatio(references, sample), seconds },
    references,
  };
}

/** Sets of the PDE at `conditions`, with the seeds that belong to the evaluation at `at`. */
function simulation(
  problem: Problem,
  conditions: Float64Array,
  at: Float64Array,
  seed: number,
  purpose: number,
): SampleSource {
  return (set, rows) => simulateAt(problem, conditions, rows, setSeed(seed, at, purpose, set));
}

/** Seed of one set: it depends on the conditions, too, so that errors at different conditions are independent. */
function setSeed(seed: number, conditions: Float64Array, purpose: number, set: number): number {
  const words = new Uint32Array(conditions.map((value) => value + 0).buffer); // -0 + 0 is 0
  return derivedSeed(seed, streams.evaluation, purpose, set, ...words);
}

function timed(source: SampleSource, add: (seconds: number) => void): SampleSource {
  return async (set, rows) => {
    const start = performance.now();
    const drawn = await source(set, rows);
    add((performance.now() - start) / 1000);
    return drawn;
  };
}
