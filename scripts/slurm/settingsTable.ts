/**
 * A table of settings as CSV: in its first line names of options of train, in each other the values of one training.
 *
 *   settingsTable.ts check FILE [OPTION-OF-EVALUATE ...]   prints the table as the jobs read it, or says what is wrong
 *   settingsTable.ts options FILE LINE                     prints the options of one training, one a line
 */
import type { Command } from "commander";
import fs from "node:fs";
import { fileError } from "../../lib/storage/files";
import { InputError, positiveInteger, shown } from "../../lib/backend/errors";
import { presetByName } from "../../lib/presets/presets";
import { command as evaluateCommand } from "../cli/evaluate";
import { command as trainCommand } from "../cli/train";

/** Options of train that the jobs set themselves. */
const SET_BY_JOBS = ["data", "out", "checkpoint", "resume"];
const LENGTHS = ["minutes", "epochs", "steps"];
/** Longest table: what Slurm takes as an array by default is below it. */
const MOST_TRAININGS = 100_000;

/** Names of options without dashes, and for each training their values, "" where the default is meant. */
export interface SettingsTable {
  readonly names: readonly string[];
  readonly trainings: readonly (readonly string[])[];
}

/** The table in a text. Throws InputError, naming the line, for what is no table of options that train takes. */
export function parseSettings(text: string, file: string): SettingsTable {
  const lines = text.split(/\r?\n/).map((line) => line.split(",").map((cell) => cell.trim()));
  const rows = lines.flatMap((cells, i) => (cells.join("") === "" ? [] : [{ cells, number: i + 1 }]));
  if (rows.length < 2) {
    throw new InputError(
      `The table ${shown(file)} has no trainings; give a line of names and one for each training.`,
    );
  }
  if (rows.length - 1 > MOST_TRAININGS) {
    throw new InputError(
      `The table ${shown(file)} has ${rows.length - 1} trainings; give at most ${MOST_TRAININGS}.`,
    );
  }
  const [{ cells: names }, ...trainings] = rows;
  checkNames(names, file);
  for (const { cells, number } of trainings) {
    const place = `Line ${number} of ${shown(file)}`;
    if (cells.length !== names.length) {
      throw new InputError(
        `${place} has ${cells.length} values; give ${names.length}, as many as there are names.`,
      );
    }
    checkTraining(names, cells, place);
  }
  return { names, trainings: trainings.map(({ cells }) => cells) };
}

function checkNames(names: readonly string[], file: string): void {
  const known = trainCommand()
    .options.map(({ long }) => long?.replace(/^--/, "") ?? "")
    .filter((name) => !SET_BY_JOBS.includes(name));
  names.forEach((name, i) => {
    if (known.includes(name) && names.indexOf(name) === i) return;
    const fault = known.includes(name) ? "stands there twice" : "is no option that can vary";
    throw new InputError(
      `In the first line of ${shown(file)}, ${shown(name)} ${fault}; give some of ${known.join(", ")}.`,
    );
  });
}

/** Asks train's own parser, and what it asks later. */
function checkTraining(names: readonly string[], values: readonly string[], place: string): void {
  const given = names.filter((_, i) => values[i] !== "");
  if (given.filter((name) => LENGTHS.includes(name)).length > 1) {
    throw new InputError(`${place} gives the length twice; give one of ${LENGTHS.join(", ")}.`);
  }
  try {
    const words = ["--data", "x", "--out", "x", ...asOptions(names, values)];
    presetByName(parsed(trainCommand(), words)["preset"] as string);
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${place}: ${error.message}`) : error;
  }
}

/** The options of a command from words. Throws InputError. */
function parsed(command: Command, words: readonly string[]): Record<string, unknown> {
  const quiet = command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .allowExcessArguments(false)
    .action(() => undefined);
  try {
    return quiet.parse([...words], { from: "user" }).opts();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const sentence = (error as Error).message.replace(/^error: /, "").replace(/\.?$/, ".");
    throw new InputError(sentence);
  }
}

function asOptions(names: readonly string[], values: readonly string[]): string[] {
  return names.flatMap((name, i) => (values[i] === "" ? [] : [`--${name}=${values[i]}`]));
}

/** Reads a table from a file. Throws InputError. */
export function readSettings(file: string): SettingsTable {
  try {
    return parseSettings(fs.readFileSync(file, "utf8"), file);
  } catch (error) {
    throw fileError("read", file, error);
  }
}

function main([what, file, ...rest]: readonly string[]): void {
  const { names, trainings } = readSettings(file);
  if (what === "options") {
    const line = positiveInteger("The training", rest[0], trainings.length);
    console.log(asOptions(names, trainings[line - 1]).join("\n"));
    return;
  }
  parsed(evaluateCommand(), rest);
  console.log([names, ...trainings].map((cells) => cells.join(",")).join("\n"));
}

if (require.main === module) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
