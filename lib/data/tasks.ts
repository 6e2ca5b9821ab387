import { Random } from "../random";
import { allocateDataSet, type DataSet } from "./dataset";
import { type Problem, sampleConditions } from "./problem";

/** Most rows that are drawn from one stream of random numbers, and that one task or record batch holds. */
export const CHUNK_ROWS = 256;

/** First numbers of the streams, so that the uses of one seed never share random numbers. */
const CONDITIONS_STREAM = 0;
const FIELDS_STREAM = 1;
const SIMULATION_STREAM = 2;

/** The rows of a data set: a range of condition numbers, each with the same number of fields. */
export interface RowPlan {
  readonly seed: number;
  /** fields for each condition */
  readonly fields: number;
  readonly firstCondition: number;
  /** excluded */
  readonly endCondition: number;
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

/**
 * Computes the rows of one task. They depend on the seed, the number of the condition and the row within it alone:
 * not on how the work is cut, nor on who does it.
 */
export function runTask(problem: Problem, plan: RowPlan, task: number): DataSet & { latent: Float64Array } {
  const chunks = Math.ceil(plan.fields / CHUNK_ROWS);
  const perTask = conditionsPerTask(plan);
  const first = plan.firstCondition + (chunks > 1 ? Math.floor(task / chunks) : task * perTask);
  const count = chunks > 1 ? 1 : Math.min(perTask, plan.endCondition - first);
  const chunk = task % chunks;
  const rows = Math.min(CHUNK_ROWS, plan.fields - chunk * CHUNK_ROWS);
  const data = allocateDataSet(problem, count * rows, plan.seed);
  for (let k = 0; k < count; k++) {
    const conditions = drawnConditions(problem, plan.seed, first + k);
    simulateRows(data, k * rows, rows, conditions, new Random(plan.seed, FIELDS_STREAM, first + k, chunk));
  }
  return data;
}

/** The conditions of a data set that have the given number, from 0 on: (conditions). */
export function drawnConditions(problem: Problem, seed: number, number: number): Float64Array {
  return sampleConditions(problem, new Random(seed, CONDITIONS_STREAM, number));
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

/** Draws `count` rows at the given conditions, which are not checked. */
export function simulateRowsAt(
  problem: Problem,
  conditions: Float64Array,
  count: number,
  seed: number,
): DataSet {
  const data = allocateDataSet(problem, count, seed);
  for (let start = 0, chunk = 0; start < count; start += CHUNK_ROWS, chunk++) {
    const random = new Random(seed, SIMULATION_STREAM, chunk);
    simulateRows(data, start, Math.min(CHUNK_ROWS, count - start), conditions, random);
  }
  return data;
}
