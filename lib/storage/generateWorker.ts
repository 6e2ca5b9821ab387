import { parentPort, workerData } from "node:worker_threads";
import type { DataSet } from "../dataSet";
import type { Problem } from "../problem";
import { problemByName } from "../presets/problems";
import { type RowPlan, runTask } from "../presets/simulate";

/** What a worker thread is started with. */
export interface GenerateWorkerData {
  /** this file, for the bootstrap script */
  readonly module: string;
  readonly problem: string;
  readonly settings: Problem["settings"];
  readonly plan: RowPlan;
}

/** What a worker thread sends back: the arrays of a data set, moved and not copied. */
export type TaskResult = Pick<DataSet, "rows" | "conditions" | "latent" | "fields">;

// Each message is the number of a task.
if (parentPort) {
  const port = parentPort;
  const { problem: name, settings, plan } = workerData as GenerateWorkerData;
  const problem = problemByName(name, settings);
  port.on("message", (task: number) => {
    const { rows, conditions, latent, fields } = runTask(problem, plan, task);
    const result: TaskResult = { rows, conditions, latent, fields };
    port.postMessage(result, [conditions.buffer, latent.buffer, fields.buffer] as ArrayBuffer[]);
  });
}
