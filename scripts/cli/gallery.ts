import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Command, Option } from "commander";
import { integerInRange, InputError, shown } from "../../lib/backend/errors";
import { median } from "../../lib/evaluation/statistics";
import { table } from "../../lib/evaluation/table";
import { systems } from "../../lib/gallery/systems";
import { type GalleryStudy, spreadTable } from "../../lib/gallery/results";
import { type GalleryResult, type GallerySystem, isMet, type Target } from "../../lib/gallery/system";
import { type Budget, budgets } from "../../lib/notebook/notebook";

interface Options {
  readonly seed: string;
  readonly budget: Budget;
  readonly json?: boolean;
  readonly results?: boolean;
}

/** What `npm run study` found of some systems, as the table of docs/gallery.md. */
export function resultsTable(chosen: readonly GallerySystem[]): string {
  const heads = ["system", "target", "median", "range", "aim", "references and baselines (medians)"];
  const rows = chosen.flatMap(({ name }) => {
    const file = path.join(__dirname, "..", "..", "data", "results", `gallery-${name}.json`);
    if (!existsSync(file)) return [[`${name}: no results yet`, "", "", "", "", ""]];
    const study = JSON.parse(readFileSync(file, "utf8")) as GalleryStudy;
    const whole = study.results.filter((result) => result.rows.length > 0);
    const seconds = Math.round(median(whole.map((result) => result.seconds)));
    const title = `${name}: ${whole.length} seeds${Number.isNaN(seconds) ? "" : ` of ${seconds} s`}`;
    return spreadTable(study).map((row, i) => [i === 0 ? title : "", ...row]);
  });
  return table([heads, ...rows], 6, true);
}

/** What is said of a target. A smoke run is too short for any, and a share needs many seeds. */
function verdict(target: Target, budget: Budget): "met" | "MISSED" | "not judged" {
  if (budget === "smoke" || target.share) return "not judged";
  return isMet(target) ? "met" : "MISSED";
}

/** A result as a person reads it: the table, and each target with what was reached. */
export function formatResult({ columns, rows, targets }: GalleryResult, budget: Budget): string {
  const number = (value: number) => (Number.isInteger(value) ? String(value) : value.toPrecision(4));
  const lines = rows.map(({ name, values }) => [
    name,
    ...values.map((value) => (Number.isNaN(value) ? "" : number(value))),
  ]);
  const aims = targets.map((target) => [
    target.what,
    number(target.value),
    `${target.at === "most" ? "at most" : "at least"} ${target.limit}`,
    verdict(target, budget),
  ]);
  return [
    table([["", ...columns], ...lines], 1, false),
    "",
    table([["target", "reached", "aim", ""], ...aims], 1, false),
  ].join("\n");
}

async function show(name: string | undefined, options: Options): Promise<void> {
  const { seed, budget, json = false, results: stored = false } = options;
  const chosen = name === undefined ? systems : systems.filter((system) => system.name === name);
  if (chosen.length === 0) {
    throw new InputError(
      `The system is ${shown(name)}; give one of ${systems.map((system) => system.name).join(", ")}, or none for all.`,
    );
  }
  if (stored) {
    process.stdout.write(`${resultsTable(chosen)}\n`);
    return;
  }
  const start = integerInRange("The seed", seed, 0, Number.MAX_SAFE_INTEGER);
  const results: Record<string, GalleryResult & { seconds: number }> = {};
  for (const system of chosen) {
    if (!json) process.stdout.write(`${system.title}\n  after ${system.paper}\n\n`);
    const began = performance.now();
    const progress = (text: string) => process.stderr.isTTY && process.stderr.write(`  ${text} ...\n`);
    const result = await system.run({ budget, seed: start, progress });
    const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
    results[system.name] = { ...result, seconds };
    if (!json) process.stdout.write(`${formatResult(result, budget)}\n\n${seconds} s\n\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ budget, seed: start, results }, null, 1)}\n`);
  // A run whose aim is missed says so to a script, too.
  const missed = (target: Target) => verdict(target, budget) === "MISSED";
  if (Object.values(results).some(({ targets }) => targets.some(missed))) process.exitCode = 1;
}

export function command(): Command {
  return new Command("gallery")
    .argument("[name]", `one of ${systems.map(({ name }) => name).join(", ")} (default: all)`)
    .option("--seed <s>", "seed of all random numbers, from 0 to 2^53 - 1", "1")
    .addOption(new Option("--budget <name>", "how much is computed").choices(budgets).default("lesson"))
    .option("--json", "print the results as JSON")
    .option("--results", "print what npm run study found with several seeds, as a table in Markdown")
    .action(show);
}
