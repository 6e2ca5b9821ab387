import { Command } from "commander";
import type { Convention } from "../../lib/electrode";
import { allocateDataSet, rowConditions, sliceRows } from "../../lib/data/rows";
import { type DataSet } from "../../lib/dataSet";
import { InputError, shown } from "../../lib/backend/errors";
import { compare } from "../../lib/evaluation/compare";
import { formatComparison } from "../../lib/evaluation/report";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { describeProblem, isImported } from "../../lib/presets/importedData";
import { simulateAt } from "../../lib/presets/simulate";
import { normaliseConditions, type Problem } from "../../lib/problem";
import { sameProblem } from "../../lib/data/conditions";
import { readBatches } from "../../lib/storage/arrowReader";
import { conventionOption } from "./conditions";

/** Most rows of each set that are compared: the energy distance takes time as their square. */
const MOST_ROWS = 4000;
/** First candidate for the seed of a floor that is simulated. */
const FLOOR_SEED = 1_000_003;
/** Conditions count as equal up to this share of their range: typed in with six digits, that is. */
const SAME_CONDITION = 1e-5;

/** The first rows of a file, all at one set of conditions. */
interface Sample {
  readonly file: string;
  readonly data: DataSet;
  /** in the whole file */
  readonly rows: number;
  /** (conditions) */
  readonly conditions: Float64Array;
}

/** An independent set like the reference, and how it came about. */
interface Floor {
  readonly reference: DataSet;
  readonly floor: DataSet;
  readonly source: string;
}

/**
 * Reads a file in constant memory: all rows, which have to be of one set of conditions; of imported data those at the given
 * conditions, or at those of the first row. Throws InputError if it has few rows or several conditions.
 */
async function readSample(file: string, assumed?: Problem, at?: Float64Array): Promise<Sample> {
  let kept: DataSet | undefined;
  let rows = 0;
  for await (const batch of readBatches(file, assumed)) {
    kept ??= allocateDataSet(batch.problem, 2 * MOST_ROWS, batch.seed);
    const { problem, conditions, fields } = kept;
    if (isImported(problem)) {
      if (rows === 0) conditions.set(at ?? rowConditions(batch, 0));
      const size = problem.fields.length * problem.cells;
      for (let row = 0; row < batch.rows; row++) {
        if (!sameConditions(problem, rowConditions(kept, 0), rowConditions(batch, row))) continue;
        if (rows < 2 * MOST_ROWS)
          fields.set(batch.fields.subarray(row * size, (row + 1) * size), rows * size);
        rows++;
      }
      continue;
    }
    for (let row = 0; row < batch.rows; row++) {
      if (rows + row === 0) conditions.set(rowConditions(batch, 0));
      if (!sameConditions(problem, rowConditions(kept, 0), rowConditions(batch, row))) {
        throw new InputError(
          `Row ${rows + row + 1} of ${shown(file)} has other conditions than row 1; give files of one set of conditions.`,
        );
      }
    }
    const room = 2 * MOST_ROWS - rows;
    if (room > 0) {
      const part = sliceRows(batch, 0, Math.min(batch.rows, room));
      fields.set(part.fields, rows * problem.fields.length * problem.cells);
    }
    rows += batch.rows;
  }
  if (kept === undefined || (rows < 2 && !isImported(kept.problem))) {
    throw new InputError(`The file ${shown(file)} has ${rows} rows; give at least 2.`);
  }
  const data = sliceRows({ ...kept, latent: undefined }, 0, Math.min(rows, 2 * MOST_ROWS));
  return { file, data, rows, conditions: rowConditions(kept, 0) };
}

/** Whether conditions agree where both are known: the correlation length of a porosity that was given is not (NaN). */
function sameConditions(problem: Problem, a: Float64Array, b: Float64Array): boolean {
  const [x, y] = [a, b].map((values) => normaliseConditions(problem, values));
  return x.every((value, k) => !(Math.abs(value - y[k]) > 2 * SAME_CONDITION));
}

function describeConditions({ conditions }: Problem, values: Float64Array): string {
  const parts = conditions.map(({ name, unit }, k) => {
    const value = Number.isNaN(values[k]) ? "unknown" : `${Number(values[k].toPrecision(6))} ${unit}`;
    return `${name.replace(/_/g, " ")} ${value}`;
  });
  return parts.join(", ");
}

