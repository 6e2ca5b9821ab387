/** The target "rest": conditional covariance, preconditioning mode by mode, and what follows for Gaussian data. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { generateDataSet, simulateAt } from "../lib/data/generate";
import { conditionalMoments } from "../lib/data/standardisation";
import { ConditionalCovariance } from "../lib/network/covariance";
import type { ModelSettings } from "../lib/network/presets";
import { disposeContext, ScoreModel } from "../lib/network/scoreModel";
import { Random } from "../lib/random";
import { sampleFields } from "../lib/sampling/sampleFields";
import { columnMean } from "../lib/statistics/summary";
import { tf } from "../lib/tensorflow";
import { moveToEdges } from "../lib/training/edges";
import { createModel, train } from "../lib/training/train";
import { problem, refused, tinyPreset, tinyToken, tinyTraining } from "./tiny";

const settings: ModelSettings = {
  ...tinyToken,
  target: "rest",
  noiseLevels: { smallest: 0.002, largest: 60 },
};
const data = generateDataSet(problem, { conditions: 300, fields: 20, seed: 3 });
const model = createModel(data, tinyPreset(settings));
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** Rows standardised as the model does, in the order of its tensors: [rows, cells x fields]. */
function standardised(rows: number, conditions: Float64Array, fields: Float64Array): tf.Tensor2D {
  const [mean, std] = [model.standardisation.mean(conditions), model.standardisation.std(conditions)];
  const { cells } = problem;
  const values = new Float32Array(rows * mean.length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < mean.length; i++) {
      const to = row * mean.length + (i % cells) * problem.fields.length + Math.floor(i / cells);
      if (std[i] > 0) values[to] = (fields[row * mean.length + i] - mean[i]) / std[i];
    }
  }
  return tf.tensor2d(values, [rows, mean.length]);
}

test("the conditional covariance is that of direct draws at conditions that the data do not hold", () => {
  for (const values of [
    [1e-5, 0.05, 25],
    [4e-6, -0.15, 3],
  ]) {
    // prettier-ignore
    const conditions = Float64Array.from(values);
    const rows = 4000;
    const drawn = simulateAt(problem, conditions, rows, 11);
    const context = model.context(conditions);
    const ratio = tf.tidy(() => {
      const z = tf.matMul(
        standardised(rows, conditions, drawn.fields),
        context.modes!.vectors.squeeze([0]) as tf.Tensor2D,
      );
      const centred = z.sub(z.mean(0, true));
      return centred
        .square()
        .mean(0)
        .div(context.modes!.variances.squeeze([0]))
        .dataSync();
    });
    disposeContext(context);
    // The model's variances come from some 300 rows a node (8 % of sampling error) of the kernel's width in length
    // (some per cent of bias), the draws' from 4000 (2 %): three times all of it, for the five strongest modes.
    for (let k = 1; k <= 5; k++) {
      const value = ratio[ratio.length - k];
      assert.ok(value > 0.7 && value < 1.4, `mode ${k} at ${values}: ${value}`);
    }
  }
});

test("the modes are orthonormal, and the coefficients obey the identities of a linear estimate", () => {
  const conditions = Float64Array.of(1e-5, 0, 25, 3e-6, 0.1, 10);
  const context = model.context(conditions);
  const { variances, vectors } = context.modes!;
  tf.tidy(() => {
    const product = tf.matMul(vectors, vectors, true, false).sub(tf.eye(200).expandDims(0));
    assert.ok(product.abs().max().dataSync()[0] < 1e-4); // 200 terms of float32
    const times = Float64Array.from([0.05, 0.4, 0.9, 0.2]);
    const { total, linear, error } = model.gains(variances, times, 2);
    const l = variances.expandDims(1);
    const level = tf.tensor3d(Array.from(times, (t) => model.schedule.noiseLevel(t)), [2, 2, 1]); // prettier-ignore
    const near = (a: tf.Tensor, b: tf.Tensor, name: string) =>
      // Relative, with some roundings of float32.
      assert.ok(a.sub(b).abs().div(b.abs()).max().dataSync()[0] < 1e-5, name);
    near(total.square(), l.add(level.square()), "variance of y");
    near(linear.mul(total.square()), l.mul(tf.onesLike(total)), "gain");
    near(error.square(), linear.mul(level.square()), "variance of the error");
  });
  disposeContext(context);
});

