/** Data that come from elsewhere as a problem of their own: fields and conditions are known by name and unit, a solver is not. */
import { InputError, shown } from "../backend/errors";
import type { Condition, Field, Problem } from "../problem";

/** The name of all problems without a solver. */
export const IMPORTED = "imported";
/** More cells than any network here can learn. */
const MOST_CELLS = 100_000;
const MOST_NAMES = 100;
/** A name is a column, an option of the command line and a part of a sentence. */
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;
const UNIT = /^[^\s,;]{1,20}$/;
/** Options of sample and evaluate, which conditions stand beside. */
const TAKEN = ["batch", "bias", "conditions", "confirm", "count", "data", "from", "help", "json", "model", "n", "out", "sampler", "seed", "set", "sets", "steps"]; // prettier-ignore

/** What is told of a condition, and of a field, that come from elsewhere. */
export type ImportedCondition = Pick<Condition, "name" | "unit" | "min" | "max" | "scale">;
export type ImportedField = Pick<Field, "name" | "unit">;

/** What is told of data that come from elsewhere; length in m. */
export interface ImportedData {
  readonly conditions: readonly ImportedCondition[];
  readonly fields: readonly ImportedField[];
  readonly cells: number;
  readonly length: number;
}

/** Whether a problem is one of imported data, which have no solver. */
export function isImported({ name }: Pick<Problem, "name">): boolean {
  return name === IMPORTED;
}

/** Throws InputError unless all names and units can be those of conditions and fields. */
export function checkNames(items: readonly ImportedField[]): void {
  const seen = new Set<string>();
  for (const { name, unit } of items) {
    if (!NAME.test(name)) {
      throw new InputError(
        `A name is ${shown(name)}; give up to 40 letters, digits and _, a letter first, such as flow_rate.`,
      );
    }
    if (TAKEN.includes(name.toLowerCase())) {
      throw new InputError(
        `A name is ${shown(name)}, which is an option of sample or evaluate; give another name.`,
      );
    }
    if (seen.has(name.toLowerCase()))
      throw new InputError(`The name ${shown(name)} is there twice; give each once.`);
    if (!UNIT.test(unit)) {
      throw new InputError(
        `The unit of ${name} is ${shown(unit)}; give up to 20 characters without spaces, such as m/s, and 1 for a number ` +
          `without unit.`,
      );
    }
    seen.add(name.toLowerCase());
  }
}

/**
 * The problem of imported data. Its settings tell all that files and models need to make it again.
 *
 * simulate, solve and responses throw InputError, as there is no solver. Throws InputError for bad names, units, ranges and
 * sizes.
 */
export function importedProblem({ conditions, fields, cells, length }: ImportedData): Problem {
  if (conditions.length === 0 || fields.length === 0 || conditions.length + fields.length > MOST_NAMES) {
    throw new InputError(
      `There are ${conditions.length} conditions and ${fields.length} fields; give at least one of each, and at most ` +
        `${MOST_NAMES} together.`,
    );
  }
  checkNames([...conditions, ...fields]);
  if (!(Number.isInteger(cells) && cells >= 2 && cells <= MOST_CELLS)) {
    throw new InputError(`The fields have ${cells} cells; give from 2 to ${MOST_CELLS}.`);
  }
  if (!(length > 0 && length < Infinity)) {
    throw new InputError(`The length is ${length} m; give a positive number.`);
  }
  for (const condition of conditions) checkRange(condition);
  const none = (): never => {
    throw new InputError(
      "The data were imported, and no solver is known that draws more of them; give data that were held out of the training.",
    );
  };
  return {
    name: IMPORTED,
    version: 1,
    description: "Fields that come from elsewhere, without their solver",
    settings: {
      conditions: conditions
        .map(({ name, unit, min, max, scale }) => [name, unit, min, max, scale].join(" "))
        .join("; "),
      fields: fields.map(({ name, unit }) => `${name} ${unit}`).join("; "),
      cells,
      length,
    },
    conditions: conditions.map((condition) => ({ ...described(condition), ...condition })),
    fields: fields.map((field) => ({ ...field, ...described(field) })),
    cells,
    length,
    positions: Float64Array.from({ length: cells }, (_, i) => ((i + 0.5) * length) / cells),
    affineIn: [],
    simulate: none,
    solve: none,
    responses: none,
  };
}

/** The problem that settings of {@link importedProblem} tell of. Throws InputError for others. */
export function importedProblemFrom({ conditions, fields, cells, length }: Problem["settings"]): Problem {
  const lists = [conditions, fields].map((text) =>
    String(text)
      .split("; ")
      .map((item) => item.split(" ")),
  );
  return importedProblem({
    conditions: lists[0].map(([name, unit = "", min, max, scale]) => {
      if (scale !== "linear" && scale !== "log")
        throw new InputError("the settings of its conditions are damaged.");
      return { name, unit, min: Number(min), max: Number(max), scale };
    }),
    fields: lists[1].map(([name, unit = ""]) => ({ name, unit })),
    cells: Number(cells),
    length: Number(length),
  });
}

function checkRange({ name, min, max, scale, unit }: ImportedCondition): void {
  if (!(Number.isFinite(min) && Number.isFinite(max) && min <= max)) {
    throw new InputError(`The ${name} goes from ${min} to ${max} ${unit}; give a range of numbers.`);
  }
  if (min === max) {
    throw new InputError(
      `The ${name} is ${min} ${unit} in all rows; leave it out: there is nothing to learn of it.`,
    );
  }
  if (scale === "log" && !(min > 0)) {
    throw new InputError(
      `The ${name} goes down to ${min} ${unit} and has no logarithm there; leave it out of --log.`,
    );
  }
}

function described({ name }: ImportedField): { symbol: string; description: string } {
  return { symbol: name, description: name.replace(/_/g, " ") };
}

/** A problem in some words: of imported data the names of their fields, else all settings. */
export function describeProblem({ name, settings, fields, cells }: Problem): string {
  if (isImported({ name }))
    return `${name}, ${fields.map((field) => field.name).join(", ")} on ${cells} cells`;
  return [name, ...Object.entries(settings).map(([key, value]) => `${key} ${value}`)].join(", ");
}

/** The divisor of a number of cells that comes closest to a patch size that is wanted. */
export function fittingPatch(cells: number, wanted: number): number {
  let best = 1;
  const off = (size: number) => Math.abs(Math.log(size / wanted));
  for (let size = 1; size <= Math.min(cells, 4 * wanted); size++) {
    if (cells % size === 0 && off(size) < off(best)) best = size;
  }
  return best;
}
