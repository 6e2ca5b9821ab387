/**
 * What lib/ and the notebooks use of Node's modules beside fs, in a browser: one process without others, on a machine of one core.
 * All names of all modules are here together: build.js lets each import find its own.
 */
import { problemByName } from "../../../lib/presets/problems";
import { type RowPlan, runTask } from "../../../lib/presets/simulate";
import type { Problem } from "../../../lib/problem";

/** What a notebook calls `process` is its own: the sources find this one by the bundler. */
const listeners = new Set<() => void>();
export const process = {
  env: { POROUS_SGM_BUDGET: BUDGET },
  pid: 1,
  on: (_: string, listener: () => void) => void listeners.add(listener),
  off: (_: string, listener: () => void) => void listeners.delete(listener),
  removeListener: (_: string, listener: () => void) => void listeners.delete(listener),
  kill() {
    throw Object.assign(new Error("There is no other process."), { code: "ESRCH" });
  },
};
declare const BUDGET: string;

/** Tells all work that watches for it that the user has asked for an end. */
export function interrupt(): void {
  for (const listener of [...listeners]) listener();
}

export * from "./paths";

// os
export const tmpdir = () => "/tmp";
export const hostname = () => "browser";
export const availableParallelism = () => 1;
export const freemem = () => 1e9; // what a page of a browser may have without harm

/** A digest to tell data apart by, not one that withstands an attack: the browser's own ones are not there at once. */
export function createHash() {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  const digest = {
    update(data: string | Uint8Array) {
      for (const byte of typeof data === "string" ? new TextEncoder().encode(data) : data) {
        a = Math.imul(a ^ byte, 0x01000193);
        b = Math.imul(b ^ a ^ byte, 0x85ebca6b) + 0x9e3779b9;
      }
      return digest;
    },
    digest: () =>
      [a, b]
        .map((half) => (half >>> 0).toString(16).padStart(8, "0"))
        .join("")
        .repeat(4),
  };
  return digest;
}

/** A thread that generates a data set (lib/storage/generateWorker.ts): its tasks are done here, when their results are asked for. */
export class Worker {
  readonly tasks: number[] = [];
  constructor(
    _: string,
    readonly options: { workerData: { problem: string; settings: Problem["settings"]; plan: RowPlan } },
  ) {}
  postMessage(task: number): void {
    this.tasks.push(task);
  }
  terminate(): void {}
}

// events
export async function* on(worker: Worker) {
  const { problem, settings, plan } = worker.options.workerData;
  for (;;) {
    await new Promise((go) => setTimeout(go)); // lets messages in
    yield [runTask(problemByName(problem, settings), plan, worker.tasks.shift()!)];
  }
}
export const isMainThread = true;
export const parentPort = null;
export const workerData = null;
export const threadId = 0;

export const spawnSync = () => ({ status: 1, stdout: "" }); // there are no other programs
const absent = () => {
  throw new Error("A browser has no sockets and no threads of Node's.");
};
export const Socket = absent;
export const MessageChannel = absent;
export const receiveMessageOnPort = absent;

export * as default from "./node";
