import { CommanderError } from "commander";
import { abandonAll } from "../../lib/storage/files";
import { explain, run } from "./program";
import { outlivesTerminal } from "./terminal";

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
// A terminal that is closed takes no words any more; what is computed is saved all the same.
process.stderr.on("error", () => undefined);
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
// Ctrl-C and the batch system's time limit: leave no temporary file; 128 + signal, as shells report it.
for (const [signal, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  const ignored = signal === "SIGHUP" && outlivesTerminal();
  process.on(signal, () => {
    if (ignored) return;
    abandonAll();
    process.exit(128 + number);
  });
}

run(process.argv.slice(2)).catch(fail);
