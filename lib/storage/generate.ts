import { createHash } from "node:crypto";
import { on } from "node:events";
import { availableParallelism } from "node:os";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { rowBytes } from "../data/rows";
import type { DataSet } from "../dataSet";
import { positiveInteger } from "../backend/errors";
import {
  type DataSetSize,
  planRows,
  type RowPlan,
  rowPlan,
  runTask,
  type Shard,
  taskCount,
  WHOLE,
} from "../presets/simulate";
import type { Problem } from "../problem";
import { ArrowFieldsWriter } from "./arrowWriter";
import { checkRoom } from "./files";
import type { GenerateWorkerData, TaskResult } from "./generateWorker";

/** A worker thread takes about half a second to start, in which this many rows can be computed without it. */
const ROWS_WORTH_A_WORKER = 2_000;
/** Tasks that a worker may have waiting or done, so that it does not idle while the results of others are written. */
const TASKS_PER_WORKER = 4;

/** What a file of generate() tells of how it came about. */
export interface Origin extends Omit<DataSetSize, "given"> {
  readonly problem: Problem;
  readonly shard: Shard;
  /** A digest of conditions that were given. */
  readonly given?: string;
  /** A digest of what the solver gives here (see arithmeticOf); files of earlier versions lack it. */
  readonly arithmetic?: string;
}

/** The origin of what generate() draws here. */
export function originOf({
  problem,
  conditions,
  fields,
  seed,
  given,
  shard = WHOLE,
}: GenerateOptions): Origin {
  return {
    problem,
    conditions,
    fields,
    seed,
    shard,
    given: given && digest(given),
    arithmetic: arithmeticOf(problem),
  };
}

/** What a file has of its origin in its metadata, beside its problem. */
export function originMetadata({
  conditions,
  fields,
  seed,
  shard,
  given,
  arithmetic,
}: Origin): Record<string, string> {
  return {
    seed: String(seed),
    conditions: String(conditions),
    fields: String(fields),
    shard: `${shard.index}/${shard.count}`,
    ...(given !== undefined && { given }),
    ...(arithmetic !== undefined && { arithmetic }),
  };
}

function digest(...arrays: readonly Float64Array[]): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of arrays)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest("hex").slice(0, 16);
}

/**
 * A digest of some solutions: two machines, versions of Node or of this project with equal ones give equal bytes, but for
 * bad luck, and those with others do not.
 */
export function arithmeticOf(problem: Problem): string {
  const { conditions, latent, fields } = runTask(problem, rowPlan({ conditions: 8, fields: 2, seed: 0 }), 0);
  return digest(conditions, latent, fields);
}

/** What generate() draws, and where it goes. */
export interface GenerateOptions extends DataSetSize {
  readonly problem: Problem;
  /** Arrow file to write */
  readonly out: string;
  /** threads; default: one for each core, fewer for few rows */
  readonly workers?: number;
  /** only the index-th (from 1) of count contiguous parts of the conditions */
  readonly shard?: Shard;
  /** called after each record batch */
  readonly onProgress?: (rowsDone: number, rowsInAll: number) => void;
}

/**
 * Draws a data set into an Arrow file with worker threads, in constant memory; returns the number of rows.
 * The file depends on the options but the number of workers alone, byte for byte. It appears when complete.
 * Throws InputError for bad options or a place that cannot be written.
 */
export async function generate(options: GenerateOptions): Promise<number> {
  const { problem, out, shard, onProgress } = options;
  const plan = rowPlan(options, shard);
  const requested = positiveInteger("The number of workers", options.workers ?? availableParallelism(), 1024);
  const rows = planRows(plan);
  checkRoom(out, rowBytes(problem) * rows);
  const writer = new ArrowFieldsWriter(out, problem, true, originMetadata(originOf(options)));
  let written = 0;
  const write = (data: DataSet): void => {
    writer.write(data);
    written += data.rows;
    onProgress?.(written, rows);
  };
  try {
    if (rows <= ROWS_WORTH_A_WORKER) {
      for (let task = 0; task < taskCount(plan); task++) write(runTask(problem, plan, task));
    } else {
      await runInWorkers(problem, plan, Math.min(requested, Math.ceil(rows / ROWS_WORTH_A_WORKER)), write);
    }
    writer.close();
  } catch (error) {
    writer.abandon();
    throw error;
  }
  return written;
}

/** Runs all tasks of a plan on worker threads and hands their results to `write` in order. */
async function runInWorkers(
  problem: Problem,
  plan: RowPlan,
  count: number,
  write: (data: DataSet) => void,
): Promise<void> {
  const workerData: GenerateWorkerData = {
    module: path.join(__dirname, "generateWorker.ts"),
    problem: problem.name,
    settings: problem.settings,
    plan,
  };
  // A worker starts as plain JavaScript and loads ts-node itself: the calling thread's loader, which may be that of
  // a notebook or of a test, is not inherited.
  const bootstrap = path.join(__dirname, "..", "..", "scripts", "worker.js");
  const workers = Array.from({ length: count }, () => new Worker(bootstrap, { workerData, execArgv: [] }));
  try {
    // Tasks go to the workers in turn, so that each one's results come in order; an error in it ends the iteration, too.
    const results = workers.map((worker) => on(worker, "message", { close: ["exit"] }));
    const tasks = taskCount(plan);
    for (let task = 0, next = 0; task < tasks; task++) {
      // Only so far ahead of what is written: this bounds the memory.
      for (; next < Math.min(tasks, task + TASKS_PER_WORKER * count); next++) {
        workers[next % count].postMessage(next);
      }
      const result = (await results[task % count].next()) as IteratorResult<[TaskResult]>;
      if (result.done) throw new Error("A worker thread has ended.");
      write({ problem, seed: plan.seed, ...result.value[0] });
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
