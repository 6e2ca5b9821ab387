/** The target "residual": conditional covariance, preconditioning mode by mode, and what follows for Gaussian data. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { normal, tf } from "../lib/backend/tensors";
import { columnMean, columnStd } from "../lib/comparison";
import { sliceRows } from "../lib/data/rows";
import type { DataSet } from "../lib/dataSet";
import { conditionalMoments } from "../lib/gaussian/conditionalMoments";
import { lowRank, type Modes } from "../lib/gaussian/covariance";
import { biasFrom, denoisedInModes, whitened } from "../lib/gaussian/drawing";
import { gaussianExact } from "../lib/gaussian/exactSampler";
import { dpmSolver2M } from "../lib/gaussian/odeSamplers";
import { gainsOf, type ModalPreconditioner, toCells, toModes } from "../lib/gaussian/preconditioner";
import { buildModel, createModel } from "../lib/presets/createModel";
import type { ModelSettings } from "../lib/presets/presets";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import type { Problem } from "../lib/problem";
import type { ScoreModel } from "../lib/scoreModel";
import { disposeSet, tensorSet } from "../lib/storage/batches";
import { loadModel, saveModel } from "../lib/storage/modelFolder";
import { sampleFields } from "../lib/storage/samplingRun";
import { trainModel } from "../lib/storage/trainingRun";
import { problem, refused, tinyPreset, tinyToken, tinyTraining } from "./tiny";

const settings: ModelSettings = {
  ...tinyToken,
  target: "residual",
  noiseLevels: { smallest: 0.002, largest: 60 },
};
const data = generateDataSet(problem, { conditions: 300, fields: 20, seed: 3 });
/** Taken once: half of what an untrained model takes. */
const moments = conditionalMoments(data);
const untrained = () => buildModel(problem, settings, moments);
const model = untrained();
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** Responses of rows, standardised as the model does, in its modes at conditions that all rows share: [rows, modes]. */
function inModes(from: ScoreModel, rows: DataSet): tf.Tensor2D {
  const set = tensorSet(from, rows);
  const z = tf.tidy(() => {
    const vectors = set.conditioning["vectors"].squeeze([0]) as tf.Tensor2D;
    return tf.matMul(set.fields.reshape([rows.rows, -1]) as tf.Tensor2D, vectors) as tf.Tensor2D;
  });
  disposeSet(set);
  return z;
}

/** Mean in standard deviations, and variance over the model's, of the strongest modes, strongest first. */
function againstModes(from: ScoreModel, rows: DataSet, count: number): { mean: number[]; ratio: number[] } {
  const modes = from.preconditioner.conditioning(rows.conditions.slice(0, problem.conditions.length));
  const [mean, ratio] = tf.tidy(() => {
    const z = inModes(from, rows);
    const l = modes["variances"].squeeze([0]);
    const centred = z.sub(z.mean(0, true));
    return [z.mean(0).div(l.sqrt()), centred.square().mean(0).div(l)].map((x) =>
      Array.from(x.dataSync()).reverse().slice(0, count),
    );
  });
  tf.dispose(Object.values(modes));
  return { mean, ratio };
}

test("moments: those of direct draws at conditions that are no nodes, from data or simulated", () => {
  const simulated = createModel(data, tinyPreset({ ...settings, momentDraws: 400 }));
  for (const values of [
    [1e-5, 0.05, 25],
    [4.3e-6, -0.15, 3],
  ]) {
    // prettier-ignore
    const drawn = simulateAt(problem, values, 4000, 11);
    // The draws' sampling error is 1.6 % of a standard deviation and 2.2 % of a variance. Data: some 300 rows a node (8 %
    // of a variance) of the kernel's width in length (some per cent of bias), and 2 % in the mean. Simulated: 800 rows a
    // node (5 %), in mirrored pairs, so that the mean is as good as from thousands. Three times all of it.
    for (const [from, meanLimit, low, high] of [
      [model, 0.1, 0.7, 1.4],
      [simulated, 0.06, 0.83, 1.2],
    ] as const) {
      const { mean, ratio } = againstModes(from, drawn, 5);
      for (let k = 0; k < 5; k++) {
        assert.ok(Math.abs(mean[k]) < meanLimit, `mean of mode ${k} at ${values}: ${mean[k]}`);
        assert.ok(ratio[k] > low && ratio[k] < high, `variance of mode ${k} at ${values}: ${ratio[k]}`);
      }
    }
  }
  simulated.dispose();
});

