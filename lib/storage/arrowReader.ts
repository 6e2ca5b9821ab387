import fs from "node:fs";
import { allocateDataSet, type RowSource } from "../data/rows";
import { type DataSet } from "../dataSet";
import { asNumber } from "../errors";
import type { Problem } from "../problem";
import {
  type BatchLayout,
  type Column,
  columns,
  notReadable,
  readBatchHeader,
  readFooter,
} from "./arrowLayout";
import { ConditionGroups, lastAtMost } from "./conditionGroups";
import { fileError } from "./files";

// An Arrow file is "ARROW1", 2 bytes of padding, the record batches, the footer, its length as int32, "ARROW1".
const MAGIC = "ARROW1";
const TRAILER_BYTES = 4 + MAGIC.length;

/** Most rows that are read at a time, however large the record batches are. */
const MOST_ROWS = 1024;
/** Files up to this size are loaded: training on one takes up to six times as much memory. */
const LOADED_BYTES = 256 * 2 ** 20;

/** Rows that follow one another in a record batch. */
interface Run {
  readonly batch: number;
  /** first row in the record batch */
  readonly from: number;
  readonly rows: number;
}

/**
 * The rows of an Arrow file of a problem's fields, read at their places when they are asked for: a file of any size takes
 * some 60 bytes of memory a row. Close it in the end.
 *
 * The layout is known, so numbers go straight from the file to where they belong. All that read throw InputError, also
 * where the file has changed.
 */
export class ArrowRows implements RowSource {
  readonly problem: Problem;
  readonly hasLatent: boolean;
  readonly metadata: ReadonlyMap<string, string>;
  private readonly columns: readonly Column[];
  private readonly batches: BatchLayout[] = [];
  /** (record batches + 1): number of each one's first row */
  private readonly firstRows = [0];
  private readonly scratch: Float64Array;
  private grouped: ConditionGroups | undefined;

  private constructor(
    private readonly file: string,
    private readonly descriptor: number,
    { problem, hasLatent, metadata }: Pick<ArrowRows, "problem" | "hasLatent" | "metadata">,
  ) {
    this.problem = problem;
    this.hasLatent = hasLatent;
    this.metadata = metadata;
    this.columns = columns(problem, hasLatent);
    this.scratch = new Float64Array(MOST_ROWS * problem.cells);
  }

  /** Opens a file and checks its frame, its schema and the headers of its record batches. Throws InputError. */
  static async open(file: string): Promise<ArrowRows> {
    let descriptor: number | undefined;
    try {
      // Before it is opened: opening a pipe might never end.
      if (!fs.statSync(file).isFile()) throw notReadable(file, "it is not a regular file");
      descriptor = fs.openSync(file, "r");
      const { size } = fs.fstatSync(descriptor);
      const { blocks, ...layout } = readFooter(file, footerBytes(file, descriptor, size), size);
      const source = new ArrowRows(file, descriptor, layout);
      for (const [k, block] of blocks.entries()) {
        const header = bytesAt(descriptor, block.offset, block.metadataLength);
        const batch = readBatchHeader(file, k + 1, header, block, source.columns);
        source.batches.push(batch);
        source.firstRows.push(source.rows + batch.rows);
        if (k % 100 === 99) await signals();
      }
      return source;
    } catch (error) {
      if (descriptor !== undefined) fs.closeSync(descriptor);
      throw readError(file, error);
    }
  }

  get rows(): number {
    return this.firstRows[this.firstRows.length - 1];
  }

  /** The seed that the fields were drawn with, if the file names it. */
  get seed(): number | undefined {
    const seed = asNumber(this.metadata.get("seed"));
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : undefined;
  }

  /** Rows by condition, once the file has been read through. */
  get groups(): ConditionGroups {
    if (!this.grouped) throw new Error(`${this.file} has not been read through.`);
    return this.grouped;
  }

  /** Reads all rows once, so that a value that is no number is told of now, and groups them. Throws InputError. */
  async readThrough(): Promise<void> {
    const groups = new ConditionGroups(this.rows, this.problem.conditions.length);
    for (const { conditions } of this.pieces()) {
      groups.add(conditions);
      await signals();
    }
    this.grouped = groups;
  }

  /** All rows, in memory. */
  async all(): Promise<DataSet> {
    const data = this.allocate(this.rows);
    for (const run of this.runs()) {
      this.read(data, this.firstRows[run.batch] + run.from, run);
      await signals();
    }
    return data;
  }

  select(rows: ArrayLike<number>): DataSet {
    const data = this.allocate(rows.length);
    for (let to = 0; to < rows.length;) {
      const batch = lastAtMost(this.firstRows, rows[to]);
      const from = rows[to] - this.firstRows[batch];
      // Rows that follow one another are read together.
      const most = Math.min(this.batches[batch].rows - from, MOST_ROWS);
      let count = 1;
      while (count < most && rows[to + count] === rows[to] + count) count++;
      this.read(data, to, { batch, from, rows: count });
      to += count;
    }
    return data;
  }

