import fs from "node:fs";
import path from "node:path";
import { type Command, Option } from "commander";
import type { Sampler } from "../../lib/samplers";
import { samplerByName, samplers } from "../../lib/presets/samplers";
import { InputError, integerInRange, positiveInteger, shown } from "../../lib/backend/errors";
import type { PresetModel } from "../../lib/presets/createModel";

/** The options of the verbs that draw from a model. */
export interface SamplingOptions {
  model: string;
  sampler?: string;
  steps?: number;
  seed: number;
}

/** Larger counts are slips of the keyboard. */
const MAX_STEPS = 1_000_000;
/** Where the models are that come with the project: the best one of each convention, and the published recipe's. */
const MODELS = path.join(__dirname, "..", "..", "data", "models");
const SHIPPED = ["figures", "text", "blog"];

/**
 * The folder of a model: the name of one that comes with the project stands for it, whatever lies in the working folder; all
 * else is a folder, also one with such a name when it is given as a path. Throws InputError where there is none.
 */
export function modelFolder(name: string): string {
  if (SHIPPED.includes(name)) return path.join(MODELS, name);
  if (fs.existsSync(name)) return name;
  throw new InputError(
    `There is no model ${shown(name)}; give one of ${SHIPPED.join(", ")}, which come with the project, or the folder of ` +
      `one that train has written, such as ./model.`,
  );
}

/** Adds --model, --sampler, --steps and --seed to a verb. */
export function addSamplingOptions(command: Command): Command {
  return command
    .option(
      "--model <name>",
      "figures, text or blog, the models that come with the project (the best one of each convention; the published " +
        "recipe's), or the folder of one that train has written (./figures is such a folder)",
      "figures",
    )
    .option(
      "--sampler <name>",
      `one of ${samplers.map(({ name }) => name).join(", ")} (default: what suits the model)`,
    )
    .option("--steps <n>", "steps of the sampler (default: its own)", (text) =>
      positiveInteger("The number of steps", text, MAX_STEPS),
    )
    .addOption(seedOption("noise"));
}

/** --seed of a verb that draws, 1 if none is given. */
export function seedOption(what: string): Option {
  return new Option("--seed <s>", `seed of the ${what}, from 0 to 2^53 - 1`)
    .argParser((text) => integerInRange("The seed", text, 0, Number.MAX_SAFE_INTEGER))
    .default(1);
}

/** Loads the model with the sampler and its steps; `warning` says where these are too few. Throws InputError for an unknown name. */
export async function modelFrom({
  model: name,
  sampler,
  steps,
}: SamplingOptions): Promise<{ model: PresetModel; sampler: Sampler; steps: number; warning?: string }> {
  const chosen = sampler === undefined ? undefined : samplerByName(sampler); // before TensorFlow takes its time
  const folder = modelFolder(name);
  const { loadModel } = await import("../../lib/storage/modelFolder");
  const model = await loadModel(folder);
  const found = chosen ?? model.sampler;
  const taken = steps ?? found.defaultSteps;
  const { stepsWarning } = await import("../../lib/evaluation/warnings");
  return { model, sampler: found, steps: taken, warning: stepsWarning(model, found, taken) };
}

/** Tells the user on stderr, if there is something to tell. */
export function warn(sentence: string | undefined): void {
  if (sentence !== undefined) process.stderr.write(`porous-sgm: ${sentence}\n`);
}
