import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "../lib/backend/tensors";
import { CouplingFlow, DenseNetwork, evenNormals } from "../lib/gallery/couplingFlow";
import { finish } from "../lib/backend/interrupt";
import { descent } from "../lib/gallery/descent";
import { loss } from "../lib/gallery/driftLearning";
import * as likelihood from "../lib/gallery/pathLikelihood";
import * as method from "../lib/gallery/multiscale-flows/method";
import * as systems from "../lib/gallery/multiscale-flows/system";
import { Random } from "../lib/random";

const near = (found: number, expected: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${what}: ${found} and not ${expected}`);

/** Weights of a flow that is far from the identity. */
function wildWeights(flow: CouplingFlow, size = 0.3): Float32Array {
  const random = new Random(5);
  return flow.start(random).map((w) => w + size * random.normal());
}

test("a flow's inverse undoes it, and its log determinant is that of its Jacobian by differences", () => {
  for (const dimension of [2, 3, 10]) {
    const flow = new CouplingFlow(dimension, { couplings: 6, hidden: 8 });
    const weights = tf.tensor1d(wildWeights(flow));
    const xi = tf.tensor2d(evenNormals(5, dimension, new Random(1)), [5, dimension]);
    const { y, logDet } = flow.forward(weights, xi);
    const back = flow.inverse(weights, y);
    near(back.xi.sub(xi).abs().max().dataSync()[0], 0, 1e-4, "inverse");
    near(back.logDet.sub(logDet).abs().max().dataSync()[0], 0, 1e-4, "its log determinant");
    // Columns of the Jacobian at the first point by central differences.
    const h = 0.01;
    const columns = Array.from({ length: dimension }, (_, j) => {
      const step = tf.oneHot([j], dimension).mul(h) as typeof xi;
      const [up, down] = [1, -1].map((sign) =>
        flow.forward(weights, xi.slice([0, 0], [1, -1]).add(step.mul(sign))).y.dataSync(),
      );
      return Array.from(up, (value, i) => (value - down[i]) / (2 * h));
    });
    near(logDet.dataSync()[0], Math.log(Math.abs(determinant(columns))), 0.01, "log determinant");
  }
});

function determinant(rows: number[][]): number {
  if (rows.length === 1) return rows[0][0];
  const pivot = rows.reduce((best, row, i) => (Math.abs(row[0]) > Math.abs(rows[best][0]) ? i : best), 0);
  const rest = rows.filter((_, i) => i !== pivot);
  const reduced = rest.map((row) =>
    row.slice(1).map((v, j) => v - (row[0] / rows[pivot][0]) * rows[pivot][j + 1]),
  );
  return (pivot % 2 === 0 ? 1 : -1) * rows[pivot][0] * determinant(reduced);
}

test("a flow's density integrates to one", () => {
  const flow = new CouplingFlow(2, { couplings: 4, hidden: 8 });
  const weights = tf.tensor1d(wildWeights(flow, 0.15));
  const side = 400;
  const grid = Float32Array.from({ length: 2 * side * side }, (_, k) => {
    const at = k % 2 === 0 ? (k >> 1) % side : Math.floor((k >> 1) / side);
    return 40 * ((at + 0.5) / side - 0.5);
  });
  const { xi, logDet } = flow.inverse(weights, tf.tensor2d(grid, [side * side, 2]));
  const density = tf.exp(xi.square().sum(1).mul(-0.5).sub(logDet)).div(2 * Math.PI);
  near(density.sum().dataSync()[0] * (40 / side) ** 2, 1, 0.02, "integral");
});

test("even normal draws are unbiased and better than independent ones", () => {
  const error = (draws: (seed: number) => ArrayLike<number>) => {
    const off = Array.from({ length: 40 }, (_, seed) => {
      const xi = draws(seed);
      return (
        Array.from({ length: 128 }, (_, k) => Math.cos(xi[2 * k])).reduce((a, b) => a + b, 0) / 128 -
        Math.exp(-0.5)
      );
    });
    const mean = off.reduce((a, b) => a + b, 0) / 40;
    return { mean, deviation: Math.sqrt(off.reduce((sum, v) => sum + v * v, 0) / 40) };
  };
  const even = error((seed) => evenNormals(128, 2, new Random(seed)));
  const independent = error((seed) => new Random(seed).fillNormal(new Float64Array(256)));
  near(even.mean, 0, 4 * (even.deviation / Math.sqrt(40)), "bias");
  assert.ok(even.deviation < 0.4 * independent.deviation, `${even.deviation} and ${independent.deviation}`);
  const odd = evenNormals(4096, 3, new Random(1));
  for (const i of [0, 1, 2]) {
    const own = Array.from({ length: 4096 }, (_, k) => odd[3 * k + i]);
    near(own.reduce((a, b) => a + b * b, 0) / 4096, 1, 0.02, `variance of coordinate ${i}`);
  }
});

test("descent finds a minimum, step by step with the same losses for the same seed", () => {
  const target = tf.tensor1d([1, -2, 3]);
  const settings = { steps: 300, rate: 0.1 };
  const run = () => [
    ...descent(
      (w, { aim }) => w.sub(aim).square().sum(),
      new Float32Array(3),
      { aim: target },
      () => ({}),
      settings,
    ),
  ];
  const { numTensors } = tf.memory();
  const first = run();
  assert.equal(tf.memory().numTensors, numTensors);
  assert.ok(first[299] < 1e-4, `${first[299]}`);
  assert.deepEqual(run(), first);
});

test("the wave: quadrature, its derivative in time, and the law of a simulated path", () => {
  near(
    systems.fastAverage(() => 1),
    1,
    1e-12,
    "mass",
  );
  near(
    systems.fastAverage((y) => y * y),
    0.8405,
    1e-4,
    "E y^2",
  ); // an independent program's
  // E[(Y^3 - Y) Y] = tau, since d/dt E Y^2 = 0.
  near(
    systems.fastAverage((y) => y ** 4 - y ** 2),
    systems.wave.tau,
    1e-10,
    "virial",
  );
  near(systems.waveDrift(0), systems.wave.amplitude, 1e-12, "drift at 0");
  const path = systems.simulateWave({ endTime: 60 }, 3);
  assert.equal(path.x.length, 6001);
  const data = likelihood.increments(path);
  near(data.variance, systems.wave.s ** 2, 0.15, "s^2");
  const quiet = likelihood.linearPosterior(likelihood.increments(path, undefined, true), (x) => [
    -x,
    systems.waveAverage(x),
  ]);
  near(quiet.mean[0], 0.5, 0.03, "lambda without noise");
  near(quiet.mean[1], 2, 0.15, "amplitude without noise");
  assert.throws(() => systems.simulateWave({ endTime: 0 }, 1), /end time is 0/);
});

test("the tagged particle's path regresses to its averaged drift", () => {
  const path = systems.simulateParticle({ endTime: 60 }, 2);
  const quiet = likelihood.linearPosterior(likelihood.increments(path, undefined, true), (x) => [1, x]);
  near(quiet.mean[0], systems.particleDrift(0), 0.03, "at 0");
  near(quiet.mean[1], systems.particleDrift(1) - systems.particleDrift(0), 0.03, "slope");
});

/** Increments without noise or binning error: those of the exact averaged drift. */
function exactIncrements(scale = 2000): likelihood.Increments {
  const x = Float64Array.from({ length: 200 }, (_, k) => -5 + k / 20);
  const count = x.map(
    (v) => ((scale / 0.01) * 0.05 * Math.exp(-0.5 * (v / 1.5) ** 2)) / (1.5 * Math.sqrt(2 * Math.PI)),
  );
  const sum = x.map((v, k) => 0.01 * count[k] * systems.waveDrift(v));
  return { interval: 0.01, x, count, sum, squares: 0, variance: 2.25 };
}

test("narrow bins lose nothing of the likelihood", () => {
  const path = systems.simulateWave({ endTime: 20 }, 4);
  const data = likelihood.increments(path);
  const b = (x: number) => 1.8 * systems.waveAverage(x) - 0.45 * x;
  const binned = likelihood.gain(data, data.x.map(b));
  let direct = 0;
  path.noise.forEach((_, i) => {
    direct += b(path.x[i]) * (path.x[i + 1] - path.x[i]) - 0.5 * 0.01 * b(path.x[i]) ** 2;
  });
  near(binned, direct / data.variance, 0.05, "gain in nats");
  assert.throws(() => likelihood.increments(path, 0), /width of the bins is 0/);
});

test("exact data give the coefficients back, and no law on the grid beats the best one", () => {
  const data = exactIncrements();
  const posterior = likelihood.linearPosterior(data, (x) => [-x, systems.waveAverage(x)]);
  near(posterior.mean[0], 0.5, 1e-9, "lambda");
  near(posterior.mean[1], 2, 1e-9, "amplitude");
  near(
    likelihood.fittedVariance(
      { ...data, squares: 2.25 * 0.01 * data.count.reduce((a, b) => a + b, 0) },
      data.x.map(() => 0),
    ),
    2.25,
    1e-9,
    "s^2",
  );
  const { mean, drift } = systems.gridFit(data);
  assert.ok(mean.every((w) => w >= 0));
  const best = likelihood.gain(data, drift);
  near(best, likelihood.gain(data, data.x.map(systems.waveDrift)), 0.02, "gain"); // on the grid almost as good
  // Karush, Kuhn and Tucker: along no admissible direction does the likelihood grow.
  const slope = (feature: (x: number) => number) =>
    data.sum.reduce(
      (all, own, k) => all + feature(data.x[k]) * (own - data.interval * data.count[k] * drift[k]),
      0,
    );
  for (let j = 0; j <= 60; j++) {
    const own = slope((x) => Math.cos(0.05 * j * x));
    assert.ok(own < 1e-5 && (mean[j + 1] === 0 || Math.abs(own) < 1e-5), `slope ${own} at ${j}`);
  }
});

test("two sets of draws make the squared drift unbiased, and one does not", () => {
  const [x, y] = [tf.tensor1d([0.5, 1.5, 3]), tf.tensor2d(evenNormals(4096, 2, new Random(1)), [4096, 2])];
  const theta = tf.tensor1d([0.5, 2]);
  const of = (rows: typeof y) => method.waveModel.average(x, rows, theta);
  const [zero, one] = [tf.zeros([3]), tf.ones([3])] as ReturnType<typeof of>[];
  const exact = loss(of(y), of(y), zero, one).dataSync()[0];
  const [single, double] = [1, 2].map((sets) => {
    let sum = 0;
    for (let k = 0; k < 700; k++) {
      const draw = (stream: number) =>
        tf.tensor2d(Float32Array.from(new Random(7, k, stream).fillNormal(new Float64Array(16))), [8, 2]);
      sum += tf.tidy(() => loss(of(draw(0)), of(draw(sets - 1)), zero, one).dataSync()[0]) / 700;
    }
    return sum;
  });
  assert.ok(single - exact > 0.2, `${single} and ${exact}`); // var cos / 8, three times, times 4 / 2
  near(double, exact, 0.1, "two sets");
});

test("the gradient of the flow's loss is that of differences", () => {
  const flow = new CouplingFlow(2, { couplings: 2, hidden: 4 });
  const [x, slopes, weights] = [[-1, 0.4, 2], [0.3, 1, -2], [1, 2, 1]].map((v) => tf.tensor1d(v)); // prettier-ignore
  const xi = tf.tensor2d(evenNormals(16, 2, new Random(2)), [16, 2]);
  const theta = tf.tensor1d([0.5, 2]);
  const value = (w: ReturnType<typeof tf.tensor1d>) => {
    const [a, b] = tf.split(flow.forward(w, xi).y, 2) as (typeof xi)[];
    return loss(
      method.waveModel.average(x, a, theta),
      method.waveModel.average(x, b, theta),
      slopes,
      weights,
    );
  };
  const start = wildWeights(flow);
  const slope = tf
    .grad((w) => value(w as never))(tf.tensor1d(start))
    .dataSync();
  for (const i of [0, 5, 13, flow.size - 4, flow.size - 2]) {
    const [up, down] = [0.01, -0.01].map(
      (h) => value(tf.tensor1d(start.map((w, k) => (k === i ? w + h : w)))).dataSync()[0],
    );
    near(slope[i], (up - down) / 0.02, 0.01 + 0.02 * Math.abs(slope[i]), `weight ${i}`);
  }
});

test("a flow learns the exact drift, and the second flow the closed form of the posterior", () => {
  const data = exactIncrements();
  const settings = { ...method.flowSettings, couplings: 4, hidden: 16, steps: 400 };
  const fitted = finish(method.fitFlow(method.waveModel, data, settings, 1));
  const error = likelihood.driftError(
    data,
    method.flowDrift(method.waveModel, fitted, data.x),
    systems.waveDrift,
  );
  assert.ok(error < 0.05, `error ${error}`);
  // One set of few draws: the bias makes it worse.
  const biased = finish(
    method.fitFlow(method.waveModel, data, { ...settings, draws: 4, steps: 200, oneSet: true }, 1),
  );
  const missed = likelihood.driftError(
    data,
    method.flowDrift(method.waveModel, biased, data.x),
    systems.waveDrift,
  );
  assert.ok(missed > error, `error ${missed} of one set, ${error} of two`);
  const features = [data.x.map((x) => -x), data.x.map(systems.waveAverage)];
  const exact = likelihood.linearPosterior(data, (x) => [-x, systems.waveAverage(x)]);
  const posterior = finish(method.fitPosterior(features, data, { ...method.flowSettings, steps: 600 }, 1));
  method.summary(method.drawsOf(posterior, 8192, 1), 2).forEach(({ mean, deviation }, i) => {
    const own = Math.sqrt(exact.covariance.get(i, i));
    near(mean, exact.mean[i], 0.3 * own, "mean");
    near(deviation, own, 0.15 * own, "deviation");
  });
});

test("a flow of ten dimensions finds the tagged particle's drift", () => {
  const data = likelihood.increments(systems.simulateParticle({ endTime: 60 }, 1));
  const settings = { ...method.flowSettings, couplings: 2, hidden: 8, steps: 200, draws: 64, penalty: 0.01 };
  const fitted = finish(method.fitFlow(method.particleModel, data, settings, 1));
  const drift = method.flowDrift(method.particleModel, fitted, data.x);
  near(drift[0] - systems.particleDrift(data.x[0]), 0, 0.45, "drift"); // 3 standard errors, s / sqrt(60)
});

test("networks start with unit variance", () => {
  const weights = new DenseNetwork([50, 100, 1]).start(new Random(1));
  const first = weights.subarray(0, 5000);
  near(first.reduce((sum, w) => sum + w * w, 0) / 5000, 1 / 50, 0.002, "variance");
});
