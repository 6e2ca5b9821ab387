/** What an Arrow file of a problem's fields holds, what it says of itself, and where its numbers lie. */
import type { Field } from "apache-arrow/fb/field";
import { FixedSizeList } from "apache-arrow/fb/fixed-size-list";
import { FloatingPoint } from "apache-arrow/fb/floating-point";
import { Footer } from "apache-arrow/fb/footer";
import { Message } from "apache-arrow/fb/message";
import { MessageHeader } from "apache-arrow/fb/message-header";
import { Precision } from "apache-arrow/fb/precision";
import { RecordBatch } from "apache-arrow/fb/record-batch";
import type { Schema } from "apache-arrow/fb/schema";
import { Type } from "apache-arrow/fb/type";
import { ByteBuffer, Encoding } from "flatbuffers";
import { InputError, shown } from "../errors";
import { problemByName } from "../presets/problems";
import type { Problem } from "../problem";

/** Version of the file layout; raised when a reader of the old layout could not read the new one. */
export const FORMAT_VERSION = "1";

export interface Column {
  readonly name: string;
  /** values a row: 1 for a condition, the cells for a field */
  readonly width: number;
  /** The array of a data set that holds the values; those of row r begin at first + r stride. */
  readonly part: "conditions" | "latent" | "fields";
  readonly first: number;
  readonly stride: number;
  /** Whether a value may be NaN. */
  readonly mayBeUnknown: boolean;
}

/** The columns of a problem's files, in order. */
export function columns({ conditions, latent, fields, cells }: Problem, withLatent: boolean): Column[] {
  const array = (
    part: Column["part"],
    width: number,
    items: readonly { name: string; latentOnly?: boolean }[],
  ) =>
    items.map(({ name, latentOnly = false }, k): Column => ({
      name,
      width,
      part,
      first: k * width,
      stride: items.length * width,
      mayBeUnknown: latentOnly,
    }));
  return [
    ...array("conditions", 1, conditions),
    ...array("latent", cells, withLatent && latent ? [latent] : []),
    ...array("fields", cells, fields),
  ];
}

/** Where a record batch lies in its file, as the footer says. */
export interface Block {
  readonly offset: number;
  readonly metadataLength: number;
  readonly bodyLength: number;
}

/** What the footer of a file says. */
export interface Layout {
  readonly problem: Problem;
  readonly hasLatent: boolean;
  readonly metadata: ReadonlyMap<string, string>;
  readonly blocks: readonly Block[];
}

/** Where the values of a record batch lie. */
export interface BatchLayout {
  readonly rows: number;
  /** of each column: the place of its first value in the file */
  readonly starts: readonly number[];
}

export function notReadable(file: string, reason: string): InputError {
  return new InputError(
    `Cannot read ${shown(file)}: ${reason}; give an Arrow file written by generate, solve or sample.`,
  );
}

// The tables of the format are read by the classes of the Arrow library that its own reader stands on. Outside of the
// bytes they read zeros, so every claim is held against the bytes that are there before memory is taken or a loop is run
// for it. The library's reader trusts the claims: one false byte in a footer can cost it minutes or all memory.

/** Reads the footer of a file of `size` bytes. Throws InputError, or RangeError where the footer is damaged. */
export function readFooter(file: string, bytes: Uint8Array, size: number): Layout {
  const footer = Footer.getRootAsFooter(new ByteBuffer(bytes));
  const blocks = readBlocks(file, footer, bytes.length, size);
  const schema = footer.schema();
  if (!schema) throw notReadable(file, "it is truncated or damaged");
  const metadata = readMetadata(schema, bytes.length);
  const problem = problemOf(file, metadata);
  return { problem, hasLatent: checkColumns(file, problem, schema), metadata, blocks };
}

/** Where the record batches lie; together they must fit into the file. */
function readBlocks(file: string, footer: Footer, footerBytes: number, size: number): Block[] {
  const BLOCK_BYTES = 24;
  const count = footer.recordBatchesLength();
  if (!(count >= 0 && BLOCK_BYTES * count <= footerBytes))
    throw new RangeError("The list of blocks is too long.");
  let total = 0;
  return Array.from({ length: count }, (_, k) => {
    const block = footer.recordBatches(k)!;
    const [offset, bodyLength] = [Number(block.offset()), Number(block.bodyLength())];
    const metadataLength = block.metaDataLength();
    total += metadataLength + bodyLength;
    const fits = offset + metadataLength + bodyLength <= size && total <= size;
    if (!(offset >= 0 && metadataLength >= 8 && bodyLength >= 0 && fits)) {
      throw notReadable(file, "it claims more data than the file holds");
    }
    return { offset, metadataLength, bodyLength };
  });
}

