/** Moments of the responses as functions of the conditions, from new solutions of the problem. */
import { finish, type Stoppable } from "../backend/interrupt";
import { power } from "../backend/power";
import type { RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import type { Problem } from "../problem";
import { Random } from "../random";
import { streams } from "../backend/streams";
import { ConditionalStandardisation, PairCovariances } from "./conditionalStandardisation";
import { ConditionalCovariance, covarianceOf, type Moments, type NodeCovariance } from "./covariance";
import { chebyshevProducts, NormalEquations, totalDegree } from "./leastSquares";
import { evenNodes, NODES, remainingConditions } from "./nodes";

/** Degree of the means in the position of the remaining condition. */
const DEGREE = 8;
/** Latent fields that are drawn, or solved for, before the work may be stopped. */
const AT_ONCE = 256;

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
export function simulatedMoments(data: DataSet | RowSource, draws: number, seed: number): Moments {
  return finish(simulatingMoments(data, draws, seed));
}

/** The same, as work that can be stopped. */
export function* simulatingMoments(
  data: DataSet | RowSource,
  draws: number,
  seed: number,
): Stoppable<Moments> {
  const { problem } = data;
  const affineIn = [...problem.affineIn];
  const [coordinate] = remainingConditions(problem, affineIn);
  const [count, size] = [affineIn.length + 1, problem.fields.length * problem.cells];
  const width = count * size;
  const nodes = evenNodes(NODES);
  const exponents = totalDegree(1, DEGREE);
  const means = new NormalEquations(exponents.length, width);
  const pairs: Float64Array[] = [];
  const covariances: NodeCovariance[] = [];
  for (const [j, node] of nodes.entries()) {
    const conditions = Float64Array.from(problem.conditions, ({ min, max, scale }, k) => {
      const share = k === coordinate ? (node + 1) / 2 : 0.5;
      return scale === "log" ? min * power(max / min, share) : min + (max - min) * share;
    });
    const { mean, rows } = yield* responsesAt(
      problem,
      conditions,
      draws,
      new Random(seed, streams.moments, j),
    );
    means.add(chebyshevProducts([node], exponents), mean);
    const covariance = new PairCovariances(count, size);
    for (let start = 0; start < rows.length; start += width)
      covariance.add(rows.subarray(start, start + width), 1);
    pairs.push(covariance.average());
    yield;
    covariances.push(covarianceOf(problem, rows, new Float64Array(rows.length / width).fill(1)));
  }
  return {
    standardisation: ConditionalStandardisation.fromNodes(
      data,
      { affineIn, degree: DEGREE, nodes },
      means.solve(),
      pairs,
    ),
    covariance: ConditionalCovariance.fromNodes(problem, covariances),
  };
}

/** Mean (responses, fields x cells) of the responses at some conditions, and rows of them less their mean. */
function* responsesAt(
  problem: Problem,
  conditions: Float64Array,
  draws: number,
  random: Random,
): Stoppable<{ mean: Float64Array; rows: Float64Array }> {
  const { cells } = problem;
  const [count, size] = [problem.affineIn.length + 1, problem.fields.length * cells];
  const width = count * size;
  const latent = new Float64Array(draws * cells);
  for (let start = 0; start < draws; start += AT_ONCE) {
    const part = latent.subarray(start * cells, (start + AT_ONCE) * cells);
    problem.simulate(conditions, random, part, new Float64Array((part.length / cells) * size));
    yield;
  }
  const images = problem.mirror ? 2 : 1;
  const rows = new Float64Array(draws * images * width);
  for (let draw = 0; draw < draws; draw++) {
    if (draw % AT_ONCE === 0) yield;
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
