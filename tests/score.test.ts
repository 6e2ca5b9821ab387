/** What the notebooks on scores and their learning rest on: forms of the reverse process, floors, bins, a small network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "../lib/backend/tensors";
import { columnMean, columnStd } from "../lib/comparison";
import { denoiserLoss } from "../notebooks/support/06/denoiserLoss";
import { nearestDistances } from "../lib/evaluation/empiricalScore";
import { gaussian, GaussianMixture } from "../lib/evaluation/gaussianMixture";
import { binnedMean, histogram } from "../lib/evaluation/histogram";
import { reverseForms, reverseSampler, reverseVariances, uniformGrid } from "../lib/evaluation/reverseForms";
import { threeClusters, twoPeaks } from "../lib/evaluation/toys";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { samplerByName } from "../lib/presets/samplers";
import { generateDataSet } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { sample } from "../lib/samplers";
import { vpSchedule } from "../lib/schedule";
import { ReverseForm } from "../lib/sde";
import { arraySpace } from "../lib/evaluation/forwardProcess";
import { globalStandardisation } from "../lib/standardisation";
import { standardised } from "../notebooks/support/04/standardised";
import { noiseError, noiseLossFloor } from "../notebooks/support/06/lossFloor";
import { PointNetwork } from "../lib/evaluation/pointNetwork";
import { pointTime, trainPoints } from "../lib/evaluation/trainPoints";
import { refused } from "./tiny";

const schedule = vpSchedule();

test("the right form of the reverse process is Euler-Maruyama's", () => {
  const mixture = threeClusters();
  const options = {
    schedule,
    space: arraySpace(1),
    denoise: mixture.denoiser(schedule),
    start: new Random(1).fillNormal(new Float64Array(20)),
    times: uniformGrid(schedule, 50),
  };
  const own = sample({ ...options, sampler: reverseSampler(reverseForms.sde) });
  const other = sample({ ...options, sampler: samplerByName("euler-maruyama") });
  own.forEach((value, i) => assert.ok(Math.abs(value - other[i]) < 1e-9, `${value} and ${other[i]}`)); // round-off
});

test("right forms keep the variance of Gaussian data, the blog's do not", () => {
  const alpha = schedule.alpha(1);
  const data = { mean: 0, variance: 0.25 };
  const end = (form: ReverseForm) =>
    reverseVariances(form, data, schedule, uniformGrid(schedule, 2000)).at(-1)!;
  // The error of 2000 steps of second order.
  assert.ok(Math.abs(end(reverseForms.sde) - 0.25) < 1e-3);
  assert.ok(Math.abs(end(reverseForms.ode) - 0.25) < 1e-3);
  // With half the score dV/da = (1 - 1/w) V + 1, by hand V = w (1 + integral of 1/w): w = 1/4 at the end, and
  // the integral of 1 / (1 - 3/4 e^-a) from 0 to A is ln((e^A - 3/4) / (1/4)).
  const byHand = 0.25 * (1 + Math.log((Math.exp(alpha) - 0.75) / 0.25));
  assert.ok(Math.abs(end(reverseForms.halfScore) - byHand) < 1e-2 * byHand);
  assert.ok(end(reverseForms.wrongSign) > 1e6);
});

test("the floor of the noise loss is that of a Gaussian, and the exact score's loss is at it", () => {
  const t = schedule.timeOf(0.7);
  const variances = [0.5, 0.08];
  const one = new GaussianMixture([gaussian(1, [0.3, -1], [[0.5, 0], [0, 0.08]])]); // prettier-ignore
  const expected = variances.reduce((sum, variance) => sum + variance / (variance + 0.49), 0) / 2;
  assert.ok(Math.abs(noiseLossFloor(one, schedule, t) - expected) < 1e-9); // the lattice is exact to round-off
  const toy = threeClusters();
  const rows = 20000;
  const clean = toy.sample(rows, new Random(1));
  const loss = denoiserLoss(
    toy.denoiser(schedule),
    schedule,
    clean,
    new Float64Array(rows).fill(t),
    new Random(2),
  );
  // The squared error of one row, summed over its 2 numbers, scatters by about 1.5: four standard errors of 20000.
  assert.ok(Math.abs(loss - 2 * noiseLossFloor(toy, schedule, t)) < 0.045);
  const draws = toy.marginal(schedule, t).sample(100, new Random(3));
  assert.equal(noiseError(toy.denoiser(schedule), toy, schedule, t, draws), 0);
  // D off by 0.1 in both coordinates: the noise is off by 0.1 / s in both.
  const shifted = (points: Float64Array, at: number) =>
    toy
      .denoiser(schedule)(points, at)
      .map((d) => d + 0.1);
  assert.ok(Math.abs(noiseError(shifted, toy, schedule, t, draws) - 0.01 / 0.49) < 1e-9);
});

test("the toys have mean about 0 and variance about 1", () => {
  for (const toy of [twoPeaks(), threeClusters()]) {
    const draws = toy.sample(20000, new Random(1));
    columnMean(draws, toy.dimension).forEach((mean) => assert.ok(Math.abs(mean) < 0.4, `${mean}`));
    columnStd(draws, toy.dimension).forEach((std) => assert.ok(std > 0.8 && std < 1.3, `${std}`));
  }
});

test("histograms integrate to the share inside, and bins hold means and their errors", () => {
  const values = Float64Array.of(-5, 0.1, 0.2, 0.9, 1);
  const { centres, density } = histogram(values, 0, 1, 2);
  assert.deepEqual([...centres], [0.25, 0.75]);
  assert.deepEqual(
    [...density].map((value) => Number(value.toFixed(12))),
    [0.8, 0.4],
  );
  const y = Float64Array.of(9, 1, 3, 7, 9);
  const { mean, error } = binnedMean(values, y, { low: 0, high: 1, bins: 2, least: 2 });
  assert.deepEqual([mean[0], mean[1]], [2, NaN]);
  assert.ok(Math.abs(error[0] - 1) < 1e-12); // 1 and 3: standard deviation sqrt(2), over sqrt(2)
  assert.throws(() => histogram(values, 1, 0, 2), /two rising numbers/);
});

test("the nearest distance is the smallest one", () => {
  const nearest = nearestDistances(Float64Array.of(0, 0, 3, 4), Float64Array.of(0, 1, 3, 4, 9, 9), 2);
  assert.deepEqual([...nearest], [1, 0]);
});

test("standardised fields have mean 0 and standard deviation 1", () => {
  const data = generateDataSet(porousElectrode("text"), { conditions: 10, fields: 3, seed: 1 });
  const fields = standardised(data, globalStandardisation(data));
  for (const field of [0, 1]) {
    const own = fields.filter((_, i) => Math.floor(i / 100) % 2 === field);
    assert.ok(Math.abs(columnMean(own, 1)[0]) < 1e-9);
    assert.ok(Math.abs(columnStd(own, 1)[0] - 1) < 1e-3); // n - 1 in place of n
  }
});

test("an untrained network guesses no noise, and a trained one comes near the exact score", async () => {
  const before = tf.memory().numTensors;
  const toy = threeClusters();
  const network = new PointNetwork(2, schedule, { width: 32, layers: 2, seed: 1 });
  const t = schedule.timeOf(1);
  const draws = toy.marginal(schedule, t).sample(500, new Random(2));
  const m = schedule.mean(t);
  network.denoise(draws, t).forEach((value, i) => assert.ok(Math.abs(value - draws[i] / m) < 1e-12));
  const untrained = noiseError(network.denoise, toy, schedule, t, draws);
  const options = { steps: 150, batch: 256, times: "log-noise-level", error: "noise", seed: 1 } as const;
  const losses: number[] = [];
  for await (const { loss } of trainPoints(network, toy.sample(500, new Random(3)), options))
    losses.push(loss);
  assert.equal(losses.length, 150);
  // Untrained it misses all that can be known, about 1.2; 150 steps reach below a tenth of it with room to spare.
  const error = noiseError(network.denoise, toy, schedule, t, draws);
  assert.ok(error < 0.25 * untrained, `${error} of ${untrained}`);
  const [score, denoised] = [network.score(draws, t), network.denoise(draws, t)];
  score.forEach((value, i) =>
    assert.ok(Math.abs(value - (m * denoised[i] - draws[i]) / schedule.std(t) ** 2) < 1e-9),
  );
  network.dispose();
  assert.equal(tf.memory().numTensors, before); // nothing is left
});

test("a training repeats, and refuses what it cannot do", async () => {
  const run = async (options: object) => {
    const network = new PointNetwork(2, schedule, { width: 8, layers: 1, seed: 1 });
    const given = { steps: 3, batch: 16, times: "uniform-time", error: "score", ...options } as const;
    const losses: number[] = [];
    for await (const { loss } of trainPoints(network, threeClusters().sample(20, new Random(1)), given))
      losses.push(loss);
    network.dispose();
    return losses;
  };
  const [first, again] = [await run({}), await run({})];
  again.forEach((loss, i) => assert.ok(Math.abs(loss / first[i] - 1) < 1e-5)); // threads may add in another order
  await refused(() => run({ steps: 0 }), /number of steps is 0/);
  await refused(() => run({ times: "often" }), /draw of times is "often"/);
  await refused(() => run({ error: "rms" }), /squared error is "rms"/);
});

test("times are drawn evenly in t or in the logarithm of the noise level", () => {
  const [first, middle] = [schedule.timeOf(0.01), pointTime(schedule, "log-noise-level", 0.5)];
  assert.ok(Math.abs(pointTime(schedule, "uniform-time", 0) - first) < 1e-12);
  assert.ok(Math.abs(pointTime(schedule, "uniform-time", 0.5) - (first + 1) / 2) < 1e-12);
  const geometric = Math.sqrt(0.01 * schedule.noiseLevel(1)); // the end comes before the largest level
  assert.ok(Math.abs(schedule.noiseLevel(middle) / geometric - 1) < 1e-9);
});
