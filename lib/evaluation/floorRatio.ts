import { InputError, integerInRange, positiveInteger } from "../errors";
import { meanDistance } from "./distances";
import { checkSameFields, columnsOf, type FieldSample, firstRows, type SampleSource } from "./fieldSample";
import { type MomentErrors, momentErrors } from "./momentErrors";
import { expectedDistance } from "./pooledDistance";
import { type Standardiser, standardiser } from "./standardiser";
import { average, columnStd } from "./summary";

export interface SetOptions {
  /** Rows of each set; default 2000. The floor ratio grows with it, as a larger set shows smaller differences. */
  readonly rows?: number;
  /** Independent sets; default 4. */
  readonly sets?: number;
}

/** Several reference sets, with what any comparison with them needs. */
export interface ReferenceSets {
  readonly rows: number;
  readonly sets: number;
  readonly first: FieldSample;
  /** From the rows of all sets. */
  readonly scale: Standardiser;
  /** Each set's varying cells in standard deviations (rows, columns). */
  readonly standardised: readonly Float64Array[];
  /** Those of all sets, one after the other, and the mean distance of two different rows of them. */
  readonly pool: { readonly standardised: Float64Array; readonly within: number };
  /** Each set's mean distance over all pairs of rows, each row with itself included. */
  readonly within: readonly number[];
  /** Mean energy distance of two independent reference sets of so many rows. */
  readonly floor: number;
}

/** How far samples are from the references, over independent pairs of sets; moments are those of all sets together. */
export interface FloorRatio extends MomentErrors {
  readonly rows: number;
  readonly sets: number;
  /** Mean over the pairs of energy distance / floor: 1 means indistinguishable. */
  readonly floorRatio: number;
  /** Standard deviation over the pairs; NaN for a single one. */
  readonly spread: number;
  readonly values: readonly number[];
  /**
   * The same in expectation, from all rows of all sets: 1 + D^2 / floor, with the unbiased estimate of the energy distance
   * D^2 between the distributions, which lets no row meet itself. It uses sets^2 pairs of sets instead of `sets` of them
   * and scatters by about spread / sets; below 1 where chance has it so.
   */
  readonly pooled: number;
  /** The floor itself, in standard deviations. */
  readonly floor: number;
  /** What meanError is in the root mean square for an independent reference: sqrt(2 / all rows). */
  readonly meanErrorFloor: number;
  /** Whether the cells that the references hold constant are so in the samples, to 1e-10. */
  readonly pinnedExact: boolean;
}

/**
 * Draws the reference sets and takes the floor from them.
 *
 * For V-statistics of two independent sets of n rows, E[2 mean|X - Y|] = 2 E|X - X'|, and each set's mean over all
 * pairs, n of them zero, is (1 - 1/n) E|X - X'|: the floor's expectation is (2 / n) E|X - X'| exactly. The mean over
 * the pairs i != j inside the references estimates it to a per cent or so, where a single measured floor scatters by
 * tens of per cent, which would be in every ratio. Throws InputError for bad options and constant references.
 */
export async function referenceSets(
  source: SampleSource,
  { rows = 2000, sets = 4 }: SetOptions = {},
): Promise<ReferenceSets> {
  integerInRange("The number of rows", rows, 2, Number.MAX_SAFE_INTEGER);
  positiveInteger("The number of sets", sets);
  const drawn: FieldSample[] = [];
  for (let set = 0; set < sets; set++) drawn.push(await drawSet(source, set, rows, drawn[0]));
  const width = rows * columnsOf(drawn[0]);
  const all = new Float64Array(sets * width);
  drawn.forEach((set, k) => all.set(firstRows(set, rows), k * width));
  const scale = standardiser(all, columnsOf(drawn[0]));
  const columns = scale.free.length;
  const pool = scale.apply(all);
  const size = rows * columns;
  const standardised = drawn.map((_, k) => pool.subarray(k * size, (k + 1) * size));
  const within = standardised.map((values) => meanDistance(values, values, columns));
  const meanWithin = average(within);
  const floor = (2 / (rows - 1)) * meanWithin; // (2 / n) times the mean over i != j, which is n / (n - 1) of it
  const together = { standardised: pool, within: expectedDistance(pool, pool, columns) };
  return { rows, sets, first: drawn[0], scale, standardised, pool: together, within, floor };
}

/**
 * The floor ratio of samples: unrooted energy distance over all varying cells of all fields, each in the references'
 * standard deviations, between reference set k and sample set k; its mean and spread over k, in units of the floor.
 *
 * Throws InputError when a set is short or has other fields.
 */
export async function floorRatio(references: ReferenceSets, source: SampleSource): Promise<FloorRatio> {
  const { rows, sets, scale, standardised, within, pool, floor } = references;
  const columns = scale.free.length;
  const samples = new Float64Array(sets * rows * columns);
  const values: number[] = [];
  let pinnedExact = true;
  for (let set = 0; set < sets; set++) {
    const drawn = firstRows(await drawSet(source, set, rows, references.first), rows);
    const sample = scale.apply(drawn);
    const between = meanDistance(standardised[set], sample, columns);
    values.push((2 * between - within[set] - meanDistance(sample, sample, columns)) / floor);
    pinnedExact &&= scale.keepsPinned(drawn);
    samples.set(sample, set * rows * columns);
  }
  const between = expectedDistance(pool.standardised, samples, columns);
  return {
    rows,
    sets,
    floorRatio: average(values),
    spread: sets > 1 ? columnStd(Float64Array.from(values), 1)[0] : NaN,
    values,
    pooled: 1 + (2 * between - pool.within - expectedDistance(samples, samples, columns)) / floor,
    floor,
    ...momentErrors(samples, columns),
    meanErrorFloor: Math.sqrt(2 / (sets * rows)),
    pinnedExact,
  };
}

async function drawSet(
  source: SampleSource,
  set: number,
  rows: number,
  like: FieldSample | undefined,
): Promise<FieldSample> {
  const drawn = await source(set, rows);
  if (like) checkSameFields(like, drawn);
  if (drawn.rows >= rows) return drawn;
  throw new InputError(`Set ${set + 1} to compare has ${drawn.rows} rows; give at least ${rows}.`);
}
