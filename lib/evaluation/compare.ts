import {
  columnMean,
  columnPercentiles,
  columnsOf,
  columnStd,
  type FieldSample,
  type Standardiser,
  standardiser,
} from "../comparison";
import { checkSameFields, firstRows, pinnedColumns } from "./fieldSamples";
import { average, columnKurtosis, columnSkewness, roughness } from "./statistics";
import { InputError } from "../backend/errors";
import { Random } from "../random";
import { energyTest } from "./energyTest";
import { componentCoordinates, principalComponents } from "./principalComponents";

/** A number for the sample and, beside it, the same number for the floor: an independent set from the reference. */
export interface WithFloor {
  readonly sample: number;
  readonly floor: number;
}

/** How one field compares; cells that the reference holds constant count in the last two entries only. */
export interface FieldComparison {
  readonly name: string;
  readonly unit: string;
  /** Root mean square over cells of the difference of means, in standard deviations of the reference. */
  readonly meanError: WithFloor;
  /** Largest difference of means over cells, in the field's unit. */
  readonly largestMeanError: WithFloor;
  /** Mean over cells of the ratio of standard deviations. */
  readonly stdRatio: WithFloor;
  /** Root mean square over cells of the error of the 2.5 % point, in standard deviations of the reference. */
  readonly lowerPointError: WithFloor;
  /** The same for the 97.5 % point. */
  readonly upperPointError: WithFloor;
  /** Ratio of the root mean square second differences. */
  readonly roughnessRatio: WithFloor;
  /** Number of cells that the reference holds constant. */
  readonly pinnedCells: number;
  /** Largest deviation from the reference's value in those cells, in the field's unit; 0 without such cells. */
  readonly pinnedDeviation: WithFloor;
  /** Whether that deviation is at most 1e-10 of the value itself. */
  readonly pinnedExact: boolean;
}

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
 * scatters by as much as its mean: see measureFloorRatio for several pairs.
 * Throws InputError when fewer than two rows are left or the sets have different fields.
 */
export function compare(reference: FieldSample, sample: FieldSample, floor: FieldSample): Comparison {
  for (const other of [sample, floor]) checkSameFields(reference, other);
  const rows = Math.min(reference.rows, sample.rows, floor.rows);
  if (!(rows >= 2)) throw new InputError(`The shortest set to compare has ${rows} rows; give at least 2.`);
  const sets = [reference, sample, floor].map((set) => ({ ...set, rows, fields: firstRows(set, rows) }));
  const scale = standardiser(sets[0].fields, columnsOf(reference));
  const [x, y, z] = sets.map(({ fields }) => scale.apply(fields));
  const [measured, control] = [y, z].map((values) =>
    energyTest(x, values, scale.free.length, new Random(PERMUTATION_SEED), PERMUTATIONS),
  );
  return {
    rows,
    fields: compareFields(sets, scale),
    modes: compareModes(x, y, z, scale.free.length),
    ...([sample, floor].every(({ problem }) => problem.imbalance)
      ? { imbalance: { sample: rmsImbalance(sets[1]), floor: rmsImbalance(sets[2]) } }
      : {}),
    energyDistance: { sample: measured.energyDistance, floor: control.energyDistance },
    pValue: { sample: measured.pValue, floor: control.pValue },
    floorRatio: {
      sample: measured.energyDistance / control.expected,
      floor: control.energyDistance / control.expected,
    },
  };
}

/** Compares reference, sample and floor field by field; scale: the standardiser of the reference. */
function compareFields(sets: readonly FieldSample[], scale: Standardiser): FieldComparison[] {
  const { free, mean, std } = scale;
  const pinned = pinnedColumns(scale);
  const { fields, cells } = sets[0].problem;
  const [truth, measured, control] = sets.map(summarise);
  const both = (measure: (summary: Summary) => number): WithFloor => ({
    sample: measure(measured),
    floor: measure(control),
  });
  return fields.map(({ name, unit }, field) => {
    const inField = (j: number) => Math.floor(j / cells) === field;
    const [varying, constant] = [free.filter(inField), pinned.filter(inField)];
    const rms = (at: (summary: Summary) => Float64Array) =>
      both((s) => Math.sqrt(average(varying.map((j) => ((at(s)[j] - at(truth)[j]) / std[j]) ** 2))));
    const deviation = (s: Summary, j: number) => Math.max(s.highest[j] - mean[j], mean[j] - s.lowest[j]);
    return {
      name,
      unit,
      meanError: rms((s) => s.mean),
      largestMeanError: both((s) => Math.max(0, ...varying.map((j) => Math.abs(s.mean[j] - truth.mean[j])))),
      stdRatio: both((s) => average(varying.map((j) => s.std[j] / std[j]))),
      lowerPointError: rms((s) => s.lower),
      upperPointError: rms((s) => s.upper),
      roughnessRatio: both((s) => s.roughness[field] / truth.roughness[field]),
      pinnedCells: constant.length,
      pinnedDeviation: both((s) => Math.max(0, ...constant.map((j) => deviation(s, j)))),
      pinnedExact: constant.every((j) => deviation(measured, j) <= 1e-10 * Math.abs(mean[j])),
    };
  });
}

interface Summary {
  readonly mean: Float64Array; // columns, as all below but roughness
  readonly std: Float64Array;
  readonly lowest: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly highest: Float64Array;
  readonly roughness: number[]; // fields
}

function summarise(set: FieldSample): Summary {
  const { fields, cells } = set.problem;
  const columns = columnsOf(set);
  const values = set.fields;
  const [lowest, lower, upper, highest] = columnPercentiles(values, columns, [0, 2.5, 97.5, 100]);
  const fieldValues = (field: number) => values.filter((_, i) => Math.floor((i % columns) / cells) === field);
  return {
    mean: columnMean(values, columns),
    std: columnStd(values, columns),
    lowest,
    lower,
    upper,
    highest,
    roughness: fields.map((_, field) => roughness(fieldValues(field), cells)),
  };
}

/** Standardised reference x, sample y and floor z (rows x columns) along the leading modes of x. */
function compareModes(x: Float64Array, y: Float64Array, z: Float64Array, columns: number): ModeComparison[] {
  const modes = principalComponents(x, columns, MODES);
  const { variances, totalVariance } = modes;
  const [measured, control] = [y, z].map((values) => {
    const coordinates = componentCoordinates(values, modes);
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

/** Root mean square over rows of the problem's imbalance. */
function rmsImbalance({ rows, fields, problem }: FieldSample): number {
  const columns = fields.length / rows;
  let square = 0;
  for (let row = 0; row < rows; row++) {
    square += (problem.imbalance?.(fields.subarray(row * columns, (row + 1) * columns)) ?? NaN) ** 2;
  }
  return Math.sqrt(square / rows);
}
