/** Data sets from files of other programs: arrays of fields, and a table of the conditions of their rows. */
import { InputError, shown } from "../backend/errors";
import { selectRows } from "../data/rows";
import type { DataSet } from "../dataSet";
import { checkNames, type ImportedCondition, importedProblem } from "../presets/importedData";
import type { Condition, Problem } from "../problem";
import { Random } from "../random";
import { type NumberTable, openTable } from "./numberTables";
import type { NumberArray } from "./npy";

/** What is told of data from elsewhere. */
export interface ImportOptions {
  /** File of the fields: .npy, .npz, .parquet, .arrow or .feather. */
  readonly fields: string;
  /** File of the conditions, one of these or .csv; the fields' own file if it is left out. */
  readonly conditions?: string;
  /** Names of the conditions, then of the fields. */
  readonly names: readonly string[];
  /** Their units, in the same order. */
  readonly units: readonly string[];
  /** Names of conditions that cover their range evenly in the logarithm. */
  readonly log?: readonly string[];
  /** Length of the domain, m; default 1. */
  readonly length?: number;
  /** A problem of imported data with these names and units, whose ranges and grid are taken. */
  readonly like?: Problem;
}

/** Arrays of all fields or all conditions in a file without names have such a name there, if any. */
const FIELDS = "fields";
const CONDITIONS = "conditions";

/**
 * Reads fields and conditions into a data set of a problem of their own: see importedProblem.
 *
 * Fields are one array (rows, cells) or (rows, fields, cells), or an array (rows, cells) of each one's name; conditions one
 * array (rows, conditions), or one (rows) of each one's name. In an archive of NumPy the arrays of all of them are called
 * fields and conditions. Throws InputError, one sentence, for all that does not fit.
 */
export async function importDataSet(options: ImportOptions): Promise<DataSet> {
  const { names, units, log = [], length = 1, like } = options;
  if (names.length < 2) {
    throw new InputError(
      `There ${names.length === 1 ? "is 1 name" : `are ${names.length} names`}; give those of the conditions and then of ` +
        `the fields, such as conductivity,flux,pressure.`,
    );
  }
  if (units.length !== names.length) {
    throw new InputError(
      `There are ${names.length} names and ${units.length} units; give a unit for each name.`,
    );
  }
  const items = names.map((name, k) => ({ name, unit: units[k] }));
  checkNames(items);
  const fieldTable = await openTable(options.fields);
  const { fields, arrays } = await readFields(fieldTable, names);
  const conditionNames = names.slice(0, names.length - fields.length);
  const stray = log.find((name) => !conditionNames.includes(name));
  if (stray !== undefined) {
    throw new InputError(
      `There is no condition ${shown(stray)} for --log; give some of ${conditionNames.join(", ")}.`,
    );
  }
  const other = options.conditions;
  const table = other === undefined ? fieldTable : await openTable(other);
  const columns = await readConditions(table, conditionNames, other === undefined);
  const [rows, cells] = arrays[0].shape;
  const given = columns[0].length;
  if (given !== rows) {
    const where = other === undefined ? "" : `, in ${shown(other)} and ${shown(options.fields)}`;
    throw new InputError(
      `There are ${given} rows of conditions and ${rows} of fields${where}; give as many of each.`,
    );
  }
  if (rows < 2)
    throw new InputError(
      `There ${rows === 1 ? "is 1 row" : "are no rows"}; give at least 2, better thousands.`,
    );
  const conditions = columns.map((values, k): ImportedCondition => {
    const name = conditionNames[k];
    checkFinite(name, values, 1);
    if (like) return inRange(like.conditions[k], values);
    const [min, max] = values.reduce(
      ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
      [Infinity, -Infinity],
    );
    const scale = log.includes(name) && min > 0 ? "log" : "linear";
    if (scale === "linear" && log.includes(name)) {
      throw new InputError(
        `The ${name} goes down to ${min} ${items[k].unit} and has no logarithm there; leave it out of --log.`,
      );
    }
    return { ...items[k], ...roundedOut(min, max, scale), scale };
  });
  if (like && (like.cells !== cells || like.fields.length !== fields.length)) {
    throw new InputError(
      `The fields in ${shown(options.fields)} are ${fields.length} on ${cells} cells, and those of --like ` +
        `${like.fields.length} on ${like.cells}; give data of one kind.`,
    );
  }
  const problem =
    like ?? importedProblem({ conditions, fields: items.slice(conditions.length), cells, length });
  const data = {
    problem,
    rows,
    conditions: new Float64Array(rows * conditions.length),
    fields: new Float64Array(rows * fields.length * cells),
  };
  columns.forEach((values, k) => values.forEach((v, row) => (data.conditions[row * columns.length + k] = v)));
  arrays.forEach(({ values }, f) => {
    checkFinite(fields[f], values, cells);
    for (let row = 0; row < rows; row++) {
      data.fields.set(values.subarray(row * cells, (row + 1) * cells), (row * fields.length + f) * cells);
    }
  });
  return data;
}

