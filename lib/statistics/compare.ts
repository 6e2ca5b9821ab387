import { InputError } from "../errors";
import { meanDistance, standardiser } from "./energyDistance";
import { columnMean, columnPercentiles, columnStd, roughness } from "./summary";

/** A set of solutions under one condition: fields is rows x (number of fields) x cells. */
export interface FieldSample {
  readonly rows: number;
  readonly fields: Float64Array;
  readonly problem: {
    readonly fields: ReadonlyArray<{ readonly name: string; readonly unit: string }>;
    readonly cells: number;
  };
}

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

/** A sample against a reference, with the sampling floor. */
export interface Comparison {
  /** Rows of each set that were compared. */
  readonly rows: number;
  readonly fields: readonly FieldComparison[];
  /** Energy distance over all varying cells of all fields, each cell in standard deviations of the reference. */
  readonly energyDistance: WithFloor;
  /** Its ratio, sample to floor: 1 means indistinguishable. */
  readonly floorRatio: number;
}

/**
 * Compares a sample with a reference set, every number beside that of an independent set like the reference.
 *
 * The energy distance depends on the number of rows, so all three sets are cut to the first rows of the shortest.
 * Throws InputError when that leaves fewer than two rows or the sets have different fields.
 */
export function compare(reference: FieldSample, sample: FieldSample, floor: FieldSample): Comparison {
  const { fields, cells } = reference.problem;
  const columns = fields.length * cells;
  const describe = ({ problem }: FieldSample) =>
    `${problem.fields.map(({ name, unit }) => `${name} (${unit})`).join(", ")} on ${problem.cells} cells`;
  for (const other of [sample, floor]) {
    if (describe(other) !== describe(reference)) {
      throw new InputError(
        `The sets to compare hold ${describe(other)} and ${describe(reference)}; give sets of the same fields.`,
      );
    }
  }
  const rows = Math.min(reference.rows, sample.rows, floor.rows);
  if (!(rows >= 2)) throw new InputError(`The shortest set to compare has ${rows} rows; give at least 2.`);
  const cut = (set: FieldSample) => set.fields.subarray(0, rows * columns);
  const truth = summarise(cut(reference), fields.length, cells);
  const [measured, control] = [sample, floor].map((set) => summarise(cut(set), fields.length, cells));
  const { free, pinned, mean, std, apply } = standardiser(cut(reference), columns);

  const both = (measure: (summary: Summary) => number): WithFloor => ({
    sample: measure(measured),
    floor: measure(control),
  });
  const compareField = (field: number): FieldComparison => {
    const inField = (j: number) => Math.floor(j / cells) === field;
    const [varying, constant] = [free.filter(inField), pinned.filter(inField)];
    const rms = (at: (summary: Summary) => Float64Array) =>
      both((s) => Math.sqrt(average(varying.map((j) => ((at(s)[j] - at(truth)[j]) / std[j]) ** 2))));
    const deviation = (s: Summary, j: number) => Math.max(s.highest[j] - mean[j], mean[j] - s.lowest[j]);
    return {
      name: fields[field].name,
      unit: fields[field].unit,
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
  };

  const [x, y, z] = [reference, sample, floor].map((set) => apply(cut(set)));
  const within = meanDistance(x, x, free.length);
  const distance = both((s) => {
    const other = s === measured ? y : z;
    return 2 * meanDistance(x, other, free.length) - within - meanDistance(other, other, free.length);
  });
  return {
    rows,
    fields: fields.map((_, field) => compareField(field)),
    energyDistance: distance,
    floorRatio: distance.sample / distance.floor,
  };
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

function summarise(values: Float64Array, fieldCount: number, cells: number): Summary {
  const columns = fieldCount * cells;
  const [lowest, lower, upper, highest] = columnPercentiles(values, columns, [0, 2.5, 97.5, 100]);
  const fieldValues = (field: number) => values.filter((_, i) => Math.floor((i % columns) / cells) === field);
  return {
    mean: columnMean(values, columns),
    std: columnStd(values, columns),
    lowest,
    lower,
    upper,
    highest,
    roughness: Array.from({ length: fieldCount }, (_, field) => roughness(fieldValues(field), cells)),
  };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The comparison as an aligned plain-text table, one line a number, sample and floor side by side. */
export function formatComparison({ rows, fields, energyDistance, floorRatio }: Comparison): string {
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
  lines.push(
    both("energy distance (standardised cells)", energyDistance),
    line("floor ratio (1 = indistinguishable)", floorRatio.toPrecision(3), "1"),
  );
  return lines.join("\n");
}