test("without affine conditions the covariance is that of all rows", () => {
  const bare: Problem = { ...problem, affineIn: [] };
  const rows = { ...data, problem: bare };
  const pooled = createModel(rows, tinyPreset(settings));
  assert.equal(pooled.channels, 2);
  const { mean, ratio } = againstModes(pooled, simulateAt(bare, [1e-5, 0.05, 25], 4000, 12), 3);
  // One covariance and means of low degree for all conditions: near the middle of the ranges right within a factor.
  for (let k = 0; k < 3; k++) {
    assert.ok(
      Math.abs(mean[k]) < 0.5 && ratio[k] > 0.4 && ratio[k] < 2.5,
      `mode ${k}: ${mean[k]} ${ratio[k]}`,
    );
  }
  pooled.dispose();
});

test("the modes are orthonormal, and the coefficients obey the identities of a linear estimate", () => {
  const conditions = Float64Array.of(1e-5, 0, 25, 3e-6, 0.1, 10);
  const modes = model.preconditioner.conditioning(conditions);
  const { variances, vectors } = modes as unknown as Modes;
  tf.tidy(() => {
    const product = tf.matMul(vectors, vectors, true, false).sub(tf.eye(256).expandDims(0));
    assert.ok(product.abs().max().dataSync()[0] < 1e-4); // 600 terms of float32
    const times = Float64Array.from([0.05, 0.4, 0.9, 0.2]);
    const { total, linear, error } = gainsOf(variances, model.levels(times), 2);
    const l = variances.expandDims(1);
    const level = tf.tensor3d(Array.from(times, (t) => model.schedule.noiseLevel(t)), [2, 2, 1]); // prettier-ignore
    const near = (a: tf.Tensor, b: tf.Tensor, name: string) =>
      // Relative, with some roundings of float32.
      assert.ok(a.sub(b).abs().div(b.abs()).max().dataSync()[0] < 1e-5, name);
    near(total.square(), l.add(level.square()), "variance of y");
    near(linear.mul(total.square()), l.mul(tf.onesLike(total)), "gain");
    near(error.square(), linear.mul(level.square()), "variance of the error");
  });
  tf.dispose(Object.values(modes));
});

test("a network of zeros samples the exact Gaussian: mean and variance of every mode of both fields", async () => {
  const conditions = Float64Array.of(1e-5, 0.1, 25);
  const rows = 2000;
  for (const sampler of [gaussianExact, dpmSolver2M]) {
    const drawn = await sampleFields(model, conditions, { count: rows, sampler, seed: 5 });
    // What the model's covariance says of the fields themselves, which are sums of responses.
    const std = model.standardisation.std(conditions);
    const [means, stds] = [columnMean(drawn.fields, 200), columnStd(drawn.fields, 200)];
    const mean = model.standardisation.mean(conditions);
    let worst = 0;
    for (let i = 0; i < 200; i++) {
      if (std[i] === 0) {
        assert.equal(means[i], mean[i]); // phi is grounded in its first cell, and stays so
        continue;
      }
      // Sampling error of a mean 1 / sqrt(2000) = 2.2 %, of a standard deviation 1 / sqrt(4000) = 1.6 %: four of them,
      // as neighbours vary together; 80 steps of the second sampler add up to 0.5 %.
      assert.ok(Math.abs(means[i] - mean[i]) < 0.09 * std[i], `mean of value ${i}`);
      assert.ok(Math.abs(stds[i] / std[i] - 1) < 0.07, `std of value ${i}: ${stds[i] / std[i]}`);
      worst = Math.max(worst, Math.abs(stds[i] / std[i] - 1));
    }
    assert.ok(worst > 0); // draws, not the Gaussian itself
  }
});

