import { InputError } from "../errors";
import { Random } from "../random";
import { energyTest } from "./energyDistance";
import { compareFields, type FieldComparison, type WithFloor } from "./fieldComparison";
import { checkSameFields, columnsOf, type FieldSample, firstRows } from "./fieldSample";
import { modeCoordinates, principalModes } from "./modes";
import { standardiser } from "./standardiser";
import { columnKurtosis, columnSkewness, columnStd } from "./summary";

export type { FieldSample } from "./fieldSample";

/** How the sample is distributed along one of the reference's principal modes. */
export interface ModeComparison {
  /** The mode's share of the reference's variance. */
  readonly share: number;
  /** Ratio of the standard deviations along the mode, to the reference's. */
  readonly stdRatio: WithFloor;
  /** Skewness along the mode, of the set itself. */
  readonly skewness: WithFloor;
  /** Excess kurtosis along the mode, of the set itself: 0 for a Gaussian. */
  readonly kurtosis: WithFloor;
}

/** A sample against a reference, with the sampling floor. */
export interface Comparison {
  /** Rows of each set that were compared. */
  readonly rows: number;
  readonly fields: readonly FieldComparison[];
  /** The reference's leading modes over all varying cells of all fields, in standard deviations. */
  readonly modes: readonly ModeComparison[];
  /** Root mean square over rows of the problem's imbalance, if it has one. */
  readonly imbalance?: WithFloor;
  /** Energy distance over all varying cells of all fields, each cell in standard deviations of the reference. */
  readonly energyDistance: WithFloor;
  /** Permutation p-value of the energy distance: small where the distributions differ. */
  readonly pValue: WithFloor;
  /** Energy distance in units of the mean that sets of the reference have: 1 means indistinguishable. */
  readonly floorRatio: WithFloor;
}

/** Principal modes whose skewness and kurtosis are compared, at most. */
const MODES = 5;
/** Smallest share of the variance of a mode that is one, and not round-off. */
const SMALLEST_SHARE = 1e-10;
/** Permutations, which make 0.005 the smallest p-value. */
const PERMUTATIONS = 199;
/** Seed of the permutations: nothing else is drawn from it. */
const PERMUTATION_SEED = 1_000_033;

/**
 * Compares a sample with a reference set, every number beside that of an independent set like the reference.
 *
 * Sets: fields (rows, fields, cells) in their units, such as data sets; ratios and distances come in units of the
 * reference's standard deviations.
 * The energy distance depends on the number of rows, so all three sets are cut to the first rows of the shortest.
 * Takes time as the square of that number, and 8 bytes times its square. The energy distance of one pair of sets
 * scatters by as much as its mean: see referenceSets for the unit of the floor ratio, and floorRatio for several pairs.
 * Throws InputError when fewer than two rows are left or the sets have different fields.
 */
export function compare(reference: FieldSample, sample: FieldSample, floor: FieldSample): Comparison {
  for (const other of [sample, floor]) checkSameFields(reference, other);
  const rows = Math.min(reference.rows, sample.rows, floor.rows);
  if (!(rows >= 2)) throw new InputError(`The shortest set to compare has ${rows} rows; give at least 2.`);
  const scale = standardiser(firstRows(reference, rows), columnsOf(reference));
  const [x, y, z] = [reference, sample, floor].map((set) => scale.apply(firstRows(set, rows)));
  const [measured, control] = [y, z].map((values) =>
    energyTest(x, values, scale.free.length, new Random(PERMUTATION_SEED), PERMUTATIONS),
  );
  const balanced = [sample, floor].every(({ problem }) => problem.imbalance);
  return {
    rows,
    fields: compareFields(reference, sample, floor, rows, scale),
    modes: compareModes(x, y, z, scale.free.length),
    ...(balanced
      ? { imbalance: { sample: rmsImbalance(sample, rows), floor: rmsImbalance(floor, rows) } }
      : {}),
    energyDistance: { sample: measured.energyDistance, floor: control.energyDistance },
    pValue: { sample: measured.pValue, floor: control.pValue },
    floorRatio: {
      sample: measured.energyDistance / control.expected,
      floor: control.energyDistance / control.expected,
    },
  };
}

