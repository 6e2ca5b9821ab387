import { Footer } from "apache-arrow/fb/footer";
import { Message } from "apache-arrow/fb/message";
import { MessageHeader } from "apache-arrow/fb/message-header";
import { Schema } from "apache-arrow/fb/schema";
import { ByteBuffer } from "flatbuffers";
import fs from "node:fs";
import { allocateDataSet, rowBytes, type RowSource } from "../data/rows";
import { type DataSet } from "../dataSet";
import { asNumber } from "../backend/errors";
import type { Problem } from "../problem";
import {
  type BatchLayout,
  columnWidths,
  type Layout,
  notReadable,
  type NumberType,
  readBatchHeader,
  readSchema,
  type Region,
  type StoredColumn,
} from "./arrowLayout";
import { ConditionGroups, lastAtMost } from "./conditionGroups";
import { fileError, openToRead } from "./files";
import { unpack } from "./unpack";

// A stream of Arrow is messages, each int32 -1, the int32 length of its header, the header and a body, up to a header of no
// length; the first is the schema. A file is "ARROW1", 2 bytes of padding, such messages, the footer, its length as int32,
// "ARROW1". The footer has the schema, too, and the places of the messages.
const MAGIC = "ARROW1";
const TRAILER_BYTES = 4 + MAGIC.length;
const PREFIX_BYTES = 8;
const BLOCK_BYTES = 24;
const WHOLE_COPY = "get a whole copy of it";

/** How files begin that hold tables, too. */
const OTHERS: Readonly<Record<string, [string, string]>> = {
  PAR1: ["it is a Parquet file", "write it as Arrow, in pandas with to_feather"],
  FEA1: ["it is a Feather file of version 1", "write it anew as version 2"],
  "\x1f\x8b": ["it is packed by gzip", "unpack it first"],
  PK: ["it is a zip or Excel file", "unpack it, or export Arrow"],
};

/** Most rows that are read at a time, however large the record batches are. */
const MOST_ROWS = 1024;
/** Rows that take up to so many bytes are loaded: training on one takes up to six times as much memory. */
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
 * some 60 bytes of memory a row. Of packed record batches the last one is kept as well, unpacked. Close it in the end.
 *
 * Columns are found by their names; numbers may be of any type that float64 holds, lists of one length or of any. All
 * that read throw InputError, also where the file has changed.
 */
export class ArrowRows implements RowSource {
  readonly problem: Problem;
  readonly hasLatent: boolean;
  readonly metadata: ReadonlyMap<string, string>;
  /** Whether rows cannot be had without the whole record batch around them. */
  readonly packed: boolean;
  private readonly columns: readonly StoredColumn[];
  /** (record batches + 1): number of each one's first row */
  private readonly firstRows = [0];
  private readonly scratch: ArrayBuffer;
  private readonly unpacked = new Map<number, Uint8Array>();
  private unpackedBatch = -1;
  private grouped: ConditionGroups | undefined;

  private constructor(
    private readonly file: string,
    private readonly descriptor: number,
    { problem, hasLatent, metadata, columns }: Layout,
    private readonly batches: readonly BatchLayout[],
  ) {
    this.problem = problem;
    this.hasLatent = hasLatent;
    this.metadata = metadata;
    this.columns = columns;
    this.packed = batches.some(({ codec }) => codec !== undefined);
    for (const { rows } of batches) this.firstRows.push(this.rows + rows);
    this.scratch = new ArrayBuffer(8 * (MOST_ROWS + 1) * problem.cells);
  }

