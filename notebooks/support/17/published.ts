/** What the post's author has published of Figure 4, and the same statistics of sets of our own. */
import fs from "fs";
import path from "path";
import { columnMean, columnPercentiles, columnStd } from "../../../lib/comparison";
import type { DataSet } from "../../../lib/dataSet";

/** Mean, standard deviation and ends of the 95 % band of one field, each (cells), in the field's unit. */
export interface FieldSummary {
  readonly mean: ArrayLike<number>;
  readonly std: ArrayLike<number>;
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
}

/** Both fields, c in mol/m3 and phi in V. */
export interface Summary {
  readonly c: FieldSummary;
  readonly phi: FieldSummary;
}

/** Statistics of the published realisations: the author's solver and the author's model, `rows` of each. */
export interface Published {
  readonly source: string;
  readonly rows: number;
  readonly pde: Summary;
  readonly sgm: Summary;
}

/** Reads the statistics of the published realisations at l = L/10, U0 = 0, F_right = 25 A/m2. */
export function published(): Published {
  const file = path.join(__dirname, "..", "..", "..", "data", "results", "published-figure-4.json");
  return JSON.parse(fs.readFileSync(file, "utf8")) as Published;
}

/** The same statistics of a set of the electrode's. */
export function summaryOf({ problem, fields }: Pick<DataSet, "problem" | "fields">): Summary {
  const { cells } = problem;
  const [mean, std] = [columnMean(fields, 2 * cells), columnStd(fields, 2 * cells)];
  const [low, high] = columnPercentiles(fields, 2 * cells, [2.5, 97.5]);
  const part = (f: number): FieldSummary => {
    const cut = (values: Float64Array) => values.subarray(f * cells, (f + 1) * cells);
    return { mean: cut(mean), std: cut(std), low: cut(low), high: cut(high) };
  };
  return { c: part(0), phi: part(1) };
}
