import fsSync from "node:fs";
import fs from "node:fs/promises";
import { asNumber, InputError, shown } from "../errors";
import { type BatchLayout, batchLayout, type Block, int64 } from "./arrowBatch";
import { columns, FORMAT_VERSION, rowBytes, scatter } from "./arrowLayout";
import { fileError } from "./atomicFile";
import { allocateDataSet, type DataSet, sliceRows } from "../dataSet";
import { FlatTable } from "./flatbuffer";
import type { Problem } from "../problem";
import { problemByName } from "../presets/problems";

// An Arrow file is "ARROW1", 2 bytes of padding, the record batches, the footer, its length as int32, "ARROW1".
const MAGIC = "ARROW1";
const TRAILER_BYTES = 4 + MAGIC.length;

// Slots of the tables in Arrow's Footer.fbs and Schema.fbs, and the enumerated values used here.
const FOOTER = { schema: 1, recordBatches: 3 };
const SCHEMA = { fields: 1, metadata: 2 };
const KEY_VALUE = { key: 0, value: 1 };
const FIELD = { name: 0, typeType: 2, type: 3, dictionary: 4, children: 5 };
const FLOATING_POINT = { precision: 0 };
const FIXED_SIZE_LIST = { size: 0 };
const TYPE = { floatingPoint: 3, fixedSizeList: 16 };
const DOUBLE = 2;
const BLOCK_BYTES = 24;
/** Most rows that are read at a time, however large the record batches are. */
export const MOST_ROWS = 1024;

/**
 * An Apache Arrow file of a problem's fields, open for reading one record batch at a time.
 *
 * The layout is known, so the few tables of the format are read here and every claim in them is held against the
 * bytes that are there, before memory is taken or a loop is run for it: the reader of the Arrow library trusts them,
 * and one false byte in a footer can cost it minutes or all memory.
 */
export class ArrowFieldsFile {
  /** A bound on the number of rows from the sizes of the batches; the rows themselves may be fewer. */
  readonly maxRows: number;

  private constructor(
    readonly file: string,
    readonly problem: Problem,
    readonly hasLatent: boolean,
    readonly metadata: ReadonlyMap<string, string>,
    private readonly blocks: readonly Block[],
    private readonly handle: fs.FileHandle,
  ) {
    const bytes = rowBytes(problem, hasLatent);
    this.maxRows = blocks.reduce((sum, { bodyLength }) => sum + Math.floor(bodyLength / bytes), 0);
  }

  /** Opens a file and checks its frame and schema. Throws InputError. */
  static async open(file: string): Promise<ArrowFieldsFile> {
    let handle: fs.FileHandle | undefined;
    try {
      handle = await fs.open(file, "r");
      const stat = await handle.stat();
      if (!stat.isFile()) throw notReadable(file, "it is not a regular file");
      const footer = await readFooter(file, handle, stat.size);
      const blocks = checkedBlocks(file, footer, stat.size);
      const schema = footer.table(FOOTER.schema);
      if (!schema) throw notReadable(file, "it is truncated or damaged");
      const metadata = new Map(
        schema
          .tables(SCHEMA.metadata)
          .map((pair) => [pair.string(KEY_VALUE.key), pair.string(KEY_VALUE.value)]),
      );
      const problem = problemOf(file, metadata);
      const hasLatent = checkColumns(file, problem, schema.tables(SCHEMA.fields).map(columnText));
      return new ArrowFieldsFile(file, problem, hasLatent, metadata, blocks, handle);
    } catch (error) {
      await handle?.close();
      throw readError(file, error);
    }
  }

  /** The seed that the fields were drawn with, if the file names it. */
  get seed(): number | undefined {
    const seed = asNumber(this.metadata.get("seed"));
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : undefined;
  }

  /** Yields the record batches in order, large ones in pieces. Throws InputError at a damaged one. */
  async *batches(): AsyncGenerator<DataSet> {
    let firstRow = 0;
    for await (const layout of this.layouts()) {
      for (let from = 0; from < layout.rows; from += MOST_ROWS) {
        const data = allocateDataSet(this.problem, Math.min(MOST_ROWS, layout.rows - from), this.seed);
        this.read(data, 0, data.rows, layout, from, firstRow + from);
        yield this.hasLatent ? data : { ...data, latent: undefined };
      }
      firstRow += layout.rows;
    }
  }

  /** Number of rows. Throws InputError for a damaged record batch. */
  async countRows(): Promise<number> {
    let rows = 0;
    for await (const layout of this.layouts()) rows += layout.rows;
    return rows;
  }