/** What the schema says beside its columns: texts that together fit into the footer. */
function readMetadata(schema: Schema, footerBytes: number): Map<string, string> {
  let left = footerBytes;
  const text = (bytes: string | Uint8Array | null | undefined): string => {
    left -= 4 + (bytes?.length ?? 0); // with its length as int32
    if (left < 0) throw new RangeError("The metadata are too long.");
    return Buffer.from(bytes ?? "").toString("utf8");
  };
  const metadata = new Map<string, string>();
  for (let k = 0; k < schema.customMetadataLength(); k++) {
    const pair = schema.customMetadata(k);
    metadata.set(text(pair?.key(Encoding.UTF8_BYTES)), text(pair?.value(Encoding.UTF8_BYTES)));
  }
  return metadata;
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

/** Checks the columns against the problem's; returns whether the latent field is among them. */
function checkColumns(file: string, problem: Problem, schema: Schema): boolean {
  const { latent, conditions } = problem;
  const hasLatent = latent !== undefined && schema.fields(conditions.length)?.name() === latent.name;
  const expected = columns(problem, hasLatent).map(
    ({ name, width }) => `${name}: float64${width === 1 ? "" : `[${width}]`}`,
  );
  const count = schema.fieldsLength();
  for (let k = 0; k < Math.max(count, expected.length); k++) {
    const field = k < count ? schema.fields(k) : null;
    const found = field ? `${field.name()}: ${typeText(field, true)}` : undefined;
    if (found === expected[k]) continue;
    throw notReadable(file, `its column ${k + 1} is ${shown(found)} and not ${shown(expected[k])}`);
  }
  return hasLatent;
}

function typeText(field: Field | null, mayBeList: boolean): string {
  if (field && !field.dictionary()) {
    if (field.typeType() === Type.FloatingPoint) {
      const type = field.type(new FloatingPoint()) as FloatingPoint | null;
      if (type?.precision() === Precision.DOUBLE) return "float64";
    } else if (field.typeType() === Type.FixedSizeList && mayBeList && field.childrenLength() === 1) {
      const type = field.type(new FixedSizeList()) as FixedSizeList | null;
      return `${typeText(field.children(0), false)}[${type?.listSize()}]`;
    }
  }
  return "another type";
}

/**
 * Reads the header of the record batch with the given number, from 1, and holds it against the columns and against the
 * bytes of its body. Throws InputError where it is damaged or compressed.
 */
export function readBatchHeader(
  file: string,
  number: number,
  bytes: Uint8Array,
  { offset, metadataLength, bodyLength }: Block,
  columns: readonly Column[],
): BatchLayout {
  const damaged = notReadable(file, `its record batch ${number} is damaged`);
  const check = (fine: boolean): void => {
    if (!fine) throw damaged;
  };
  // int32 -1, int32 length of the header, header
  const message = Message.getRootAsMessage(new ByteBuffer(bytes.subarray(8)));
  check(message.headerType() === MessageHeader.RecordBatch);
  const header = message.header(new RecordBatch()) as RecordBatch | null;
  if (!header) throw damaged;
  if (header.compression()) throw notReadable(file, "its record batches are compressed");
  const rows = Number(header.length());
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  check(rows >= 0 && 8 * rows * width <= bodyLength);
  let node = 0;
  let buffer = 0;
  const starts = columns.map((column) => {
    // A list has a node and a validity buffer of its own, then its items have theirs, then come the numbers.
    for (const length of column.width === 1 ? [rows] : [rows, rows * column.width]) {
      const found = header.nodes(node++);
      check(Number(found?.length()) === length && Number(found?.nullCount()) === 0);
      buffer++;
    }
    const values = header.buffers(buffer++);
    const [start, length] = [Number(values?.offset()), Number(values?.length())];
    check(start >= 0 && length >= 8 * rows * column.width && start + length <= bodyLength);
    return offset + metadataLength + start;
  });
  return { rows, starts };
}
