/** Files of numbers that any program may have written, as named arrays: NumPy, Parquet, Arrow, CSV. */
import { unzipSync } from "fflate";
import { parquetMetadata, parquetReadObjects, parquetSchema } from "hyparquet";
import path from "node:path";
import zlib from "node:zlib";
import { InputError, shown } from "../backend/errors";
import { importedProblem } from "../presets/importedData";
import type { Problem } from "../problem";
import { arrowColumns, readDataSet } from "./arrowReader";
import { numbers, rows } from "./csv";
import { fileError, readRegularFile } from "./files";
import { type NumberArray, readNpy } from "./npy";
import { unpackBlock } from "./unpack";

/** The arrays of a file. */
export interface NumberTable {
  readonly file: string;
  /** Names of its arrays; an array without one has the name "". */
  readonly names: readonly string[];
  /** One of them: (rows) or (rows, ...). Throws InputError, also where it is damaged. */
  read(name: string): Promise<NumberArray>;
}

/** What an array may take unpacked, and how many times its packed size, which is more than deflate can do. */
const MOST_BYTES = 2 ** 31 - 1;
const MOST_PACKED = 1100;
const WHOLE_COPY = "get a whole copy of it";

/** Opens a file by its extension. Throws InputError for another one, and for what cannot be read. */
export async function openTable(file: string): Promise<NumberTable> {
  const extension = path.extname(file).toLowerCase();
  const open = OPEN[extension];
  if (!open) {
    const names = Object.keys(OPEN).join(", ");
    throw new InputError(`The extension of ${shown(file)} is ${shown(extension)}; give a file of ${names}.`);
  }
  try {
    return await open(file);
  } catch (error) {
    throw fileError("read", file, error);
  }
}

type Open = (file: string) => NumberTable | Promise<NumberTable>;

const OPEN: Readonly<Record<string, Open>> = {
  ".npy": openNpy,
  ".npz": openNpz,
  ".parquet": openParquet,
  ".arrow": openArrow,
  ".feather": openArrow,
  ".csv": openCsv,
  ".txt": openCsv,
};

function notReadable(file: string, reason: string, remedy = WHOLE_COPY): InputError {
  return new InputError(`Cannot read ${shown(file)}: ${reason}; ${remedy}.`);
}

function openNpy(file: string): NumberTable {
  const array = readNpy(readRegularFile(file), shown(file));
  return { file, names: [""], read: async () => array };
}

function openNpz(file: string): NumberTable {
  const bytes = readRegularFile(file);
  const sizes = new Map<string, number>();
  const unzip = (wanted?: string) => {
    try {
      return unzipSync(bytes, {
        filter: ({ name, size, originalSize }) => {
          if (originalSize > MOST_PACKED * (size + 1)) throw new RangeError("It claims too much.");
          if (name.endsWith(".npy")) sizes.set(name.slice(0, -4), originalSize);
          return name === wanted && originalSize <= MOST_BYTES;
        },
      });
    } catch {
      throw notReadable(file, "it is no archive of numpy.savez, or a damaged one");
    }
  };
  unzip();
  return {
    file,
    names: [...sizes.keys()],
    read: async (name) => {
      if (sizes.get(name)! > MOST_BYTES) {
        throw notReadable(file, `its array ${name} takes ${sizes.get(name)} bytes`, "give less than 2 GB");
      }
      const member = `${name}.npy`;
      return readNpy(unzip(member)[member], `${name} of ${shown(file)}`);
    },
  };
}

/** Snappy is in the library itself; it holds what comes against the length that is told. */
const compressors = {
  LZ4_RAW: (bytes: Uint8Array, length: number) => {
    const unpacked = new Uint8Array(length);
    return unpacked.subarray(0, unpackBlock(bytes, unpacked, 0));
  },
  GZIP: (bytes: Uint8Array, length: number) => zlib.gunzipSync(bytes, { maxOutputLength: length }),
  BROTLI: (bytes: Uint8Array, length: number) =>
    zlib.brotliDecompressSync(bytes, { maxOutputLength: length }),
  ZSTD: (bytes: Uint8Array, length: number) =>
    (require("fzstd") as typeof import("fzstd")).decompress(bytes, new Uint8Array(length)),
};

