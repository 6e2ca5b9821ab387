/**
 * comparison.ts FOLDER: compares the trainings of a folder by what evaluate has measured. Writes FOLDER/comparison.csv, one
 * line for each training, the smallest median of the pooled floor ratio first, and prints it as a table.
 */
import fs from "node:fs";
import path from "node:path";
import { fileError, writeWhole } from "../../lib/storage/files";
import { InputError, shown } from "../../lib/backend/errors";
import { table } from "../../lib/evaluation/table";
import { readSettings } from "./settingsTable";

const MEASURED = ["median", "worst", "reference", "mean error", "std ratio", "steps taken", "minutes taken"];

/** Of what evaluate writes, that which is compared. */
interface Evaluated {
  readonly median: { readonly pooled: number; readonly meanError: number; readonly stdRatio: number };
  readonly worst: { readonly model: { readonly pooled: number } };
  readonly reference: { readonly model: { readonly pooled: number } };
  readonly history: { readonly steps?: number; readonly seconds?: number };
}

/** Folder of the training in line `line` (from 1) of the table. */
function runName(line: number): string {
  return `run-${line}`;
}

function readEvaluation(file: string): Evaluated {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as Evaluated;
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InputError(`${shown(file)} is no JSON; delete it and submit again.`);
    throw fileError("read", file, error);
  }
}

/** Heads and lines of the comparison. Throws InputError where an evaluation is missing. */
export function comparison(folder: string): string[][] {
  const { names, trainings } = readSettings(path.join(folder, "trainings.csv"));
  const rows = trainings.map((values, i) => {
    const name = runName(i + 1);
    const { median, worst, reference, history } = readEvaluation(path.join(folder, name, "evaluation.json"));
    // A training that was killed after its last step does not tell them.
    const { steps = "unknown", seconds } = history;
    const taken = [String(steps), seconds === undefined ? "unknown" : (seconds / 60).toPrecision(3)];
    const ratios = [median.pooled, worst.model.pooled, reference.model.pooled];
    const numbers = [...ratios, median.meanError, median.stdRatio].map((value) => value.toPrecision(3));
    return {
      order: median.pooled,
      cells: [name, ...values, ...numbers, ...taken],
    };
  });
  rows.sort((a, b) => a.order - b.order);
  return [["training", ...names, ...MEASURED], ...rows.map(({ cells }) => cells)];
}

function main(folder: string): void {
  const rows = comparison(folder);
  const lines = rows.map((cells) => cells.join(","));
  writeWhole(path.join(folder, "comparison.csv"), Buffer.from(`${lines.join("\n")}\n`));
  console.log(table(rows, 1, false));
}

if (require.main === module) {
  try {
    main(process.argv[2]);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
