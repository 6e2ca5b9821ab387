/**
 * The state of an unfinished training in one file of the safetensors format: eight bytes with the length of a JSON
 * header, the header, and the blocks of float32 that it describes.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { AtomicFile, fileError } from "../data/atomicFile";
import type { DataSet } from "../data/dataset";
import { InputError, shown } from "../errors";

/** What must be the same when a training goes on. */
export type Fingerprint = Readonly<Record<string, string>>;

export interface Checkpoint {
  readonly fingerprint: Fingerprint;
  /** Steps done. */
  readonly step: number;
  /** Spent on them, over all runs. */
  readonly seconds: number;
  /** Weights, their average and both moments of Adam, each as one vector. */
  readonly vectors: Readonly<Record<"weights" | "average" | "first" | "second", Float32Array>>;
}

const NAMES = ["weights", "average", "first", "second"] as const;

/** A short digest of a data set's conditions and fields. */
export function digestOf({ conditions, fields }: DataSet): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of [conditions, fields]) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Writes a checkpoint; the file appears complete or not at all. Throws InputError if it cannot be written. */
export function writeCheckpoint(file: string, { fingerprint, step, seconds, vectors }: Checkpoint): void {
  const blocks = NAMES.map((name) => {
    const { buffer, byteOffset, byteLength } = vectors[name];
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  const hash = createHash("sha256");
  for (const block of blocks) hash.update(block);
  const header: Record<string, unknown> = {
    __metadata__: {
      format: FORMAT,
      step: String(step),
      seconds: String(seconds),
      fingerprint: JSON.stringify(fingerprint),
      sha256: hash.digest("hex"),
    },
  };
  let end = 0;
  NAMES.forEach((name, i) => {
    const start = end;
    end += blocks[i].length;
    header[name] = { dtype: "F32", shape: [vectors[name].length], data_offsets: [start, end] };
  });
  // Blanks to a multiple of eight keep the blocks aligned, as the format asks.
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const target = new AtomicFile(file);
  try {
    for (const part of [length, json, ...blocks]) target.write(part);
    target.commit();
  } catch (error) {
    target.abandon();
    throw error;
  }
}

/** Reads a checkpoint; undefined where there is none. Throws InputError, with the reason, for a damaged one. */
export function readCheckpoint(file: string): Checkpoint | undefined {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileError("read", file, error);
  }
  try {
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, start).toString("utf8")) as {
      __metadata__: Record<"format" | "step" | "seconds" | "fingerprint" | "sha256", string>;
    } & Record<(typeof NAMES)[number], { data_offsets: [number, number] }>;
    const { format, step, seconds, fingerprint, sha256 } = header.__metadata__;
    const blocks = bytes.subarray(start);
    if (format !== FORMAT || createHash("sha256").update(blocks).digest("hex") !== sha256) throw new Error();
    const vector = (name: (typeof NAMES)[number]) => {
      const [from, to] = header[name].data_offsets;
      return new Float32Array(blocks.buffer.slice(blocks.byteOffset + from, blocks.byteOffset + to));
    };
    return {
      fingerprint: JSON.parse(fingerprint) as Fingerprint,
      step: Number(step),
      seconds: Number(seconds),
      vectors: {
        weights: vector("weights"),
        average: vector("average"),
        first: vector("first"),
        second: vector("second"),
      },
    };
  } catch {
    throw new InputError(
      `The checkpoint ${shown(file)} is damaged; delete it to start the training from the beginning.`,
    );
  }
}

/** Throws InputError that names what differs, if a checkpoint belongs to another training. */
export function checkSame(file: string, stored: Fingerprint, present: Fingerprint): void {
  for (const [name, value] of Object.entries(present)) {
    if (stored[name] === value) continue;
    throw new InputError(
      `The checkpoint ${shown(file)} is of a training with another ${name}; give the same, or delete the file to start anew.`,
    );
  }
}

const FORMAT = "porous-sgm checkpoint 1";
