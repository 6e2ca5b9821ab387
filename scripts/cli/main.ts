import { CommanderError } from "commander";
import { abandonAll } from "../../lib/storage/files";
import { explain, run, UNEXPECTED } from "./program";

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