  *pieces(): Generator<DataSet> {
    for (const run of this.runs()) {
      const data = this.allocate(run.rows);
      this.read(data, 0, run);
      yield data;
    }
  }

  *conditions(): Generator<Float64Array> {
    const only = this.columns.filter(({ part }) => part === "conditions");
    for (const run of this.runs()) {
      const data = this.allocate(run.rows);
      this.read(data, 0, run, only);
      yield data.conditions;
    }
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }

  /** All rows, in runs that are read at a time. */
  private *runs(): Generator<Run> {
    for (const [batch, { rows }] of this.batches.entries()) {
      for (let from = 0; from < rows; from += MOST_ROWS) {
        yield { batch, from, rows: Math.min(MOST_ROWS, rows - from) };
      }
    }
  }

  private allocate(rows: number): DataSet {
    const data = allocateDataSet(this.problem, rows, this.seed);
    return this.hasLatent ? data : { ...data, latent: undefined };
  }

  /** Reads some columns of a run into the rows of `data` from `to` on. */
  private read(data: DataSet, to: number, { batch, from, rows }: Run, only = this.columns): void {
    for (const column of only) {
      const { name, width, part, first, stride, mayBeUnknown } = column;
      const values = this.scratch.subarray(0, rows * width);
      const start = this.batches[batch].starts[this.columns.indexOf(column)];
      try {
        fill(values, this.descriptor, start + 8 * from * width);
      } catch (error) {
        throw readError(this.file, error);
      }
      const target = data[part]!;
      for (let row = 0; row < rows; row++) {
        const shift = first + (to + row) * stride - row * width;
        for (let i = row * width; i < (row + 1) * width; i++) {
          const value = values[i];
          if (!Number.isFinite(value) && !(mayBeUnknown && Number.isNaN(value))) {
            throw notReadable(
              this.file,
              `row ${this.firstRows[batch] + from + row + 1} of column ${name} holds ${value}, which is no finite number`,
            );
          }
          target[i + shift] = value;
        }
      }
    }
  }
}

/**
 * Reads a whole file into memory: conditions (rows, conditions), fields (rows, fields, cells) and, where it has them,
 * latent (rows, cells), in the units of its problem. Throws InputError.
 */
export async function readDataSet(file: string): Promise<DataSet> {
  const source = await ArrowRows.open(file);
  try {
    return await source.all();
  } finally {
    source.close();
  }
}

/** Yields the rows of a file in pieces of one record batch or less, in constant memory. Throws InputError. */
export async function* readBatches(file: string): AsyncGenerator<DataSet> {
  const source = await ArrowRows.open(file);
  try {
    for (const piece of source.pieces()) {
      yield piece;
      await signals();
    }
  } finally {
    source.close();
  }
}

/** Leaves the rows of a file where they are, but reads all of them once. Throws InputError. */
export async function openRows(file: string): Promise<ArrowRows> {
  const source = await ArrowRows.open(file);
  try {
    await source.readThrough();
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Reads a file into memory or, if it is larger than `loaded` bytes, leaves its rows there. Throws InputError. */
export async function openData(file: string, loaded = LOADED_BYTES): Promise<DataSet | ArrowRows> {
  let bytes: number;
  try {
    bytes = fs.statSync(file).size;
  } catch (error) {
    throw fileError("read", file, error);
  }
  return bytes > loaded ? openRows(file) : readDataSet(file);
}

/** A RangeError comes from bytes that point outside of what is there. */
function readError(file: string, error: unknown): unknown {
  return error instanceof RangeError
    ? notReadable(file, "its contents are damaged")
    : fileError("read", file, error);
}

function footerBytes(file: string, descriptor: number, size: number): Uint8Array {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
  if (size < MAGIC.length || text(bytesAt(descriptor, 0, MAGIC.length)) !== MAGIC) {
    throw notReadable(file, "it is not an Arrow file");
  }
  if (size > 2 * TRAILER_BYTES) {
    const trailer = bytesAt(descriptor, size - TRAILER_BYTES, TRAILER_BYTES);
    const length = new DataView(trailer.buffer).getInt32(0, true);
    if (text(trailer.subarray(4)) === MAGIC && length > 0 && length <= size - TRAILER_BYTES) {
      return bytesAt(descriptor, size - TRAILER_BYTES - length, length);
    }
  }
  throw notReadable(file, "it is truncated or damaged");
}

function bytesAt(descriptor: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(bytes, descriptor, position);
  return bytes;
}

/** Fills an array from a place in a file. Throws RangeError where the file ends too early. */
function fill(array: Uint8Array | Float64Array, descriptor: number, position: number): void {
  const { byteLength } = array;
  const bytes = new Uint8Array(array.buffer, array.byteOffset, byteLength);
  for (let done = 0; done < byteLength;) {
    const read = fs.readSync(descriptor, bytes, done, byteLength - done, position + done);
    if (read === 0) throw new RangeError("The file ends too early.");
    done += read;
  }
}

/** Lets signals in. */
function signals(): Promise<void> {
  return new Promise(setImmediate);
}