test("a network of zeros samples the exact Gaussian: mean and variance of every mode", async () => {
  const conditions = Float64Array.of(1e-5, 0, 25);
  const rows = 2000;
  const drawn = await sampleFields(model, conditions, { count: rows, steps: 40, seed: 5 });
  const context = model.context(conditions);
  const columns = tf.tidy(() => {
    const vectors = context.modes!.vectors.squeeze([0]) as tf.Tensor2D;
    const z = tf.matMul(standardised(rows, conditions, drawn.fields), vectors);
    const l = context.modes!.variances.squeeze([0]);
    return tf.stack([z.mean(0).div(l.sqrt()), z.square().mean(0).div(l), l]).arraySync();
  });
  const [mean, ratio, variances] = columns as number[][];
  disposeContext(context);
  let worst = 0;
  for (let k = 0; k < 200; k++) {
    // Modes of a variance near the smallest noise level squared, 4e-6, are below what the sampler resolves.
    if (variances[k] < 1e-3) continue;
    // Sampling error of a mean 1 / sqrt(2000) = 2.2 %, of a variance sqrt(2 / 2000) = 3.2 %; the largest of some dozen
    // is within four of them. 40 steps add up to 1 % to a standard deviation.
    assert.ok(Math.abs(mean[k]) < 0.09, `mean of mode ${k}: ${mean[k]}`);
    assert.ok(ratio[k] > 0.86 && ratio[k] < 1.18, `variance of mode ${k}: ${ratio[k]}`);
    worst = Math.max(worst, Math.abs(ratio[k] - 1));
  }
  assert.ok(worst > 0); // draws, not the Gaussian itself
  // phi is grounded in its first cell, and stays so.
  assert.ok(columnMean(drawn.fields, 200)[100] === 0);
});

test("training stays of order 1 at the ends of the ranges, frees its memory, and its model survives saving", async () => {
  const trained = createModel(data, tinyPreset(settings));
  const tensors = tf.memory().numTensors;
  const training = { ...tinyTraining, rowsPerCondition: 4, edges: 0.3 };
  let steps = 0;
  for await (const state of train(trained, data, training, { steps: 60, validateEvery: 59 })) {
    // The zero network's loss is about 1; nothing may explode at the ends of the ranges, where spreads are tiny.
    assert.ok(state.loss > 0.5 && state.loss < 1.5, `loss ${state.loss} at step ${state.step}`);
    steps++;
  }
  assert.equal(steps, 60);
  assert.equal(tf.memory().numTensors, tensors);
  const folder = path.join(scratch, "model");
  await trained.save(folder);
  const loaded = await ScoreModel.load(folder);
  const draw = (from: ScoreModel) => sampleFields(from, [1e-5, 0, 25], { count: 3, steps: 6, seed: 2 });
  const [first, again] = [await draw(trained), await draw(loaded)];
  // The same numbers but for the order of float32 sums, next to fields that vary by some hundred mol/m3.
  again.fields.forEach((value, i) => assert.ok(Math.abs(value - first.fields[i]) < 0.1, `value ${i}`));
  const file = path.join(folder, "covariance.bin");
  const bytes = fs.readFileSync(file);
  fs.writeFileSync(file, bytes.subarray(0, bytes.length - 4));
  await refused(() => ScoreModel.load(folder), /covariance has another size/);
  fs.rmSync(file);
  await refused(() => ScoreModel.load(folder), /no covariance\.bin/);
  trained.dispose();
  loaded.dispose();
});

test("conditions moved to the ends are solved again there, for the same latent fields", () => {
  const moved = moveToEdges(data, 0.5, new Random(4));
  assert.equal(moveToEdges(data, 0, new Random(4)), data);
  let [changed, atEnd] = [0, 0];
  const fields = new Float64Array(200);
  for (let row = 0; row < data.rows; row += 20) {
    const [was, is] = [data, moved].map(({ conditions }) => conditions.subarray(row * 3, row * 3 + 3));
    assert.equal(is[0], was[0]); // the correlation length belongs to the latent field
    if (is.every((value, k) => value === was[k])) continue;
    changed++;
    if (Math.abs(is[1]) === 0.2 || is[2] === 0 || is[2] === 50) atEnd++;
    problem.solve(data.latent!.subarray(row * 100, row * 100 + 100), is, fields);
    assert.deepEqual(moved.fields.slice(row * 200, row * 200 + 200), fields);
  }
  // 300 conditions, half of them moved, half of these onto an end: four standard deviations of the binomial.
  assert.ok(Math.abs(changed - 150) < 35 && Math.abs(atEnd - changed / 2) < 25, `${changed}, ${atEnd}`);
});

test("data without latent fields are refused", async () => {
  const bare = { ...data, latent: undefined };
  await refused(() => createModel(bare, tinyPreset(settings)), /no latent field/);
  await refused(() => moveToEdges(bare, 0.5, new Random(1)), /latent/);
  await refused(() => ConditionalCovariance.fit(problem, { ...conditionalMoments(data), rows: 1 }), /latent/);
});
