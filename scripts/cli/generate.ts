import { Command, Option } from "commander";
import { checkConditions } from "../../lib/data/conditions";
import type { DataSetSize } from "../../lib/presets/simulate";
import type { Problem } from "../../lib/problem";
import { readConditionsCsv } from "../../lib/storage/csv";
import { STANDARD } from "../../lib/storage/files";
import { generate } from "../../lib/storage/generate";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { generateInShards, generateMissing } from "../../lib/storage/shards";
import { asNumber, InputError, oneOf, positiveInteger, shown } from "../../lib/backend/errors";
import { type Convention, CONVENTIONS } from "../../lib/electrode";
import { flag } from "./conditions";
import { Progress } from "./progress";

interface Options {
  conditions?: string;
  fields: number;
  seed: number;
  convention: Convention;
  workers?: number;
  shard?: { index: number; count: number };
  shards?: number;
  resume?: boolean;
  out: string;
  /** Conditions that are given. */
  correlationLength?: string;
  equilibriumPotential?: string;
  flux?: string;
}

function parseShard(text: string): { index: number; count: number } {
  const parts = text.split("/");
  if (parts.length !== 2) {
    throw new InputError(`The shard is ${shown(text)}; give i/n with i from 1 to n, for example 2/8.`);
  }
  const count = positiveInteger("The number of shards", parts[1]);
  return { index: positiveInteger("The shard", parts[0], count), count };
}

/** Conditions that are drawn, given one by one, or read from a file. Throws InputError. */
async function chosenConditions(
  problem: Problem,
  options: Options,
): Promise<Pick<DataSetSize, "conditions" | "given">> {
  const { conditions, correlationLength, equilibriumPotential, flux } = options;
  const single = [correlationLength, equilibriumPotential, flux];
  const missing = problem.conditions.filter((_, k) => single[k] === undefined).map(flag);
  const some = missing.length < single.length;
  if (some === (conditions !== undefined)) {
    throw new InputError(
      "The conditions are not told; give --conditions with their number or a file, or each of --correlation-length, " +
        "--equilibrium-potential and --flux.",
    );
  }
  if (some && missing.length > 0) {
    throw new InputError(`The conditions are told in part; give ${missing.join(" and ")} as well.`);
  }
  if (conditions === undefined)
    return { conditions: 1, given: checkConditions(problem, single.map(asNumber)) };
  const count = asNumber(conditions);
  if (Number.isFinite(count)) return { conditions: count };
  if (conditions !== STANDARD && !/[./]/.test(conditions)) {
    throw new InputError(
      `The number of conditions is ${shown(conditions)}; give a whole number, or the name of a file like conditions.csv.`,
    );
  }
  const rows = await readConditionsCsv(conditions, problem);
  return { conditions: rows.length, given: Float64Array.from(rows.flatMap((row) => Array.from(row))) };
}

/** Throws InputError unless a file's name is that of an Arrow file, or of standard output. */
export function checkArrow(out: string): void {
  if (out.toLowerCase().endsWith(".arrow") || out === STANDARD) return;
  throw new InputError(`The output is ${shown(out)}; give a name that ends in .arrow.`);
}

export function command(): Command {
  return new Command("generate")
    .option("--conditions <n>", "number of conditions to draw, or a CSV file of them; - is standard input")
    .option("--correlation-length <m>", "draw at these conditions: correlation length of the porosity,")
    .option("--equilibrium-potential <V>", "equilibrium potential U0")
    .option("--flux <A/m2>", "and current density at x = L")
    .requiredOption(
      "--fields <n>",
      "number of fields for each condition",
      asNumberOrShown("The number of fields"),
    )
    .option("--seed <s>", "seed of the random numbers, from 0 to 2^53 - 1", asNumberOrShown("The seed"), 1)
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
    .requiredOption("--out <file.arrow>", "file to write; - is standard output")
    .action(async (options: Options) => {
      if (options.shard && options.shards !== undefined) {
        throw new InputError(
          "There are --shard and --shards; give --shard for one part, or --shards for a file made of all.",
        );
      }
      checkArrow(options.out);
      const { convention, shards, resume, fields, seed, workers, shard, out } = options;
      if (out === STANDARD && (resume || shards !== undefined)) {
        throw new InputError(
          "Nothing on standard output can be resumed; give --out with the name of a file.",
        );
      }
      const problem = porousElectrode(convention);
      const progress = new Progress("fields");
      const drawn = {
        ...(await chosenConditions(problem, options)),
        fields,
        seed,
        workers,
        shard,
        out,
        problem,
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
