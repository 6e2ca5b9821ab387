/**
 * A generation in shards in a process of its own, on a disk that takes its time, for tests that end it from outside.
 *
 *   node --require ./scripts/typescript.js tests/generateProcess.ts FILE
 *
 * Prints "ready" when it begins.
 */
import fs from "node:fs";
import { generateInShards } from "../lib/storage/shards";
import { problem } from "./tiny";

export const KILLED = { conditions: 40, fields: 3, seed: 9 };
export const KILLED_SHARDS = 6;

/** A function of fs that sleeps before it begins, without letting other work in. */
function slow<A extends unknown[], R>(call: (...args: A) => R, ms: number): (...args: A) => R {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return (...args) => {
    Atomics.wait(cell, 0, 0, ms);
    return call(...args);
  };
}

if (require.main === module) {
  fs.writeSync = slow(fs.writeSync, 1) as typeof fs.writeSync;
  fs.fsyncSync = slow(fs.fsyncSync, 5);
  fs.renameSync = slow(fs.renameSync, 5);
  console.log("ready");
  generateInShards({ problem, ...KILLED, out: process.argv[2] }, KILLED_SHARDS).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
