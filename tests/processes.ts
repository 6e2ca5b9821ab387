/** Other programs, each of which ends for certain: the project's own helpers, with their types. */
import type { ChildProcess } from "node:child_process";

export const { deadline, end } = require("../scripts/processes") as {
  /** Options for a process that is killed if it still runs after `seconds`. */
  deadline: (seconds: number) => { timeout: number; killSignal: "SIGKILL" };
  end: (child: ChildProcess, signal?: NodeJS.Signals, patience?: number[]) => Promise<void>;
};
