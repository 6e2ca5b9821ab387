import {
  columnMean,
  columnsOf,
  columnStd,
  type FieldSample,
  meanDistance,
  type Standardiser,
  standardiser,
} from "../comparison";
import { checkSameFields, firstRows, keepsPinned, pinnedColumns } from "./fieldSamples";
import { InputError, integerInRange, positiveInteger } from "../backend/errors";
import { expectedDistance } from "./expectedDistance";
import { average } from "./statistics";

/** Independent sets of one distribution: set number `set` (from 0) with `count` rows, the same whenever asked. */
export type SampleSource = (set: number, count: number) => FieldSample | Promise<FieldSample>;

/** Fields of the PDE under one condition, with what any comparison with them needs. */
export interface Reference {
  readonly sample: FieldSample;
  readonly scale: Standardiser;
  /** All varying cells in standard deviations (rows, columns). */
  readonly standardised: Float64Array;
  /** Mean distance of two different rows. */
  readonly within: number;
  /** Mean energy distance of two independent sets of the PDE, of the size that ratios are for. */
  readonly floor: number;
}

/** How far samples are from a reference, all rows together. */
export interface PooledRatio {
  /**
   * What the floor ratio is in expectation: 1 + D^2 / floor, with the unbiased estimate of the energy distance D^2 between
   * the distributions, which lets no row meet itself. 1 for samples of the PDE, below it where chance has it so.
   */
  readonly pooled: number;
  /** Root mean square over cells of the difference of means, in standard deviations. */
  readonly meanError: number;
  /** Mean over cells of the ratio of standard deviations. */
  readonly stdRatio: number;
}

/** Takes from one large set of the PDE what pooled ratios need. Throws InputError when none of its cells varies. */
export function pooledReference(sample: FieldSample, floorRows = 2000): Reference {
  const rows = firstRows(sample, sample.rows);
  const scale = standardiser(rows, columnsOf(sample));
  const standardised = scale.apply(rows);
  const within = expectedDistance(standardised, standardised, scale.free.length);
  return { sample, scale, standardised, within, floor: (2 / floorRows) * within };
}

/**
 * The pooled floor ratio of samples, estimated with fewer or more rows than the floor is for.
 *
 * All of the reference serves each sample, so that the scatter is the sample's own. Throws InputError for samples of other
 * fields.
 */
export function pooledRatio(reference: Reference, drawn: FieldSample): PooledRatio {
  checkSameFields(reference.sample, drawn);
  return pooledRatioOf(reference, reference.scale.apply(firstRows(drawn, drawn.rows)));
}

function pooledRatioOf({ scale, standardised, within, floor }: Reference, values: Float64Array): PooledRatio {
  const columns = scale.free.length;
  const between = expectedDistance(standardised, values, columns);
  return {
    pooled: 1 + (2 * between - within - expectedDistance(values, values, columns)) / floor,
    meanError: Math.sqrt(average(columnMean(values, columns).map((mean) => mean ** 2))),
    stdRatio: average(columnStd(values, columns)),
  };
}

export interface SetOptions {
  /** Rows of each set; default 2000. The floor ratio grows with it, as a larger set shows smaller differences. */
  readonly rows?: number;
  /** Independent sets; default 4. */
  readonly sets?: number;
}

/** Several sets of the PDE, those of all of them standardised one after the other; the sample is the first. */
export interface ReferenceSets extends Reference {
  readonly rows: number;
  readonly sets: number;
  /** Each set's mean distance over all pairs of rows, each row with itself included. */
  readonly withinEach: readonly number[];
}

/** How far samples are from the references, over independent pairs of sets; moments are those of all sets together. */
export interface FloorRatio extends PooledRatio {
  readonly rows: number;
  readonly sets: number;
  /**
   * Mean over the pairs of energy distance / floor: 1 means indistinguishable. The pooled ratio is the same in
   * expectation; it uses sets^2 pairs of sets instead of `sets` of them and scatters by about spread / sets.
   */
  readonly floorRatio: number;
  /** Standard deviation over the pairs; NaN for a single one. */
  readonly spread: number;
  readonly values: readonly number[];
  /** The floor itself, in standard deviations. */
  readonly floor: number;
  /** What meanError is in the root mean square for an independent reference: sqrt(2 / all rows). */
  readonly meanErrorFloor: number;
  /** Whether the cells that the references hold constant are so in the samples, to 1e-10. */
  readonly pinnedExact: boolean;
}

/**
 * Draws the reference sets and takes the floor from them: see samplingFloor, here as a mean over the sets.
 *
 * It is right to a per cent or so, where a single measured energy distance of two sets scatters by tens of per cent,
 * which would be in every ratio. Throws InputError for bad options and constant references.
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
  const standardised = scale.apply(all);
  const withinEach = drawn.map((_, k) => {
    const values = setOf(standardised, k, rows * columns);
    return meanDistance(values, values, columns);
  });
  const within = expectedDistance(standardised, standardised, columns);
  const floor = (2 / (rows - 1)) * average(withinEach); // (2 / n) times the mean over i != j, which is n / (n - 1) of it
  return { rows, sets, sample: drawn[0], scale, standardised, within, withinEach, floor };
}

/**
 * The floor ratio of samples: unrooted energy distance over all varying cells of all fields, each in the references'
 * standard deviations, between reference set k and sample set k; its mean and spread over k, in units of the floor.
 *
 * Throws InputError when a set is short or has other fields.
 */
export async function measureFloorRatio(
  references: ReferenceSets,
  source: SampleSource,
): Promise<FloorRatio> {
  const { rows, sets, scale, standardised, withinEach, floor } = references;
  const columns = scale.free.length;
  const samples = new Float64Array(sets * rows * columns);
  const values: number[] = [];
  const pinned = pinnedColumns(scale);
  let pinnedExact = true;
  for (let set = 0; set < sets; set++) {
    const drawn = firstRows(await drawSet(source, set, rows, references.sample), rows);
    const sample = scale.apply(drawn);
    const between = meanDistance(setOf(standardised, set, rows * columns), sample, columns);
    values.push((2 * between - withinEach[set] - meanDistance(sample, sample, columns)) / floor);
    pinnedExact &&= keepsPinned(scale, pinned, drawn);
    samples.set(sample, set * rows * columns);
  }
  const { pooled, meanError, stdRatio } = pooledRatioOf(references, samples);
  return {
    rows,
    sets,
    floorRatio: average(values),
    spread: sets > 1 ? columnStd(Float64Array.from(values), 1)[0] : NaN,
    values,
    pooled,
    floor,
    meanError,
    stdRatio,
    meanErrorFloor: Math.sqrt(2 / (sets * rows)),
    pinnedExact,
  };
}

/** Set number k of several, `size` numbers each. */
function setOf(sets: Float64Array, k: number, size: number): Float64Array {
  return sets.subarray(k * size, (k + 1) * size);
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
