/**
 * The states of an unfinished training, each in one file of the safetensors format: eight bytes with the length of a JSON
 * header, the header, and the blocks of float32 that it describes.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { Stoppable } from "../backend/interrupt";
import { isSource, piecesOf, type RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import { InputError, shown } from "../backend/errors";
import { fileError, readRegularFile, writeWhole } from "./files";
import { FolderLock } from "./folderLock";
import { type Turn, turnsFrom } from "./turns";

/** What must be the same when a training goes on. */
export type Fingerprint = Readonly<Record<string, string>>;

export interface Checkpoint {
  readonly fingerprint: Fingerprint;
  /** Steps done. */
  readonly step: number;
  /** Spent on them, over all runs. */
  readonly seconds: number;
  /** The smallest validation loss so far; Infinity before the first validation. */
  readonly bestLoss: number;
  /** How often the training was rolled back from a divergence. */
  readonly rollbacks: number;
  /** What was turned so far. */
  readonly turned?: readonly Turn[];
  /** Weights, their average and both moments of Adam, each as one vector. */
  readonly vectors: Readonly<Record<"weights" | "average" | "first" | "second", Float32Array>>;
}

const FORMAT = "porous-sgm checkpoint 2";
const NO_DIGEST = "0".repeat(64);
const NAMES = ["weights", "average", "first", "second"] as const;

/** Numbers that a digest takes before the work may be stopped. */
const NUMBERS_AT_ONCE = 1 << 22;
const digests = new WeakMap<object, string>();

/** A short digest of a data set's conditions and fields, as work that can be stopped; what is asked for again is remembered. */
export function* digesting(data: DataSet | RowSource): Stoppable<string> {
  const before = digests.get(data);
  if (before !== undefined) return before;
  const hash = createHash("sha256");
  const add = function* (values: Float64Array): Stoppable<void> {
    for (let start = 0; start < values.length; start += NUMBERS_AT_ONCE) {
      const { buffer, byteOffset, byteLength } = values.subarray(start, start + NUMBERS_AT_ONCE);
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
      yield;
    }
  };
  for (const conditions of isSource(data) ? data.conditions() : [data.conditions]) yield* add(conditions);
  for (const { fields } of piecesOf(data)) yield* add(fields);
  const digest = hash.digest("hex").slice(0, 16);
  digests.set(data, digest);
  return digest;
}

/**
 * Writes a checkpoint; the file appears complete or not at all. Random numbers and the order of the data are functions of
 * seed and step, so that the step stands for them. Throws InputError if the file cannot be written.
 */
