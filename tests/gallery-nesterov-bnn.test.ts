import assert from "node:assert/strict";
import { test } from "node:test";
import { normal, tf } from "../lib/backend/tensors";
import { dormandPrince, heunEuler, solveOde } from "../lib/gallery/adaptiveRungeKutta";
import { gapRatio } from "../lib/gallery/nesterov-bnn/comparison";
import { digitSide, parseDigits } from "../lib/gallery/nesterov-bnn/digits";
import { cauchyBound } from "../lib/gallery/nesterov-bnn/exact";
import { accuracy, Learner, spread, training } from "../lib/gallery/nesterov-bnn/learner";
import { type Architecture, type Dynamics, scaling, SdeBnn } from "../lib/gallery/nesterov-bnn/method";
import * as system from "../lib/gallery/nesterov-bnn/system";
import { WeightProcess } from "../lib/gallery/nesterov-bnn/weightProcess";
import { Random } from "../lib/random";
import { nesterovSlope, pathDistance } from "../notebooks/support/gallery-5/exercises";

const near = (found: number, expected: number, tolerance: number, what = "") =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${what} ${found} and not ${expected}`);

const small = (dynamics: Dynamics): Architecture => ({
  dynamics,
  inputs: 2,
  outputs: 2,
  state: 3,
  encoder: false,
  hidden: [5, 4],
  activation: "elu",
  sigma: 0.3,
  control: 4,
});

test("adaptive pairs: error in proportion to the tolerance, all evaluations counted, bad input refused", () => {
  const oscillator = (_: number, y: Float64Array) => Float64Array.of(y[1], -y[0]);
  for (const pair of [heunEuler, dormandPrince]) {
    let calls = 0;
    const solve = (tolerance: number) =>
      solveOde((t, y) => (calls++, oscillator(t, y)), Float64Array.of(1, 0), {
        from: 0,
        to: 3,
        tolerance,
        pair,
      });
    const [rough, fine] = [solve(1e-3), solve(1e-5)];
    assert.equal(rough.evaluations + fine.evaluations, calls);
    const [e, f] = [rough, fine].map(({ y }) => Math.hypot(y[0] - Math.cos(3), y[1] + Math.sin(3)));
    assert.ok(e < 5e-3 && f < 1e-4 && f < e / 10, `${e} ${f}`);
    // A step of order p for the error has length tolerance^(1 / (p + 1)).
    const growth = fine.evaluations / rough.evaluations;
    near(Math.log(growth) / Math.log(100), 1 / (pair.order + 1), 0.12, "exponent");
  }
  const start = Float64Array.of(1);
  const growing = (tolerance: number) =>
    solveOde((_, y) => y.map((v) => v * v), start, { from: 0, to: 2, tolerance, pair: heunEuler });
  assert.throws(() => growing(1e-3), /cannot be followed beyond t = [01]\.\d*; give a larger tolerance/);
  assert.throws(() => growing(0), /tolerance is 0; give a positive number/);
});

test("the pairs' fixed steps have their orders", () => {
  for (const [pair, order] of [
    [heunEuler, 2],
    [dormandPrince, 5],
  ] as const) {
    const error = (h: number) => {
      const stages: number[] = []; // of y' = y from 1
      pair.matrix.forEach((row) => stages.push(1 + h * row.reduce((sum, a, j) => sum + a * stages[j], 0)));
      return Math.abs(1 + h * pair.weights.reduce((sum, b, j) => sum + b * stages[j], 0) - Math.exp(h));
    };
    near(Math.log2(error(0.1) / error(0.05)), order + 1, 0.2);
    near(
      pair.error.reduce((sum, e) => sum + e, 0),
      0,
      1e-15,
    );
  }
});

test("one weight: the exact evidence, and a trained bound close below it", () => {
  const { logEvidence, priorBound, size, deviation } = system.cauchyPosterior();
  near(logEvidence, -8.3331, 1e-4);
  near(size, 2.413, 1e-3);
  near(deviation, 2.863, 1e-3);
  const found = cauchyBound({ steps: 150, rate: 0.01, paths: 128, grid: 20, hidden: 16, seed: 1 }, 4000);
  assert.ok(found.bound < logEvidence + 0.02 && found.bound > logEvidence - 0.05, `${found.bound}`);
  near(found.weighted, logEvidence, 0.03);
  const prior = cauchyBound({ steps: 1, rate: 1e-9, paths: 8, grid: 20, hidden: 16, seed: 1 }, 4000);
  near(prior.bound, priorBound, 0.04, "without training");
  near(prior.weighted, logEvidence, 0.1);
});

test("paths of the weights: the prior's moments, and KL from the control that is there", () => {
  const process = new WeightProcess({ size: 3, rate: 1, sigma: 0.5, endTime: 1, hidden: 4 });
  const start = process.start(new Random(1));
  const noise = normal([100, 4000, 3], 7, 1);
  const w0 = tf.tensor1d([1, 0, -2]);
  const { states, kl } = process.paths(tf.tensor1d(start), w0, noise);
  assert.ok(kl.abs().max().dataSync()[0] === 0, "the prior is its own posterior");
  const { mean, variance } = tf.moments(states[100], 0);
  [1, 0, -2].forEach((w, i) => near(mean.dataSync()[i], w * Math.exp(-1), 0.02));
  variance.dataSync().forEach((v) => near(v, (0.25 * (1 - Math.exp(-2))) / 2, 0.008));
  // The last three parameters are the control's bias: a constant control u moves the mean and costs |u|^2 / 2.
  const pushed = Float32Array.from(start);
  pushed.set([1, -2, 0.5], pushed.length - 3);
  const moved = process.paths(tf.tensor1d(pushed), w0, noise);
  moved.kl.dataSync().forEach((value) => near(value, (1 + 4 + 0.25) / 2, 1e-4));
  near(moved.states[100].mean(0).dataSync()[1], 0.5 * -2 * (1 - Math.exp(-1)), 0.02);
  // E[prior / posterior density] = 1
  near(moved.logRatio.exp().mean().dataSync()[0], 1, 0.25);
});

test("Nesterov's equation: from rest, h'' + (3/t) h' = (1/4 - 3/(4 t^2)) h - k f", () => {
  const network = new SdeBnn(small("nesterov"));
  const random = new Random(3);
  const w = Float64Array.from({ length: network.process.options.size }, () => 0.5 * random.normal());
  const h0 = Float64Array.of(0.3, -1, 0.7);
  const { field, y0, from, last } = network.ode(h0, [w, w]);
  const at = (to: number) => {
    const { y } = solveOde(field, y0, { from, to, tolerance: 1e-12, pair: dormandPrince });
    return y.subarray(0, 3).map((x) => x * scaling(to));
  };
  const [t, d] = [1.6, 1e-3];
  const [before, h, after] = [at(t - d), at(t), at(t + d)];
  // f from the field itself: m' = -m - f at m = 0.
  const f = field(t, Float64Array.of(...h.map((v) => v / scaling(t)), 0, 0, 0)).subarray(3).map((v) => -v); // prettier-ignore
  h.forEach((value, i) => {
    const second = (after[i] - 2 * value + before[i]) / d ** 2;
    const first = (after[i] - before[i]) / (2 * d);
    near(
      second + (3 / t) * first,
      (0.25 - 0.75 / t ** 2) * value - scaling(t) * f[i],
      1e-4,
      `coordinate ${i}`,
    );
  });
  const early = at(1 + 1e-4);
  early.forEach((value, i) => near(value, h0[i], 1e-6, "at rest"));
  assert.deepEqual(last(Float64Array.of(1, 2, 3, 9, 9, 9)), Float64Array.of(1, 2, 3).map((x) => x * scaling(2))); // prettier-ignore
});

test("tensors and typed arrays solve the same equation, with all three dynamics", () => {
  for (const dynamics of ["plain", "nesterov", "bounded"] as const) {
    const network = new SdeBnn(small(dynamics));
    const vector = tf.tensor1d(network.start(new Random(5)));
    const { states } = network.weights(vector, normal([200, 2, network.process.options.size], 4, 1));
    const x = tf.tensor2d([0.3, -0.8, 1.2, 0.5], [2, 2]);
    const h0 = network.encode(vector, x);
    const fixed = network.forward(h0, states).dataSync();
    const numbers = states.map((own) => Float64Array.from(own.dataSync()));
    const { size } = network.process.options;
    [0, 1].forEach((path) => {
      const own = numbers.map((w) => w.subarray(path * size, (path + 1) * size));
      const { field, y0, from, to, last } = network.ode(Float64Array.from(h0.dataSync()), own);
      const { y } = solveOde(field, y0, { from, to, tolerance: 1e-8, pair: heunEuler });
      last(y).forEach((value, i) => near(fixed[path * 6 + i], value, 2e-4, dynamics));
    });
  }
});

test("the loss has the gradient that differences have", () => {
  const network = new SdeBnn({ ...small("nesterov"), activation: "tanh" });
  const start = network.start(new Random(2)).map((value, k) => value + 0.1 * Math.sin(k));
  const noise = normal([5, 2, network.process.options.size], 4, 2);
  const x = tf.tensor2d([0.3, -0.8], [1, 2]);
  const loss = (v: tf.Tensor) => {
    const { states, kl } = network.weights(v, noise);
    return network
      .decode(v, network.forward(network.encode(v, x), states))
      .square()
      .sum()
      .add(kl.mean());
  };
  const slope = tf
    .grad((v) => loss(v) as tf.Scalar)(tf.tensor1d(start))
    .dataSync();
  const { length } = start;
  for (const k of [0, 7, 40, 90, length - 40, length - 1]) {
    const at = (step: number) =>
      loss(tf.tensor1d(start.map((v, i) => (i === k ? v + step : v)))).dataSync()[0];
    near(slope[k], (at(0.01) - at(-0.01)) / 0.02, 0.02 * (1 + Math.abs(slope[k])), `parameter ${k}`);
  }
});

test("training separates the disk from the ring, repeats, and refuses a bad batch", () => {
  const run = (options: { skip?: number; counted?: boolean } = {}) => {
    const learner = new Learner({ ...small("nesterov"), hidden: [8], sigma: 0.1 }, 3);
    const settings = { ...training, grid: 5, batch: 60, epochs: 40, rate: 0.03, ...options };
    const history = Array.from(learner.train(system.rings(1), settings));
    const solved = learner.solve(system.rings(9), { paths: 2, grid: 10, tolerance: 1e-3, seed: 1 });
    learner.dispose();
    return { history, ...solved };
  };
  const before = tf.memory().numTensors;
  const { history, outputs, evaluations } = run();
  assert.equal(tf.memory().numTensors, before, "no tensor remains");
  assert.ok(history[39].loss < 0.7 * history[0].loss, JSON.stringify(history[39]));
  assert.ok(accuracy(outputs, system.rings(9), 2) > 0.75);
  assert.ok(evaluations > 4 && Number.isInteger(2 * evaluations));
  near(run().history[39].loss, history[39].loss, 1e-3);
  assert.notEqual(run({ skip: 5, counted: true }).history[39].loss, history[39].loss);
  const learner = new Learner(small("plain"), 1);
  assert.throws(
    () => [...learner.train(system.rings(1), { ...training, batch: 200, epochs: 1 })],
    /A batch has 200 examples; give a whole number from 1 to 120/,
  );
  learner.dispose();
});

test("data are what they are said to be", () => {
  const { x, y } = system.rings(4);
  y.forEach((label, k) => {
    const r = Math.hypot(x[2 * k], x[2 * k + 1]);
    assert.ok(label === 0 ? r <= 0.5 : r >= 0.85 && r <= 1);
  });
  const curve = system.curve(2);
  const residuals = curve.y.map((value, k) => value - Math.cos(4 * curve.x[k] + 4));
  near(Math.sqrt(residuals.reduce((sum, r) => sum + r * r, 0) / 40), system.curveNoise, 0.03);
  assert.ok(curve.x.every((v) => Math.abs(v) >= 0.5 && Math.abs(v) <= 1));
  const pictures = system.shapes(1, 8);
  assert.deepEqual(Array.from(pictures.y), [0, 1, 2, 3, 0, 1, 2, 3]);
  const middle = (k: number) => pictures.x[k * 144 + 5 * 12 + 5];
  assert.ok(middle(0) > 0.4 && middle(2) > 0.4, "filled");
  const one = system.chosen(pictures, [3]);
  assert.deepEqual([one.y[0], one.x.length], [3, 144]);
});

test("digits are read: means of 2 x 2 pixels, the class last", () => {
  const row = new Array<number>(784).fill(0);
  [row[0], row[1], row[28], row[29]] = [255, 255, 0, 0];
  const { x, y } = parseDigits([[...row, 7].join(), [...row.map(() => 255), 0].join()].join("\n"));
  assert.deepEqual([x.length, x[0], x[1], y[0], y[1]], [2 * digitSide ** 2, 0.5, 0, 7, 0]);
  near(x[digitSide ** 2 + 5], 1, 1e-12);
  assert.throws(() => parseDigits("1,2,3"), /Line 1 has 3 numbers; give mnist_5k.csv.gz/);
});

test("summaries: deviation over paths, the gap's ratio", () => {
  const { mean, deviation } = spread(Float64Array.of(1, 5, 3, 5), 2);
  assert.deepEqual([...mean, ...deviation], [2, 5, 1, 0]);
  const x = Float64Array.of(1, 4, 7);
  assert.deepEqual(gapRatio(x, Float64Array.of(0.1, 0.4, 0.1)).ratio, 4);
});

test("exercises are judged right, and their usual slips are told", () => {
  assert.equal(
    nesterovSlope.fault((t, x, m, f) => [m, -m - f(t ** -1.5 * Math.exp(t / 2) * x)]),
    undefined,
  );
  assert.match(String(nesterovSlope.fault((_, x, m, f) => [m, -m - f(x)])), /f sees h/);
  assert.match(String(nesterovSlope.fault((t, x, m, f) => [m, -m + f(scaling(t) * x)])), /sign of f/);
  assert.equal(
    pathDistance.fault((push, sigma, time) => (push ** 2 * time) / (2 * sigma ** 2)),
    undefined,
  );
  assert.match(String(pathDistance.fault((push, sigma, time) => (push ** 2 * time) / sigma ** 2)), /half/);
  assert.match(String(pathDistance.fault((push, _, time) => (push ** 2 * time) / 2)), /noise/);
});
