import fs from "node:fs";
import { Command } from "commander";
import { finiteInRange, InputError, integerInRange, positive, shown } from "../../lib/backend/errors";
import { rowBytes } from "../../lib/data/rows";
import { isImported } from "../../lib/presets/importedData";
import { ArrowRows } from "../../lib/storage/arrowReader";
import { writeDataSet } from "../../lib/storage/arrowWriter";
import { AtomicFile, checkRoom, sameFile, STANDARD } from "../../lib/storage/files";
import { type ImportOptions, importDataSet, splitRows } from "../../lib/storage/importData";
import { checkArrow } from "./generate";

interface Options extends Omit<ImportOptions, "names" | "units" | "like"> {
  names?: string[];
  units?: string[];
  like?: string;
  heldOut?: string;
  share: number;
  seed: number;
  overwrite?: boolean;
  out: string;
}

/** Words separated by commas. */
function list(text: string): string[] {
  return text.split(",").map((word) => word.trim());
}

/** The files to write. Throws InputError unless that loses nothing, and each has a name of its own. */
function checkOutputs({ fields, conditions, out, heldOut, overwrite }: Options): string[] {
  const outputs = heldOut === undefined ? [out] : [out, heldOut];
  for (const output of outputs) {
    checkArrow(output);
    if (output === STANDARD) continue;
    const input = [fields, conditions].find((file) => file !== undefined && sameFile(file, output));
    if (input !== undefined) {
      throw new InputError(`The output ${shown(output)} is the input ${shown(input)}; give another name.`);
    }
    if (!overwrite && exists(output)) {
      throw new InputError(`There is a file ${shown(output)} already; give another name, or --overwrite.`);
    }
  }
  if (heldOut !== undefined && (heldOut === out || sameFile(heldOut, out))) {
    throw new InputError(`--out and --held-out are both ${shown(out)}; give two names.`);
  }
  return outputs;
}

function exists(file: string): boolean {
  return sameFile(file, file);
}

/** Names and units, as given or as another data set has them. Throws InputError unless it is one of both. */
async function described(options: Options): Promise<ImportOptions> {
  const { names, units, like, log, ...files } = options;
  if (like === undefined) {
    if (names && units) return { ...files, names, units, log };
    const missing = names ? "--units" : "--names";
    throw new InputError(
      `There are no ${missing.slice(2)}; give ${missing}, or --like with a data set that has them.`,
    );
  }
  if (names || units || log || files.length !== 1) {
    throw new InputError(
      "There is --like, which tells names, units, ranges and length; leave out --names, --units, --log and --length.",
    );
  }
  const source = await ArrowRows.open(like);
  const { problem } = source;
  source.close();
  if (!isImported(problem)) {
    throw new InputError(
      `${shown(like)} is of the problem ${problem.name}; give --like a file that import has written.`,
    );
  }
  const items = [...problem.conditions, ...problem.fields];
  return {
    ...files,
    names: items.map(({ name }) => name),
    units: items.map(({ unit }) => unit),
    like: problem,
  };
}

async function runImport(options: Options): Promise<void> {
  for (const output of checkOutputs(options)) new AtomicFile(output).abandon(); // can it be written?
  const data = await importDataSet(await described(options));
  const { heldOut, out, share, seed } = options;
  checkRoom(out, rowBytes(data.problem) * data.rows);
  const [kept, held] = heldOut === undefined ? [data] : splitRows(data, share, seed);
  if (held) writeDataSet(heldOut!, held);
  try {
    writeDataSet(out, kept);
  } catch (error) {
    // One of two parts is of no use, and the next attempt would find a file that is there.
    if (held && heldOut !== STANDARD) fs.rmSync(heldOut!, { force: true });
    throw error;
  }
  if (out === STANDARD) return;
  const { conditions, fields, cells } = data.problem;
  const ranges = conditions.map(({ name, unit, min, max, scale }) => {
    return `${name} ${short(min)} to ${short(max)} ${unit}${scale === "log" ? " (log)" : ""}`;
  });
  const names = fields.map(({ name, unit }) => `${name} (${unit})`).join(", ");
  process.stdout.write(
    `${out}: ${kept.rows} rows of ${names} on ${cells} cells; ${ranges.join(", ")}` +
      `${held ? `; ${heldOut}: ${held.rows} rows held out` : ""}\n`,
  );
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

export function command(): Command {
  return new Command("import")
    .requiredOption("--fields <file>", "fields: .npy, .npz, .parquet, .arrow or .feather")
    .option(
      "--conditions <file>",
      "conditions of the rows, one of these or .csv (default: in the fields' file)",
    )
    .option("--names <list>", "names of the conditions and then of the fields, separated by commas", list)
    .option("--units <list>", "their units, in the same order; 1 for a number without unit", list)
    .option("--log <list>", "names of conditions that cover their range evenly in the logarithm", list)
    .option("--length <m>", "length of the domain", (text) => positive("The length", text, "m"), 1)
    .option("--like <file.arrow>", "take names, units, ranges and length from a file that import has written")
    .option(
      "--held-out <file.arrow>",
      "file for rows that no training is to see: evaluate and compare need them",
    )
    .option("--share <s>", "share of these rows", (text) => finiteInRange("The share", text, 0.001, 0.9), 0.2)
    .option(
      "--seed <s>",
      "seed of their choice",
      (text) => integerInRange("The seed", text, 0, Number.MAX_SAFE_INTEGER),
      1,
    )
    .option("--overwrite", "replace files that are there")
    .requiredOption("--out <file.arrow>", "file to write; - is standard output")
    .addHelpText(
      "after",
      `
Fields are one array (rows, cells) or (rows, fields, cells), or arrays and columns with the names of the fields, (rows,
cells) each. Conditions are one array (rows, conditions), or arrays and columns with their names, one number a row. In an
.npz file the arrays of all fields and of all conditions are called fields and conditions.

There is no solver for such data: train (--preset lesson), sample, compare and evaluate --data work, and the sampling
floor comes from rows that were held out.`,
    )
    .action(runImport);
}
