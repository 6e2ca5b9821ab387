import { columnsOf, type FieldSample, firstRows } from "./fieldSample";
import type { Standardiser } from "./standardiser";
import { columnMean, columnPercentiles, columnStd, roughness } from "./summary";

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

/**
 * Compares the first rows of a sample with those of a reference field by field, beside the floor's.
 *
 * scale: the standardiser of the reference's rows.
 */
export function compareFields(
  reference: FieldSample,
  sample: FieldSample,
  floor: FieldSample,
  rows: number,
  { free, pinned, mean, std }: Standardiser,
): FieldComparison[] {
  const { fields, cells } = reference.problem;
  const [truth, measured, control] = [reference, sample, floor].map((set) => summarise(set, rows));
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

function summarise(set: FieldSample, rows: number): Summary {
  const { fields, cells } = set.problem;
  const columns = columnsOf(set);
  const values = firstRows(set, rows);
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

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
