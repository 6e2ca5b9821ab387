import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "../lib/backend/tensors";
import { gridMoments, gridSmoother } from "../lib/gallery/gridSmoother";
import { backwardInformation, kalmanFilter, kalmanSmoother, likeliestTheta } from "../lib/gallery/kalman";
import { chainSamples, crankNicolson, effectiveSamples, resampled, timeGrid, uniqueAncestors } from "../lib/gallery/pathSmoothers"; // prettier-ignore
import { evidence, guide, meanAndDeviation, Smoother } from "../lib/gallery/variational-smoothing/method"; // prettier-ignore
import { doubleWell, ornsteinUhlenbeck, scalarSde } from "../lib/gallery/variational-smoothing/system";
import { Random } from "../lib/random";

const near = (found: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} and not ${expected}`);

test("the closed form has the numbers of an independent program, and the grid those of the closed form", () => {
  const problem = ornsteinUhlenbeck();
  const { observations } = problem;
  near(kalmanFilter(problem, observations).logEvidence, -6.349, 5e-5);
  near(likeliestTheta(problem), 0.853, 2e-3);
  near(kalmanFilter({ theta: likeliestTheta(problem), sigma: 1 }, observations).logEvidence, -6.3309, 5e-5);
  const grid = gridSmoother(scalarSde(problem), observations, { reach: 4, cells: 401, dt: 0.01 });
  near(grid.logEvidence, -6.349, 1e-3);
  for (const [t, mean, deviation] of [
    [0.5, 0.6612, 0.5741],
    [1.5, 0.3657, 0.4958],
    [2.5, -0.5129, 0.4957],
  ]) {
    const own = kalmanSmoother(problem, observations, t);
    near(own.mean, mean, 1e-4);
    near(Math.sqrt(own.variance), deviation, 1e-4);
    const onGrid = gridMoments(grid.centres, grid.density(t));
    near(onGrid.mean, mean, 1e-3);
    near(onGrid.deviation, deviation, 1e-3);
    const { precision, shift } = backwardInformation(problem, observations, t);
    for (const k of [150, 200, 250]) near(grid.score(t)[k], shift - precision * grid.centres[k], 0.01);
  }
});

test("the grid smoother converges in second order, and has the double well's numbers", () => {
  const problem = doubleWell();
  const at = [51, 102, 204].map((cells) =>
    gridSmoother(scalarSde(problem), problem.observations, { reach: 2.5, cells, dt: 0.5 / cells }),
  );
  const order = Math.log2((at[0].logEvidence - at[1].logEvidence) / (at[1].logEvidence - at[2].logEvidence));
  assert.ok(order > 1.7 && order < 2.3, `order ${order}`);
  near(at[2].logEvidence, -6.2392, 2e-3);
  near(gridMoments(at[2].centres, at[2].density(1.5)).mean, 0.069, 2e-3);
});

test("the guide jumps at an observation by the gradient of its log likelihood, and s by the same", () => {
  const problem = doubleWell();
  const smoother = new Smoother(problem, { paths: 8, perInterval: 10, width: 8, seed: 3 });
  const x = Float64Array.of(-1, 0.2, 1.3);
  const [before, after] = [smoother.score(2 - 1e-6, x), smoother.score(2, x)];
  x.forEach((value, i) => near(before[i] - after[i], (-0.9 - value) / 0.04, 2e-3));
  assert.deepEqual(guide(problem, 4).slope, 0);
  assert.deepEqual([...smoother.score(4, x)].map(Math.abs), [0, 0, 0]);
  smoother.dispose();
});

test("weights are unbiased for any score, and training brings the bound to the evidence", () => {
  const problem = ornsteinUhlenbeck();
  const smoother = new Smoother(problem, { paths: 128, perInterval: 20, width: 16, seed: 1 });
  const exact = kalmanFilter(problem, problem.observations).logEvidence;
  const sample = (perInterval: number) => smoother.sample([0.5], { count: 4, perInterval, seed: 5 });
  let before = NaN;
  let after = NaN;
  for (const { step, loss } of smoother.train({ steps: 120, rate: 0.01, reuse: 4, seed: 2 })) {
    if (step === 0) before = loss;
    after = loss;
  }
  assert.ok(after < 0.2 * before, `variance ${before}, then ${after}`);
  const { logWeights, states, times } = sample(40);
  const { bound, weighted } = evidence(logWeights);
  near(weighted, exact, 0.08); // Euler's bias and 512 weights
  near(bound, exact, 0.12);
  assert.ok(effectiveSamples(logWeights) > 0.7 * logWeights.length);
  const { mean, deviation } = meanAndDeviation(states[0]);
  const reference = kalmanSmoother(problem, problem.observations, times[0]);
  near(mean, reference.mean, 0.12);
  near(deviation / Math.sqrt(reference.variance), 1, 0.12);
  // EM's closed form: one round goes from theta = 1 towards the likeliest, 0.853.
  const theta = smoother.maximise(40, 4, 9);
  assert.ok(theta < 0.99 && theta > 0.8, `theta ${theta}`);
  smoother.dispose();
});

test("the same seed draws the same paths, and no path stays in memory", () => {
  const { numTensors: before } = tf.memory();
  const smoother = new Smoother(ornsteinUhlenbeck(2), { paths: 32, perInterval: 10, width: 8, seed: 1 });
  const draw = () => smoother.sample([0.5], { count: 2, perInterval: 10, seed: 7 });
  const first = draw();
  const { numTensors } = tf.memory();
  assert.deepEqual(draw(), first);
  assert.equal(tf.memory().numTensors, numTensors);
  for (const step of smoother.train({ steps: 2, rate: 0.01, reuse: 1, seed: 1 })) void step;
  smoother.score(1, Float64Array.of(0, 0));
  smoother.dispose();
  assert.equal(tf.memory().numTensors, before);
});

test("steps end at the observations, and are shortest before them", () => {
  const grid = timeGrid({ times: [1, 3], values: [[0], [0]], variance: 1 }, 10);
  near(grid[9].t + grid[9].dt, 1, 1e-12);
  near(grid[19].t + grid[19].dt, 3, 1e-12);
  grid.slice(1, 10).forEach(({ dt }, k) => assert.ok(dt < grid[k].dt));
});

test("effective samples of chains and weights, and Crank-Nicolson's moves keep the posterior", () => {
  const random = new Random(1);
  const white = random.fillNormal(new Float64Array(4000));
  near(chainSamples(white) / 4000, 1, 0.15);
  const ar = new Float64Array(20_000);
  for (let k = 1; k < ar.length; k++) ar[k] = 0.8 * ar[k - 1] + random.normal();
  near(chainSamples(ar) / ar.length, 0.2 / 1.8, 0.03); // (1 - rho) / (1 + rho)
  assert.equal(effectiveSamples([0, 0, 0, 0]), 4);
  assert.equal(effectiveSamples([0, -1000]), 1);
  assert.deepEqual([...resampled([0, -1000, 0, 0], 0.5)], [0, 2, 2, 3]);
  const problem = ornsteinUhlenbeck();
  const { mean, acceptance } = crankNicolson(problem, { iterations: 8000, perInterval: 20, seed: 1 });
  assert.ok(acceptance > 0.1 && acceptance < 0.5, `acceptance ${acceptance}`);
  near(mean, kalmanSmoother(problem, problem.observations, 1.5).mean, 0.15);
  const unique = [1, 8].map((d) => uniqueAncestors(ornsteinUhlenbeck(d), { particles: 500, perInterval: 20, seed: 1 })); // prettier-ignore
  assert.ok(unique[0] > 5 && unique[1] < unique[0], `ancestors ${unique}`);
});