export function writeCheckpoint(file: string, checkpoint: Checkpoint): void {
  const { fingerprint, step, seconds, bestLoss, rollbacks, turned = [], vectors } = checkpoint;
  const blocks = NAMES.map((name) => {
    const { buffer, byteOffset, byteLength } = vectors[name];
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  let end = 0;
  const places = NAMES.map((name, i) => {
    const start = end;
    end += blocks[i].length;
    return [name, { dtype: "F32", shape: [vectors[name].length], data_offsets: [start, end] }];
  });
  const text = JSON.stringify({
    // The format's metadata are strings.
    __metadata__: {
      format: FORMAT,
      sha256: NO_DIGEST, // before all that a caller may choose, which could hold as many zeros
      step: String(step),
      seconds: String(seconds),
      bestLoss: String(bestLoss),
      setbacks: String(rollbacks), // the format's name
      ...(turned.length > 0 ? { turned: JSON.stringify(turned) } : {}),
      fingerprint: JSON.stringify(fingerprint),
    },
    ...(Object.fromEntries(places) as object),
  });
  // Blanks to a multiple of eight bytes keep the blocks aligned, as the format asks.
  const padded = text + " ".repeat((8 - (Buffer.byteLength(text) % 8)) % 8);
  const json = Buffer.from(padded.replace(NO_DIGEST, digest(padded, blocks)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeWhole(file, length, json, ...blocks);
}

/** Reads a checkpoint; undefined where there is none. Throws InputError for one that is damaged or cannot be read. */
export function readCheckpoint(file: string): Checkpoint | undefined {
  let bytes: Buffer;
  try {
    bytes = readRegularFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileError("read", file, error);
  }
  try {
    return parsed(bytes);
  } catch {
    throw new InputError(`The checkpoint ${shown(file)} is damaged; delete it to do without it.`);
  }
}

/** What the bytes of a checkpoint say; throws an Error of any kind when they are not all as they were written. */
function parsed(bytes: Buffer): Checkpoint {
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  if (start > bytes.length) throw new Error("The header is cut off.");
  const text = bytes.subarray(8, start).toString("utf8");
  const header = JSON.parse(text) as {
    __metadata__: Record<
      "format" | "step" | "seconds" | "bestLoss" | "setbacks" | "fingerprint" | "sha256",
      string
    > & { readonly turned?: string };
  } & Record<(typeof NAMES)[number], { data_offsets: [number, number] }>;
  const { format, fingerprint, sha256, ...numbers } = header.__metadata__;
  const blocks = bytes.subarray(start);
  // The digest is of everything but itself: of the header, too.
  if (format !== FORMAT || digest(text.replace(sha256, NO_DIGEST), [blocks]) !== sha256)
    throw new Error("It was changed.");
  const turned = turnsFrom(JSON.parse(numbers.turned ?? "[]"));
  // Who makes a file can seal it, too: each claim is held against what can be.
  const stored = JSON.parse(fingerprint) as Fingerprint | null;
  const [step, rollbacks] = [numbers.step, numbers.setbacks].map((count) =>
    atLeastZero(count, Number.isSafeInteger),
  );
  const seconds = atLeastZero(numbers.seconds, Number.isFinite);
  const bestLoss = Number(numbers.bestLoss);
  if (stored === null || typeof stored !== "object" || Number.isNaN(bestLoss))
    throw new Error("It makes no sense.");
  const vector = (name: (typeof NAMES)[number]) => {
    const [from, to] = header[name].data_offsets;
    if (!(Number.isSafeInteger(from) && from >= 0 && to >= from && to <= blocks.length))
      throw new Error("It is cut off.");
    return new Float32Array(blocks.buffer.slice(blocks.byteOffset + from, blocks.byteOffset + to));
  };
  const [weights, average, first, second] = NAMES.map(vector);
  return {
    fingerprint: stored,
    step,
    seconds,
    bestLoss,
    rollbacks,
    turned,
    vectors: { weights, average, first, second },
  };
}

function atLeastZero(text: string, allowed: (value: number) => boolean): number {
  const value = Number(text);
  if (allowed(value) && value >= 0) return value;
  throw new Error("It makes no sense.");
}

/** SHA-256 of a header's text, in which zeros stand for the digest, and of the blocks. */
function digest(header: string, blocks: readonly Uint8Array[]): string {
  const hash = createHash("sha256").update(header);
  for (const block of blocks) hash.update(block);
  return hash.digest("hex");
}

/** Throws InputError that names what differs, if the states in a folder belong to another training. */
export function checkSame(folder: string, stored: Fingerprint, present: Fingerprint): void {
  for (const [name, value] of Object.entries(present)) {
    if (stored[name] === value) continue;
    throw new InputError(
      `The states in ${shown(folder)} are of a training with another ${name}; give the same, or another folder.`,
    );
  }
}

/** States of a training that are kept beside the best. */
const KEPT = 3;
const STATE = /^step-(\d{9})\.safetensors$/;
/** What a process that was killed while it wrote may leave. */
const UNFINISHED = /^(\.(step-\d{9}|best)\.safetensors\..*|lock\.\d+)\.tmp$/;

/**
 * A folder with the last three states of a training and the one of the smallest validation loss. One process at a time
 * may use it: call close() in the end. Throws InputError if another does, or if the folder cannot be written.
 */
export class CheckpointFolder {
  private readonly lock: FolderLock;

  constructor(readonly folder: string) {
    try {
      fs.mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw fileError("write", folder, error);
    }
    this.lock = new FolderLock(folder, "training");
    for (const name of fs.readdirSync(folder)) {
      if (UNFINISHED.test(name)) fs.rmSync(path.join(folder, name), { force: true });
    }
  }

  /** Steps of the states that are here, newest first, damaged ones among them. */
  get steps(): number[] {
    const found = fs.readdirSync(this.folder).flatMap((name) => STATE.exec(name)?.[1] ?? []);
    return found.map(Number).sort((a, b) => b - a);
  }

  /**
   * The newest state that can be read; undefined where there is none. `note` gets a sentence for each damaged one before
   * it. Throws InputError when there are states and all are damaged: nothing is overwritten then.
   */
  newest(note: (sentence: string) => void): Checkpoint | undefined {
    const { steps } = this;
    for (const step of steps) {
      try {
        return readCheckpoint(this.file(step));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        note(error.message);
      }
    }
    if (steps.length === 0) return undefined;
    throw new InputError(
      `None of the states in ${shown(this.folder)} can be read; give another folder to start anew.`,
    );
  }

  /** Keeps a state, and lets go of the oldest; `best` keeps it as the best, too. */
  keep(checkpoint: Checkpoint): void {
    writeCheckpoint(this.file(checkpoint.step), checkpoint);
    for (const step of this.steps.slice(KEPT)) fs.rmSync(this.file(step), { force: true });
  }

  /** Keeps a state as the best so far. */
  keepBest(checkpoint: Checkpoint): void {
    writeCheckpoint(path.join(this.folder, "best.safetensors"), checkpoint);
  }

  close(): void {
    this.lock.release();
  }

  private file(step: number): string {
    return path.join(this.folder, `step-${String(step).padStart(9, "0")}.safetensors`);
  }
}
