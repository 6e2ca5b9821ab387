/** Solutions of a problem for random latent fields: in memory, and cut into tasks that several may share. */
import { allocateDataSet, concatenate } from "../data/rows";
import { type DataSet } from "../dataSet";
import { integerInRange, positiveInteger } from "../backend/errors";
import { type Problem, sampleConditions } from "../problem";
import { checkConditions } from "../data/conditions";
import { Random } from "../random";
import { streams } from "../backend/streams";

/** Most rows that are drawn from one stream of random numbers, and that one task or record batch holds. */
const CHUNK_ROWS = 256;

/** Larger counts are slips of the keyboard: 10^9 fields would take 2.4 TB. */
export const MAX_COUNT = 1_000_000_000;

/** How many conditions and fields a data set has: conditions x fields rows. */
export interface DataSetSize {
  /** number of conditions */
  readonly conditions: number;
  /** (number of conditions, conditions) where they are given and not drawn */
  readonly given?: Float64Array;
  /** number of fields for each condition */
  readonly fields: number;
  /** of all random numbers: 0 .. 2^53 - 1 */
  readonly seed: number;
}

/** The index-th (from 1) of count contiguous parts of a data set's conditions. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export const WHOLE: Shard = { index: 1, count: 1 };

/** The rows of a data set: a range of condition numbers, each with the same number of fields. */
export interface RowPlan {
  readonly seed: number;
  /** fields for each condition */
  readonly fields: number;
  readonly given?: Float64Array;
  readonly firstCondition: number;
  /** excluded */
  readonly endCondition: number;
}

/** The rows of a shard. Throws InputError for bad sizes. */
export function rowPlan({ conditions, given, fields, seed }: DataSetSize, { index, count } = WHOLE): RowPlan {
  positiveInteger("The number of conditions", conditions, MAX_COUNT);
  positiveInteger("The number of fields", fields, MAX_COUNT);
  integerInRange("The seed", seed, 0, Number.MAX_SAFE_INTEGER);
  positiveInteger("The number of shards", count, conditions);
  positiveInteger("The shard", index, count);
  return {
    seed,
    fields,
    given,
    firstCondition: Math.floor(((index - 1) * conditions) / count),
    endCondition: Math.floor((index * conditions) / count),
  };
}

export function planRows({ firstCondition, endCondition, fields }: RowPlan): number {
  return (endCondition - firstCondition) * fields;
}

/** Number of tasks that a plan is cut into: some conditions each, or a part of one condition. */
export function taskCount(plan: RowPlan): number {
  const conditions = plan.endCondition - plan.firstCondition;
  return plan.fields > CHUNK_ROWS
    ? conditions * Math.ceil(plan.fields / CHUNK_ROWS)
    : Math.ceil(conditions / conditionsPerTask(plan));
}

function conditionsPerTask(plan: RowPlan): number {
  return Math.max(1, Math.floor(CHUNK_ROWS / plan.fields));
}

/** What a task computes: `rows` rows from chunk `chunk` on of each of `count` conditions from number `first` on. */
function taskRange(plan: RowPlan, task: number): Record<"first" | "count" | "chunk" | "rows", number> {
  const chunks = Math.ceil(plan.fields / CHUNK_ROWS);
  const perTask = conditionsPerTask(plan);
  const first = plan.firstCondition + (chunks > 1 ? Math.floor(task / chunks) : task * perTask);
  const count = chunks > 1 ? 1 : Math.min(perTask, plan.endCondition - first);
  const chunk = task % chunks;
  return { first, count, chunk, rows: Math.min(CHUNK_ROWS, plan.fields - chunk * CHUNK_ROWS) };
}

/** Rows of a task, hence of its record batch. */
export function taskRows(plan: RowPlan, task: number): number {
  const { count, rows } = taskRange(plan, task);
  return count * rows;
}

/**
 * Computes the rows of one task. They depend on the seed, the number of the condition and the row within it alone:
 * not on how the work is cut, nor on who does it.
 */
export function runTask(problem: Problem, plan: RowPlan, task: number): DataSet & { latent: Float64Array } {
  const { first, count, chunk, rows } = taskRange(plan, task);
  const data = allocateDataSet(problem, count * rows, plan.seed);
  const width = problem.conditions.length;
  for (let number = first; number < first + count; number++) {
    const conditions =
      plan.given?.slice(number * width, (number + 1) * width) ?? drawnConditions(problem, plan.seed, number);
    const random = plan.given
      ? new Random(plan.seed, streams.simulation, chunk, ...(number > 0 ? [number] : [])) // as simulateAt
      : new Random(plan.seed, streams.fields, number, chunk);
    simulateRows(data, (number - first) * rows, rows, conditions, random);
  }
  return data;
}

/** The conditions of a data set that have the given number, from 0 on: (conditions). */
export function drawnConditions(problem: Problem, seed: number, number: number): Float64Array {
  return sampleConditions(problem, new Random(seed, streams.conditions, number));
}

/** Draws `rows` rows of data from `start` on, all with the same conditions. */
function simulateRows(
  { problem, conditions, latent, fields }: DataSet & { latent: Float64Array },
  start: number,
  rows: number,
  values: Float64Array,
  random: Random,
): void {
  for (let row = start; row < start + rows; row++) conditions.set(values, row * values.length);
  const width = problem.fields.length * problem.cells;
  problem.simulate(
    values,
    random,
    latent.subarray(start * problem.cells, (start + rows) * problem.cells),
    fields.subarray(start * width, (start + rows) * width),
  );
}

/**
 * Draws a data set in memory, row for row what generate() writes: fields (rows, fields, cells) and latent (rows, cells)
 * for rows = conditions x fields, those of one condition together. Throws InputError.
 */
export function generateDataSet(problem: Problem, size: DataSetSize): DataSet {
  const plan = rowPlan(size);
  return concatenate(Array.from({ length: taskCount(plan) }, (_, task) => runTask(problem, plan, task)));
}

/**
 * Solves for `count` random latent fields at the given conditions (conditions), in their units: for the porous electrode
 * [l in m, U0 in V, F_right in A/m2].
 *
 * Returns fields (count, fields, cells), c in mol/m3 and phi in V, and latent (count, cells). With one seed, a smaller
 * count gives the first rows of a larger one; generate() gives the same rows where these conditions are given to it.
 * Throws InputError.
 */
export function simulateAt(
  problem: Problem,
  conditions: ArrayLike<number>,
  count: number,
  seed: number,
): DataSet {
  positiveInteger("The number of fields", count, MAX_COUNT);
  integerInRange("The seed", seed, 0, Number.MAX_SAFE_INTEGER);
  const values = checkConditions(problem, conditions);
  const data = allocateDataSet(problem, count, seed);
  for (let start = 0, chunk = 0; start < count; start += CHUNK_ROWS, chunk++) {
    const random = new Random(seed, streams.simulation, chunk);
    simulateRows(data, start, Math.min(CHUNK_ROWS, count - start), values, random);
  }
  return data;
}