  /**
   * Opens a file or a stream, "-" for standard input, and checks its frame, its schema and the headers of its record
   * batches. `assumed` is the problem of a file that does not name it. Throws InputError.
   */
  static async open(file: string, assumed?: Problem): Promise<ArrowRows> {
    let descriptor: number | undefined;
    try {
      descriptor = await openToRead(file);
      return new ArrowRows(file, descriptor, ...(await readMessages(file, descriptor, assumed)));
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
  private read(data: DataSet, to: number, run: Run, only = this.columns): void {
    const firstRow = this.firstRows[run.batch] + run.from;
    for (const column of only) {
      const { name, width, part, first, stride, mayBeUnknown } = column;
      let values: ArrayLike<number>;
      try {
        values = this.values(column, run);
      } catch (error) {
        throw readError(this.file, error);
      }
      const target = data[part]!;
      for (let row = 0; row < run.rows; row++) {
        const shift = first + (to + row) * stride - row * width;
        for (let i = row * width; i < (row + 1) * width; i++) {
          const value = values[i];
          if (!Number.isFinite(value) && !(mayBeUnknown && Number.isNaN(value))) {
            const what = `row ${firstRow + row + 1} of column ${name} holds ${value}, which is no finite number`;
            throw notReadable(this.file, what, "leave such rows out");
          }
          target[i + shift] = value;
        }
      }
    }
  }

  /** The numbers (rows, width) of a column in a run: good until the next call. Throws InputError where one is missing. */
  private values(column: StoredColumn, { batch, from, rows }: Run): ArrayLike<number> {
    const { name, width, type, offsets, mayBeUnknown } = column;
    const place = this.batches[batch].places[this.columns.indexOf(column)];
    const refused = (row: number, what: string) =>
      notReadable(
        this.file,
        `row ${this.firstRows[batch] + from + row + 1} of ${name} ${what}`,
        "leave such rows out",
      );
    const nulls = place.valid ? this.zeros(batch, place.valid, from, rows) : [];
    if (nulls.length > 0 && !mayBeUnknown) throw refused(nulls[0], "is null");
    let first = from * width;
    if (offsets && rows > 0) {
      const ends = this.numbers(batch, place.offsets!, offsets, from, rows + 1);
      first = ends[0];
      for (let row = 0; row < rows; row++) {
        const items = ends[row + 1] - ends[row];
        if (items !== width) throw refused(row, `has ${items} items and not ${width}`);
      }
    }
    if (place.itemsValid) {
      const [item] = this.zeros(batch, place.itemsValid, first, rows * width);
      if (item !== undefined)
        throw refused(Math.floor(item / width), `is null in item ${(item % width) + 1}`);
    }
    const values = this.numbers(batch, place.values, type, first, rows * width);
    if (nulls.length === 0) return values;
    return Array.from({ length: rows }, (_, row) => (nulls.includes(row) ? NaN : values[row]));
  }

  /** Which of some bits, from 0, are not set. */
  private zeros(batch: number, region: Region, from: number, count: number): number[] {
    const start = Math.floor(from / 8);
    const bytes = new Uint8Array(Math.ceil((from + count) / 8) - start);
    this.fill(batch, region, bytes, start);
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      const bit = from - 8 * start + i;
      if (!((bytes[bit >> 3] >> (bit & 7)) & 1)) found.push(i);
    }
    return found;
  }

  private numbers(batch: number, region: Region, type: NumberType, from: number, count: number) {
    const bytes = new Uint8Array(this.scratch, 0, type.BYTES_PER_ELEMENT * count);
    this.fill(batch, region, bytes, type.BYTES_PER_ELEMENT * from);
    const values = new type(this.scratch, 0, count);
    return values instanceof BigInt64Array || values instanceof BigUint64Array
      ? Float64Array.from(values, Number)
      : values;
  }

  /** Fills an array from a place in a region. Throws RangeError where the region ends too early. */
  private fill(batch: number, region: Region, bytes: Uint8Array, from: number): void {
    const { codec } = this.batches[batch];
    if (codec === undefined) {
      if (!(from >= 0 && from + bytes.length <= region.length))
        throw new RangeError("The region ends too early.");
      return fill(bytes, this.descriptor, region.start + from);
    }
    if (this.unpackedBatch !== batch) this.unpacked.clear();
    this.unpackedBatch = batch;
    let whole = this.unpacked.get(region.start);
    if (!whole) {
      whole = unpack(bytesAt(this.descriptor, region.start, region.length), codec);
      this.unpacked.set(region.start, whole);
    }
    if (!(from >= 0 && from + bytes.length <= whole.length))
      throw new RangeError("The region ends too early.");
    bytes.set(whole.subarray(from, from + bytes.length));
  }
}

/**
 * Reads a whole file into memory: conditions (rows, conditions), fields (rows, fields, cells) and, where it has them,
 * latent (rows, cells), in the units of its problem. Throws InputError.
 */
export async function readDataSet(file: string, assumed?: Problem): Promise<DataSet> {
  const source = await ArrowRows.open(file, assumed);
  try {
    return await source.all();
  } finally {
    source.close();
  }
}

/** Yields the rows of a file in pieces of one record batch or less, in constant memory. Throws InputError. */
export async function* readBatches(file: string, assumed?: Problem): AsyncGenerator<DataSet> {
  const source = await ArrowRows.open(file, assumed);
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
export async function openRows(file: string, assumed?: Problem): Promise<ArrowRows> {
  return readThrough(await ArrowRows.open(file, assumed));
}

async function readThrough(source: ArrowRows): Promise<ArrowRows> {
  try {
    await source.readThrough();
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * Reads a file into memory or, if its rows take more than `loaded` bytes, leaves them there. `assumed` is the problem of a
 * file that does not name it. Throws InputError.
 */
export async function openData(
  file: string,
  loaded = LOADED_BYTES,
  assumed?: Problem,
): Promise<DataSet | ArrowRows> {
  const source = await ArrowRows.open(file, assumed);
  const large = rowBytes(source.problem) * source.rows > loaded;
  if (large && !source.packed) return readThrough(source);
  try {
    if (large) {
      throw notReadable(
        file,
        "its numbers are packed, so that rows of so large a file cannot be read one by one",
        "write it without compression, or give --in-memory",
      );
    }
    return await source.all();
  } finally {
    source.close();
  }
}

/**
 * The columns of numbers, and of lists of one length, in a file of any program, with how many numbers each has a row.
 * Throws InputError for a data set of a problem, which needs no such look, and for what is no file of Arrow.
 */
export async function arrowColumns(file: string): Promise<ReadonlyMap<string, number>> {
  let descriptor: number | undefined;
  try {
    descriptor = await openToRead(file);
    const footer = readFooter(file, descriptor, fs.fstatSync(descriptor).size);
    if (!footer)
      throw notReadable(file, "it is a stream of Arrow", "write it as a file, in pandas with to_feather");
    // How long lists of any length are, the first record batch tells.
    const start = footer.blocks > 0 ? Number(footer.table.recordBatches(0)!.offset()) : 0;
    const length = new DataView(bytesAt(descriptor, start, PREFIX_BYTES).buffer).getInt32(4, true);
    if (!(start > 0 && length > 0 && length <= fs.fstatSync(descriptor).size)) {
      throw notReadable(file, "it has no rows", "give a file with some");
    }
    const bytes = bytesAt(descriptor, start + PREFIX_BYTES, length);
    const message = Message.getRootAsMessage(new ByteBuffer(bytes));
    return columnWidths(file, footer.table.schema(), footer.bytes, message);
  } catch (error) {
    throw readError(file, error);
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** A RangeError comes from bytes that point outside of what is there. */
function readError(file: string, error: unknown): unknown {
  return error instanceof RangeError
    ? notReadable(file, "its contents are damaged", WHOLE_COPY)
    : fileError("read", file, error);
}

/** The schema of a file or a stream, and where its record batches lie. */
async function readMessages(
  file: string,
  descriptor: number,
  assumed?: Problem,
): Promise<[Layout, BatchLayout[]]> {
  const { size } = fs.fstatSync(descriptor);
  const truncated = notReadable(file, "it is truncated or damaged", WHOLE_COPY);
  const footer = readFooter(file, descriptor, size);
  let layout = footer && readSchema(file, footer.table.schema(), footer.bytes, assumed);
  const batches: BatchLayout[] = [];
  let end = 0; // of the last message
  for (let k = 0; footer ? k < footer.blocks : end < size; k++) {
    const start = footer ? Number(footer.table.recordBatches(k)!.offset()) : end;
    if (!(start >= end && start + PREFIX_BYTES <= size)) throw truncated;
    const prefix = new DataView(bytesAt(descriptor, start, PREFIX_BYTES).buffer);
    const length = prefix.getInt32(4, true);
    const body = start + PREFIX_BYTES + length;
    if (prefix.getInt32(0, true) !== -1 || !(length >= 0 && body <= size)) throw truncated;
    if (length === 0) break;
    const bytes = bytesAt(descriptor, start + PREFIX_BYTES, length);
    const message = Message.getRootAsMessage(new ByteBuffer(bytes));
    end = body + Number(message.bodyLength());
    if (!(end >= body && end <= size)) {
      throw notReadable(file, "it claims more data than the file holds", WHOLE_COPY);
    }
    const type = message.headerType();
    if (type === MessageHeader.Schema && !layout) {
      layout = readSchema(file, message.header(new Schema()) as Schema | null, length, assumed);
    } else if (type === MessageHeader.RecordBatch && layout) {
      batches.push(readBatchHeader(file, batches.length + 1, message, body, layout.columns));
    } else if (type !== MessageHeader.DictionaryBatch) throw truncated;
    if (k % 100 === 99) await signals();
  }
  if (!layout || (footer && batches.length !== footer.blocks)) throw truncated;
  return [layout, batches];
}

/** The footer of a file; undefined for a stream, which has none. Throws InputError for what is neither. */
function readFooter(file: string, descriptor: number, size: number) {
  const start = Buffer.from(bytesAt(descriptor, 0, Math.min(size, PREFIX_BYTES)));
  const begins = (text: string) => start.subarray(0, text.length).equals(Buffer.from(text, "latin1"));
  if (start.length === PREFIX_BYTES && start.readInt32LE(0) === -1) return undefined;
  const other = Object.keys(OTHERS).find(begins);
  if (other) throw notReadable(file, ...OTHERS[other]);
  if (!begins(MAGIC)) throw notReadable(file, "it is not an Arrow file");
  if (size > 2 * TRAILER_BYTES) {
    const trailer = Buffer.from(bytesAt(descriptor, size - TRAILER_BYTES, TRAILER_BYTES));
    const bytes = trailer.readInt32LE(0);
    if (trailer.toString("latin1", 4) === MAGIC && bytes > 0 && bytes <= size - TRAILER_BYTES) {
      const found = bytesAt(descriptor, size - TRAILER_BYTES - bytes, bytes);
      const table = Footer.getRootAsFooter(new ByteBuffer(found));
      const blocks = table.recordBatchesLength();
      if (blocks >= 0 && BLOCK_BYTES * blocks <= bytes) return { table, bytes, blocks };
    }
  }
  throw notReadable(file, "it is truncated or damaged", WHOLE_COPY);
}

function bytesAt(descriptor: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(bytes, descriptor, position);
  return bytes;
}

/** Fills an array from a place in a file. Throws RangeError where the file ends too early. */
function fill(bytes: Uint8Array, descriptor: number, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const read = fs.readSync(descriptor, bytes, done, bytes.length - done, position + done);
    if (read === 0) throw new RangeError("The file ends too early.");
    done += read;
  }
}

/** Lets signals in. */
function signals(): Promise<void> {
  return new Promise(setImmediate);
}
