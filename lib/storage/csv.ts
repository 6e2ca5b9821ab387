/** Tables of numbers as text, as NumPy, MATLAB, pandas, R and Excel write them. */
import { asNumber, InputError, shown } from "../backend/errors";
import { checkConditions } from "../data/conditions";
import type { Problem } from "../problem";
import { lastAtMost } from "./conditionGroups";
import { fileError, inputStream } from "./files";

/** Longer than any line of 100 numbers can reasonably be: what exceeds it is not a table of numbers. */
const MAX_LINE = 100_000;
/** How the separators are called in messages. */
const NAMES: Readonly<Record<string, string>> = {
  ";": "semicolons",
  "\t": "tabs",
  ",": "commas",
  " ": "spaces",
};

/** How files begin that hold tables and are no text. */
const OTHERS: readonly (readonly [start: string, what: string, instead: string])[] = [
  ["PK", "an Excel or zip file", "save the sheet as CSV"],
  ["\xd0\xcf\x11\xe0", "an old Excel file", "save the sheet as CSV"],
  ["\x93NUMPY", "an array of NumPy", "write it by numpy.savetxt"],
  ["MATLAB 5.0 MAT-file", "a MAT-file", "write its matrix by writematrix"],
  ["\x89HDF", "an HDF5 file", "write its array as text"],
  ["ARROW1", "an Arrow file", "write its porosities as text"],
  ["PAR1", "a Parquet file", "write its porosities as text"],
  ["\x1f\x8b", "packed by gzip", "unpack it"],
];

/** The lines of a text file, without their ends, one at a time. */
export async function* lines(file: string): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let rest = "";
  try {
    for await (const chunk of inputStream(file)) {
      const bytes = chunk as Buffer;
      const other = !decoder && OTHERS.find(([start]) => bytes.toString("latin1", 0, start.length) === start);
      if (other) throw new InputError(`Cannot read ${shown(file)}: it is ${other[1]}; ${other[2]}.`);
      // Excel's "Unicode text" is UTF-16. A decoder takes the byte order mark away.
      const wide = bytes[0] === 0xff && bytes[1] === 0xfe;
      decoder ??= new TextDecoder(wide ? "utf-16le" : "utf-8");
      // The last \r may be one half of \r\n.
      const parts = (rest + decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r(?!$)/);
      rest = parts.pop() ?? "";
      for (const line of parts) yield line;
      if (rest.length > MAX_LINE)
        throw new InputError(`Cannot read ${shown(file)}: it is not a CSV file of numbers.`);
    }
  } catch (error) {
    throw fileError("read", file, error);
  }
  rest = (rest + (decoder?.decode() ?? "")).replace(/\r$/, "");
  if (rest !== "") yield rest;
}

/** A row of a table, as texts. */
export interface Row {
  /** its number in the file, from 1 */
  readonly line: number;
  readonly cells: readonly string[];
  readonly separator: string;
  /** the last line before the first row that is none of numbers */
  readonly header?: readonly string[];
}

/**
 * The rows of a table. Values are separated by semicolons, tabs, commas or white space, which the first row tells; decimal
 * commas, quotes, comments behind # and lines that begin with %, blank lines, Excel's "sep=;", headers and an index in the
 * first column are understood.
 */
export async function* rows(file: string): AsyncGenerator<Row> {
  let line = 0;
  let separator: string | undefined;
  let header: readonly string[] | undefined;
  let data = false;
  let first = "";
  for await (const whole of lines(file)) {
    line++;
    const text = whole.replace(/^\s*%.*|#.*/, "");
    const declared = /^\s*"?sep=(.)"?\s*$/i.exec(text);
    if (declared) separator = declared[1];
    const used: string = separator ?? separatorOf(text);
    const cells = withoutPercent(split(text, used));
    if (declared || cells.length === 0) continue;
    if (!data && isHeader(cells)) {
      header = cells;
      first ||= `, its first line begins with ${shown(cells.find((cell) => cell !== "") ?? "")}`;
      continue;
    }
    data = true;
    separator = used;
    const indexed = header && (header[0] === "" || header.length === cells.length - 1);
    if (!indexed) yield { line, cells, separator, header };
    else
      yield {
        line,
        cells: cells.slice(1),
        separator,
        header: header?.slice(header.length - cells.length + 1),
      };
  }
  if (!data) {
    const what = line === 0 ? "it is empty" : `it holds no row of numbers${first}`;
    throw new InputError(`Cannot read ${shown(file)}: ${what}; give a table of numbers as text.`);
  }
}

/** What separates the values of a line. Where most words are numbers with a decimal comma, commas do not. */
export function separatorOf(text: string): string {
  const outside = text.replace(/"[^"]*"/g, "0");
  if (outside.includes(";")) return ";";
  const words = outside.trim().split(/\s+/);
  const decimal = words.filter((word) => /^[+-]?\d*,\d+(e[+-]?\d+)?$/i.test(word));
  if (outside.includes(",") && 2 * decimal.length <= words.length) return ",";
  return outside.includes("\t") ? "\t" : " ";
}

/** The values of a line, without quotes and without those behind the last that is not empty. */
export function split(text: string, separator: string): string[] {
  const cells = [""];
  let quoted = false;
  for (const character of separator === " " ? text.trim().replace(/\s+/g, " ") : text) {
    if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) cells.push("");
    else cells[cells.length - 1] += character;
  }
  const trimmed = cells.map((cell) => cell.trim());
  while (trimmed.at(-1) === "") trimmed.pop();
  return trimmed;
}

