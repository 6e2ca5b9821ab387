import type { RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import type { Problem } from "../problem";
import { Random } from "../random";
import type { Standardisation } from "../standardisation";
import { conditionalFrom } from "./conditionalMoments";
import { pairsOf, withoutRoundOff } from "./conditionalStandardisation";
import { ConditionalCovariance, lowRank, remainingCondition } from "./covariance";
import { chebyshevProducts, leastSquares, totalDegree } from "./leastSquares";

/** Nodes, evenly over the range on its scale; covariances are interpolated linearly, which adds 0.3 % at most. */
const NODES = 17;
/** Degree of the means in the position of the remaining condition. */
const DEGREE = 8;
/** A response's cell whose spread is this much smaller than the response's largest is fixed up to round-off. */
const SMALLEST_SPREAD = 1e-9;
/** First number of the streams of random numbers. */
const STREAM = 40;

/** Whether moments can be taken from the problem itself instead of a data set. */
export function canSimulateMoments({ affineIn, conditions }: Problem): boolean {
  return affineIn.length > 0 && conditions.length === affineIn.length + 1;
}

/**
 * Conditional means and covariances from new solutions at nodes of the one condition in which the problem is not
 * affine: there are no neighbours to average over, so the ends of its range are as exact as its middle, and each
 * latent field serves twice where the problem can mirror it. The moments of the responses hold for all values of the
 * affine conditions (see conditionalStandardisation).
 *
 * draws: latent fields a node, their mirror images apart; data: tell which cells are fixed.
 */
export function simulatedMoments(
  data: DataSet | RowSource,
  draws: number,
  seed: number,
): { standardisation: Standardisation; covariance: ConditionalCovariance } {
  const { problem } = data;
  const [count, size] = [problem.affineIn.length + 1, problem.fields.length * problem.cells];
  const width = count * size;
  const coordinate = remainingCondition(problem);
  const nodes = Array.from({ length: NODES }, (_, j) => -1 + (2 * j) / (NODES - 1));
  const pairs = pairsOf(count);
  const values = new Float64Array(NODES * width);
  const covariance = new Float64Array(NODES * pairs.length * size);
  const deviations: Float64Array[] = [];
  const factors: Float32Array[] = [];
  for (const [j, node] of nodes.entries()) {
    const conditions = Float64Array.from(problem.conditions, ({ min, max, scale }, k) => {
      const share = k === coordinate ? (node + 1) / 2 : 0.5;
      return scale === "log" ? min * (max / min) ** share : min + (max - min) * share;
    });
    const { mean, rows } = responsesAt(problem, conditions, draws, new Random(seed, STREAM, j));
    values.set(mean, j * width);
    const variances = new Float64Array(width);
    pairs.forEach(([k, l], p) => {
      const values = covarianceOf(rows, width, k * size, l * size, size);
      covariance.set(values, (j * pairs.length + p) * size);
      if (k === l) variances.set(values, k * size);
    });
    const std = withoutRoundOff(variances.map(Math.sqrt), problem.cells, SMALLEST_SPREAD);
    deviations.push(std);
    factors.push(correlationFactor(rows, std));
  }
  const exponents = totalDegree(1, DEGREE);
  const basis = nodes.map((node) => chebyshevProducts([node], exponents));
  return {
    standardisation: conditionalFrom(data, {
      affineIn: [...problem.affineIn],
      degree: DEGREE,
      mean: leastSquares(basis, values, width),
      nodes,
      covariance,
    }),
    covariance: ConditionalCovariance.fromNodes(problem, deviations, factors),
  };
}

/** Mean (responses, fields x cells) of the responses at some conditions, and rows of them less their mean. */
function responsesAt(
  problem: Problem,
  conditions: Float64Array,
  draws: number,
  random: Random,
): { mean: Float64Array; rows: Float64Array } {
  const { cells } = problem;
  const [count, size] = [problem.affineIn.length + 1, problem.fields.length * cells];
  const width = count * size;
  const latent = new Float64Array(draws * cells);
  problem.simulate(conditions, random, latent, new Float64Array(draws * size));
  const images = problem.mirror ? 2 : 1;
  const rows = new Float64Array(draws * images * width);
  for (let draw = 0; draw < draws; draw++) {
    const drawn = latent.subarray(draw * cells, (draw + 1) * cells);
    [drawn, ...(problem.mirror ? [problem.mirror(drawn)] : [])].forEach((field, m) => {
      problem
        .responses(field)
        .forEach((response, k) => rows.set(response, ((draw * images + m) * count + k) * size));
    });
  }
  // Round-off hides a spread of 1e-16 of the mean: the first row is taken off before anything is summed.
  const first = rows.slice(0, width);
  const mean = new Float64Array(width);
  for (let start = 0; start < rows.length; start += width) {
    for (let i = 0; i < width; i++) mean[i] += rows[start + i] -= first[i];
  }
  for (let i = 0; i < width; i++) mean[i] /= draws * images;
  for (let start = 0; start < rows.length; start += width) {
    for (let i = 0; i < width; i++) rows[start + i] -= mean[i];
  }
  return { mean: mean.map((value, i) => value + first[i]), rows };
}

/** Covariances of columns from `a` on with those from `b` on, `count` of them, of centred rows (rows, width). */
function covarianceOf(rows: Float64Array, width: number, a: number, b: number, count: number): Float64Array {
  const covariance = new Float64Array(count);
  for (let start = 0; start < rows.length; start += width) {
    for (let i = 0; i < count; i++) covariance[i] += rows[start + a + i] * rows[start + b + i];
  }
  return covariance.map((sum) => (sum * width) / rows.length);
}

/** Low-rank factor of the correlation of centred rows (rows, width), whose standard deviations are std. */
function correlationFactor(rows: Float64Array, std: Float64Array): Float32Array {
  const width = std.length;
  const count = rows.length / width;
  const unit = std.map((value) => (value > 0 ? 1 / (value * Math.sqrt(count)) : 0));
  const scaled = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += width) {
    for (let i = 0; i < width; i++) scaled[start + i] = rows[start + i] * unit[i];
  }
  return lowRank(scaled, width);
}
