/** What looks inside models and samplers, against closed forms. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "../lib/backend/tensors";
import { denoiserLoss } from "../notebooks/support/06/denoiserLoss";
import { gaussianDenoiser, marginalGaussian, sampledGaussian } from "../lib/evaluation/gaussianSampling";
import { filmNetwork } from "../lib/filmCnn";
import { karrasGrid } from "../lib/gaussian/odeSamplers";
import { denoisedWeight } from "../lib/evaluation/lossWeights";
import { createModel } from "../lib/presets/createModel";
import { presets } from "../lib/presets/presets";
import { samplerByName, samplers } from "../lib/presets/samplers";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { quadraticGrid, sample } from "../lib/samplers";
import { uniformGrid } from "../lib/evaluation/reverseForms";
import { vpSchedule } from "../lib/schedule";
import { arraySpace } from "../lib/evaluation/forwardProcess";
import { sampleFields } from "../lib/storage/samplingRun";
import { conditionalSpread } from "../notebooks/support/07/conditionalSpread";
import { denoisingProfile } from "../notebooks/support/07/denoisingProfile";
import { filmStates } from "../notebooks/support/07/filmStates";
import { recordLayer } from "../notebooks/support/07/recordLayer";
import { denoisedFields } from "../notebooks/support/08/denoisedFields";
import { linearLoss } from "../notebooks/support/08/linearLoss";
import { lossProfile } from "../notebooks/support/08/lossProfile";
import { samplingPath } from "../notebooks/support/09/samplingPath";
import { problem, refused, tinyData, tinyFilm, tinyPreset, tinyToken } from "./tiny";

const schedule = vpSchedule();
const condition = [1e-5, 0.1, 20];
const tinyRest = { ...presets.fast.model, network: tinyToken.network, momentDraws: 200 };

test("a recorded layer tells what it was given and returned, and works as before", async () => {
  const network = filmNetwork(
    { cells: 100, fields: 2, conditions: 3 },
    { blocks: 1, width: 4, filmWidth: 4 },
  );
  const inputs = [tf.ones([1, 100, 2]), tf.zeros([1, 3]), tf.fill([1, 1], 0.5)];
  const call = () => tf.tidy(() => (network.apply(inputs) as tf.Tensor).dataSync().slice());
  const before = call();
  const tensors = tf.memory().numTensors;
  const { inputs: given, output } = recordLayer(
    network,
    "block1_modulate1",
    () => void network.apply(inputs),
  );
  assert.equal(tf.memory().numTensors, tensors);
  assert.deepEqual([given[0].shape, given[1].shape, output.shape], [[1, 100, 4], [1, 8], [1, 100, 4]]); // prettier-ignore
  const [gamma, beta] = [given[1].values.slice(0, 4), given[1].values.slice(4)];
  output.values.forEach((value, i) => {
    const f = given[0].values[i] * (1 + gamma[i % 4]) + beta[i % 4];
    // FiLM with its activation; single precision of numbers of order 1.
    assert.ok(Math.abs(value - f / (1 + Math.exp(-f))) < 1e-5);
  });
  assert.deepEqual(call(), before);
  await refused(() => recordLayer(network, "nowhere", call), /no layer "nowhere"/);
  await refused(() => recordLayer(network, "lift", () => undefined), /not called/);
});

test("FiLM states: the feature map stands still, gain and shift follow what the network is told", () => {
  const model = createModel(tinyData(), tinyPreset(tinyToken));
  model.conditioningOf(Float64Array.from(condition)); // a model keeps what it knows of the last conditions
  const tensors = tf.memory().numTensors;
  const field = simulateAt(problem, condition, 1, 3);
  const told = [0.01, 1, 1].map((noiseLevel, k) => ({
    noiseLevel,
    conditions: Float64Array.from(k === 2 ? [2e-6, 0.1, 20] : condition),
  }));
  const [a, b, c] = filmStates(model, field, { layer: "block1_modulate1", noiseLevel: 0.3 }, told);
  assert.deepEqual(a.features, b.features);
  assert.notDeepEqual(a.gamma, b.gamma);
  assert.notDeepEqual(b.beta, c.beta);
  assert.deepEqual([a.positions, a.channels, a.gamma.length], [10, 8, 8]);
  assert.equal(tf.memory().numTensors, tensors);
});

test("the parts of a denoised field: an untrained network adds nothing, and the linear guess is the better one", async () => {
  const model = createModel(tinyData(), tinyPreset(tinyRest));
  const set = simulateAt(problem, condition, 100, 4);
  const levels = [0.01, 1, 30];
  const profile = denoisingProfile(model, set, levels);
  profile.forEach(({ denoised, beyond, error, noiseLevel }) => {
    // Products with the modes there and back: single precision of numbers of the size of the noise.
    assert.ok(beyond.linear < 2e-5 * (1 + noiseLevel), `${beyond.linear} at ${noiseLevel}`);
    assert.ok(Math.abs(beyond.nothing - denoised) === 0);
    assert.ok(Math.abs(error.network - error.linear) < 2e-5 * (1 + noiseLevel));
    // At little noise the 400 solutions behind this covariance are too few, at much noise both guesses are the mean.
    if (noiseLevel === 1) assert.ok(error.linear < 0.8 * error.scaled, "the covariance helps");
    // No guess that shrinks towards the mean is worse than the noise itself or than the mean, up to sampling error.
    assert.ok(error.scaled < 1.2 * Math.min(noiseLevel, 1));
  });
  await refused(() => denoisingProfile(model, tinyData(), levels), /40 conditions/);
});

test("denoised fields: with little noise the field itself", () => {
  const model = createModel(tinyData(), tinyPreset(tinyToken));
  const set = simulateAt(problem, condition, 2, 4);
  const [little, much] = denoisedFields(model, set, [1e-4, 10]);
  const std = model.standardisation.std(Float64Array.from(condition));
  const distance = (a: Float64Array, b: Float64Array) =>
    Math.max(...a.map((value, i) => (std[i % 200] > 0 ? Math.abs(value - b[i]) / std[i % 200] : 0)));
  // Four standard deviations of noise, and the single precision of what is standardised.
  assert.ok(distance(little.denoised.fields, set.fields) < 5e-4);
  assert.ok(distance(little.noisy.fields, set.fields) < 5e-4);
  assert.ok(distance(much.noisy.fields, set.fields) > 10);
});

test("the loss of an untrained network is the mean square of v, at every noise level", async () => {
  const model = createModel(tinyData(), tinyPreset(tinyToken));
  const set = simulateAt(problem, condition, 200, 5);
  const losses = lossProfile(model, set, [0.02, 1, 50]);
  // Mean square 1 in cells that vary; the spread of 200 correlated rows moves it by 1 / sqrt(2 x 200) x a few.
  for (const loss of losses) assert.ok(Math.abs(loss - 1) < 0.2, String(loss));
  assert.deepEqual(lossProfile(model, set, [0.02, 1, 50]), losses);
  await refused(() => lossProfile(model, tinyData(), [1]), /40 conditions/);
});

test("the loss of the best linear guess is that of a Gaussian's exact denoiser", () => {
  const [variances, s] = [[4, 0.3], 0.7];
  const t = schedule.timeOf(s);
  const n = 40_000;
  const random = new Random(6);
  const clean = random.fillNormal(new Float64Array(2 * n)).map((z, i) => Math.sqrt(variances[i % 2]) * z);
  const denoise = (x: Float64Array) =>
    x.map((value, i) => ((variances[i % 2] / (variances[i % 2] + s * s)) * value) / schedule.mean(t));
  const weight = (time: number) => denoisedWeight("v", schedule, time);
  const loss = denoiserLoss(denoise, schedule, clean, new Float64Array(n).fill(t), random, weight) / 2;
  // Mean of 80,000 squares of Gaussians: 1 / sqrt(40,000) = 0.5 %; four times that.
  assert.ok(Math.abs(loss / linearLoss(variances, s) - 1) < 0.02, `${loss} ${linearLoss(variances, s)}`);
});

test("the law of a sampler is that of its draws", () => {
  const data = { mean: 0.7, variance: 0.25 };
  const n = 40_000;
  for (const sampler of samplers) {
    const times = sampler.grid(schedule, 12);
    const law = sampledGaussian(sampler, schedule, times, data);
    const first = marginalGaussian(data, schedule, times[0]);
    const space = arraySpace(8);
    const start = space.normal(new Float64Array(n), 0).map((z) => first.mean + Math.sqrt(first.variance) * z);
    const denoise = gaussianDenoiser(data, schedule);
    const combine = (terms: ReadonlyArray<readonly [(variance: number) => number, Float64Array]>) =>
      space.combine(terms.map(([coefficient, x]) => [coefficient(data.variance), x] as const));
    const x = sample({ sampler, schedule, times, denoise, space, combineModes: combine, start });
    const mean = x.reduce((sum, value) => sum + value, 0) / n;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
    // Four standard errors of a Gaussian's mean and variance.
    assert.ok(Math.abs(mean - law.mean) < 4 * Math.sqrt(law.variance / n), sampler.name);
    assert.ok(Math.abs(variance / law.variance - 1) < 4 * Math.sqrt(2 / n), sampler.name);
  }
});

test("the law of the data is a fixed point of many steps, at each sampler's weak order", () => {
  const data = { mean: 0, variance: 0.25 };
  const orders: [string, number, (steps: number) => Float64Array][] = [
    ["euler-maruyama", 1, (n) => uniformGrid(schedule, n)],
    ["stochastic-heun", 2, (n) => quadraticGrid(schedule, n)],
    ["pf-ode-heun", 2, (n) => karrasGrid(schedule, n)],
    ["dpm-solver++2m", 2, (n) => karrasGrid(schedule, n)],
  ];
  for (const [name, order, grid] of orders) {
    const error = (n: number) => {
      const times = grid(n);
      const exact = marginalGaussian(data, schedule, times[n]).variance;
      return Math.abs(sampledGaussian(samplerByName(name), schedule, times, data).variance - exact);
    };
    const observed = Math.log2(error(160) / error(320));
    assert.ok(Math.abs(observed - order) < 0.3, `${name}: ${observed}`); // the next order's term is still there
  }
  const times = karrasGrid(schedule, 3);
  const { variance } = sampledGaussian(samplerByName("gaussian-exact-2m"), schedule, times, data);
  assert.ok(Math.abs(variance - data.variance) < 1e-14);
});

test("a sampling path ends on the fields that sampling returns", async () => {
  for (const settings of [tinyToken, tinyFilm]) {
    const model = createModel(tinyData(), tinyPreset(settings));
    const options = { count: 3, steps: 4, seed: 9 };
    model.conditioningOf(Float64Array.from(condition));
    const tensors = tf.memory().numTensors;
    const path = samplingPath(model, condition, options);
    assert.equal(tf.memory().numTensors, tensors);
    assert.deepEqual(path.map(({ step }) => step), [0, 1, 2, 3, 4]); // prettier-ignore
    path.slice(1).forEach(({ noiseLevel }, k) => assert.ok(noiseLevel < path[k].noiseLevel));
    assert.equal(path[4].noiseLevel, 0);
    assert.deepEqual(path[4].fields.fields, (await sampleFields(model, condition, options)).fields);
  }
});

test("the spread within a condition: all of the scale for one condition, none for equal rows", () => {
  const one = simulateAt(problem, condition, 50, 3);
  const cells = problem.cells;
  const flat = { ...one, fields: one.fields.map((_, i) => (i < 25 * 2 * cells ? 1 : 3)) };
  const halves = flat.conditions.map((value, i) => (i < 75 ? value : value + (i % 3 === 1 ? 0.05 : 0)));
  const spreads = conditionalSpread({ ...flat, conditions: halves });
  assert.deepEqual(spreads.map(({ shares }) => [...shares]), [[0, 0], [0, 0]]); // prettier-ignore
  // One condition: the spread of cells about their own means, a part of the scale of all values.
  const [{ shares }] = conditionalSpread(one);
  assert.ok(shares.every((share) => share > 0 && share < 1));
  assert.equal(conditionalSpread(generateDataSet(problem, { conditions: 7, fields: 3, seed: 1 })).length, 7);
});
