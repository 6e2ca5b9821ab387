import { Command, Option } from "commander";
import { allocateDataSet, sliceRows } from "../../lib/data/rows";
import { type Convention, CONVENTIONS } from "../../lib/electrode";
import { finite, InputError, oneOf, shown } from "../../lib/backend/errors";
import { MeaninglessFields } from "../../lib/evaluation/warnings";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { readPorosityCsv } from "../../lib/storage/csv";
import { sameFile } from "../../lib/storage/files";
import { createFieldsWriter } from "../../lib/storage/fieldsWriter";
import { warn } from "./samplingOptions";

interface Options {
  porosity: string;
  interpolate?: true;
  equilibriumPotential: number;
  flux: number;
  convention: Convention;
  out: string;
}

/** Rows that are read, solved and written at a time. */
const BATCH_ROWS = 256;

async function solve({
  porosity,
  interpolate,
  equilibriumPotential,
  flux,
  convention,
  out,
}: Options): Promise<void> {
  if (sameFile(porosity, out)) {
    throw new InputError(`The output ${shown(out)} is the file of the porosities; give another name.`);
  }
  const problem = porousElectrode(convention);
  // The correlation length of a given porosity is not known.
  const conditions = Float64Array.of(NaN, equilibriumPotential, flux);
  const writer = createFieldsWriter(out, problem, true);
  try {
    const batch = allocateDataSet(problem, BATCH_ROWS);
    for (let row = 0; row < BATCH_ROWS; row++) batch.conditions.set(conditions, row * conditions.length);
    const meaningless = new MeaninglessFields();
    let rows = 0;
    const flush = (): void => {
      const part = sliceRows(batch, 0, rows);
      problem.solve(batch.latent.subarray(0, rows * problem.cells), conditions, part.fields);
      if (!part.fields.every(Number.isFinite)) {
        throw new InputError(
          `The fields overflow for an equilibrium potential of ${equilibriumPotential} V and a flux of ${flux} A/m2; ` +
            `give smaller values.`,
        );
      }
      writer.write(part);
      meaningless.add(part);
      rows = 0;
    };
    for await (const values of readPorosityCsv(porosity, problem, interpolate)) {
      batch.latent.set(values, rows * problem.cells);
      if (++rows === BATCH_ROWS) flush();
    }
    if (rows > 0) flush();
    writer.close();
    warn(meaningless.warning("give a smaller flux or another equilibrium potential"));
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

export function command(): Command {
  return new Command("solve")
    .requiredOption(
      "--porosity <file>",
      "porosity fields as text: one a row, 100 numbers, or one in a column; - is standard input",
    )
    .option("--interpolate", "the file's first column is the position x, each other one a porosity there")
    .requiredOption("--equilibrium-potential <V>", "equilibrium potential U0 in V", (text) =>
      finite("The equilibrium potential", text),
    )
    .requiredOption("--flux <A>", "current density at x = L in A/m2", (text) => finite("The flux", text))
    .addOption(
      new Option("--convention <name>", `reading of the equations: ${CONVENTIONS.join(" or ")}`)
        .default("figures")
        .argParser((text) => oneOf("The convention", text, CONVENTIONS)),
    )
    .requiredOption("--out <file>", "file to write, .arrow or .csv; - is standard output, as CSV")
    .action(solve);
}
