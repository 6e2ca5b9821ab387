import { Command, Option } from "commander";
import { generate } from "../../lib/data/generate";
import { porousElectrode } from "../../lib/data/porousElectrodeProblem";
import { asNumber, InputError, oneOf, positiveInteger, shown } from "../../lib/errors";
import { type Convention, CONVENTIONS } from "../../lib/physics/porousElectrode";
import { Progress } from "./progress";

interface Options {
  conditions: number;
  fields: number;
  seed: number;
  convention: Convention;
  workers?: number;
  shard?: { index: number; count: number };
  out: string;
}

function parseShard(text: string): { index: number; count: number } {
  const parts = text.split("/");
  if (parts.length !== 2) {
    throw new InputError(`The shard is ${shown(text)}; give i/n with i from 1 to n, for example 2/8.`);
  }
  const count = positiveInteger("The number of shards", parts[1]);
  return { index: positiveInteger("The shard", parts[0], count), count };
}

export function command(): Command {
  return new Command("generate")
    .requiredOption(
      "--conditions <n>",
      "number of conditions to draw",
      asNumberOrShown("The number of conditions"),
    )
    .requiredOption(
      "--fields <n>",
      "number of fields for each condition",
      asNumberOrShown("The number of fields"),
    )
    .requiredOption(
      "--seed <s>",
      "seed of the random numbers, from 0 to 2^53 - 1",
      asNumberOrShown("The seed"),
    )
    .addOption(
      new Option("--convention <name>", `reading of the equations: ${CONVENTIONS.join(" or ")}`)
        .default("figures")
        .argParser((text) => oneOf("The convention", text, CONVENTIONS)),
    )
    .option("--workers <n>", "threads (default: one for each core)", asNumberOrShown("The number of workers"))
    .option("--shard <i/n>", "write only the i-th of n parts, i from 1", parseShard)
    .requiredOption("--out <file.arrow>", "file to write")
    .action(async (options: Options) => {
      if (!options.out.toLowerCase().endsWith(".arrow")) {
        throw new InputError(`The output is ${shown(options.out)}; give a name that ends in .arrow.`);
      }
      const progress = new Progress("fields");
      const { convention, ...rest } = options;
      const onProgress = (done: number, all: number): void => progress.update(done, all);
      try {
        await generate({ ...rest, problem: porousElectrode(convention), onProgress });
      } finally {
        progress.end();
      }
    });
}

/** Parser of an option that must be a number; its range is checked by the library. */
function asNumberOrShown(name: string): (text: string) => number {
  return (text) => {
    const value = asNumber(text);
    if (Number.isFinite(value)) return value;
    throw new InputError(`${name} is ${shown(text)}; give a whole number.`);
  };
}
