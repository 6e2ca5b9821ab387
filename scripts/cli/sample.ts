import { Command, Option } from "commander";
import { createFieldsWriter } from "../../lib/data/fieldsWriter";
import { porousElectrode } from "../../lib/data/porousElectrodeProblem";
import { checkConditions, type Condition, type Problem } from "../../lib/data/problem";
import { samplerByName, samplers } from "../../lib/diffusion/samplers";
import { asNumber, InputError, integerInRange, positiveInteger, shown } from "../../lib/errors";
import { Progress } from "./progress";

interface Options {
  model: string;
  count: number;
  sampler: string;
  steps?: number;
  seed: number;
  out: string;
}

/** Larger counts are slips of the keyboard. */
const MAX_COUNT = 1_000_000_000;
const MAX_STEPS = 1_000_000;
const DEFAULT_SAMPLER = "dpm-solver++2m";

async function runSampling(options: Options, command: Command): Promise<void> {
  const { count, seed, out } = options;
  const sampler = samplerByName(options.sampler);
  const steps = options.steps ?? sampler.defaultSteps;
  const { ScoreModel } = await import("../../lib/network/scoreModel");
  const { sampleBatches } = await import("../../lib/sampling/sampleFields");
  const model = await ScoreModel.load(options.model);
  const conditions = conditionsFrom(model.problem, command.args);
  const writer = createFieldsWriter(out, model.problem, false, {
    seed: String(seed),
    sampler: sampler.name,
    steps: String(steps),
  });
  const progress = new Progress("fields");
  try {
    const onProgress = ({ fields }: { fields: number }): void => progress.update(fields, count);
    const batches = sampleBatches(model, conditions, {
      count,
      seed,
      sampler: sampler.name,
      steps,
      onProgress,
    });
    for await (const batch of batches) writer.write(batch);
    writer.close();
  } catch (error) {
    writer.abandon();
    throw error;
  } finally {
    progress.end();
  }
}

/** The option of a condition: its name with dashes. */
function flag({ name }: Condition): string {
  return `--${name.replace(/_/g, "-")}`;
}

/**
 * The conditions of a problem from the words that are no options of the verb itself: which conditions there are, the
 * model tells. Throws InputError for a missing, an unknown or a bad one.
 */
function conditionsFrom(problem: Problem, words: readonly string[]): Float64Array {
  const flags = problem.conditions.map(flag);
  const values = new Map<string, number>();
  for (let i = 0; i < words.length; i++) {
    const [name, attached] = splitAtFirst(words[i], "=");
    const k = flags.indexOf(name);
    if (k < 0) {
      throw new InputError(
        `The option ${shown(name)} is unknown; this model takes ${flags.join(", ")}: see --help.`,
      );
    }
    const { min, max, unit } = problem.conditions[k];
    const text = attached ?? words[++i];
    const value = asNumber(text);
    if (!Number.isFinite(value)) {
      const found = text === undefined ? "has no value" : `is ${shown(text)}`;
      throw new InputError(`The option ${name} ${found}; give a number from ${min} to ${max} ${unit}.`);
    }
    values.set(name, value);
  }
  const missing = flags.filter((name) => !values.has(name));
  if (missing.length > 0) {
    throw new InputError(
      `The model needs ${missing.join(", ")}; give each as an option with a number: see --help.`,
    );
  }
  return checkConditions(
    problem,
    flags.map((name) => values.get(name) ?? NaN),
  );
}

function splitAtFirst(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function conditionHelp({ conditions }: Problem): string {
  const lines = conditions.map(
    (condition) =>
      `  ${`${flag(condition)} <${condition.unit}>`.padEnd(32)}${condition.description}, ${condition.min} to ${condition.max}`,
  );
  return ["", "Conditions, as the model's problem has them; of the porous electrode:", ...lines].join("\n");
}

export function command(): Command {
  return new Command("sample")
    .usage("[options] --<condition> <value> ...")
    .requiredOption("--model <folder>", "model that train has written")
    .requiredOption("--count <k>", "number of fields to draw", (text) =>
      positiveInteger("The number of fields", text, MAX_COUNT),
    )
    .addOption(
      new Option("--sampler <name>", `one of ${samplers.map(({ name }) => name).join(", ")}`).default(
        DEFAULT_SAMPLER,
      ),
    )
    .option("--steps <n>", "steps of the sampler (default: its own)", (text) =>
      positiveInteger("The number of steps", text, MAX_STEPS),
    )
    .option(
      "--seed <s>",
      "seed of the noise, from 0 to 2^53 - 1",
      (text) => integerInRange("The seed", text, 0, Number.MAX_SAFE_INTEGER),
      1,
    )
    .requiredOption("--out <file>", "file to write, .arrow or .csv")
    .addHelpText("after", conditionHelp(porousElectrode("figures")))
    .allowUnknownOption()
    .allowExcessArguments()
    .action(runSampling);
}
