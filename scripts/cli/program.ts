/** The command line without the process around it: verbs, options, and what is said when one goes wrong. */
import { Command, CommanderError } from "commander";
import { fileError } from "../../lib/storage/files";
import { InputError, shown } from "../../lib/backend/errors";

/** Each verb lives in a file of its name that exports command(): it is loaded only if it is used. */
const VERBS: Readonly<Record<string, string>> = {
  generate: "draw a data set from the PDE into an Arrow file",
  import: "make a data set of fields that come from elsewhere (NumPy, Parquet, Arrow)",
  merge: "join the parts that generate --shard wrote",
  solve: "solve the PDE for given porosity fields",
  presets: "list the presets, with what each takes and reaches",
  train: "train a score model on a data set",
  sample: "draw fields from a trained model",
  infer: "draw the fields that agree with what sensors measured",
  check: "check each field by itself: the porosity read back from its potential, and its concentration",
  compare: "compare two sets of fields, with the sampling floor",
  evaluate: "measure how close a model is to the PDE, at one or many conditions",
  gallery: "run the systems of the gallery and hold them against their references",
};

/** Exit status of bad input, as of an unknown option. */
const BAD_INPUT = 2;
/** Exit status of any other failure. */
const UNEXPECTED = 1;
/** Characters of what is said about a wrong word, which may itself be of any length. */
const LONGEST = 300;

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

/** Runs the verb that the words of a command line name. Throws whatever goes wrong: see {@link explain}. */
export async function run(words: readonly string[]): Promise<void> {
  const asksHelp = words[0] === "help";
  const args = asksHelp ? [...words.slice(1), "--help"] : words;
  const verb = args[0] ?? "";
  const known = Object.hasOwn(VERBS, verb);
  if (!known && verb !== "" && !verb.startsWith("-")) {
    throw new InputError(`The verb is ${shown(verb)}; give one of ${Object.keys(VERBS).join(", ")}.`);
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
export function explain(thrown: unknown): { sentence: string; status: number } {
  const error = fileError("use", (thrown as NodeJS.ErrnoException | null)?.path ?? "the file", thrown);
  const message = error instanceof Error ? error.message : String(error);
  const line = message
    .replace(/^error: /, "")
    .replace(/[\s\p{Cc}]+/gu, " ") // what is quoted of the input may hold line ends and a terminal's control codes
    .trim();
  if (error instanceof CommanderError) {
    const told = line.length > LONGEST ? `${line.slice(0, LONGEST)}...` : line.replace(/[.?]*$/, "");
    return { sentence: `${told}; see --help.`, status: BAD_INPUT };
  }
  if (error instanceof InputError) return { sentence: line, status: BAD_INPUT };
  return { sentence: `unexpected failure: ${line}`, status: UNEXPECTED };
}
