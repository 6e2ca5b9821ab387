import { checkSameFields, columnsOf, type FieldSample, firstRows } from "./fieldSample";
import { type MomentErrors, momentErrors } from "./momentErrors";
import { expectedDistance } from "./pooledDistance";
import { type Standardiser, standardiser } from "./standardiser";

/** One large set of the PDE at a condition, with what any comparison with it needs. */
export interface UnbiasedReference {
  readonly sample: FieldSample;
  readonly scale: Standardiser;
  /** Its varying cells in standard deviations (rows, columns). */
  readonly standardised: Float64Array;
  /** Mean distance of two different rows. */
  readonly within: number;
}

/** How far samples are from the reference, in expectation. */
export interface UnbiasedRatio extends MomentErrors {
  /** 1 for samples of the PDE, but for the scatter of both sets. */
  readonly floorRatio: number;
}

/** Takes from a set of the PDE what comparisons need. Throws InputError when none of its cells varies. */
export function unbiasedReference(sample: FieldSample): UnbiasedReference {
  const rows = firstRows(sample, sample.rows);
  const scale = standardiser(rows, columnsOf(sample));
  const standardised = scale.apply(rows);
  const within = expectedDistance(standardised, standardised, scale.free.length);
  return { sample, scale, standardised, within };
}

/**
 * What the floor ratio of two sets of `floorRows` rows is in expectation, estimated with fewer or more rows.
 *
 * The energy distance of such sets is, in expectation, the floor (2 / n) E|X - X'| plus the squared distance D^2 of the
 * distributions: the ratio is 1 + D^2 / floor. D^2 is estimated without bias by the mean distances over pairs of
 * different rows; all of a large reference serves each sample, so that the scatter is the sample's own. It may come out
 * below 1. Throws InputError for samples of other fields.
 */
export function unbiasedRatio(
  { sample, scale, standardised, within }: UnbiasedReference,
  drawn: FieldSample,
  floorRows = 2000,
): UnbiasedRatio {
  checkSameFields(sample, drawn);
  const columns = scale.free.length;
  const values = scale.apply(firstRows(drawn, drawn.rows));
  const between = expectedDistance(standardised, values, columns);
  const squared = 2 * between - within - expectedDistance(values, values, columns);
  return {
    floorRatio: 1 + squared / ((2 / floorRows) * within),
    ...momentErrors(values, columns),
  };
}