/** Standardised reference x, sample y and floor z (rows x columns) along the leading modes of x. */
function compareModes(x: Float64Array, y: Float64Array, z: Float64Array, columns: number): ModeComparison[] {
  const modes = principalModes(x, columns, MODES);
  const { variances, totalVariance } = modes;
  const [measured, control] = [y, z].map((values) => {
    const coordinates = modeCoordinates(values, modes);
    const count = variances.length;
    return {
      std: columnStd(coordinates, count),
      skewness: columnSkewness(coordinates, count),
      kurtosis: columnKurtosis(coordinates, count),
    };
  });
  const real = variances.filter((variance) => variance > SMALLEST_SHARE * totalVariance);
  return Array.from(real, (variance, k) => ({
    share: variance / totalVariance,
    stdRatio: {
      sample: measured.std[k] / Math.sqrt(variance),
      floor: control.std[k] / Math.sqrt(variance),
    },
    skewness: { sample: measured.skewness[k], floor: control.skewness[k] },
    kurtosis: { sample: measured.kurtosis[k], floor: control.kurtosis[k] },
  }));
}

/** Root mean square over the first rows of the problem's imbalance. */
function rmsImbalance(set: FieldSample, rows: number): number {
  const columns = columnsOf(set);
  let square = 0;
  for (let row = 0; row < rows; row++) {
    const fields = set.fields.subarray(row * columns, (row + 1) * columns);
    square += (set.problem.imbalance?.(fields) ?? NaN) ** 2;
  }
  return Math.sqrt(square / rows);
}

/** The comparison as an aligned plain-text table, one line a number, sample and floor side by side. */
export function formatComparison(comparison: Comparison): string {
  const { rows, fields, modes, imbalance, energyDistance, pValue, floorRatio } = comparison;
  const line = (label: string, sample: string, floor: string) =>
    label.padEnd(48) + sample.padStart(12) + floor.padStart(12);
  const both = (label: string, { sample, floor }: WithFloor) =>
    line(label, sample.toPrecision(3), floor.toPrecision(3));
  const lines = [line(`${rows} rows in each set`, "sample", "floor")];
  for (const field of fields) {
    lines.push(
      `${field.name} (${field.unit})`,
      both("  mean error, rms (reference std)", field.meanError),
      both(`  mean error, largest (${field.unit})`, field.largestMeanError),
      both("  standard deviation, ratio", field.stdRatio),
      both("  2.5 % point error, rms (reference std)", field.lowerPointError),
      both("  97.5 % point error, rms (reference std)", field.upperPointError),
      both("  roughness, ratio", field.roughnessRatio),
    );
    if (field.pinnedCells > 0) {
      const verdict = field.pinnedExact ? "exact" : "not exact";
      lines.push(
        both(
          `  pinned cells: ${field.pinnedCells}, ${verdict}; off by (${field.unit})`,
          field.pinnedDeviation,
        ),
      );
    }
  }
  lines.push("principal modes of the reference");
  modes.forEach(({ share, stdRatio, skewness, kurtosis }, k) => {
    lines.push(
      both(`  mode ${k + 1}, ${(100 * share).toPrecision(3)} % of variance: std, ratio`, stdRatio),
      both("    skewness", skewness),
      both("    excess kurtosis", kurtosis),
    );
  });
  if (imbalance) lines.push(both("imbalance of the fluxes, rms", imbalance));
  lines.push(
    both("energy distance (standardised cells)", energyDistance),
    both("permutation p-value (small = distinguishable)", pValue),
    both("floor ratio (1 = indistinguishable)", floorRatio),
  );
  return lines.join("\n");
}