  /** Where the rows of each record batch lie. Throws InputError at a damaged one. */
  async *layouts(): AsyncGenerator<BatchLayout> {
    for (let i = 0; i < this.blocks.length; i++) yield await this.layout(i);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async layout(index: number): Promise<BatchLayout> {
    const { file, problem, hasLatent } = this;
    const block = this.blocks[index];
    let layout: BatchLayout | "compressed";
    try {
      const head = await readBytes(this.handle, block.offset, block.metadataLength);
      layout = batchLayout(head, block, columns(problem, hasLatent));
    } catch (error) {
      if (error instanceof RangeError) throw notReadable(file, `its record batch ${index + 1} is damaged`);
      throw readError(file, error);
    }
    if (layout === "compressed") throw notReadable(file, "its record batches are compressed");
    return layout;
  }

  /**
   * Reads `rows` rows from row `from` of a record batch on into rows of `data` from `to` on. Throws InputError.
   *
   * number: of the first row in the file, for messages; only: leaves the fields and the latent field as they are.
   */
  read(
    data: DataSet & { latent: Float64Array },
    to: number,
    rows: number,
    { starts }: BatchLayout,
    from: number,
    number: number,
    only?: "conditions",
  ): void {
    const { file, problem, hasLatent } = this;
    const count = problem.conditions.length;
    const fieldStart = count + (hasLatent ? 1 : 0);
    columns(problem, hasLatent).forEach(({ name, width }, k) => {
      if (only && k >= count) return;
      const latent = k >= count && k < fieldStart;
      const values = latent
        ? data.latent.subarray(to * width, (to + rows) * width)
        : new Float64Array(rows * width);
      readValues(file, this.handle.fd, values, starts[k] + 8 * from * width);
      const unknownAllowed = k < count && problem.conditions[k].latentOnly === true;
      checkFinite(file, name, values, width, number, unknownAllowed);
      if (k < count) scatter(values, data.conditions.subarray(to * count), rows, count, k, 1);
      else if (!latent) {
        const parts = problem.fields.length;
        scatter(values, data.fields.subarray(to * parts * width), rows, parts, k - fieldStart, width);
      }
    });
  }
}

/**
 * Reads a whole file into memory: conditions (rows, conditions), fields (rows, fields, cells) and, where it has them,
 * latent (rows, cells), in the units of its problem. Throws InputError.
 */
export async function readDataSet(file: string): Promise<DataSet> {
  const source = await ArrowFieldsFile.open(file);
  try {
    const all = allocateDataSet(source.problem, source.maxRows, source.seed);
    let rows = 0;
    for await (const batch of source.batches()) {
      all.conditions.set(batch.conditions, rows * source.problem.conditions.length);
      all.fields.set(batch.fields, rows * source.problem.fields.length * source.problem.cells);
      if (batch.latent) all.latent.set(batch.latent, rows * source.problem.cells);
      rows += batch.rows;
    }
    return sliceRows(source.hasLatent ? all : { ...all, latent: undefined }, 0, rows);
  } finally {
    await source.close();
  }
}

/** Yields a file's record batches one at a time, as data sets, in constant memory. Throws InputError. */
export async function* readBatches(file: string): AsyncGenerator<DataSet> {
  const source = await ArrowFieldsFile.open(file);
  try {
    yield* source.batches();
  } finally {
    await source.close();
  }
}

function notReadable(file: string, reason: string): InputError {
  return new InputError(
    `Cannot read ${shown(file)}: ${reason}; give an Arrow file written by generate, solve or sample.`,
  );
}

/** A RangeError comes from bytes that point outside of what is there. */
function readError(file: string, error: unknown): unknown {
  return error instanceof RangeError
    ? notReadable(file, "its contents are damaged")
    : fileError("read", file, error);
}

/** Fills an array from a place in a file. Throws InputError. */
function readValues(file: string, descriptor: number, values: Float64Array, position: number): void {
  const { buffer, byteOffset, byteLength } = values;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  try {
    for (let done = 0; done < byteLength;) {
      const read = fsSync.readSync(descriptor, bytes, done, byteLength - done, position + done);
      if (read === 0) throw new RangeError("The file ends too early.");
      done += read;
    }
  } catch (error) {
    throw readError(file, error);
  }
}

/** Reads bytes into memory of their own, so that views of float64 are aligned. */
async function readBytes(handle: fs.FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new RangeError("The file ends too early.");
    done += bytesRead;
  }
  return bytes;
}

