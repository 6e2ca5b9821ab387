import { power } from "./backend/power";
import type { Random } from "./random";

/** One operating condition: an input of the problem that the user chooses. */
export interface Condition {
  readonly name: string;
  readonly symbol: string;
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  /** How the range is covered: uniformly in the value or in its logarithm. */
  readonly scale: "linear" | "log";
  readonly description: string;
  /** True if it only shapes the distribution of the latent field, so that it is unknown (NaN) where that is given. */
  readonly latentOnly?: boolean;
}

/** One field on the grid: an output of the problem, or its latent input. */
export interface Field {
  readonly name: string;
  readonly symbol: string;
  readonly unit: string;
  readonly description: string;
  /** No smaller value has a meaning, such as a negative concentration. */
  readonly min?: number;
}

/**
 * A family of random fields on a one-dimensional grid, indexed by conditions. The data files, the network and the
 * samplers know a problem only through this description. Arrays of fields are ordered (row, field, cell).
 */
export interface Problem {
  readonly name: string;
  readonly version: number;
  readonly description: string;
  /** What tells two variants of one problem apart; with the name enough to find it again. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly conditions: readonly Condition[];
  readonly fields: readonly Field[];
  /** The uncertain input, if it is kept in data files. */
  readonly latent?: Field;
  readonly cells: number;
  /** m */
  readonly length: number;
  /** cell centres, m (cells) */
  readonly positions: Float64Array;
  /** Names of the conditions in which the fields are affine, the latent field being fixed. */
  readonly affineIn: readonly string[];
  /** The conditions (conditions) at which models are compared first; without it the middle of the ranges. */
  readonly reference?: readonly number[];

  /**
   * Draws latent fields for one set of conditions and solves for the fields.
   * conditions (conditions); latent (rows, cells) and fields (rows, fields, cells): written, rows by their length.
   */
  simulate(conditions: Float64Array, random: Random, latent: Float64Array, fields: Float64Array): void;

  /** Solves for given latent fields (rows, cells). conditions (conditions); fields (rows, fields, cells): written. */
  solve(latent: Float64Array, conditions: Float64Array, fields: Float64Array): void;

  /**
   * The affine parts for one latent field (cells): fields = r[0] + sum_k condition(affineIn[k]) r[k + 1].
   * Returns affineIn.length + 1 arrays (fields, cells).
   */
  responses(latent: Float64Array): Float64Array[];

  /**
   * How far one row's fields (fields, cells) are from a law that ties the fields to one another, without unit: 0 where
   * it holds, of order 1 for unrelated fields. Left out where the settings have no such law; nothing is trained on it.
   */
  imbalance?(fields: Float64Array): number;

  /**
   * Another latent field of the same distribution, as far on the other side of the mean: latent (cells) -> (cells).
   * Means over such pairs lack the sampling error of everything that is odd in the latent field.
   */
  mirror?(latent: Float64Array): Float64Array;
}

/** Smallest and largest value of each condition: those that some data have, or that a model is for. */
export type Ranges = readonly (readonly [min: number, max: number])[];

/** Maps a value of a condition to [-1, 1] on its scale. */
export function normaliseCondition({ min, max, scale }: Condition, value: number): number {
  return scale === "log"
    ? (2 * Math.log(value / min)) / Math.log(max / min) - 1
    : (2 * (value - min)) / (max - min) - 1;
}

/** Maps conditions (rows, conditions) to [-1, 1] on their scales; returns a new array of the same shape. */
export function normaliseConditions(problem: Problem, values: Float64Array): Float64Array {
  const count = problem.conditions.length;
  return values.map((value, i) => normaliseCondition(problem.conditions[i % count], value));
}

/** Draws one vector of conditions, each uniform on its scale. */
export function sampleConditions(problem: Problem, random: Random): Float64Array {
  return Float64Array.from(problem.conditions, ({ min, max, scale }) => {
    const u = random.uniform();
    const value = scale === "log" ? min * power(max / min, u) : min + (max - min) * u;
    return Math.min(max, Math.max(min, value)); // round-off must not leave the range
  });
}
