import path from "node:path";
import { Command } from "commander";
import type { Convention } from "../../lib/electrode";
import { finite, InputError, oneOf, shown } from "../../lib/backend/errors";
import { checkConditions } from "../../lib/data/conditions";
import { selectRows } from "../../lib/data/rows";
import type { DataSet } from "../../lib/dataSet";
import { type CheckNumbers, CheckSummary, SelfConsistency } from "../../lib/evaluation/selfConsistency";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { readBatches } from "../../lib/storage/arrowReader";
import { readFieldsCsv } from "../../lib/storage/fieldsCsv";
import { createFieldsWriter, type FieldsWriter } from "../../lib/storage/fieldsWriter";
import { conventionOption } from "./conditions";
import { Progress } from "./progress";

interface Options {
  convention?: Convention;
  correlationLength?: number;
  equilibriumPotential?: number;
  flux?: number;
  json?: true;
  out?: string;
}

/** Rows with an impossible potential that are named one by one. */
const MOST_NAMED = 10;

/** The rows of a file, batch by batch. Throws InputError where conditions are missing or given twice. */
function rowsOf(file: string, options: Options): AsyncGenerator<DataSet> {
  const { convention, correlationLength, equilibriumPotential, flux } = options;
  const given = [correlationLength, equilibriumPotential, flux];
  if (path.extname(file).toLowerCase() !== ".csv") {
    if (given.every((value) => value === undefined)) {
      return readBatches(file, convention && porousElectrode(convention));
    }
    throw new InputError(
      `${shown(file)} is read as Arrow, which holds the conditions of every row; leave out --correlation-length, ` +
        `--equilibrium-potential and --flux.`,
    );
  }
  if (equilibriumPotential === undefined || flux === undefined) {
    throw new InputError(
      `${shown(file)} is CSV, which holds no conditions; give --equilibrium-potential and --flux, and --correlation-length ` +
        `where it is known.`,
    );
  }
  const problem = porousElectrode(convention ?? "figures");
  const conditions = Float64Array.of(correlationLength ?? NaN, equilibriumPotential, flux);
  // A correlation length is there to draw fields of the solver, so it has to be in its range; the others may be any.
  if (correlationLength !== undefined)
    checkConditions(problem, [correlationLength, ...problem.reference!.slice(1)]);
  return readFieldsCsv(file, problem, conditions);
}

async function check(file: string, options: Options): Promise<void> {
  const { out } = options;
  // CSV would have no room for the porosity.
  if (out !== undefined) oneOf("The extension of the output", path.extname(out).toLowerCase(), [".arrow"]);
  const progress = new Progress("fields");
  const summary = new CheckSummary();
  let consistency: SelfConsistency | undefined;
  let writer: FieldsWriter | undefined;
  try {
    for await (const batch of rowsOf(file, options)) {
      consistency ??= new SelfConsistency(batch.problem);
      if (out !== undefined) writer ??= createFieldsWriter(out, batch.problem, true);
      const porosity = new Float64Array(batch.rows * batch.problem.cells);
      consistency.check(batch, summary, porosity);
      progress.report(() => `${summary.rows} fields`);
      writer?.write(possibleRows({ ...batch, latent: porosity }));
    }
    if (!consistency) throw new InputError(`The file ${shown(file)} has no rows; give at least 1.`);
    writer?.close();
  } catch (error) {
    writer?.abandon();
    throw error;
  } finally {
    progress.end();
  }
  const numbers = { fields: summary.numbers(), solver: consistency.solver.numbers() };
  const text = options.json
    ? JSON.stringify({ ...numbers, impossible: summary.impossible })
    : [tableOf(file, numbers), ...named(summary)].join("\n");
  process.stdout.write(`${text}\n`);
}

/** The rows that have a porosity. */
function possibleRows(data: DataSet & { latent: Float64Array }): DataSet {
  const { cells } = data.problem;
  const rows = Array.from({ length: data.rows }, (_, row) => row);
  return selectRows(
    data,
    rows.filter((row) => !Number.isNaN(data.latent[row * cells])),
  );
}

function tableOf(
  file: string,
  { fields, solver }: { readonly fields: CheckNumbers; readonly solver: CheckNumbers },
): string {
  const short = (value: number) => (Number.isNaN(value) ? "unknown" : value.toExponential(1));
  const share = (value: number) => (Number.isNaN(value) ? "unknown" : `${(100 * value).toFixed(3)} %`);
  const whole = (value: number) => String(value);
  const lines: [string, keyof CheckNumbers, (value: number) => string][] = [
    ["fields", "rows", whole],
    ["potentials of no porosity", "impossible", whole],
    ["c - c(porosity), rms, std of c", "residual", short],
    ["  95 % of the fields below", "residualBelow95", short],
    ["  largest of a field", "residualLargest", short],
    ["c - c(porosity), rms, mol/m3", "residualInUnits", short],
    ["cells outside (0.2, 0.5)", "outside", share],
    ["variance of the process (1)", "processVariance", (v) => (Number.isNaN(v) ? "unknown" : v.toFixed(3))],
  ];
  const rows = lines.map(([name, key, show]) => [name, show(fields[key]), show(solver[key])]);
  const [first, second] = [file.length > 20 ? "file" : file, "solver"];
  const width = Math.max(10, first.length + 2);
  return [["", first, second], ...rows]
    .map(([name, a, b]) => `${name.padEnd(32)}${a.padStart(width)}${b.padStart(12)}`)
    .join("\n");
}

function named({ impossible }: CheckSummary): string[] {
  if (impossible.length === 0) return [];
  const some = impossible
    .slice(0, MOST_NAMED)
    .map(({ row, face }) => `row ${row} (between cells ${face} and ${face + 1})`);
  const more = impossible.length - some.length;
  return [
    "",
    `No porosity has the potential of ${some.join(", ")}${more > 0 ? ` and of ${more} more rows` : ""}: the current goes against ` +
      `the slope of phi there, or phi is flatter than in the electrolyte alone.`,
  ];
}

export function command(): Command {
  const number = (name: string) => (text: string) => finite(name, text);
  return new Command("check")
    .argument(
      "<FILE>",
      "fields to check, .arrow, or .csv as sample and solve write it; - is standard input, Arrow",
    )
    .addOption(conventionOption("of files that do not say it, as CSV does not (figures by default)"))
    .option(
      "--correlation-length <m>",
      "of CSV: correlation length l in m, where it is known",
      number("The correlation length"),
    )
    .option(
      "--equilibrium-potential <V>",
      "of CSV: equilibrium potential U0 in V",
      number("The equilibrium potential"),
    )
    .option("--flux <A>", "of CSV: current density at x = L in A/m2", number("The flux"))
    .option("--json", "print the numbers as JSON")
    .option("--out <file>", "write the fields with the porosities that were read back, .arrow")
    .addHelpText(
      "after",
      "\nA potential determines its porosity, and the solver gives the concentration that belongs to it: what the fields' own\n" +
        "concentration differs by is the residual. Beside it stand fields of the solver at the same conditions.",
    )
    .action(check);
}
