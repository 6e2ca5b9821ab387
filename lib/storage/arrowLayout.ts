/** What an Arrow file of a problem's fields holds, what it says of itself, and where its numbers lie. */
import { BodyCompressionMethod } from "apache-arrow/fb/body-compression-method";
import { CompressionType } from "apache-arrow/fb/compression-type";
import { Endianness } from "apache-arrow/fb/endianness";
import type { Field } from "apache-arrow/fb/field";
import { FixedSizeList } from "apache-arrow/fb/fixed-size-list";
import { FloatingPoint } from "apache-arrow/fb/floating-point";
import { Int } from "apache-arrow/fb/int";
import type { Message } from "apache-arrow/fb/message";
import { Precision } from "apache-arrow/fb/precision";
import { RecordBatch } from "apache-arrow/fb/record-batch";
import type { Schema } from "apache-arrow/fb/schema";
import { Type } from "apache-arrow/fb/type";
import { UnionMode } from "apache-arrow/fb/union-mode";
import { Union } from "apache-arrow/fb/union";
import { Encoding } from "flatbuffers";
import { sameProblem } from "../data/conditions";
import { InputError, shown } from "../backend/errors";
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

const NUMBER_TYPES = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
};

/** The typed arrays that a column may be stored as. */
export type NumberType = (typeof NUMBER_TYPES)[keyof typeof NUMBER_TYPES];

/** How a file stores a column: the numbers of its first node and buffer in a record batch, and its types. */
export interface StoredColumn extends Column {
  readonly node: number;
  readonly buffer: number;
  /** Columns before it whose numbers of buffers each record batch tells. */
  readonly variadic: number;
  readonly type: NumberType;
  /** Offsets of lists of any length; undefined for lists of one length and for single numbers. */
  readonly offsets?: typeof Int32Array | typeof BigInt64Array;
}

/** What the schema of a file says. */
export interface Layout {
  readonly problem: Problem;
  readonly hasLatent: boolean;
  readonly metadata: ReadonlyMap<string, string>;
  readonly columns: readonly StoredColumn[];
}

/** Bytes of a file. */
export interface Region {
  readonly start: number;
  readonly length: number;
}

/** Where the values of a column lie in a record batch. */
export interface Place {
  readonly values: Region;
  readonly offsets?: Region;
  /** One bit a row, and one an item of a list; only where there are nulls. */
  readonly valid?: Region;
  readonly itemsValid?: Region;
}

export interface BatchLayout {
  readonly rows: number;
  readonly codec: CompressionType | undefined;
  /** in the order of the layout's columns */
  readonly places: readonly Place[];
}

export function notReadable(
  file: string,
  reason: string,
  remedy = "give an Arrow file written by generate, solve or sample",
): InputError {
  return new InputError(`Cannot read ${shown(file)}: ${reason}; ${remedy}.`);
}

// The tables of the format are read by the classes of the Arrow library that its own reader stands on. Outside of the
// bytes they read zeros, so every claim is held against the bytes that are there before memory is taken or a loop is run
// for it. The library's reader trusts the claims: one false byte can cost it minutes or all memory. It also reads record
// batches whole, where a training asks for some rows of a file of 10 GB.

/**
 * Reads the schema of a file, in `bytes` bytes. `assumed` is the problem of a file whose metadata do not name one.
 * Throws InputError, or RangeError where it is damaged.
 */
export function readSchema(file: string, schema: Schema | null, bytes: number, assumed?: Problem): Layout {
  if (!schema) throw new RangeError("There is no schema.");
  if (schema.endianness() !== Endianness.Little) throw notReadable(file, "its numbers are big-endian");
  const metadata = readMetadata(schema, bytes);
  const problem = problemOf(file, metadata, assumed);
  const found = readFields(schema, bytes);
  const hasLatent = problem.latent !== undefined && found.some(({ name }) => name === problem.latent!.name);
  return {
    problem,
    hasLatent,
    metadata,
    columns: columns(problem, hasLatent).map((column) => storedColumn(file, column, found)),
  };
}