/** The number that a text stands for, with a decimal point or comma and perhaps Fortran's exponent; NaN if none. */
export function numberOf(cell: string): number {
  return asNumber(cell.replace(",", ".").replace(/(?<=^[+-]?[\d.]+)d(?=[+-]?\d+$)/i, "e"));
}

/** Values of which all are in percent, as Excel may write them, as numbers; others as they are. */
function withoutPercent(cells: readonly string[]): readonly string[] {
  const shares = cells.map((cell) => (cell.endsWith("%") ? numberOf(cell.slice(0, -1).trim()) / 100 : NaN));
  return shares.every(Number.isFinite) ? shares.map(String) : cells;
}

/** Names, or numbers of columns, and no value between 0 and 1: a row of porosities or of conditions has one. */
function isHeader(cells: readonly string[]): boolean {
  const values = cells.map(numberOf);
  if (values.some((value) => value > 0 && value < 1)) return false;
  const named = cells.some(
    (cell, i) => Number.isNaN(values[i]) && !/^([+-]?(nan|inf|infinity))?$/i.test(cell),
  );
  const [first, second = first] = cells[0] === "" ? values.slice(1) : values;
  return (
    named ||
    (cells.length > 2 && second === first + 1 && values.slice(2).every((v, i) => v === values[1] + i + 1))
  );
}

function separated({ separator }: Row): string {
  return `separated by ${NAMES[separator] ?? shown(separator)}`;
}

/** The numbers of a row from a column on. Throws InputError for one that is none or not allowed. */
export function numbers(
  file: string,
  row: Row,
  from = 0,
  allowed: (value: number) => boolean = Number.isFinite,
  range = "",
): Float64Array {
  return Float64Array.from(row.cells.slice(from), (cell, i) => {
    const value = numberOf(cell);
    if (allowed(value)) return value;
    throw new InputError(
      `Line ${row.line}, column ${from + i + 1} of ${shown(file)} is ${shown(cell)}, the values being ${separated(row)}; ` +
        `give a number${range}.`,
    );
  });
}

/** Smaller porosities let no current through that a number could hold. */
const LEAST = 1e-9;
/** Less solid than this on average leaves fewer than seven digits of the potential: it reacts too little to hold it. */
const LEAST_SOLID = 1e-4;

/** The porosities (cells) of a row. Throws InputError for one that is not in [LEAST, 1), and where there is no solid. */
function porosities(file: string, row: Row, from = 0): Float64Array {
  const allowed = (value: number) => value >= LEAST && value < 1;
  const inPercent = row.cells
    .slice(from)
    .every((cell) => numberOf(cell) >= 1 && allowed(numberOf(cell) / 100));
  const hint = inPercent ? "; it seems to be in percent, so divide by 100" : "";
  return numbers(file, row, from, allowed, ` from ${LEAST} to 1, which is excluded${hint}`);
}

function checkSolid(file: string, line: number, porosity: Float64Array): Float64Array {
  const solid = porosity.reduce((sum, value) => sum + (1 - value), 0) / porosity.length;
  if (solid >= LEAST_SOLID) return porosity;
  throw new InputError(
    `The porosity in line ${line} of ${shown(file)} leaves ${Number(solid.toPrecision(2))} of solid on average, too little ` +
      `to compute the potential; give a porosity of at most ${1 - LEAST_SOLID} on average.`,
  );
}

type Grid = Pick<Problem, "cells" | "length" | "positions">;

/**
 * Reads porosities from text, each in (0, 1); yields one field (cells) at a time. They are the rows of a table, or one
 * column of as many numbers as there are cells. With `interpolate` the first column is the position, in m, mm, um or as a
 * share of the length, whichever makes it reach from the first cell to the last, and every other column is a porosity,
 * linear between the positions. Throws InputError naming line and column, counted from 1, of what is not allowed.
 */
