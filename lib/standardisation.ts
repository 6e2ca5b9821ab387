/** How fields are scaled before a network sees them. */
import type { DataSet } from "./dataSet";
import { InputError } from "./backend/errors";
import type { Problem } from "./problem";

/**
 * Mean and standard deviation of the fields at given conditions: what the network sees is (field - mean) / std.
 * A cell whose field is fixed has a standard deviation of 0 and is reproduced exactly.
 */
export interface Standardisation {
  readonly kind: "global" | "conditional";
  /** conditions (conditions); returns (fields, cells) in the fields' units */
  mean(conditions: Float64Array): Float64Array;
  /** conditions (conditions); returns (fields, cells) in the fields' units, each >= 0 */
  std(conditions: Float64Array): Float64Array;
  /** Plain data from which it is made again. */
  toJSON(): object;
}

/** Plain data of one mean and one standard deviation a field. */
export interface GlobalData {
  readonly kind: "global";
  /** (fields) */
  readonly mean: number[];
  readonly std: number[];
}

/**
 * One mean and one standard deviation a field, over all rows and cells: the blog's scaling. pieces: gives all rows where
 * they are not in memory. Throws InputError for a field that does not vary.
 */
export function globalStandardisation(
  data: Pick<DataSet, "problem" | "rows">,
  pieces: () => Iterable<Pick<DataSet, "fields">> = () => [data as DataSet],
): Standardisation {
  const { problem, rows } = data;
  const { cells } = problem;
  const count = problem.fields.length;
  /** Sums over all rows and cells of each field, one value after the other. */
  const sums = (term: (value: number, field: number) => number) => {
    const sum = new Array<number>(count).fill(0);
    for (const piece of pieces()) {
      for (let start = 0, f = 0; start < piece.fields.length; start += cells, f = (f + 1) % count) {
        for (let i = start; i < start + cells; i++) sum[f] += term(piece.fields[i], f);
      }
    }
    return sum;
  };
  const mean = sums((value) => value).map((sum) => sum / (rows * cells));
  const std = sums((value, f) => (value - mean[f]) ** 2).map((sum) => Math.sqrt(sum / (rows * cells)));
  std.forEach((value, f) => {
    if (!(value > 0)) throw new InputError(`The field ${problem.fields[f].name} does not vary in the data.`);
  });
  return globalFrom(problem, { kind: "global", mean, std });
}

/** The scaling of these means and standard deviations. */
export function globalFrom({ cells, fields }: Problem, data: GlobalData): Standardisation {
  const spread = (values: number[]) =>
    Float64Array.from({ length: fields.length * cells }, (_, i) => values[Math.floor(i / cells)]);
  const [mean, std] = [spread(data.mean), spread(data.std)];
  return { kind: "global", mean: () => mean, std: () => std, toJSON: () => data };
}
