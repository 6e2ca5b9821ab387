/** How close a model is to data that have no solver: rows that it has not seen take the place of the solver's. */
import type { FieldSample } from "../comparison";
import { InputError } from "../backend/errors";
import { streams } from "../backend/streams";
import { rowConditions, selectRows } from "../data/rows";
import type { DataSet } from "../dataSet";
import { normaliseCondition } from "../problem";
import { Random } from "../random";
import { compare, type Comparison } from "./compare";
import { derivedSeed } from "./derivedSeed";

/** A model against rows that were held out of its training. */
export interface HeldOutEvaluation {
  /** Rows of each of the three sets. */
  readonly rows: number;
  /** The fields alone: of one half of the rows, of the model at the other half's conditions, and of the other half. */
  readonly fields: Comparison;
  /** The same with the conditions beside the fields: a model that mixes conditions up is seen here alone. */
  readonly joint: Comparison;
}

/** Fewer rows in each half tell nothing. */
const LEAST_ROWS = 10;
/** Second number of the streams, after those of evaluate.ts. */
const [CHOICE, DRAWS] = [6, 7];

/**
 * Compares a model with rows that were held out. One half of them is the reference; at the conditions of the other half,
 * row for row, the model draws; and the other half itself gives the floor.
 *
 * draw: a field at each of some sets of conditions (rows, conditions). rows: of each half at most. Throws InputError for fewer than 20 rows of data.
 */
export async function evaluateOnHeldOut(
  data: DataSet,
  draw: (conditions: Float64Array, seed: number) => FieldSample | Promise<FieldSample>,
  { rows: most = 1000, seed = 1 }: { readonly rows?: number; readonly seed?: number } = {},
): Promise<HeldOutEvaluation> {
  const rows = Math.min(most, Math.floor(data.rows / 2));
  if (rows < LEAST_ROWS) {
    throw new InputError(
      `There are ${data.rows} rows that were held out, half of which are the reference and half the floor; give at least ` +
        `${2 * LEAST_ROWS}, better thousands.`,
    );
  }
  const random = new Random(seed, streams.evaluation, CHOICE);
  const order = Array.from({ length: data.rows }, (_, row) => ({ row, key: random.uniform() }));
  order.sort((a, b) => a.key - b.key);
  const half = (from: number) =>
    selectRows(
      data,
      order.slice(from, from + rows).map(({ row }) => row),
    );
  const [reference, floor] = [half(0), half(rows)];
  const drawn = await draw(floor.conditions, derivedSeed(seed, streams.evaluation, DRAWS));
  const [a, b, c] = [reference, { ...floor, fields: drawn.fields }, floor].map(withConditions);
  return { rows, fields: compare(reference, drawn, floor), joint: compare(a, b, c) };
}

/** The conditions on their scales as further fields, each in as many cells: half of all columns where there is one field. */
function withConditions(data: DataSet): FieldSample {
  const { problem, rows } = data;
  const { cells, conditions } = problem;
  const more = Math.ceil(conditions.length / cells);
  const size = problem.fields.length * cells;
  const width = size + more * cells;
  const fields = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    fields.set(data.fields.subarray(row * size, (row + 1) * size), row * width);
    const own = rowConditions(data, row);
    for (let j = 0; j < more * cells; j++) {
      const k = Math.floor((j * conditions.length) / (more * cells));
      fields[row * width + size + j] = normaliseCondition(conditions[k], own[k]);
    }
  }
  const added = Array.from({ length: more }, (_, k) => ({ name: `conditions ${k + 1}`, unit: "1" }));
  return { rows, fields, problem: { cells, fields: [...problem.fields, ...added] } };
}
