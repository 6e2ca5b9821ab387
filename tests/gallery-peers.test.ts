/** The gallery's references are those of independent programs, whose numbers gallery-peers.py has stored. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { lastOf } from "../lib/gallery/direct-matching/method";
import { bean, beanStart, gaussianProcessDrift } from "../lib/gallery/direct-matching/system";
import { densityMoments, fokkerPlanck } from "../lib/gallery/fokkerPlanck";
import { gridMoments, gridSmoother } from "../lib/gallery/gridSmoother";
import { kalmanFilter, kalmanSmoother } from "../lib/gallery/kalman";
import { fastAverage } from "../lib/gallery/multiscale-flows/system";
import { doubleWell, ornsteinUhlenbeck, scalarSde } from "../lib/gallery/variational-smoothing/system";

interface Peers {
  readonly results: readonly {
    readonly what: string;
    readonly peer: string;
    readonly value: number;
    readonly standardError: number;
  }[];
}

const { results } = JSON.parse(
  readFileSync(path.join(__dirname, "..", "data", "results", "gallery-peers.json"), "utf8"),
) as Peers;

/** Within three standard errors of the peer's, and what its steps and ours leave. */
function holds(what: string, ours: number, left: number): void {
  const { value, standardError, peer } = results.find((result) => result.what === what)!;
  const off = Math.abs(ours - value);
  assert.ok(off <= 3 * standardError + left, `${what}: ${ours}, and ${value} by ${peer}`);
}

test("Ornstein and Uhlenbeck's process: evidence and smoothing are those of dynamax", () => {
  const problem = ornsteinUhlenbeck();
  holds("OU: log p(y)", kalmanFilter(problem, problem.observations).logEvidence, 1e-6);
  for (const t of [0.5, 1.5, 2.5]) {
    const { mean, variance } = kalmanSmoother(problem, problem.observations, t);
    holds(`OU: mean at ${t}`, mean, 1e-6);
    holds(`OU: deviation at ${t}`, Math.sqrt(variance), 1e-6);
  }
});

test("double well: the grid's evidence and mean are those of particles", () => {
  const problem = doubleWell();
  const { logEvidence, centres, density } = gridSmoother(scalarSde(problem), problem.observations, {
    reach: 2.5,
    cells: 401,
    dt: 0.01,
  });
  holds("double well: log p(y)", logEvidence, 0.03); // their Euler steps of 0.005 in a steep drift
  holds("double well: mean at 1.5", gridMoments(centres, density(1.5)).mean, 0.01);
});

test("the bean's density on a grid and the wave's fast law are those of diffrax", () => {
  const grid = lastOf(fokkerPlanck(gaussianProcessDrift(bean()), beanStart, [1], { reach: 3, side: 121 }));
  const { mean, covariance } = densityMoments(grid);
  mean.forEach((value, i) => holds(`bean: mean ${i + 1}`, value, 0.003));
  for (const [i, j] of [[0, 0], [0, 1], [1, 1]]) holds(`bean: P${i + 1}${j + 1}`, covariance.get(i, j), 0.002); // prettier-ignore
  holds("wave: E y^2", fastAverage((y) => y * y), 0.002); // prettier-ignore
});
