/** Mean and standard deviation of every cell as functions of the conditions. */
import { InputError } from "../errors";
import { conditionIndex, normaliseCondition, type Problem } from "../problem";
import { checkNumbers, type ResponseMoments, type Standardisation } from "../standardisation";
import { chebyshevProducts, totalDegree } from "./leastSquares";

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
    for (const [node, share] of this.around(conditions)) {
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

  /** The two nodes around the conditions, or the only one, with their shares. */
  private around(conditions: Float64Array): [number, number][] {
    const last = this.data.nodes.length - 1;
    if (last === 0) return [[0, 1]];
    const at = ((positionOf(this.problem, this.coordinates, conditions)[0] + 1) * last) / 2;
    const left = Math.max(0, Math.min(last - 1, Math.floor(at)));
    return [
      [left, left + 1 - at],
      [left + 1, at - left],
    ];
  }
}

/** Spreads (any number of fields, cells), 0 in cells where they are at most this share of the field's largest. */
export function withoutRoundOff(std: Float64Array, cells: number, share: number): Float64Array {
  const largest = Array.from({ length: std.length / cells }, (_, f) =>
    std.subarray(f * cells, (f + 1) * cells).reduce((most, value) => Math.max(most, value), 0),
  );
  return std.map((value, i) => (value > share * largest[Math.floor(i / cells)] ? value : 0));
}

/** Indices of the conditions that are not affine. */
export function remainingConditions(problem: Problem, affineIn: readonly string[]): number[] {
  return problem.conditions.flatMap(({ name }, k) => (affineIn.includes(name) ? [] : [k]));
}

/** Those conditions, normalised. */
export function positionOf(
  problem: Problem,
  coordinates: readonly number[],
  conditions: Float64Array,
): number[] {
  return coordinates.map((k) => normaliseCondition(problem.conditions[k], conditions[k]));
}

/** Pairs k <= l of `count` responses. */
export function pairsOf(count: number): [number, number][] {
  return Array.from({ length: count }, (_, k) => k).flatMap((k) =>
    Array.from({ length: count - k }, (_, l): [number, number] => [k, k + l]),
  );
}