test("the bias of a network is measured and taken off: samples keep mean and spread", async () => {
  const biased = untrained();
  // A constant and a slope in the last layer: the network returns 0.3 and a share of what it sees everywhere.
  const last = biased.network.getLayer("project");
  const [kernel, bias] = last.getWeights();
  last.setWeights([normal(kernel.shape, 3).mul(0.02), tf.fill(bias.shape, 0.3)]);
  const conditions = Float64Array.of(1e-5, 0.1, 25);
  const preconditioner = biased.preconditioner as ModalPreconditioner;
  const modes = preconditioner.conditioning(conditions);
  const t = biased.schedule.timeOf(3);
  const shift = tf.tidy(() => {
    const { vectors, variances } = modes as unknown as Modes;
    const { total } = gainsOf(variances, biased.levels([t]), 1);
    const z = toModes(normal([1000, 100, biased.channels], 4), vectors).mul(total);
    const x = z.mul(biased.schedule.mean(t)) as tf.Tensor3D;
    const given = { x, ...biased.levels([t]), ...modes };
    const cells = toCells(x, vectors, [1000, 100, biased.channels]);
    const [raw, linear] = [biased, model].map((each) => toModes(each.denoise(cells, t, conditions), vectors)); // model: zeros
    const measured: ReturnType<typeof biasFrom>[] = [];
    const denoised = denoisedInModes(biased, preconditioner, given, (...parts) => {
      const bias = biasFrom(...parts);
      measured.push({ offset: tf.keep(bias.offset), slope: tf.keep(bias.slope) });
      return bias;
    });
    const again = denoisedInModes(biased, preconditioner, given, () => measured[0]);
    tf.dispose(measured.map(({ offset, slope }) => [offset, slope]));
    const distance = (a: tf.Tensor, b: tf.Tensor) => a.sub(b).mean(1).abs().max().dataSync()[0];
    return [distance(raw, linear), distance(denoised, linear), distance(again, denoised)];
  });
  tf.dispose(Object.values(modes));
  // Means over 1000 rows that are equal but for the order of sums.
  assert.ok(shift[0] > 0.05 && shift[1] < 1e-3 * shift[0] && shift[2] < 1e-4 * shift[0], `${shift}`);
  const drawn = await sampleFields(biased, conditions, { count: 1000, seed: 6 });
  const [mean, std] = [biased.standardisation.mean(conditions), biased.standardisation.std(conditions)];
  const middle = columnMean(drawn.fields, 200)[150];
  // Four standard errors of 1000 draws, and six for the ensemble.
  assert.ok(Math.abs(middle - mean[150]) < (10 / Math.sqrt(1000)) * std[150]);
  biased.dispose();
});

test("training in mirrored pairs stays of order 1, frees its memory, and its model survives saving", async () => {
  const trained = untrained();
  const tensors = tf.memory().numTensors;
  const training = { ...tinyTraining, rowsPerCondition: 4, mirrored: true };
  // The modes of each condition take a tenth of a second: 40 of them are enough to learn from.
  const some = sliceRows(data, 0, 800);
  let steps = 0;
  for await (const state of trainModel(trained, some, training, { steps: 60, validateEvery: 59 })) {
    // The zero network's loss is about 1; nothing may explode.
    assert.ok(state.loss > 0.5 && state.loss < 1.5, `loss ${state.loss} at step ${state.step}`);
    steps++;
  }
  assert.equal(steps, 60);
  assert.equal(tf.memory().numTensors, tensors);
  const folder = path.join(scratch, "model");
  await saveModel(trained, folder);
  const loaded = await loadModel(folder);
  const draw = (from: ScoreModel) => sampleFields(from, [1e-5, 0, 25], { count: 3, steps: 6, seed: 2 });
  const [first, again] = [await draw(trained), await draw(loaded)];
  // The same numbers but for the order of float32 sums, next to fields that vary by some hundred mol/m3.
  again.fields.forEach((value, i) => assert.ok(Math.abs(value - first.fields[i]) < 0.1, `value ${i}`));
  const file = path.join(folder, "covariance.bin");
  const bytes = fs.readFileSync(file);
  fs.writeFileSync(file, bytes.subarray(0, bytes.length - 4));
  await refused(() => loadModel(folder), /covariance has another size/);
  fs.rmSync(file);
  await refused(() => loadModel(folder), /no covariance\.bin/);
  trained.dispose();
  loaded.dispose();
});

