import { Command, CommanderError } from "commander";
import { abandonAll, fileError } from "../../lib/data/atomicFile";
import { InputError } from "../../lib/errors";

/** Each verb lives in a file of its name that exports command(): it is loaded only if it is used. */
const VERBS: Readonly<Record<string, string>> = {
  generate: "draw a data set from the PDE into an Arrow file",
  merge: "join the parts that generate --shard wrote",
  solve: "solve the PDE for given porosity fields",
  presets: "list the presets, with what each takes and reaches",
  train: "train a score model on a data set",
  sample: "draw fields from a trained model",
  compare: "compare two sets of fields, with the sampling floor",
  evaluate: "measure how close a model is to the PDE, at one or many conditions",
};

/** Exit status of bad input, as of an unknown option. */
const BAD_INPUT = 2;
const UNEXPECTED = 1;

function loadVerb(name: string): Command {
  const { command } = require(`./${name}`) as { command: () => Command };
  return command();
}

/** Errors are thrown, not printed, so that all of them are reported in one place. */
function quiet(command: Command): Command {
  command.exitOverride().configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  command.commands.forEach((child) => quiet(child as Command));
  return command;
}

async function run(words: readonly string[]): Promise<void> {
  const asksHelp = words[0] === "help";
  const args = asksHelp ? [...words.slice(1), "--help"] : words;
  const verb = args[0] ?? "";
  const known = Object.hasOwn(VERBS, verb);
  if (!known && verb !== "" && !verb.startsWith("-")) {
    throw new InputError(
      `The verb is ${JSON.stringify(verb)}; give one of ${Object.keys(VERBS).join(", ")}.`,
    );
  }
  const program = new Command("porous-sgm")
    .description("Score-based generative models of uncertain PDE solutions.")
    .helpCommand(false);
  for (const [name, description] of Object.entries(VERBS)) {
    if (name === verb) program.addCommand(loadVerb(name).description(description));
    else program.command(name).description(description).usage("[options]");
  }
  await quiet(program).parseAsync(args.length === 0 ? ["--help"] : [...args], { from: "user" });
}

/** What went wrong in one sentence on one line, and the exit status for it. */
function explain(thrown: unknown): { sentence: string; status: number } {
  const error = fileError("use", (thrown as NodeJS.ErrnoException | null)?.path ?? "the file", thrown);
  const message = error instanceof Error ? error.message : String(error);
  const line = message
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .trim();
  if (error instanceof CommanderError) {
    return { sentence: `${line.replace(/[.?]*$/, "")}; see --help.`, status: BAD_INPUT };
  }
  if (error instanceof InputError) return { sentence: line, status: BAD_INPUT };
  return { sentence: `unexpected failure: ${line}`, status: UNEXPECTED };
}

function fail(thrown: unknown): never {
  abandonAll();
  if (thrown instanceof CommanderError && thrown.exitCode === 0) process.exit(0); // --help has been shown
  // The reader of the output is gone, as in `| head`: nothing is wrong and no one listens.
  if ((thrown as NodeJS.ErrnoException | null)?.code === "EPIPE") process.exit(0);
  const { sentence, status } = explain(thrown);
  try {
    process.stderr.write(`porous-sgm: ${sentence}\n`);
  } catch {
    // Without stderr the exit status has to say it.
  }
  process.exit(status);
}

process.stdout.on("error", fail);
process.stderr.on("error", () => process.exit(UNEXPECTED));
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
// Ctrl-C and the batch system's time limit: leave no temporary file; 128 + signal, as shells report it.
for (const [signal, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  process.on(signal, () => {
    abandonAll();
    process.exit(128 + number);
  });
}

run(process.argv.slice(2)).catch(fail);