/** What the schema says beside its columns: texts that together fit into its message. */
function readMetadata(schema: Schema, bytes: number): Map<string, string> {
  let left = bytes;
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
function problemOf(file: string, metadata: ReadonlyMap<string, string>, assumed?: Problem): Problem {
  const name = metadata.get("problem");
  const version = metadata.get("version");
  if (name === undefined || version === undefined) {
    if (assumed) return assumed;
    throw notReadable(
      file,
      "its schema names no problem and convention, as after a way through pandas, polars or duckdb",
      "say it with --convention figures or --convention text",
    );
  }
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
  if (assumed && !sameProblem(problem, assumed)) {
    const [said, given] = [problem, assumed].map(({ settings }) => Object.values(settings).join(", "));
    throw notReadable(file, `it says ${said} and not ${given}`, `give --convention ${said}, or leave it out`);
  }
  return problem;
}

/** A column of a file, and how many nodes and buffers of a record batch come before its own. */
type FoundField = Pick<StoredColumn, "name" | "node" | "buffer" | "variadic"> & { readonly field: Field };

/** Deeper nesting than any data have, which could only be a circle. */
const DEEPEST = 16;

/** All columns of a schema. */
function readFields(schema: Schema, bytes: number): FoundField[] {
  const sum = { node: 0, buffer: 0, variadic: 0 };
  let left = bytes / 8; // of a table in so many bytes
  const count = (field: Field | null, depth: number): void => {
    if (!field || --left < 0 || depth > DEEPEST) throw new RangeError("The schema is damaged.");
    const type = field.typeType() as Type;
    sum.node++;
    sum.buffer += field.dictionary() ? 2 : ownBuffers(type, field);
    if (field.dictionary()) return;
    if (type === Type.Utf8View || type === Type.BinaryView) sum.variadic++;
    for (let k = 0; k < field.childrenLength(); k++) count(field.children(k), depth + 1);
  };
  const found: FoundField[] = [];
  for (let k = 0; k < schema.fieldsLength(); k++) {
    const field = schema.fields(k);
    const before = { ...sum };
    count(field, 0);
    found.push({ name: field!.name() ?? "", field: field!, ...before });
  }
  return found;
}

/** Buffers of a column of this type, without those of its children. */
function ownBuffers(type: Type, field: Field): number {
  switch (type) {
    case Type.Null:
    case Type.RunEndEncoded:
      return 0;
    case Type.Struct_:
    case Type.FixedSizeList:
      return 1;
    case Type.Union:
      return (field.type(new Union()) as Union | null)?.mode() === UnionMode.Dense ? 2 : 1;
    case Type.Binary:
    case Type.Utf8:
    case Type.LargeBinary:
    case Type.LargeUtf8:
    case Type.ListView:
    case Type.LargeListView:
      return 3;
    default:
      return 2;
  }
}

/**
 * How many numbers a row has in each column of numbers or lists; of lists of any length, those of the first record batch,
 * whose message is given. Throws InputError for a data set of a problem.
 */
export function columnWidths(
  file: string,
  schema: Schema | null,
  bytes: number,
  message: Message,
): ReadonlyMap<string, number> {
  const batch = message.header(new RecordBatch()) as RecordBatch | null;
  if (!schema || !batch) throw new RangeError("There is no schema, or no record batch.");
  if (readMetadata(schema, bytes).has("problem")) {
    throw notReadable(file, "it is a data set that needs no import", "train on it as it is");
  }
  const widths = new Map<string, number>();
  for (const { name, field, node } of readFields(schema, bytes)) {
    const list = listOf(field);
    if (!numberType(list?.items ?? field)) continue;
    const items = () => Number(node + 1 < batch.nodesLength() ? batch.nodes(node + 1)?.length() : NaN);
    const width = list ? (list.width ?? items() / Number(batch.length())) : 1;
    if (Number.isInteger(width) && width > 0) widths.set(name, width);
  }
  return widths;
}

/** Finds a column among those of a file, and how it is stored. Throws InputError. */
function storedColumn(file: string, column: Column, found: readonly FoundField[]): StoredColumn {
  const { name, width } = column;
  const same = found.filter((other) => other.name === name);
  if (same.length !== 1) {
    const others = shown(found.map((other) => other.name).join(", "));
    const reason = same.length === 0 ? `column ${name} is missing among ${others}` : `it has ${name} twice`;
    throw notReadable(file, reason, `give one column ${name}`);
  }
  const { field, node, buffer, variadic } = same[0];
  const wanted = width === 1 ? "float64" : `lists of ${width} float64`;
  const refused = (what: string) => notReadable(file, `column ${name} holds ${what}`, `give ${wanted}`);
  const list = listOf(field);
  if ((list !== undefined) !== width > 1) throw refused(list ? "lists" : typeName(field));
  if (list?.width !== undefined && list.width !== width) throw refused(`lists of ${list.width}`);
  const typeOf = list ? list.items : field;
  const type = numberType(typeOf);
  if (!type) throw refused(`${list ? "lists of " : ""}${typeName(typeOf)}`);
  return { ...column, node, buffer, variadic, type, offsets: list?.offsets };
}

interface ListType {
  readonly items: Field;
  /** of lists of one length */
  readonly width?: number;
  readonly offsets?: StoredColumn["offsets"];
}

function listOf(field: Field): ListType | undefined {
  const items = field.childrenLength() === 1 && !field.dictionary() ? field.children(0) : null;
  if (!items) return undefined;
  const type = field.typeType() as Type;
  if (type === Type.List) return { items, offsets: Int32Array };
  if (type === Type.LargeList) return { items, offsets: BigInt64Array };
  if (type !== Type.FixedSizeList) return undefined;
  return { items, width: (field.type(new FixedSizeList()) as FixedSizeList | null)?.listSize() ?? 0 };
}

function numberType(field: Field): NumberType | undefined {
  const name = typeName(field);
  return Object.hasOwn(NUMBER_TYPES, name) ? NUMBER_TYPES[name as keyof typeof NUMBER_TYPES] : undefined;
}

function typeName(field: Field): string {
  if (field.dictionary()) return "values of a dictionary";
  const type = field.typeType() as Type;
  if (type === Type.FloatingPoint) {
    const precision = (field.type(new FloatingPoint()) as FloatingPoint | null)?.precision();
    return precision === Precision.DOUBLE
      ? "float64"
      : precision === Precision.SINGLE
        ? "float32"
        : "float16";
  }
  if (type === Type.Int) {
    const int = field.type(new Int()) as Int | null;
    return `${int?.isSigned() ? "" : "u"}int${int?.bitWidth()}`;
  }
  return `values of type ${Type[type] ?? "unknown"}`;
}

/**
 * Reads the header of the record batch with the given number, from 1, whose body is at `start`, and holds it against the
 * columns and against the bytes of its body. Throws InputError where it is damaged.
 */
export function readBatchHeader(
  file: string,
  number: number,
  message: Message,
  start: number,
  columns: readonly StoredColumn[],
): BatchLayout {
  const damaged = notReadable(file, `its record batch ${number} is damaged`, "get a whole copy of it");
  const check = (fine: boolean): void => {
    if (!fine) throw damaged;
  };
  const bodyLength = Number(message.bodyLength());
  const header = message.header(new RecordBatch()) as RecordBatch | null;
  if (!header) throw damaged;
  const compression = header.compression();
  if (compression) check(compression.method() === BodyCompressionMethod.BUFFER);
  const codec = compression?.codec();
  const rows = Number(header.length());
  // What is compressed takes at least a 65,536th of its size.
  const most = compression ? 65_536 * bodyLength : bodyLength;
  const region = (index: number, bytes: number): Region => {
    check(index < header.buffersLength());
    const found = header.buffers(index);
    const [offset, length] = [Number(found?.offset()), Number(found?.length())];
    check(offset >= 0 && length >= 0 && offset + length <= bodyLength && bytes <= most);
    check(compression !== null || length >= bytes);
    return { start: start + offset, length };
  };
  const nulls = (index: number, length: number | undefined): boolean => {
    const found = index < header.nodesLength() ? header.nodes(index) : null;
    check(found !== null && (length === undefined || Number(found.length()) === length));
    return Number(found!.nullCount()) !== 0;
  };
  check(rows >= 0);
  const places = columns.map(({ width, node, buffer, variadic, type, offsets }): Place => {
    let at = buffer;
    for (let k = 0; k < variadic; k++) at += Number(header.variadicBufferCounts(k) ?? NaN);
    const bits = (count: number) => Math.ceil(count / 8);
    const valid = nulls(node, rows) ? region(at, bits(rows)) : undefined;
    const items = rows * width;
    if (width === 1) return { values: region(at + 1, type.BYTES_PER_ELEMENT * items), valid };
    // A list has a node and a validity buffer of its own, then its items have theirs, then come the numbers.
    const places = offsets && region(at + 1, rows > 0 ? offsets.BYTES_PER_ELEMENT * (rows + 1) : 0);
    at += offsets ? 2 : 1;
    // Without rows that are null, each of which may have items or not.
    const itemsValid = nulls(node + 1, offsets ? undefined : items);
    const least = offsets ? 0 : items;
    return {
      values: region(at + 1, type.BYTES_PER_ELEMENT * least),
      offsets: places,
      valid,
      itemsValid: itemsValid ? region(at, bits(least)) : undefined,
    };
  });
  return { rows, codec, places };
}