test("data without latent fields are refused", async () => {
  const bare = { ...data, latent: undefined };
  await refused(() => createModel(bare, tinyPreset(settings)), /no latent field/);
  await refused(() => conditionalMoments(bare), /no latent field/);
});

test("low-rank factors: modes a thousand million times weaker than the strongest keep their variance and their smoothness", () => {
  // Cosines of variance 250 e^(-0.6 k), k below 36: from 250 down to 2e-7; single precision alone sees down to 1e-5.
  const [rows, size, count] = [2000, 120, 36];
  const modes = Array.from({ length: count }, (_, k) =>
    Float64Array.from({ length: size }, (_, i) => Math.cos((Math.PI * k * (i + 0.5)) / size)),
  );
  const amplitude = modes.map((mode, k) => Math.sqrt(250 * Math.exp(-0.6 * k)) / Math.hypot(...mode));
  const draws = normal([rows, count], 5, 1).dataSync();
  const values = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) {
      const sum = modes.reduce(
        (total, mode, k) => total + amplitude[k] * draws[row * count + k] * mode[i],
        0,
      );
      values[row * size + i] = sum / Math.sqrt(rows);
    }
  }
  const factor = lowRank(values, size);
  const rank = factor.length / size;
  // A share of 1e-9 is reached at k = 34 or so; what is weaker is left out.
  assert.ok(rank >= 32 && rank <= count, `${rank} modes`);
  for (let k = 0; k < 32; k++) {
    const row = factor.subarray((rank - 1 - k) * size, (rank - k) * size);
    const variance = row.reduce((sum, value) => sum + value * value, 0);
    // A variance of 2000 draws has a standard error of 3 %; neighbours that mix move it a little more.
    const ratio = variance / (250 * Math.exp(-0.6 * k));
    assert.ok(Math.abs(ratio - 1) < 0.15, `variance of mode ${k}: ${ratio}`);
    const differences = row.slice(2).map((value, i) => value - 2 * row[i + 1] + row[i]);
    const roughness = Math.hypot(...differences) / Math.sqrt(variance);
    // Second differences of a cosine are (pi k / size)^2 of it; what round-off adds would be of the order of 1.
    const exact = ((Math.PI * k) / size) ** 2;
    assert.ok(roughness < 1.5 * exact + 0.01, `roughness ${roughness} of mode ${k}, ${exact}`);
  }
});

test("whitened noise: covariance one in the strongest modes, exactly, and the others as they were", () => {
  const [rows, modes, strongest] = [125, 150, 96];
  const [covariance, others] = tf.tidy(() => {
    const noise = normal([1, rows, modes], 6, 2) as tf.Tensor3D;
    const z = whitened(noise, strongest).squeeze([0]) as tf.Tensor2D;
    const [weak, strong] = tf.split(z, [modes - strongest, strongest], 1);
    const identity = tf.matMul(strong, strong, true).div(rows).sub(tf.eye(strongest));
    const change = weak.sub(noise.squeeze([0]).slice([0, 0], weak.shape as [number, number]));
    return [identity, change].map((x) => x.abs().max().dataSync()[0]);
  });
  // Single precision, through a root whose smallest factor is about an eighth.
  assert.ok(covariance < 1e-4 && others === 0, `covariance off by ${covariance}, others by ${others}`);
});
