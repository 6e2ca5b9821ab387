/** Arrays of NumPy, as numpy.save writes them. */
import { InputError } from "../backend/errors";

/** Numbers of any shape, in C order: the last index runs fastest. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

type Read = (view: DataView, at: number, little: boolean) => number;

/** Kinds of numbers and their bytes: what a dtype says behind its byte order. */
const NUMBERS: Readonly<Record<string, Read>> = {
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
};

/** What else a dtype may be, by its kind. */
const OTHERS: Readonly<Record<string, string>> = {
  b: "truth values",
  c: "complex numbers",
  f: "floats of another size",
  m: "durations",
  M: "dates",
  O: "Python objects, which are never read",
  S: "texts",
  U: "texts",
  V: "records",
};

const MAGIC = "\x93NUMPY";
const DAMAGED = "get a whole copy of it";
const MOST_DIMENSIONS = 32;

/**
 * The array in the bytes of a file of numpy.save, of any format version. Numbers are float32, float64 or whole ones of 8 to
 * 64 bits in any byte order (beyond 2^53 rounded); Fortran order is undone. what: the file, as messages name it. Throws
 * InputError for all else.
 *
 * By hand, as the libraries for it either refuse big-endian numbers or leave order, shape and length unchecked.
 * Source: numpy.lib.format, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function readNpy(bytes: Uint8Array, what: string): NumberArray {
  const refused = (reason: string, remedy: string) =>
    new InputError(`Cannot read ${what}: ${reason}; ${remedy}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString("latin1");
  if (text(0, MAGIC.length) !== MAGIC) throw refused("it is no array of NumPy", "write it by numpy.save");
  const version = bytes[6];
  if (!(version >= 1 && version <= 3)) {
    throw refused(`its format has version ${version ?? "none"}`, "write it by numpy.save");
  }
  const first = version === 1 ? 10 : 12;
  const headerEnd =
    bytes.length < first
      ? Infinity
      : first + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (headerEnd > bytes.length) throw refused("it ends within its header", DAMAGED);

  const header = text(first, headerEnd);
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|\[)/.exec(header);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)\b/.exec(header);
  const shaped = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(header);
  if (!/^\s*\{.*\}\s*$/s.test(header) || !descr || !order || !shaped)
    throw refused("its header is damaged", DAMAGED);
  const dtype = descr[1];
  if (dtype === undefined) {
    throw refused(
      "its numbers have names, as a structured array",
      "save each of them as an array of its own",
    );
  }
  const [, byteOrder, kind] = /^([<>|=]?)(.*)$/s.exec(dtype)!;
  if (!Object.hasOwn(NUMBERS, kind)) {
    const found = OTHERS[kind[0]] ?? "something unknown";
    throw refused(
      `it holds ${found} (${JSON.stringify(dtype)})`,
      `save it as float64: array.astype("float64")`,
    );
  }
  const shape = (shaped[1].match(/\d+/g) ?? []).map(Number);
  const size = Number(kind[1]);
  const count = shape.reduce((product, length) => product * length, 1);
  if (shape.length > MOST_DIMENSIONS || count * size !== bytes.length - headerEnd) {
    throw refused(
      `its header tells of ${count} numbers of ${size} bytes, and ${bytes.length - headerEnd} bytes follow`,
      DAMAGED,
    );
  }
  const read = NUMBERS[kind];
  const little = byteOrder !== ">";
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, headerEnd + size * i, little);
  return { shape, values: order[1] === "True" ? inOrder(values, shape) : values };
}

/** Numbers whose first index runs fastest, as those whose last index does. */
function inOrder(values: Float64Array, shape: readonly number[]): Float64Array {
  const result = new Float64Array(values.length);
  const index = shape.map(() => 0);
  // Steps in the result for one step of each index.
  const steps = shape.map((_, k) => shape.slice(k + 1).reduce((product, length) => product * length, 1));
  for (let i = 0, to = 0; i < values.length; i++) {
    result[to] = values[i];
    for (let k = 0; k < shape.length; k++) {
      to += steps[k];
      if (++index[k] < shape[k]) break;
      to -= steps[k] * shape[k];
      index[k] = 0;
    }
  }
  return result;
}

/** Numbers as the bytes of a file of numpy.save: float64, C order. Throws InputError unless the shape is that of the values. */
export function npyBytes({ shape, values }: NumberArray): Uint8Array {
  if (shape.reduce((product, length) => product * length, 1) !== values.length) {
    throw new InputError(
      `There are ${values.length} numbers for the shape (${shape.join(", ")}); give as many as it holds.`,
    );
  }
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dictionary = `{'descr': '<f8', 'fortran_order': False, 'shape': (${tuple}), }`;
  // The numbers begin at a multiple of 64 bytes.
  const headerLength = 64 * Math.ceil((10 + dictionary.length + 1) / 64) - 10;
  const bytes = Buffer.alloc(10 + headerLength + 8 * values.length, " ", "latin1");
  bytes.write(MAGIC, 0, "latin1");
  bytes[6] = 1;
  bytes[7] = 0;
  bytes.writeUInt16LE(headerLength, 8);
  bytes.write(dictionary, 10, "latin1");
  bytes[10 + headerLength - 1] = 0x0a;
  values.forEach((value, i) => bytes.writeDoubleLE(value, 10 + headerLength + 8 * i));
  return bytes;
}
