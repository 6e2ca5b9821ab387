import { Command, Option } from "commander";
import { generate } from "../../lib/storage/generate";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { generateInShards, generateMissing } from "../../lib/storage/shards";
import { asNumber, InputError, oneOf, positiveInteger, shown } from "../../lib/errors";
import { type Convention, CONVENTIONS } from "../../lib/electrode";
import { Progress } from "./progress";

interface Options {
  conditions: number;
  fields: number;
  seed: number;
  convention: Convention;
  workers?: number;
  shard?: { index: number; count: number };
  shards?: number;
  resume?: boolean;
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

/** Throws InputError unless a file's name is that of an Arrow file. */
export function checkArrow(out: string): void {
  if (out.toLowerCase().endsWith(".arrow")) return;
  throw new InputError(`The output is ${shown(out)}; give a name that ends in .arrow.`);
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
    .option("--resume", "leave a complete file of the same settings as it is")
    .option(
      "--shards <n>",
      "go by way of n parts beside the output: after a kill the same command goes on from those that are complete",
      (text) => positiveInteger("The number of shards", text),
    )
    .requiredOption("--out <file.arrow>", "file to write")
    .action(async (options: Options) => {
      if (options.shard && options.shards !== undefined) {
        throw new InputError(
          "There are --shard and --shards; give --shard for one part, or --shards for a file made of all.",
        );
      }
      checkArrow(options.out);
      const progress = new Progress("fields");
      const { convention, shards, resume, ...rest } = options;
      const drawn = {
        ...rest,
        problem: porousElectrode(convention),
        onProgress: (done: number, all: number): void => progress.update(done, all),
        note: (sentence: string): void => void process.stdout.write(`${sentence}\n`),
      };
      try {
        if (shards !== undefined) await generateInShards(drawn, shards);
        else await (resume ? generateMissing : generate)(drawn);
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