async function openParquet(file: string): Promise<NumberTable> {
  const bytes = readRegularFile(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const reading = async <T>(read: () => T | Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      // The library throws errors of its own, of ranges and of types for what is damaged.
      const reason = error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
      throw notReadable(file, `it is no Parquet file, or a damaged one (${reason})`);
    }
  };
  const { metadata, names } = await reading(() => {
    const metadata = parquetMetadata(buffer);
    return { metadata, names: parquetSchema(metadata).children.map(({ element }) => element.name) };
  });
  return {
    file,
    names,
    read: async (name) => {
      const found = await reading(() =>
        parquetReadObjects({ file: buffer, metadata, columns: [name], compressors }),
      );
      const column = found.map((row) => row[name] as unknown);
      return arrayOf(file, name, column);
    },
  };
}

/** A column of numbers, or of lists of them, as an array. */
function arrayOf(file: string, name: string, column: readonly unknown[]): NumberArray {
  const width = Array.isArray(column[0]) ? column[0].length : undefined;
  const values = new Float64Array(column.length * (width ?? 1));
  column.forEach((item, row) => {
    const list = width === undefined ? [item] : item;
    if (!Array.isArray(list) || list.length !== (width ?? 1)) {
      const found = Array.isArray(item)
        ? `a list of ${item.length}`
        : item === null
          ? "null"
          : `one ${typeof item}`;
      const wanted = width === undefined ? "one number" : `a list of ${width}`;
      throw notReadable(
        file,
        `row ${row + 1} of ${name} holds ${found} and row 1 ${wanted}`,
        "leave such rows out",
      );
    }
    list.forEach((value: unknown, i) => {
      if (typeof value !== "number" && typeof value !== "bigint") {
        const found = value === null || value === undefined ? "null" : `a ${typeof value}`;
        throw notReadable(file, `row ${row + 1} of ${name} holds ${found}`, "give numbers");
      }
      values[row * (width ?? 1) + i] = Number(value);
    });
  });
  return { shape: width === undefined ? [column.length] : [column.length, width], values };
}

async function openArrow(file: string): Promise<NumberTable> {
  const widths = await arrowColumns(file);
  return {
    file,
    names: [...widths.keys()],
    read: async (name) => {
      const width = widths.get(name)!;
      const { rows, fields } = await readDataSet(file, columnProblem(name, width));
      return { shape: width === 1 ? [rows] : [rows, width], values: fields };
    },
  };
}

/** The reader of data sets finds columns by the names of a problem: one column is the only field of one. */
function columnProblem(name: string, width: number): Problem {
  const any = { name: "any", unit: "1", min: 0, max: 1, scale: "linear" } as const;
  const like = importedProblem({
    conditions: [any],
    fields: [{ name: "one", unit: "1" }],
    cells: 2,
    length: 1,
  });
  const field = { name, symbol: name, unit: "1", description: name };
  return { ...like, conditions: [], fields: [field], cells: width };
}

/** A table of numbers as text: its columns by the names in its header, or all of them as one array. */
async function openCsv(file: string): Promise<NumberTable> {
  const found: Float64Array[] = [];
  let header: readonly string[] | undefined;
  for await (const row of rows(file)) {
    header ??= row.header;
    const width = header?.length ?? found[0]?.length ?? row.cells.length;
    if (row.cells.length !== width) {
      throw notReadable(
        file,
        `line ${row.line} has ${row.cells.length} values and not ${width}`,
        "give one in each column",
      );
    }
    found.push(numbers(file, row));
  }
  const width = found[0].length;
  const table = { shape: [found.length, width], values: Float64Array.from(found.flatMap((row) => [...row])) };
  return {
    file,
    names: header ?? [""],
    read: async (name) => {
      const k = header?.indexOf(name);
      if (k === undefined) return table;
      return { shape: [found.length], values: Float64Array.from(found, (row) => row[k]) };
    },
  };
}