/** A condition whose values are all in its range. Throws InputError. */
function inRange(condition: Condition, values: Float64Array): Condition {
  const { name, min, max, unit } = condition;
  const row = values.findIndex((value) => value < min || value > max);
  if (row < 0) return condition;
  throw new InputError(
    `Row ${row + 1} of ${name} is ${values[row]}, outside of the range of --like, ${min} to ${max} ${unit}; leave such rows ` +
      `out, or import the larger range first.`,
  );
}

/** A range with ends of some three digits that holds the given one: nobody types all digits of a smallest value. */
function roundedOut(min: number, max: number, scale: "linear" | "log"): { min: number; max: number } {
  if (min === max) return { min, max };
  const out = (end: number, round: (value: number) => number) => {
    const step = 10 ** (Math.floor(Math.log10(scale === "log" ? end : max - min)) - 2);
    const rounded = Number((round(end / step) * step).toPrecision(12));
    return Math.abs(rounded - end) > 0.999 * step ? end : rounded; // it was round, but for its last bit
  };
  const [low, high] = [out(min, Math.floor), out(max, Math.ceil)];
  return low <= min && (scale === "linear" || low > 0) && high >= max
    ? { min: low, max: high }
    : { min, max };
}

/** The rows of a data set in two parts, drawn with a seed: the second has this share of them, at least one. */
export function splitRows(data: DataSet, share: number, seed: number): [DataSet, DataSet] {
  const random = new Random(seed);
  const order = Array.from({ length: data.rows }, (_, row) => ({ row, key: random.uniform() }));
  order.sort((a, b) => a.key - b.key);
  const held = Math.min(data.rows - 2, Math.max(2, Math.round(share * data.rows)));
  if (!(held >= 2))
    throw new InputError(`There are ${data.rows} rows, too few to hold some of them out; give at least 4.`);
  const part = (from: number, to: number) =>
    selectRows(
      data,
      order
        .slice(from, to)
        .map(({ row }) => row)
        .sort((a, b) => a - b),
    );
  return [part(held, data.rows), part(0, held)];
}