async function readFooter(file: string, handle: fs.FileHandle, size: number): Promise<FlatTable> {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
  if (size < MAGIC.length || text(await readBytes(handle, 0, MAGIC.length)) !== MAGIC) {
    throw notReadable(file, "it is not an Arrow file");
  }
  if (size > 2 * TRAILER_BYTES) {
    const trailer = await readBytes(handle, size - TRAILER_BYTES, TRAILER_BYTES);
    const length = new DataView(trailer.buffer).getInt32(0, true);
    if (text(trailer.subarray(4)) === MAGIC && length > 0 && length <= size - TRAILER_BYTES) {
      return FlatTable.root(await readBytes(handle, size - TRAILER_BYTES - length, length));
    }
  }
  throw notReadable(file, "it is truncated or damaged");
}

/** Where the record batches lie; together they must fit into the file. */
function checkedBlocks(file: string, footer: FlatTable, size: number): Block[] {
  const entries = footer.vector(FOOTER.recordBatches, BLOCK_BYTES);
  let total = 0;
  return Array.from({ length: entries.byteLength / BLOCK_BYTES }, (_, i) => {
    const offset = int64(entries, 3 * i);
    const metadataLength = entries.getInt32(BLOCK_BYTES * i + 8, true);
    const bodyLength = int64(entries, 3 * i + 2);
    total += metadataLength + bodyLength;
    const fits = offset + metadataLength + bodyLength <= size && total <= size;
    if (!(offset >= 0 && metadataLength >= 8 && bodyLength >= 0 && fits)) {
      throw notReadable(file, "it claims more data than the file holds");
    }
    return { offset, metadataLength, bodyLength };
  });
}

/** The problem that a file's metadata name. */
function problemOf(file: string, metadata: ReadonlyMap<string, string>): Problem {
  const name = metadata.get("problem");
  const version = metadata.get("version");
  if (name === undefined || version === undefined) throw notReadable(file, "its schema names no problem");
  if (version !== FORMAT_VERSION) {
    throw notReadable(file, `it has format version ${shown(version)} and not ${FORMAT_VERSION}`);
  }
  let problem: Problem;
  try {
    problem = problemByName(name, JSON.parse(metadata.get("settings") ?? "{}") as Problem["settings"]);
  } catch (error) {
    const reason =
      error instanceof InputError ? error.message.replace(/\.$/, "") : "its settings are damaged";
    throw notReadable(file, `its problem is unknown (${reason})`);
  }
  if (metadata.get("problem_version") !== String(problem.version)) {
    throw notReadable(file, `it was made for another version of the problem ${problem.name}`);
  }
  return problem;
}

/** A column of a schema as "name: type", for comparison and for messages. */
function columnText(field: FlatTable): string {
  return `${field.string(FIELD.name)}: ${typeText(field, true)}`;
}

function typeText(field: FlatTable, mayBeList: boolean): string {
  const type = field.table(FIELD.type);
  const number = field.int8(FIELD.typeType);
  if (!type || field.table(FIELD.dictionary)) return "another type";
  if (number === TYPE.floatingPoint && type.int16(FLOATING_POINT.precision) === DOUBLE) return "float64";
  if (number === TYPE.fixedSizeList && mayBeList) {
    const children = field.tables(FIELD.children);
    const item = children.length === 1 ? typeText(children[0], false) : "another type";
    return `${item}[${type.int32(FIXED_SIZE_LIST.size)}]`;
  }
  return "another type";
}

/** Checks the columns against the problem's; returns whether the latent field is among them. */
function checkColumns(file: string, problem: Problem, found: readonly string[]): boolean {
  const texts = [true, false].map((withLatent) =>
    columns(problem, withLatent).map(
      ({ name, width }) => `${name}: float64${width === 1 ? "" : `[${width}]`}`,
    ),
  );
  const { latent } = problem;
  const hasLatent = latent !== undefined && found.some((text) => text.startsWith(`${latent.name}: `));
  const expected = texts[hasLatent ? 0 : 1];
  for (let k = 0; k < Math.max(found.length, expected.length); k++) {
    if (found[k] === expected[k]) continue;
    throw notReadable(file, `its column ${k + 1} is ${shown(found[k])} and not ${shown(expected[k])}`);
  }
  return hasLatent;
}

function checkFinite(
  file: string,
  name: string,
  values: Float64Array,
  width: number,
  firstRow: number,
  unknownAllowed: boolean,
): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]) || (unknownAllowed && Number.isNaN(values[i]))) continue;
    const row = firstRow + Math.floor(i / width) + 1;
    throw notReadable(file, `row ${row} of column ${name} holds ${values[i]}, which is no finite number`);
  }
}
