import { Command, Option } from "commander";
import { integerInRange, InputError, shown } from "../../lib/backend/errors";
import { table } from "../../lib/evaluation/table";
import { systems } from "../../lib/gallery/systems";
import { type GalleryResult, isMet } from "../../lib/gallery/system";
import { type Budget, budgets } from "../../lib/notebook/notebook";

interface Options {
  readonly seed: string;
  readonly budget: Budget;
  readonly json?: boolean;
}

/** A result as a person reads it: the table, and each target with what was reached. */
export function formatResult({ columns, rows, targets }: GalleryResult): string {
  const number = (value: number) => (Number.isInteger(value) ? String(value) : value.toPrecision(4));
  const lines = rows.map(({ name, values }) => [
    name,
    ...values.map((value) => (Number.isNaN(value) ? "" : number(value))),
  ]);
  const aims = targets.map((target) => [
    target.what,
    number(target.value),
    `${target.at === "most" ? "at most" : "at least"} ${target.limit}`,
    isMet(target) ? "met" : "MISSED",
  ]);
  return [
    table([["", ...columns], ...lines], 1, false),
    "",
    table([["target", "reached", "aim", ""], ...aims], 1, false),
  ].join("\n");
}

async function show(name: string | undefined, { seed, budget, json = false }: Options): Promise<void> {
  const chosen = name === undefined ? systems : systems.filter((system) => system.name === name);
  if (chosen.length === 0) {
    throw new InputError(
      `The system is ${shown(name)}; give one of ${systems.map((system) => system.name).join(", ")}, or none for all.`,
    );
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
    if (!json) process.stdout.write(`${formatResult(result)}\n\n${seconds} s\n\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ budget, seed: start, results }, null, 1)}\n`);
  // A run whose aim is missed says so to a script, too.
  if (Object.values(results).some(({ targets }) => !targets.every(isMet))) process.exitCode = 1;
}

export function command(): Command {
  return new Command("gallery")
    .argument("[name]", `one of ${systems.map(({ name }) => name).join(", ")} (default: all)`)
    .option("--seed <s>", "seed of all random numbers, from 0 to 2^53 - 1", "1")
    .addOption(new Option("--budget <name>", "how much is computed").choices(budgets).default("lesson"))
    .option("--json", "print the results as JSON")
    .action(show);
}
