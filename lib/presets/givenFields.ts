/** Data that somebody brings: whether their fields are the solver's, and what a preset makes of those that are not. */
import { checkConditionsKnown, isSource, piecesOf, rowConditions, type RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import { InputError, oneOf } from "../backend/errors";
import { canTakeMoments, leastConditions } from "../gaussian/conditionalMoments";
import type { Condition, Problem } from "../problem";

import { fittingPatch, isImported } from "./importedData";
import { otherLaw } from "./latentLaw";
import type { Preset } from "./presets";

/** Whose fields a model is trained on: those of the file, or those that the solver gives for its latent fields. */
export type FieldsFrom = "file" | "solver";
export const FIELDS_FROM: readonly FieldsFrom[] = ["file", "solver"];

/**
 * Fields are the solver's if they differ by no more than this share of the field's largest value in the row: eight roundings
 * of single precision, as files may hold float32. Rounding porosity, conditions and fields to it changes them by 1.2e-7.
 */
export const SAME_FIELDS = 2 ** -21;
/** A value so much outside of a range, relative to the value, may be one of its ends in single precision. */
const SINGLE_PRECISION = 2 ** -22;
/** Rows between two moments at which the work may be stopped. */
const ROWS_AT_ONCE = 256;

/** What all rows of a data set are like. */
export interface Examination {
  /** Whether there are conditions enough to take moments of the fields as functions of them. */
  readonly manyConditions: boolean;
  /** Whether each row's fields are the solver's for its latent field; undefined where the data have none. */
  readonly solved: boolean | undefined;
  /** Where they are not: a clause that names the first row that differs, and by how much. */
  readonly difference: string;
}

/**
 * Looks at all rows: yields now and then, so that the work can be stopped.
 *
 * Throws InputError for conditions that are unknown or outside of their ranges, and for a field that is the same in all
 * rows.
 */
export function* examine(data: DataSet | RowSource): Generator<void, Examination, void> {
  if (data.rows < 2) throw new InputError(`There are ${data.rows} rows of data; training needs more.`);
  checkConditionsKnown(data);
  const { problem } = data;
  const size = problem.fields.length * problem.cells;
  const solved = new Float64Array(size);
  const [low, high] = [new Float64Array(size).fill(Infinity), new Float64Array(size).fill(-Infinity)];
  const ratios = problem.fields.map(() => new Ratio());
  const distinct = new Set<string>();
  const enough = leastConditions(problem);
  let first: Difference | undefined;
  let hasLatent = true;
  let row = 0;
  for (const piece of piecesOf(data)) {
    const { fields, latent } = piece;
    hasLatent &&= latent !== undefined;
    for (let k = 0; k < piece.rows; k++, row++) {
      if (row % ROWS_AT_ONCE === 0) yield;
      const conditions = rowConditions(piece, k);
      checkRowConditions(problem, conditions, row);
      if (distinct.size < enough) distinct.add(conditions.join());
      const own = fields.subarray(k * size, (k + 1) * size);
      for (let i = 0; i < size; i++) {
        if (own[i] < low[i]) low[i] = own[i];
        if (own[i] > high[i]) high[i] = own[i];
      }
      if (!latent) continue;
      try {
        problem.solve(latent.subarray(k * problem.cells, (k + 1) * problem.cells), conditions, solved);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        solved.fill(NaN); // of a latent field that there is no solution for
      }
      ratios.forEach((ratio, f) => {
        const [start, end] = [f * problem.cells, (f + 1) * problem.cells];
        ratio.add(own.subarray(start, end), solved.subarray(start, end));
      });
      first ??= differenceOf(problem, own, solved, row);
    }
  }
  checkVaries(problem, low, high);
  return {
    manyConditions: distinct.size >= enough,
    solved: hasLatent ? first === undefined : undefined,
    difference: first ? clauseOf(problem, first, ratios) : "",
  };
}

/** What a model is trained on, and how. */
export interface Chosen {
  readonly data: DataSet | RowSource;
  readonly preset: Preset;
  /** Whose fields they are, in some words. */
  readonly told: string;
  /** What the user has to know before the training, in a sentence. */
  readonly warning?: string;
}

/**
 * What to train on if the fields of `from` are wanted. The solver's fields are solved again from the latent ones; fields that
 * are not the solver's are learned without what the presets know of the solver: the moments of its responses, and its
 * Gaussian part (see {@link withoutSolver}). Errors as {@link examine}; throws InputError where the solver's fields are
 * wanted and there are no latent ones.
 */
export function* chooseFields(
  data: DataSet | RowSource,
  preset: Preset,
  name: string,
  from: FieldsFrom = "file",
): Generator<void, Chosen, void> {
  oneOf("The choice of fields", from, FIELDS_FROM);
  const { manyConditions, solved, difference } = yield* examine(data);
  const { latent } = data.problem;
  const input = latent?.name ?? "latent field";
  if (solved === true || from === "solver") {
    if (solved === undefined) {
      throw new InputError(`The data have no ${input} to solve from; leave out --fields solver.`);
    }
    const learned = preset.model.target === "residual" ? `, whose responses are learned in their place` : "";
    const ignored = `The fields of the data are ignored, as --fields solver says, although ${difference}.`;
    const chosen: Chosen = solved
      ? { data, preset, told: `the fields are the solver's for each ${input}${learned}` }
      : {
          data: withSolvedFields(data),
          preset,
          told: `the file's fields are not used: they are solved again from each ${input}`,
          warning: ignored,
        };
    return yield* ofItsLaw(chosen, name, manyConditions);
  }
  const own = withFittingPatch(withoutSolver(preset, manyConditions), data.problem);
  const scaled =
    own.model.standardisation === "global"
      ? "one mean and one spread a field"
      : "means and spreads by condition";
  if (isImported(data.problem) && preset.model.target !== "residual") {
    return { data, preset: own, told: `the fields are the file's own, scaled by ${scaled}` };
  }
  const consequence =
    preset.model.target !== "residual" && preset.model.standardisation === "global"
      ? "the training is on the file's own fields"
      : `the training is on the file's own fields, scaled by ${scaled} of the file itself` +
        (preset.model.target !== "residual"
          ? ""
          : `, without the Gaussian part of ${name}, which is made of the solver's responses, and the model will not come as ` +
            `close to its data as ${name} does to the solver's: compare tells how close`);
  const reason = isImported(data.problem)
    ? "the data were imported, without a solver"
    : solved === undefined
      ? `the data have no ${input}, so that nothing can be solved`
      : difference;
  return {
    data: withoutLatent(data),
    preset: own,
    told: "the fields are the file's own",
    warning: `${reason[0].toUpperCase()}${reason.slice(1)}: ${consequence}.`,
  };
}

/**
 * The same choice where the latent fields are of the problem's law. Where they are not, a preset that takes its moments from
 * the problem, or the mirror images of its law, takes moments from the data and no images; where the data are too few for that,
 * it learns their fields alone.
 */
function* ofItsLaw(chosen: Chosen, name: string, manyConditions: boolean): Generator<void, Chosen, void> {
  const { data, preset } = chosen;
  if (preset.model.target !== "residual") return chosen;
  const difference = yield* otherLaw(data);
  if (difference === undefined) return chosen;
  const input = data.problem.latent?.name ?? "latent field";
  const enough = canTakeMoments(data);
  const model = { ...preset.model, momentDraws: undefined };
  const together = Math.ceil((preset.training.rowsPerCondition ?? 1) / (preset.training.mirrored ? 2 : 1));
  const consequence = enough
    ? `the Gaussian part of ${name} is taken from the ${data.rows} rows of the data, without mirror images`
    : `the training is on the fields alone, without the Gaussian part of ${name}, which the data are too few for`;
  const law = `The values of ${input} are of another law than those that generate draws (${difference})`;
  const warning = `${law}: ${consequence}, and the model will not come as close to its data as ${name} does to the solver's: compare tells how close.`;
  return {
    ...chosen,
    data: enough ? data : withoutLatent(data),
    preset: enough
      ? { ...preset, model, training: { ...preset.training, rowsPerCondition: together, mirrored: false } }
      : withoutSolver(preset, manyConditions),
    warning: chosen.warning === undefined ? warning : `${chosen.warning} ${warning}`,
  };
}

/**
 * A preset for fields that are not the solver's: where it would learn the solver's responses, its network learns the
 * fields themselves, with the target v. Scaled by condition where there are conditions enough, else globally.
 */
export function withoutSolver(preset: Preset, manyConditions: boolean): Preset {
  const { model, training, description } = preset;
  if (model.target !== "residual") {
    const alone = model.standardisation === "conditional" && !manyConditions;
    return alone ? { ...preset, model: { ...model, standardisation: "global" } } : preset;
  }
  const { network, timeInput, schedule, noiseLevels } = model;
  return {
    description,
    model: {
      network,
      standardisation: manyConditions ? "conditional" : "global",
      target: "v",
      timeInput,
      schedule,
      noiseLevels,
    },
    training: { ...training, rowsPerCondition: 1, mirrored: false },
  };
}

/** The same preset with patches that divide the cells of a problem. */
function withFittingPatch(preset: Preset, { cells }: Problem): Preset {
  const { network } = preset.model;
  if (network.kind !== "token" || cells % network.stride === 0) return preset;
  const fitting = { ...network, stride: fittingPatch(cells, network.stride) };
  return { ...preset, model: { ...preset.model, network: fitting } };
}

/** Where and by how much the fields of a row first differ from the solver's. */
interface Difference {
  readonly row: number;
  readonly field: number;
  readonly size: number;
  readonly largest: number;
}

/** The larger one where both fields of a row differ, relative to their sizes; undefined where none does. */
function differenceOf(
  problem: Problem,
  own: Float64Array,
  solved: Float64Array,
  row: number,
): Difference | undefined {
  let worst: Difference | undefined;
  problem.fields.forEach((_, field) => {
    let [size, largest] = [0, 0];
    for (let i = field * problem.cells; i < (field + 1) * problem.cells; i++) {
      largest = Math.max(largest, Math.abs(solved[i]));
      // NaN where there is no solution, as for a porosity that is not between 0 and 1.
      const difference = Math.abs(own[i] - solved[i]);
      if (!(difference <= size)) size = difference;
    }
    if (size <= SAME_FIELDS * largest) return;
    if (!worst || size / largest > worst.size / worst.largest) worst = { row, field, size, largest };
  });
  return worst;
}

function clauseOf(
  problem: Problem,
  { row, field, size, largest }: Difference,
  ratios: readonly Ratio[],
): string {
  const { name, unit } = problem.fields[field];
  const input = problem.latent?.name ?? "latent field";
  if (!Number.isFinite(size)) return `the solver has no solution for the ${input} of row ${row + 1}`;
  const scaled = ratios.flatMap((ratio, f) => {
    const power = ratio.powerOfTen();
    return power
      ? [
          `${problem.fields[f].name} is ${10 ** power} times the solver's, as in other units than ${problem.fields[f].unit}`,
        ]
      : [];
  });
  const digits = (value: number) => Number(value.toPrecision(3));
  return (
    `the field ${name} of row ${row + 1} differs from the solver's for this ${input} by up to ${digits(size)} ${unit}, where ` +
    `its largest value is ${digits(largest)} ${unit}` +
    (scaled.length > 0 ? ` (${scaled.join("; ")})` : "")
  );
}

/** How many times the solver's field a field is. */
class Ratio {
  private squares = 0;
  private solvedSquares = 0;
  private products = 0;

  add(own: Float64Array, solved: Float64Array): void {
    for (let i = 0; i < own.length; i++) {
      this.squares += own[i] * own[i];
      this.solvedSquares += solved[i] * solved[i];
      this.products += own[i] * solved[i];
    }
  }

  /** Its exponent, if it is a power of ten other than 1 in all rows: a unit with another prefix. */
  powerOfTen(): number | undefined {
    const power = Math.log10(this.products / this.solvedSquares);
    const proportional = 1 - this.products ** 2 / (this.squares * this.solvedSquares) < 1e-9;
    const whole = Math.round(power);
    return proportional && Math.abs(power - whole) < 1e-6 && whole !== 0 ? whole : undefined;
  }
}

/** Throws InputError for a row whose conditions are outside of their ranges. */
function checkRowConditions({ conditions }: Problem, values: Float64Array, row: number): void {
  conditions.forEach((condition, k) => {
    const { min, max, unit, name } = condition;
    const value = values[k];
    const slack = SINGLE_PRECISION * Math.abs(value);
    if (value >= min - slack && value <= max + slack) return;
    throw new InputError(
      `The ${name.replace(/_/g, " ")} of row ${row + 1} is ${value}, outside of ${min} to ${max} ${unit}` +
        `${prefixHint(condition, value)}; give it in ${unit}, or leave such rows out.`,
    );
  });
}

/** What to think of a value that would be in the range if its unit had another prefix. */
function prefixHint({ min, max, scale, unit }: Condition, value: number): string {
  const power = [-9, -6, -3, 3, 6, 9].find(
    (power) => scale === "log" && value * 10 ** power >= min && value * 10 ** power <= max,
  );
  return power === undefined ? "" : `, as if it were given in ${10 ** power} ${unit}`;
}

/** Throws InputError for a field without anything to learn: the same in all rows. */
function checkVaries({ fields, cells }: Problem, low: Float64Array, high: Float64Array): void {
  fields.forEach(({ name, unit }, f) => {
    for (let i = f * cells; i < (f + 1) * cells; i++) if (low[i] < high[i]) return;
    const values = low.subarray(f * cells, (f + 1) * cells);
    const constant = values.every((value) => value === values[0]);
    throw new InputError(
      `The field ${name} is the same in all rows of the data` +
        `${constant ? ` (${values[0]} ${unit} everywhere)` : ""}; give data in which it varies.`,
    );
  });
}

/** The same rows with the fields that the solver gives for their latent fields. */
function withSolvedFields(data: DataSet | RowSource): DataSet | RowSource {
  const solve = (rows: DataSet): DataSet => {
    const { problem } = rows;
    const fields = new Float64Array(rows.fields.length);
    const size = problem.fields.length * problem.cells;
    for (let row = 0; row < rows.rows; row++) {
      const own = rows.latent!.subarray(row * problem.cells, (row + 1) * problem.cells);
      problem.solve(own, rowConditions(rows, row), fields.subarray(row * size, (row + 1) * size));
    }
    return { ...rows, fields };
  };
  return mapped(data, solve);
}

/** The same rows without latent fields, so that nothing is made of the solver for them. */
function withoutLatent(data: DataSet | RowSource): DataSet | RowSource {
  return mapped(data, (rows) => ({ ...rows, latent: undefined }));
}

/** The same rows, each piece changed when it is asked for. */
function mapped(data: DataSet | RowSource, change: (rows: DataSet) => DataSet): DataSet | RowSource {
  if (!isSource(data)) return change(data);
  return {
    problem: data.problem,
    rows: data.rows,
    groups: data.groups,
    select: (rows) => change(data.select(rows)),
    *pieces() {
      for (const piece of data.pieces()) yield change(piece);
    },
    conditions: () => data.conditions(),
  };
}
