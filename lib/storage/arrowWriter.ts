import {
  AsyncByteQueue,
  Field as ArrowField,
  FixedSizeList,
  Float64,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
} from "apache-arrow";
import { sliceRows } from "../data/rows";
import type { DataSet } from "../dataSet";
import type { Problem } from "../problem";
import { type Column, columns, FORMAT_VERSION } from "./arrowLayout";
import { FieldsWriter } from "./fieldsWriter";
import type { AtomicFile } from "./files";

/** What a file says about itself, apart from what the caller adds. */
function problemMetadata(problem: Problem): Map<string, string> {
  const units = [...problem.conditions, ...problem.fields, ...(problem.latent ? [problem.latent] : [])];
  return new Map([
    ["version", FORMAT_VERSION],
    ["problem", problem.name],
    ["problem_version", String(problem.version)],
    ["settings", JSON.stringify(problem.settings)],
    ...Object.entries(problem.settings).map(([key, value]): [string, string] => [key, String(value)]),
    [
      "grid",
      JSON.stringify({ points: "cell centres", cells: problem.cells, length: problem.length, unit: "m" }),
    ],
    ["units", JSON.stringify(Object.fromEntries(units.map(({ name, unit }) => [name, unit])))],
  ]);
}

/** Takes the bytes of the Arrow writer as they are made, instead of queueing them. */
class FileSink extends AsyncByteQueue {
  constructor(private readonly file: AtomicFile) {
    super();
  }
  override write(value: ArrayBufferView): void {
    this.file.write(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
}

/**
 * Writes an Apache Arrow IPC file. Columns: the conditions as float64, the latent field (if withLatent) and the fields as
 * fixed-size lists of float64; schema metadata: problem, settings, grid, units, version, and what the caller adds, such as
 * the seed.
 */
export class ArrowFieldsWriter extends FieldsWriter {
  private readonly schema: Schema;
  private readonly columns: readonly Column[];
  private readonly writer = new RecordBatchFileWriter();

  constructor(
    file: string,
    problem: Problem,
    withLatent: boolean,
    metadata: Readonly<Record<string, string>> = {},
  ) {
    super(file);
    this.columns = columns(problem, withLatent);
    this.schema = new Schema(
      this.columns.map(({ name, width }) => new ArrowField(name, columnType(width), false)),
      new Map([...problemMetadata(problem), ...Object.entries(metadata)]),
    );
    try {
      this.writer.reset(new FileSink(this.target), this.schema);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Appends all rows as one record batch. */
  write(data: DataSet): void {
    if (data.rows === 0) return;
    const children = this.columns.map((column) => {
      const child = makeData({ type: new Float64(), data: columnValues(data, column) });
      return column.width === 1
        ? child
        : makeData({ type: listType(column.width), length: data.rows, nullCount: 0, child });
    });
    const type = new Struct(this.schema.fields);
    const batch = makeData({ type, length: data.rows, nullCount: 0, children });
    this.writer.write(new RecordBatch(this.schema, batch));
  }

  /** Writes the footer and puts the file in its place. */
  override close(): void {
    this.writer.finish();
    super.close();
  }
}

/** Writes a data set to an Arrow file, whole or not at all. Throws InputError if the place cannot be written. */
export function writeDataSet(
  file: string,
  data: DataSet,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const seed: Record<string, string> = data.seed === undefined ? {} : { seed: String(data.seed) };
  const writer = new ArrowFieldsWriter(file, data.problem, data.latent !== undefined, {
    ...seed,
    ...metadata,
  });
  try {
    const step = 256; // rows: record batches of some 600 KB, as in generated files
    for (let row = 0; row < data.rows; row += step) {
      writer.write(sliceRows(data, row, Math.min(row + step, data.rows)));
    }
    writer.close();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

function columnType(width: number): Float64 | FixedSizeList<Float64> {
  return width === 1 ? new Float64() : listType(width);
}

function listType(width: number): FixedSizeList<Float64> {
  return new FixedSizeList(width, new ArrowField("item", new Float64(), false));
}

/** A column of a data set as one contiguous array; it shares memory where it can. */
function columnValues(data: DataSet, { name, width, part, first, stride }: Column): Float64Array {
  const source = data[part];
  if (!source) throw new Error(`The rows have no ${name}.`);
  if (width === stride) return source;
  const values = new Float64Array(data.rows * width);
  for (let row = 0; row < data.rows; row++) {
    const shift = first + row * stride - row * width;
    for (let i = row * width; i < (row + 1) * width; i++) values[i] = source[i + shift];
  }
  return values;
}
