/** A thread that solves for responses while TensorFlow takes a step: the two share nothing but the cores. */
import path from "node:path";
import {
  isMainThread,
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from "node:worker_threads";
import { responsesOf } from "../data/images";
import { problemByName } from "../presets/problems";
import type { Problem } from "../problem";

/** What the thread is started with. */
interface Start {
  /** this file, for the bootstrap script */
  readonly module: string;
  readonly name: string;
  readonly settings: Problem["settings"];
  readonly port: MessagePort;
  /** Number of results, counted when each is there. */
  readonly count: Int32Array;
}

/** (rows, cells) */
interface Task {
  readonly latent: Float64Array;
  readonly mirrored: boolean;
}

/** A result that does not come within this time comes no more. */
const LONGEST_MS = 60_000;

/** One task at a time. Close it in the end. */
export class SolvingThread {
  private readonly worker: Worker;
  private readonly port: MessagePort;
  private readonly count = new Int32Array(new SharedArrayBuffer(4));
  private begun = 0;

  constructor({ name, settings }: Problem) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const start: Start = { module: __filename, name, settings, port: port2, count: this.count };
    const bootstrap = path.join(__dirname, "..", "..", "scripts", "worker.js");
    this.worker = new Worker(bootstrap, { workerData: start, transferList: [port2], execArgv: [] });
    this.worker.on("error", () => undefined); // results that do not come are done without
    this.worker.unref();
    port1.unref();
  }

  /** Begins to solve for some latent fields (rows, cells) and, if mirrored, for their mirror images. */
  begin(latent: Float64Array, mirrored: boolean): void {
    this.begun++;
    const task: Task = { latent, mirrored };
    this.port.postMessage(task);
  }

  /** What was begun last: (rows, images, responses x fields x cells); undefined where it does not come. */
  result(): Float64Array | undefined {
    if (this.begun === 0) return undefined;
    Atomics.wait(this.count, 0, this.begun - 1, LONGEST_MS);
    return (receiveMessageOnPort(this.port) as { message: Float64Array } | undefined)?.message;
  }

  close(): void {
    this.port.close();
    void this.worker.terminate();
  }
}

/** What of latent fields is learned, in the order of {@link SolvingThread.result}. */
function solve(problem: Problem, { latent, mirrored }: Task): Float64Array {
  const { cells } = problem;
  const images = mirrored ? [false, true] : [false];
  const size = (problem.affineIn.length + 1) * problem.fields.length * cells;
  const all = new Float64Array((latent.length / cells) * images.length * size);
  let to = 0;
  for (let start = 0; start < latent.length; start += cells) {
    for (const image of images) {
      for (const part of responsesOf(problem, latent.subarray(start, start + cells), image)) {
        all.set(part, to);
        to += part.length;
      }
    }
  }
  return all;
}

if (!isMainThread && (workerData as Partial<Start> | null)?.module === __filename) {
  const { name, settings, port, count } = workerData as Start;
  const problem = problemByName(name, settings);
  port.on("message", (task: Task) => {
    const result = solve(problem, task);
    port.postMessage(result, [result.buffer as ArrayBuffer]);
    Atomics.add(count, 0, 1);
    Atomics.notify(count, 0);
  });
}
