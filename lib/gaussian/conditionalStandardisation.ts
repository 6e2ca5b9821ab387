/** Mean and standard deviation of every cell as functions of the conditions. */
import { piecesOf, type RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import { InputError } from "../backend/errors";
import { type Problem } from "../problem";
import { conditionIndex } from "../data/conditions";
import type { Standardisation } from "../standardisation";
import { chebyshevProducts, totalDegree } from "./leastSquares";
import { around, positionOf, remainingConditions } from "./nodes";

/** Plain data of moments at nodes. */
export interface ConditionalData {
  readonly kind: "conditional";
  readonly affineIn: string[];
  readonly degree: number;
  /** (basis functions, responses, fields x cells) */
  readonly mean: number[];
  /** (fields x cells): the value of a cell that is the same in every row of the data, otherwise null */
  readonly fixed: (number | null)[];
  readonly nodes: number[];
  /** (nodes, response pairs, fields x cells) */
  readonly covariance: number[];
}

/** Moments at one set of conditions: fields = sum_k weights[k] R_k. Without affine conditions R_0 are the fields. */
export interface ResponseMoments {
  /** (responses): 1, then the affine conditions */
  readonly weights: readonly number[];
  /** (responses, fields, cells) */
  readonly mean: Float64Array;
  /** (responses, fields, cells); 0 where a response is fixed up to round-off */
  readonly std: Float64Array;
}

/** A cell whose spread is this much smaller than the field's largest is taken as fixed. */
const SMALLEST_SPREAD = 1e-6;

/** See conditionalStandardisation: a polynomial for the means, nodes with linear interpolation for the covariances. */
export class ConditionalStandardisation implements Standardisation {
  readonly kind = "conditional";
  /** fields x cells */
  private readonly size: number;
  /** Responses. */
  private readonly count: number;
  private readonly coordinates: readonly number[];
  private readonly exponents: readonly number[][];
  private readonly pairs: readonly [number, number][];

  constructor(
    private readonly problem: Problem,
    private readonly data: ConditionalData,
  ) {
    const { affineIn, degree, mean, fixed, nodes, covariance } = data;
    this.size = problem.fields.length * problem.cells;
    this.count = affineIn.length + 1;
    this.coordinates = remainingConditions(problem, affineIn);
    this.exponents = totalDegree(this.coordinates.length, degree);
    this.pairs = pairsOf(this.count);
    checkNumbers("mean", mean, this.exponents.length * this.count * this.size);
    if (!Array.isArray(fixed) || fixed.length !== this.size) {
      throw new InputError("The standardisation's fixed cells are missing: the model is damaged.");
    }
    checkNumbers("covariance", covariance, nodes.length * this.pairs.length * this.size);
  }

  /**
   * From moments at nodes; data: tell which cells are fixed.
   *
   * mean (basis functions, responses, fields x cells); covariances (nodes): of pairs of responses (pairs, fields x cells).
   */
  static fromNodes(
    data: DataSet | RowSource,
    { affineIn, degree, nodes }: Pick<ConditionalData, "affineIn" | "degree" | "nodes">,
    mean: Float64Array,
    covariances: readonly Float64Array[],
  ): ConditionalStandardisation {
    // Digits beyond these are far below the sampling error; the mean keeps more, as it is large beside its spread.
    const rounded = (values: Float64Array, digits: number) =>
      Array.from(values, (value) => Number(value.toPrecision(digits)));
    return new ConditionalStandardisation(data.problem, {
      kind: "conditional",
      affineIn,
      degree,
      mean: rounded(mean, 13),
      fixed: fixedCells(data),
      nodes,
      covariance: covariances.flatMap((values) => rounded(values, 8)),
    });
  }

  mean(conditions: Float64Array): Float64Array {
    const { data, size, count } = this;
    const weights = this.weights(conditions);
    const mean = new Float64Array(size);
    this.basis(conditions).forEach((factor, b) => {
      for (let k = 0; k < count; k++) {
        const from = (b * count + k) * size;
        for (let i = 0; i < size; i++) mean[i] += factor * weights[k] * data.mean[from + i];
      }
    });
    return mean.map((value, i) => data.fixed[i] ?? value);
  }

  std(conditions: Float64Array): Float64Array {
    const weights = this.weights(conditions);
    return this.deviation(conditions, ([k, l]) => weights[k] * weights[l] * (k === l ? 1 : 2));
  }

  /** The moments of the responses (see Problem.responses) of which mean and std are made. */
  responses(conditions: Float64Array): ResponseMoments {
    const { data, size, count } = this;
    const mean = new Float64Array(count * size);
    this.basis(conditions).forEach((factor, b) => {
      for (let i = 0; i < mean.length; i++) mean[i] += factor * data.mean[b * mean.length + i];
    });
    const std = new Float64Array(count * size);
    for (let k = 0; k < count; k++) {
      const own = this.deviation(conditions, (pair) => (pair[0] === k && pair[1] === k ? 1 : 0));
      std.set(own, k * size);
    }
    return { weights: this.weights(conditions), mean, std };
  }

  toJSON(): ConditionalData {
    return this.data;
  }

  private weights(conditions: Float64Array): number[] {
    return [1, ...this.data.affineIn.map((name) => conditions[conditionIndex(this.problem, name)])];
  }

  private basis(conditions: Float64Array): Float64Array {
    return chebyshevProducts(positionOf(this.problem, this.coordinates, conditions), this.exponents);
  }

  /** Standard deviation (fields, cells) of a sum of responses, from the factors of their covariances; 0 where fixed. */
  private deviation(conditions: Float64Array, factorOf: (pair: [number, number]) => number): Float64Array {
    const { data, size, pairs } = this;
    const variance = new Float64Array(size);
    const [position] = positionOf(this.problem, this.coordinates, conditions);
    for (const [node, share] of around(position, data.nodes.length)) {
      pairs.forEach((pair, p) => {
        const factor = share * factorOf(pair);
        if (factor === 0) return;
        const from = (node * pairs.length + p) * size;
        for (let i = 0; i < size; i++) variance[i] += factor * data.covariance[from + i];
      });
    }
    const std = variance.map((value, i) => (data.fixed[i] === null ? Math.sqrt(Math.max(0, value)) : 0));
    // A cell that these conditions fix, such as c at the end where no current flows, has a spread of round-off.
    return withoutRoundOff(std, this.problem.cells, SMALLEST_SPREAD);
  }
}

/** Throws InputError unless the values are so many finite numbers. */
export function checkNumbers(name: string, values: unknown, length: number): void {
  if (Array.isArray(values) && values.length === length && values.every(Number.isFinite)) return;
  throw new InputError(
    `The standardisation's ${name} is not a list of ${length} numbers: the model is damaged.`,
  );
}

/** Spreads (any number of fields, cells), 0 in cells where they are at most this share of the field's largest. */
export function withoutRoundOff(std: Float64Array, cells: number, share: number): Float64Array {
  const largest = Array.from({ length: std.length / cells }, (_, f) =>
    std.subarray(f * cells, (f + 1) * cells).reduce((most, value) => Math.max(most, value), 0),
  );
  return std.map((value, i) => (value > share * largest[Math.floor(i / cells)] ? value : 0));
}

/** Pairs k <= l of `count` responses. */
function pairsOf(count: number): [number, number][] {
  return Array.from({ length: count }, (_, k) => k).flatMap((k) =>
    Array.from({ length: count - k }, (_, l): [number, number] => [k, k + l]),
  );
}

/** Covariances of all pairs of responses, cell by cell, of centred rows that come one by one with their weights. */
export class PairCovariances {
  total = 0;
  private readonly pairs: readonly [number, number][];
  private readonly sums: Float64Array;

  constructor(
    responses: number,
    /** fields x cells */
    private readonly size: number,
  ) {
    this.pairs = pairsOf(responses);
    this.sums = new Float64Array(this.pairs.length * size);
  }

  /** Adds a row (responses, fields x cells). */
  add(row: Float64Array, weight: number): void {
    const { pairs, size, sums } = this;
    if (weight === 0) return;
    this.total += weight;
    pairs.forEach(([k, l], p) => {
      const [a, b, to] = [k * size, l * size, p * size];
      for (let i = 0; i < size; i++) sums[to + i] += weight * row[a + i] * row[b + i];
    });
  }

  /** (pairs, fields x cells) */
  average(): Float64Array {
    return this.sums.map((sum) => sum / this.total);
  }
}

/** The value of each cell that never changes, null for the others. */
function fixedCells(data: DataSet | RowSource): (number | null)[] {
  const size = data.problem.fields.length * data.problem.cells;
  let first: Float64Array | undefined;
  let fixed = Array.from({ length: size }, (_, i) => i);
  for (const { fields } of piecesOf(data)) {
    first ??= fields.slice(0, size);
    const values = first;
    for (let start = 0; start < fields.length && fixed.length > 0; start += size) {
      if (fixed.some((i) => fields[start + i] !== values[i])) {
        fixed = fixed.filter((i) => fields[start + i] === values[i]);
      }
    }
    if (fixed.length === 0) break;
  }
  const known = new Set(fixed);
  return Array.from({ length: size }, (_, i) => (first && known.has(i) ? first[i] : null));
}
