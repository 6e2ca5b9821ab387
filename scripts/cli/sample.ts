import { Command } from "commander";
import { checkRoom } from "../../lib/storage/files";
import { createFieldsWriter } from "../../lib/storage/fieldsWriter";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { positiveInteger } from "../../lib/backend/errors";
import { conditionHelp, conditionsFrom } from "./conditions";
import { Progress } from "./progress";
import { addSamplingOptions, modelFrom, type SamplingOptions, warn } from "./samplingOptions";

interface Options extends SamplingOptions {
  count: number;
  out: string;
}

/** Larger counts are slips of the keyboard. */
const MAX_COUNT = 1_000_000_000;

async function runSampling(options: Options, command: Command): Promise<void> {
  const { count, seed, out } = options;
  const { model, sampler, steps, warning } = await modelFrom(options);
  const { sampleBatches } = await import("../../lib/storage/samplingRun");
  const { conditionsWarning, MeaninglessFields } = await import("../../lib/evaluation/warnings");
  const conditions = conditionsFrom(model.problem, command.args);
  const { cells, fields } = model.problem;
  checkRoom(out, 8 * (conditions.length + fields.length * cells) * count); // of Arrow; CSV takes more
  const writer = createFieldsWriter(out, model.problem, false, {
    seed: String(seed),
    sampler: sampler.name,
    steps: String(steps),
  });
  warn(warning);
  warn(conditionsWarning(model, conditions));
  const progress = new Progress("fields");
  try {
    const onProgress = ({ fields }: { fields: number }): void => progress.update(fields, count);
    const batches = sampleBatches(model, conditions, {
      count,
      seed,
      sampler,
      steps,
      onProgress,
    });
    const meaningless = new MeaninglessFields();
    for await (const batch of batches) {
      writer.write(batch);
      meaningless.add(batch);
    }
    writer.close();
    progress.end();
    warn(meaningless.warning("take more --steps, train the model for longer, or leave them out"));
  } catch (error) {
    writer.abandon();
    throw error;
  } finally {
    progress.end();
    model.dispose();
  }
}

export function command(): Command {
  const verb = new Command("sample")
    .usage("[options] --<condition> <value> ...")
    .requiredOption("--count <k>", "number of fields to draw", (text) =>
      positiveInteger("The number of fields", text, MAX_COUNT),
    );
  return addSamplingOptions(verb)
    .requiredOption("--out <file>", "file to write, .arrow or .csv")
    .addHelpText("after", conditionHelp(porousElectrode("figures")))
    .allowUnknownOption()
    .allowExcessArguments()
    .action(runSampling);
}
