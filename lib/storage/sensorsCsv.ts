/** Sensors as text: what was measured, where, and how well. */
import { InputError, shown } from "../backend/errors";
import type { Sensor } from "../posterior/observation";
import type { Problem } from "../problem";
import { lines, numberOf, separatorOf, split } from "./csv";

const COLUMNS = ["field", "x", "value", "std"] as const;
/** Two values at one place that differ by more of their deviations than this cannot both be right. */
const CONTRADICTION = 6;

/** A sensor and the line that tells of it. */
type Read = Sensor & { readonly x: number; readonly line: number };

/**
 * Reads sensors from text with the header field,x,value,std: x in m, the others in the field's unit. Throws InputError naming
 * the line of what is not allowed, and for values at one place that contradict each other.
 */
export async function readSensorsCsv(file: string, problem: Problem): Promise<Sensor[]> {
  const found: Read[] = [];
  let line = 0;
  let header: string[] | undefined;
  let separator = ",";
  for await (const text of lines(file)) {
    line++;
    const content = text.replace(/#.*/, "");
    if (content.trim() === "") continue;
    if (header) {
      const sensor = sensorOf(file, line, header, split(content, separator), problem);
      checkAgainst(file, found, sensor);
      found.push(sensor);
      continue;
    }
    separator = separatorOf(content);
    header = split(content, separator);
    const missing = COLUMNS.find((name) => !header!.includes(name));
    if (missing) {
      throw new InputError(
        `Column ${missing} is missing in ${shown(file)}; give a table with the header ${COLUMNS.join(",")}.`,
      );
    }
  }
  if (found.length > 0) return found;
  throw new InputError(
    `${shown(file)} holds no sensors; give the header ${COLUMNS.join(",")} and a row for each value.`,
  );
}

function sensorOf(
  file: string,
  line: number,
  header: readonly string[],
  cells: readonly string[],
  { fields, length }: Problem,
): Read {
  const [name, ...texts] = COLUMNS.map((column) => cells[header.indexOf(column)] ?? "");
  const [x, value, std] = texts.map((text) => (text === "" ? NaN : numberOf(text)));
  const refuse = (column: string, text: string, want: string) =>
    new InputError(`The ${column} in line ${line} of ${shown(file)} is ${shown(text)}; give ${want}.`);
  const field = fields.find((one) => one.name === name);
  if (!field) throw refuse("field", name, fields.map((one) => one.name).join(" or "));
  if (!(x >= 0 && x <= length)) throw refuse("x", texts[0], `a position from 0 to ${length}, in m`);
  if (!Number.isFinite(value)) throw refuse("value", texts[1], `a number in ${field.unit}`);
  if (!(std > 0 && std < Infinity)) {
    throw refuse("std", texts[2], `the standard deviation of the noise, above 0, in ${field.unit}`);
  }
  return { field: name, x, value, std, line };
}

function checkAgainst(file: string, earlier: readonly Read[], sensor: Read): void {
  for (const other of earlier) {
    if (other.field !== sensor.field || other.x !== sensor.x) continue;
    const apart = Math.abs(other.value - sensor.value) / Math.hypot(other.std, sensor.std);
    if (apart <= CONTRADICTION) continue;
    throw new InputError(
      `Lines ${other.line} and ${sensor.line} of ${shown(file)} say ${other.value} and ${sensor.value} of ${sensor.field} at ` +
        `x = ${sensor.x}, ${apart.toPrecision(2)} standard deviations apart; leave one out or give larger ones.`,
    );
  }
}