/**
 * The floor: further rows of the reference where there are twice as many as the sample has, else a simulation, else
 * (at unknown conditions) the reference's second half.
 */
function floorOf(reference: Sample, sample: Sample): Floor {
  const { data, conditions, file } = reference;
  const split = (count: number): Floor => ({
    reference: sliceRows(data, 0, count),
    floor: sliceRows(data, count, 2 * count),
    source: `rows ${count + 1} to ${2 * count} of ${shown(file)}`,
  });
  const count = Math.min(sample.rows, MOST_ROWS);
  if (reference.rows >= 2 * count) return split(count);
  if (isImported(data.problem)) {
    if (reference.rows >= 4) return split(Math.floor(reference.rows / 2));
    throw new InputError(
      `${shown(file)} has ${reference.rows} rows at ${describeConditions(data.problem, conditions)}, and there is no solver ` +
        `to draw more; compare at conditions of 4 rows and more, or give evaluate --data.`,
    );
  }
  if (!conditions.every(Number.isFinite)) {
    if (reference.rows >= 4) return split(Math.floor(reference.rows / 2));
    throw new InputError(
      `${shown(file)} has ${reference.rows} rows at conditions that are not known in full, which cannot be drawn anew for ` +
        `the floor; give at least 4.`,
    );
  }
  let seed = FLOOR_SEED;
  while (seed === data.seed || seed === sample.data.seed) seed++;
  const rows = Math.min(count, reference.rows);
  const floor = simulateAt(data.problem, conditions, rows, seed);
  return { reference: data, floor, source: `${rows} fields simulated with seed ${seed}` };
}

async function runComparison(
  referenceFile: string,
  sampleFile: string,
  { json, convention }: { json?: true; convention?: Convention },
): Promise<void> {
  const assumed = convention && porousElectrode(convention);
  let reference = await readSample(referenceFile, assumed);
  const sample = await readSample(sampleFile, assumed);
  const { problem } = reference.data;
  if (!sameProblem(problem, sample.data.problem)) {
    const [a, b] = [reference, sample].map(({ data }) => describeProblem(data.problem));
    throw new InputError(
      `${shown(referenceFile)} holds ${a} and ${shown(sampleFile)} ${b}; give two files of one problem.`,
    );
  }
  if (isImported(problem)) reference = await readSample(referenceFile, assumed, sample.conditions);
  if (!sameConditions(problem, reference.conditions, sample.conditions)) {
    const [a, b] = [reference, sample].map(({ conditions }) => describeConditions(problem, conditions));
    throw new InputError(
      `${shown(referenceFile)} is at ${a}, ${shown(sampleFile)} at ${b}; give two files at equal conditions.`,
    );
  }
  const { reference: data, floor, source } = floorOf(reference, sample);
  const comparison = compare(data, sample.data, floor);
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...comparison, floorSource: source })}\n`);
    return;
  }
  const lines = [
    `${describeProblem(problem)}; ${describeConditions(problem, reference.conditions)}`,
    `reference: first ${comparison.rows} of ${reference.rows} rows of ${shown(referenceFile)}`,
    `sample: first ${comparison.rows} of ${sample.rows} rows of ${shown(sampleFile)}`,
    `floor: ${source}`,
    "",
    formatComparison(comparison),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

export function command(): Command {
  return new Command("compare")
    .argument("<A.arrow>", "reference: fields from the PDE, at one set of conditions; - is standard input")
    .argument("<B.arrow>", "sample: fields from a model, at the same conditions as far as both are known")
    .addOption(
      conventionOption("of files that do not say it, as after a way through pandas, polars or duckdb"),
    )
    .option("--json", "print the comparison as JSON")
    .addHelpText(
      "after",
      `\nBeside each number of the sample stands that of an independent set like the reference: further rows of A where\n` +
        `it has at least twice B's, else a new simulation. At most ${MOST_ROWS} rows of each set are compared.\n` +
        `Of imported data, rows of A at B's conditions are taken, and the floor is from half of them.`,
    )
    .action(runComparison);
}
