import path from "node:path";
import { Command } from "commander";
import { AtomicFile } from "../../lib/data/atomicFile";
import { InputError, positiveInteger } from "../../lib/errors";
import { samplerStudy } from "./samplers";

const root = path.join(__dirname, "..", "..");
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function save(name: string, result: object): void {
  const file = new AtomicFile(path.join(root, "data", "results", `${name}.json`));
  try {
    file.write(Buffer.from(`${JSON.stringify(result, null, 1)}\n`));
    file.commit();
  } catch (error) {
    file.abandon();
    throw error;
  }
  print(`data/results/${name}.json`);
}

const program = new Command("npm run study --");
program
  .command("samplers")
  .description("error of every sampler against network calls (minutes)")
  .option("--rows <n>", "fields of each set", (text) => positiveInteger("The number of fields", text), 1000)
  .action(async ({ rows }: { rows: number }) => {
    save("samplers", await samplerStudy("data/models/figures", rows, print));
  });
program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof InputError ? error.message : String((error as Error).stack)}\n`);
  process.exit(error instanceof InputError ? 2 : 1);
});