/** The fields of a table, each (rows, cells), and their names: the last ones of those given. */
async function readFields(
  table: NumberTable,
  names: readonly string[],
): Promise<{ fields: readonly string[]; arrays: NumberArray[] }> {
  const { file } = table;
  const own: string[] = [];
  const arrays: NumberArray[] = [];
  for (const name of [...names].reverse()) {
    if (!table.names.includes(name)) break;
    const array = await table.read(name);
    if (isColumn(array)) break;
    own.unshift(name);
    arrays.unshift(array);
  }
  if (own.length > 0) {
    const first = arrays[0].shape;
    arrays.forEach(({ shape }, k) => {
      if (shape.length === 2 && shape[0] === first[0] && shape[1] === first[1]) return;
      throw new InputError(
        `The field ${own[k]} of ${shown(file)} has the shape ${shapeText(shape)}` +
          `${k > 0 ? ` and ${own[0]} ${shapeText(first)}` : ""}; give (rows, cells), the same of each field.`,
      );
    });
    return { fields: atMost(own, names), arrays };
  }
  const whole = table.names.includes("") ? "" : FIELDS;
  if (!table.names.includes(whole)) {
    throw new InputError(
      `${shown(file)} has no array ${names[names.length - 1]} of lists or rows, and none called ${FIELDS}; it has ` +
        `${table.names.length === 0 ? "none at all" : listText(table.names)}.`,
    );
  }
  const { shape, values } = await table.read(whole);
  if (shape.length !== 2 && shape.length !== 3) {
    throw new InputError(
      `The fields in ${shown(file)} have the shape ${shapeText(shape)}; give (rows, cells) of one field or (rows, fields, ` +
        `cells) of several.`,
    );
  }
  const [rows, count, cells] = shape.length === 2 ? [shape[0], 1, shape[1]] : shape;
  if (count === 0)
    throw new InputError(
      `The fields in ${shown(file)} have the shape ${shapeText(shape)}; give at least one.`,
    );
  if (count >= names.length) {
    throw new InputError(
      `There are ${names.length} names, and ${count} fields in ${shown(file)} of the shape ${shapeText(shape)}, which is read ` +
        `as (rows, fields, cells); give names of the conditions and then of all fields.`,
    );
  }
  const parts = Array.from({ length: count }, (_, f): NumberArray => {
    const part = new Float64Array(rows * cells);
    for (let row = 0; row < rows; row++) {
      const start = (row * count + f) * cells;
      part.set(values.subarray(start, start + cells), row * cells);
    }
    return { shape: [rows, cells], values: part };
  });
  return { fields: names.slice(names.length - count), arrays: parts };
}

/** Throws InputError where no name is left for a condition. */
function atMost(fields: readonly string[], names: readonly string[]): readonly string[] {
  if (fields.length < names.length) return fields;
  throw new InputError(
    `The names ${names.join(", ")} are all of fields; give the names of the conditions before them, at least one.`,
  );
}

/** The values of each condition, in order. own: whether the table is that of the fields. */
async function readConditions(
  table: NumberTable,
  names: readonly string[],
  own: boolean,
): Promise<Float64Array[]> {
  const { file } = table;
  const missing = names.find((name) => !table.names.includes(name));
  if (missing === undefined) {
    const columns: Float64Array[] = [];
    for (const name of names) {
      const array = await table.read(name);
      if (!isColumn(array)) {
        throw new InputError(
          `The condition ${name} of ${shown(file)} has the shape ${shapeText(array.shape)}; give one number a row.`,
        );
      }
      columns.push(array.values);
    }
    return columns;
  }
  const whole = table.names.includes("") ? "" : CONDITIONS;
  if ((own && whole === "") || !table.names.includes(whole)) {
    const found =
      own && whole === "" ? "" : `, and has ${table.names.length === 0 ? "nothing" : listText(table.names)}`;
    throw new InputError(
      `${shown(file)} does not hold the condition ${missing}${found}; give the file of the conditions with --conditions.`,
    );
  }
  const { shape, values } = await table.read(whole);
  const count = shape.length === 1 ? 1 : shape[1];
  if (shape.length > 2 || shape.length === 0 || count !== names.length) {
    throw new InputError(
      `The conditions in ${shown(file)} have the shape ${shapeText(shape)}, and the names before those of the fields ` +
        `are ${names.join(", ")}; give (rows, ${names.length}), or other names.`,
    );
  }
  return names.map((_, k) => Float64Array.from({ length: shape[0] }, (_, row) => values[row * count + k]));
}

/** Whether an array has one number a row. */
function isColumn({ shape }: NumberArray): boolean {
  return shape.length === 1 || (shape.length === 2 && shape[1] === 1);
}

function checkFinite(name: string, values: Float64Array, width: number): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const cell = width > 1 ? `, cell ${(at % width) + 1},` : "";
  throw new InputError(
    `Row ${Math.floor(at / width) + 1}${cell} of ${name} is ${values[at]}, which is no finite number; leave such rows out.`,
  );
}

function shapeText(shape: readonly number[]): string {
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
}

function listText(names: readonly string[]): string {
  const some = names.slice(0, 10).map((name) => (name === "" ? "one array without name" : shown(name)));
  return `${some.join(", ")}${names.length > some.length ? ` and ${names.length - some.length} more` : ""}`;
}
