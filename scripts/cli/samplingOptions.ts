import fs from "node:fs";
import path from "node:path";
import { type Command } from "commander";
import type { Sampler } from "../../lib/samplers";
import { samplerByName, samplers } from "../../lib/presets/samplers";
import { integerInRange, positiveInteger } from "../../lib/errors";
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

/** The folder of a model: one that comes with the project is known by its name, unless a folder here has it. */
export function modelFolder(name: string): string {
  return SHIPPED.includes(name) && !fs.existsSync(name) ? path.join(MODELS, name) : name;
}

/** Adds --model, --sampler, --steps and --seed to a verb. */
export function addSamplingOptions(command: Command): Command {
  return command
    .option(
      "--model <name>",
      "figures, text or blog, the models that come with the project (the best one of each convention; the published " +
        "recipe's), or the folder of one that train has written",
      "figures",
    )
    .option(
      "--sampler <name>",
      `one of ${samplers.map(({ name }) => name).join(", ")} (default: what suits the model)`,
    )
    .option("--steps <n>", "steps of the sampler (default: its own)", (text) =>
      positiveInteger("The number of steps", text, MAX_STEPS),
    )
    .option(
      "--seed <s>",
      "seed of the noise, from 0 to 2^53 - 1",
      (text) => integerInRange("The seed", text, 0, Number.MAX_SAFE_INTEGER),
      1,
    );
}

/** Loads the model with the sampler and its steps. Throws InputError for an unknown name. */
export async function modelFrom({
  model: name,
  sampler,
  steps,
}: SamplingOptions): Promise<{ model: PresetModel; sampler: Sampler; steps: number }> {
  const chosen = sampler === undefined ? undefined : samplerByName(sampler); // before TensorFlow takes its time
  const { loadModel } = await import("../../lib/storage/modelFolder");
  const model = await loadModel(modelFolder(name));
  const found = chosen ?? model.sampler;
  return { model, sampler: found, steps: steps ?? found.defaultSteps };
}
