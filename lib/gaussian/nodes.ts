/** Nodes over the one condition in which a problem is not affine: where covariances are kept, and what lies between. */
import { normaliseCondition, type Problem } from "../problem";

/** Nodes; covariances are interpolated linearly between them, which adds 0.3 % at most. */
export const NODES = 17;
/** Nodes of covariances from data: their kernel average, as wide as the nodes are apart, adds more than that. */
export const DATA_NODES = 33;
/** Smaller weights of the kernel are left out. */
const SMALLEST_WEIGHT = 1e-6;

/** `count` nodes evenly over [-1, 1]; a single one stands for all of it. */
export function evenNodes(count: number): number[] {
  return count === 1 ? [0] : Array.from({ length: count }, (_, j) => -1 + (2 * j) / (count - 1));
}

/** The one or two of `count` nodes around a position in [-1, 1], each with its share; the shares add up to 1. */
export function around(position: number, count: number): [node: number, share: number][] {
  if (count === 1) return [[0, 1]];
  const at = ((Math.max(-1, Math.min(1, position)) + 1) * (count - 1)) / 2;
  const left = Math.floor(at);
  const shares: [number, number][] = [
    [left, left + 1 - at],
    [left + 1, at - left],
  ];
  return shares.filter(([, share]) => share > 0);
}

/** Weight of a row at some position in the average of each node: Gaussian, as wide as the nodes are apart. */
export function kernelWeights(position: number, nodes: readonly number[]): number[] {
  if (nodes.length === 1) return [1];
  const width = nodes[1] - nodes[0];
  return nodes.map((node) => {
    const weight = Math.exp(-0.5 * ((position - node) / width) ** 2);
    return weight < SMALLEST_WEIGHT ? 0 : weight;
  });
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
