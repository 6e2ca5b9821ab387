import { Command } from "commander";
import { InputError, oneOf, positiveInteger } from "../../lib/backend/errors";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import { checkRoom, STANDARD } from "../../lib/storage/files";
import { createFieldsWriter } from "../../lib/storage/fieldsWriter";
import { readSensorsCsv } from "../../lib/storage/sensorsCsv";
import { conditionHelp, conditionsFrom } from "./conditions";
import { Progress } from "./progress";
import { modelFrom, seedOption, warn } from "./samplingOptions";

interface Options {
  sensors: string;
  model: string;
  method: string;
  count: number;
  particles?: number;
  steps?: number;
  seed: number;
  out: string;
}

/** Larger counts are slips of the keyboard. */
const MAX_COUNT = 1_000_000;
/** dps is the library's, to be looked at: nobody should take its fields for a posterior. */
const METHODS = ["twisted", "jfps", "mmps", "kalman", "importance"] as const;

async function infer(options: Options, command: Command): Promise<void> {
  const { count, particles, steps, seed, out } = options;
  const method = oneOf("The method", options.method, METHODS);
  if (particles !== undefined && method !== "twisted")
    throw new InputError(`The method ${method} has no particles; leave out --particles.`);
  const { model } = await modelFrom({ model: options.model, seed });
  const conditions = conditionsFrom(model.problem, command.args);
  const { cells, fields } = model.problem;
  checkRoom(out, 8 * (conditions.length + fields.length * cells) * count);
  const sensors = await readSensorsCsv(options.sensors, model.problem);
  const { drawPosterior } = await import("../../lib/posterior/drawPosterior");
  const { posteriorWarnings } = await import("../../lib/posterior/surprise");
  const { conditionsWarning } = await import("../../lib/evaluation/warnings");
  const writer = createFieldsWriter(out, model.problem, false, { seed: String(seed), method });
  const progress = new Progress("fields");
  try {
    warn(conditionsWarning(model, conditions));
    const onProgress = ({ fields: done }: { fields: number }): void =>
      done > 0 ? progress.update(done, count) : progress.report(() => "preparing ...");
    const posterior = await drawPosterior(model, conditions, sensors, {
      method,
      count,
      seed,
      particles,
      steps,
      onProgress,
    });
    progress.end();
    posteriorWarnings(posterior).forEach(warn);
    writer.write(posterior.data);
    writer.close();
    const { effective } = posterior;
    const worth = effective
      ? `; of ${effective.of} weighted ones at least ${effective.number.toFixed(0)} counted at any time`
      : "";
    if (out !== STANDARD)
      process.stdout.write(`${out}: ${count} fields given ${sensors.length} sensors, by ${method}${worth}\n`);
  } catch (error) {
    writer.abandon();
    throw error;
  } finally {
    progress.end();
    model.dispose();
  }
}

export function command(): Command {
  return new Command("infer")
    .usage("[options] --sensors <file> --<condition> <value> ...")
    .requiredOption("--sensors <file>", "what was measured, CSV with the header field,x,value,std")
    .option(
      "--model <name>",
      "figures or text, or the folder of a model of the presets fast or best",
      "figures",
    )
    .option("--method <name>", `one of ${METHODS.join(", ")}; see below`, "twisted")
    .option(
      "--count <k>",
      "number of fields to draw",
      (text) => positiveInteger("The number of fields", text, MAX_COUNT),
      500,
    )
    .option("--particles <n>", "of twisted: particles at a time (default: 1000)", (text) =>
      positiveInteger("The number of particles", text, 100_000),
    )
    .option("--steps <n>", "network calls (default: 60 of twisted, else 32)", (text) =>
      positiveInteger("The number of steps", text, MAX_COUNT),
    )
    .addOption(seedOption("random numbers"))
    .requiredOption("--out <file>", "file to write, .arrow or .csv; - is standard output, as CSV")
    .addHelpText(
      "after",
      `${conditionHelp(porousElectrode("figures"))}\n
A sensor is a row: the field (c or phi), x in m from 0 to L, the value and the standard deviation of its noise in the field's
unit. Methods: twisted, weighted particles, exact for the model as they grow; jfps and mmps, guidance, faster and close;
kalman, as if fields were Gaussian; importance, with the solver in the place of the model: exact.`,
    )
    .allowUnknownOption()
    .allowExcessArguments()
    .action(infer);
}