export async function* readPorosityCsv(
  file: string,
  grid: Grid,
  interpolate = false,
): AsyncGenerator<Float64Array> {
  const { cells } = grid;
  const kept: Row[] = [];
  let width: number | undefined;
  for await (const row of rows(file)) {
    const count = row.cells.length;
    width ??= count === 1 || interpolate ? count : cells;
    if (count !== width || (interpolate && count < 2)) throw unevenRow(file, row, grid, interpolate, width);
    if (interpolate || width !== cells) kept.push(row);
    else yield checkSolid(file, row.line, porosities(file, row));
  }
  if (interpolate) yield* interpolated(file, grid, kept);
  else if (width !== cells) {
    if (kept.length !== cells) {
      throw new InputError(
        `${shown(file)} has ${kept.length} numbers in one column; give ${cells} of them, or the column x beside it and ` +
          `--interpolate.`,
      );
    }
    const column = Float64Array.from(kept, (row) => porosities(file, row)[0]);
    yield checkSolid(file, kept[0].line, column);
  }
}

function unevenRow(file: string, row: Row, { cells }: Grid, interpolate: boolean, width: number): InputError {
  const count = row.cells.length;
  const found = `Line ${row.line} of ${shown(file)} has ${count} ${count === 1 ? "value" : "values"}, ${separated(row)}`;
  if (interpolate)
    return new InputError(`${found}; give x and the porosities, ${Math.max(2, width)} in every row.`);
  const also = count === 2 ? "; if they are x and porosity, give --interpolate as well" : "";
  return new InputError(`${found}; give ${cells} in every row, which is one porosity field${also}.`);
}

const UNITS = { m: 1, mm: 1e-3, um: 1e-6, nm: 1e-9 } as const;

/** Porosities (cells) from rows of a position and a value of each. */
function* interpolated(
  file: string,
  { length, positions }: Grid,
  kept: readonly Row[],
): Generator<Float64Array> {
  const points = kept.map((row) => {
    const [x] = numbers(file, { ...row, cells: row.cells.slice(0, 1) });
    return { x, values: porosities(file, row, 1), line: row.line };
  });
  points.sort((a, b) => a.x - b.x);
  const twice = points.findIndex(({ x }, i) => x === points[i + 1]?.x);
  if (twice >= 0) {
    const [a, b] = [points[twice].line, points[twice + 1].line].sort((p, q) => p - q);
    throw new InputError(`Lines ${a} and ${b} of ${shown(file)} are at one x; give each position once.`);
  }
  const [first, last] = [points[0].x, points[points.length - 1].x];
  const ROUND_OFF = 1e-6 * length;
  const unit = [...Object.values(UNITS), length].find(
    (one) =>
      first * one >= -ROUND_OFF &&
      first * one <= positions[0] + ROUND_OFF &&
      last * one >= positions[positions.length - 1] - ROUND_OFF &&
      last * one <= length + ROUND_OFF,
  );
  if (unit === undefined) {
    const [low, high] = [positions[0], positions[positions.length - 1]].map((x) =>
      Number((1e6 * x).toPrecision(6)),
    );
    throw new InputError(
      `x of ${shown(file)} goes from ${first} to ${last}; give positions from ${low} um or less to ${high} um or more ` +
        `of the ${1e6 * length} um, in m, mm, um or as a share of the length.`,
    );
  }
  const places = points.map(({ x }) => x * unit);
  for (let k = 0; k < points[0].values.length; k++) {
    const porosity = positions.map((x) => {
      const i = lastAtMost(places, x);
      const share = Math.min(1, Math.max(0, (x - places[i]) / (places[i + 1] - places[i])));
      return points[i].values[k] + share * (points[i + 1].values[k] - points[i].values[k]);
    });
    yield checkSolid(file, points[0].line, porosity);
  }
}

/**
 * Reads conditions from text, one set a row (rows, conditions): in the problem's order, or with a header of their names, in
 * any. Throws InputError naming the line of one that is missing or out of its range.
 */
export async function readConditionsCsv(file: string, problem: Problem): Promise<Float64Array[]> {
  const names = problem.conditions.map(({ name }) => name);
  const found: Float64Array[] = [];
  for await (const row of rows(file)) {
    const { header = names, line } = row;
    const order = names.map((name) => header.indexOf(name));
    if (order.includes(-1)) {
      throw new InputError(
        `Column ${names[order.indexOf(-1)]} is missing in ${shown(file)}; give ${names.join(", ")}.`,
      );
    }
    const values = numbers(file, row);
    try {
      found.push(
        checkConditions(
          problem,
          order.map((k) => values[k] ?? NaN),
        ),
      );
    } catch (error) {
      throw new InputError(`Line ${line} of ${shown(file)}: ${(error as Error).message}`);
    }
  }
  return found;
}
