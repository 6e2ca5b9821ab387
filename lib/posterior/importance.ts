import { CholeskyDecomposition, Matrix, solve } from "ml-matrix";
import { Random } from "../random";
import { logLikelihoods, type LinearObservation, observed } from "./observation";
import { effectiveNumber, normalised } from "./resampling";
import type { Simulator } from "./simulator";

/** Fields with weights: their means tend to those of the posterior. */
export interface WeightedFields {
  /** (rows, size) */
  readonly fields: Float64Array;
  /** (rows), which sum to one */
  readonly weights: Float64Array;
  readonly effective: number;
}

/** Weights of fields (rows, size) that were drawn from the prior: N(y; A u, 1). */
export function weightedByData(observation: LinearObservation, fields: Float64Array): WeightedFields {
  const weights = normalised(logLikelihoods(observation, fields));
  return { fields, weights, effective: effectiveNumber(weights) };
}

/** Rounds of Gauss and Newton's method, and step of its differences. */
const ROUNDS = 6;
const STEP = 1e-4;
/** The proposal believes the sensors half as much as they deserve: its tails are then no thinner than the posterior's. */
const WIDER = 2;

/**
 * Importance sampling with the solver where draws from the prior hardly ever fit the sensors: the proposal is the posterior of
 * the white noise z if the sensors were linear in it around the most probable z*, found by Gauss and Newton's method,
 *
 *     q = N(z*, (1 + J^T J / 2)^-1),   weight = N(y; A u(z), 1) N(z; 0, 1) / q(z),   J = d(A u)/dz at z*.
 *
 * Exact as the number of solves grows. Yields solves done; `columns` (rows, extra) holds what `extra` tells of each solve.
 * Source: Gelman et al. 2013, "Bayesian data analysis", sections 10.4 and 13.3; Chorin & Tu 2009.
 */
export function* linearisedImportance(
  simulator: Simulator,
  observation: LinearObservation,
  rows: number,
  seed: number,
  kept: Float64Array = new Float64Array(simulator.size),
): Generator<number, WeightedFields & { readonly solves: Float64Array }, void> {
  const { noise: n, size } = simulator;
  const m = observation.values.length;
  const fields = new Float64Array(size);
  const seenAt = (z: Float64Array): Float64Array => {
    simulator.solve(z, fields);
    return observed(observation, fields);
  };
  let centre: Float64Array = new Float64Array(n);
  const jacobian = new Matrix(m, n);
  let misfit = Infinity;
  for (let round = 0; ; round++) {
    const seen = seenAt(centre);
    const cost = objective(centre, seen, observation.values);
    for (let i = 0; i < n; i++) {
      const moved = centre.slice();
      moved[i] += STEP;
      const there = seenAt(moved);
      for (let j = 0; j < m; j++) jacobian.set(j, i, (there[j] - seen[j]) / STEP);
    }
    if (round === ROUNDS || Math.abs(misfit - cost) < 1e-3) break;
    misfit = cost;
    // z = J^T (1 + J J^T)^-1 (y - seen + J z), halved until it helps.
    const right = jacobian.mmul(Matrix.columnVector(Array.from(centre)));
    for (let j = 0; j < m; j++) right.set(j, 0, right.get(j, 0) + observation.values[j] - seen[j]);
    const system = jacobian.mmul(jacobian.transpose()).add(Matrix.eye(m));
    const target = jacobian.transpose().mmul(solve(system, right)).to1DArray();
    const from = centre;
    for (let share = 1; share > 0.01; share /= 2) {
      centre = from.map((value, i) => value + share * (target[i] - value));
      if (objective(centre, seenAt(centre), observation.values) <= cost) break;
    }
  }
  // Matheron's rule for the proposal: z = z* + p - G (J p + sqrt(2) e).
  const spread = jacobian.mmul(jacobian.transpose()).add(Matrix.eye(m).mul(WIDER));
  const gain = jacobian.transpose().mmul(new CholeskyDecomposition(spread).solve(Matrix.eye(m)));
  const [all, logWeights] = [new Float64Array(rows * size), new Float64Array(rows)];
  const solves = new Float64Array(rows * kept.length);
  const random = new Random(seed);
  const drawn = new Float64Array(n);
  for (let row = 0; row < rows; row++) {
    random.fillNormal(drawn);
    const shift = jacobian.mmul(Matrix.columnVector(Array.from(drawn)));
    for (let j = 0; j < m; j++) shift.set(j, 0, shift.get(j, 0) + Math.sqrt(WIDER) * random.normal());
    const back = gain.mmul(shift);
    const from = drawn.map((value, i) => value - back.get(i, 0));
    const z = from.map((value, i) => value + centre[i]);
    const slope = jacobian.mmul(Matrix.columnVector(Array.from(from)));
    let logProposal = 0;
    for (let i = 0; i < n; i++) logProposal -= 0.5 * from[i] ** 2;
    for (let j = 0; j < m; j++) logProposal -= (0.5 / WIDER) * slope.get(j, 0) ** 2;
    logWeights[row] = -objective(z, seenAt(z), observation.values) - logProposal;
    all.set(fields, row * size);
    solves.set(kept, row * kept.length);
    if (row % 100 === 99) yield row + 1;
  }
  const weights = normalised(logWeights);
  return { fields: all, weights, effective: effectiveNumber(weights), solves };
}

/** -log of prior times likelihood, less constants. */
function objective(z: Float64Array, seen: Float64Array, values: Float64Array): number {
  let sum = 0;
  for (const value of z) sum += 0.5 * value * value;
  values.forEach((value, j) => (sum += 0.5 * (value - seen[j]) ** 2));
  return sum;
}
