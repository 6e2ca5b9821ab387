import type { DataSet } from "../data/dataset";
import {
  chebyshevProducts,
  conditionalFrom,
  leastSquares,
  pairsOf,
  type Standardisation,
  totalDegree,
  withoutRoundOff,
} from "../data/standardisation";
import type { Problem } from "../data/problem";
import { Random } from "../random";
import { tf } from "../tensorflow";
import { ConditionalCovariance, remainingCondition } from "./covariance";

/** Nodes, evenly over the range on its scale; covariances are interpolated linearly, which adds 0.3 % at most. */
const NODES = 17;
/** Degree of the means in the position of the remaining condition. */
const DEGREE = 8;
/** A response's cell whose spread is this much smaller than the response's largest is fixed up to round-off. */
const SMALLEST_SPREAD = 1e-9;
/** Latent fields that are solved for at a time. */
const CHUNK = 1000;
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
  data: DataSet,
  draws: number,
  seed: number,
): { standardisation: Standardisation; covariance: ConditionalCovariance } {
  const { problem } = data;
  const [count, size] = [problem.affineIn.length + 1, problem.fields.length * problem.cells];
  const width = count * size;
  const coordinate = remainingCondition(problem);
  const nodes = Array.from({ length: NODES }, (_, j) => -1 + (2 * j) / (NODES - 1));
  const means: Float64Array[] = [];
  const deviations: Float64Array[] = [];
  const correlations: tf.Tensor2D[] = [];
  for (const [j, node] of nodes.entries()) {
    const conditions = Float64Array.from(problem.conditions, ({ min, max, scale }, k) => {
      const share = k === coordinate ? (node + 1) / 2 : 0.5;
      return scale === "log" ? min * (max / min) ** share : min + (max - min) * share;
    });
    const { mean, std, correlation } = momentsAt(problem, conditions, draws, new Random(seed, STREAM, j));
    means.push(mean);
    deviations.push(std);
    correlations.push(correlation);
  }
  const exponents = totalDegree(1, DEGREE);
  const basis = nodes.map((node) => chebyshevProducts([node], exponents));
  const values = new Float64Array(NODES * width);
  means.forEach((mean, j) => values.set(mean, j * width));
  const pairs = pairsOf(count);
  const covariance = new Float64Array(NODES * pairs.length * size);
  correlations.forEach((correlation, j) => {
    const entries = correlation.dataSync();
    pairs.forEach(([k, l], p) => {
      for (let i = 0; i < size; i++) {
        const [a, b] = [k * size + i, l * size + i];
        covariance[(j * pairs.length + p) * size + i] =
          entries[a * width + b] * deviations[j][a] * deviations[j][b];
      }
    });
  });
  const result = {
    standardisation: conditionalFrom(data, {
      affineIn: [...problem.affineIn],
      degree: DEGREE,
      mean: leastSquares(basis, values, width),
      nodes,
      covariance,
    }),
    covariance: ConditionalCovariance.fromNodes(problem, deviations, correlations),
  };
  tf.dispose(correlations);
  return result;
}

/** Mean and standard deviation (responses, fields x cells) of the responses and their correlation [width, width]. */
function momentsAt(
  problem: Problem,
  conditions: Float64Array,
  draws: number,
  random: Random,
): { mean: Float64Array; std: Float64Array; correlation: tf.Tensor2D } {
  const { cells } = problem;
  const [count, size] = [problem.affineIn.length + 1, problem.fields.length * cells];
  const width = count * size;
  const mirrored = problem.mirror ? 2 : 1;
  // Round-off hides a spread of 1e-16 of the mean: the first row is taken off before anything is summed.
  const first = new Float64Array(width);
  const [sum, squares] = [new Float64Array(width), new Float64Array(width)];
  let products = tf.zeros([width, width]) as tf.Tensor2D;
  let unit: Float64Array | undefined;
  for (let done = 0; done < draws; done += CHUNK) {
    const rows = Math.min(CHUNK, draws - done);
    const latent = new Float64Array(rows * cells);
    problem.simulate(conditions, random, latent, new Float64Array(rows * size));
    const values = new Float64Array(rows * mirrored * width);
    for (let row = 0; row < rows; row++) {
      const drawn = latent.subarray(row * cells, (row + 1) * cells);
      [drawn, ...(problem.mirror ? [problem.mirror(drawn)] : [])].forEach((field, m) => {
        problem
          .responses(field)
          .forEach((response, k) => values.set(response, ((row * mirrored + m) * count + k) * size));
      });
    }
    if (done === 0) first.set(values.subarray(0, width));
    for (let i = 0; i < values.length; i++) {
      const x = i % width;
      values[i] -= first[x];
      sum[x] += values[i];
      squares[x] += values[i] ** 2;
    }
    const total = (done + rows) * mirrored;
    unit ??= spread(problem, sum, squares, total).map((std) => (std > 0 ? 1 / std : 0));
    const scaled = Float32Array.from(values, (value, i) => value * unit![i % width]);
    const next = tf.tidy(() => {
      const part = tf.tensor2d(scaled, [rows * mirrored, width]);
      return products.add(tf.matMul(part, part, true, false)) as tf.Tensor2D;
    });
    products.dispose();
    products = next;
  }
  const total = draws * mirrored;
  const std = spread(problem, sum, squares, total);
  const correlation = tf.tidy(() => {
    const offset = tf.tensor1d(Float32Array.from(sum, (value, i) => (value / total) * unit![i]));
    const gain = tf.tensor1d(Float32Array.from(std, (value, i) => (value > 0 ? 1 / (value * unit![i]) : 0)));
    const centred = products.div(total).sub(tf.outerProduct(offset, offset));
    return centred.mul(gain).mul(gain.expandDims(1)) as tf.Tensor2D;
  });
  products.dispose();
  return { mean: first.map((value, i) => value + sum[i] / total), std, correlation };
}

/** Standard deviations from sums over `total` rows, 0 where only round-off moves a value. */
function spread(problem: Problem, sum: Float64Array, squares: Float64Array, total: number): Float64Array {
  const std = squares.map((value, i) => Math.sqrt(Math.max(0, value / total - (sum[i] / total) ** 2)));
  return withoutRoundOff(std, problem.cells, SMALLEST_SPREAD);
}
