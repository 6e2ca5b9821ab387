import assert from "node:assert/strict";
import { test } from "node:test";
import { Interrupted } from "../lib/backend/interrupt";
import { normal, tf } from "../lib/backend/tensors";
import { columnMean, columnStd } from "../lib/comparison";
import type { DataSet } from "../lib/dataSet";
import { biasesOf, setBiases } from "../lib/gaussian/drawing";
import { createModel } from "../lib/presets/createModel";
import { samplerByName, samplers } from "../lib/presets/samplers";
import { eulerMaruyama } from "../lib/samplers";
import { loadModel } from "../lib/storage/modelFolder";
import { drawBatch, plainDrawing, tensorSpace } from "../lib/sampling";
import { sampleBatches, sampleFields, type SampleOptions, toDataSet } from "../lib/storage/samplingRun";
import { refused, tinyData, tinyFilm, tinyPreset, tinyToken } from "./tiny";

const data = tinyData();
/** Untrained: its target v is 0, so that it denoises x at time t to mean(t) x, which is exact for white noise. */
const model = createModel(data, tinyPreset(tinyToken));
const conditions = Float64Array.of(1e-5, 0.1, 25);
const [mean, std] = [model.standardisation.mean(conditions), model.standardisation.std(conditions)];
const free = Array.from(std.keys()).filter((i) => std[i] > 0);
const WIDTH = 200; // 2 fields x 100 cells

/** The cells that vary, (value - mean) / std: rows x free.length. */
function standardised({ rows, fields }: DataSet): Float64Array {
  return Float64Array.from({ length: rows * free.length }, (_, k) => {
    const i = free[k % free.length];
    return (fields[Math.floor(k / free.length) * WIDTH + i] - mean[i]) / std[i];
  });
}

async function collect(options: SampleOptions): Promise<DataSet[]> {
  const parts: DataSet[] = [];
  for await (const part of sampleBatches(model, conditions, options)) parts.push(part);
  return parts;
}

/** Steps after which a sampler's own error is at most 1 % of the standard deviation (too wide, all but Heun's). */
const STEPS: Readonly<Record<string, number>> = {
  "euler-maruyama": 80,
  "stochastic-heun": 30,
  "pf-ode-heun": 45,
  "dpm-solver++2m": 80,
  "gaussian-exact-2m": 10,
};

for (const sampler of samplers) {
  const { name } = sampler;
  test(`${name}: where the exact distribution is white noise, white noise comes out`, async () => {
    const count = 300;
    const set = await sampleFields(model, conditions, { count, sampler, steps: STEPS[name], seed: 3 });
    const values = standardised(set);
    assert.equal(set.rows, count);
    assert.ok(free.length >= 198);
    // All values together: standard errors 1/sqrt(n) of the mean and 1/sqrt(2n) of the standard deviation, four of
    // each, and 1.5 % for the sampler's steps.
    const n = values.length;
    assert.ok(Math.abs(columnMean(values, 1)[0]) < 4 / Math.sqrt(n));
    assert.ok(
      Math.abs(columnStd(values, 1)[0] - 1) < 4 / Math.sqrt(2 * n) + 0.015,
      String(columnStd(values, 1)[0]),
    );
    // Each cell: five standard errors, as there are 400 of these numbers, and the same 1.5 %.
    const [means, stds] = [columnMean(values, free.length), columnStd(values, free.length)];
    assert.ok(means.every((value) => Math.abs(value) < 5 / Math.sqrt(count)));
    assert.ok(stds.every((value) => Math.abs(value - 1) < 5 / Math.sqrt(2 * count) + 0.015));
    // Neighbours are independent: the mean product of n pairs has the standard error 1/sqrt(n).
    const product = values.reduce(
      (sum, value, k) => ((k + 1) % free.length ? sum + value * values[k + 1] : sum),
      0,
    );
    assert.ok(Math.abs(product / n) < 4 / Math.sqrt(n));
  });

  test(`${name}: a seed repeats, another gives other fields, and no tensor is left`, async () => {
    const run = (seed: number) => sampleFields(model, conditions, { count: 3, sampler, steps: 4, seed });
    await run(1); // what is made once
    const before = tf.memory().numTensors;
    const first = await run(1);
    assert.deepEqual((await run(1)).fields, first.fields);
    assert.notDeepEqual((await run(2)).fields, first.fields);
    assert.equal(tf.memory().numTensors, before);
    // A trajectory that is left half-way.
    for await (const part of sampleBatches(model, conditions, {
      count: 9,
      batch: 2,
      sampler,
      steps: 4,
    })) {
      assert.equal(part.rows, 2);
      break;
    }
    const drawing = plainDrawing(model, conditions);
    const times = sampler.grid(model.schedule, 4);
    for (const { step } of drawBatch(model, drawing, 2, sampler, times, 1, 0)) if (step === 2) break;
    assert.equal(tf.memory().numTensors, before);
  });
}

test("the fields come back in their units, at their conditions, without latent field", async () => {
  const set = await sampleFields(model, conditions, { count: 3, steps: 4, seed: 8 });
  assert.deepEqual(set.conditions, Float64Array.from([...conditions, ...conditions, ...conditions]));
  assert.deepEqual([set.rows, set.fields.length, set.latent, set.seed], [3, 3 * WIDTH, undefined, 8]);
  // One standardised value at a time: cell 4 of field 1 in row 2 of three rows.
  const x = tf.tidy(() =>
    tf.oneHot(tf.tensor1d([(2 * 100 + 4) * 2 + 1], "int32"), 3 * WIDTH).reshape([3, 100, 2]),
  );
  const single = toDataSet(model, conditions, x.toFloat() as tf.Tensor3D);
  const expected = Float64Array.from([...mean, ...mean, ...mean]);
  expected[2 * WIDTH + 100 + 4] += std[100 + 4];
  assert.deepEqual(single.fields, expected);
});

test("cells that are pinned in the data are exact in every sample", async () => {
  const set = await sampleFields(model, conditions, { count: 50, steps: 5 });
  // phi is zero in the first cell.
  const first = Array.from({ length: 50 }, (_, row) => set.fields[row * WIDTH + 100]);
  assert.equal(std[100], 0);
  assert.deepEqual(first, new Array(50).fill(0));
});

test("batches agree with the whole, and the first fields with those of a larger count", async () => {
  const options = { count: 7, batch: 3, steps: 6, seed: 5 };
  const [parts, whole] = [await collect(options), await sampleFields(model, conditions, options)];
  assert.deepEqual(
    parts.map(({ rows }) => rows),
    [3, 3, 1],
  );
  assert.deepEqual(Float64Array.from(parts.flatMap(({ fields }) => Array.from(fields))), whole.fields);
  assert.notDeepEqual(parts[0].fields, parts[1].fields);
  const more = standardised(await sampleFields(model, conditions, { ...options, count: 9 }));
  // Other shapes of a matrix product may sum in another order: float32.
  standardised(whole).forEach((value, k) => assert.ok(Math.abs(value - more[k]) < 1e-4));
});

test("noise depends on its stream alone, and longer noise begins with shorter", () => {
  tf.tidy(() => {
    const space = tensorSpace(1, 2);
    const like = tf.zeros([4, 5]);
    assert.deepEqual(space.normal(like, 3).dataSync(), normal([4, 5], 1, 2, 3).dataSync());
    assert.notDeepEqual(space.normal(like, 3).dataSync(), space.normal(like, 4).dataSync());
    assert.deepEqual(normal([6, 5], 1, 2, 3).dataSync().slice(0, 20), normal([4, 5], 1, 2, 3).dataSync());
    const sum = space.combine([
      [2, tf.tensor1d([1, 2])],
      [-1, tf.tensor1d([3, 5])],
    ]);
    assert.deepEqual(Array.from(sum.dataSync()), [-1, -1]);
  });
});

test("progress counts to the end", async () => {
  const seen: number[] = [];
  await sampleFields(model, conditions, {
    count: 5,
    batch: 2,
    steps: 3,
    onProgress: ({ fields, count, secondsLeft }) => {
      assert.ok(count === 5 && secondsLeft >= 0);
      seen.push(fields);
    },
  });
  assert.deepEqual(seen, [0, 1, 2, 2, 3, 4, 4, 4, 5]);
});

test("an interrupt stops the sampling within one step, and no tensor is left", async () => {
  const [before, listeners] = [tf.memory().numTensors, process.listenerCount("SIGINT")];
  let calls = 0;
  const onProgress = (): void => {
    if (++calls === 3) process.kill(process.pid, "SIGINT");
  };
  await assert.rejects(
    async () => sampleFields(model, conditions, { count: 4, steps: 500, onProgress }),
    (error) => error instanceof Interrupted && /sampling was interrupted: 0 of 4 fields/.test(error.message),
  );
  assert.ok(calls === 3 || calls === 4, `${calls} calls`);
  assert.deepEqual([tf.memory().numTensors, process.listenerCount("SIGINT")], [before, listeners]);
});

test("bad input is refused by name and value, and leaves nothing", async () => {
  const [before, listeners] = [tf.memory().numTensors, process.listenerCount("SIGINT")];
  const sample = (options: Partial<SampleOptions>, at: number[] = [...conditions]) =>
    sampleFields(model, at, { count: 2, steps: 2, ...options });
  await refused(() => sample({ count: -1 }), /number of fields is -1; give a whole number from 1/);
  await refused(() => sample({ count: 1.5 }), /number of fields is 1.5/);
  await refused(() => sample({ steps: 0 }), /number of steps is 0/);
  await refused(() => sample({ batch: 0 }), /batch size is 0/);
  await refused(() => sample({ seed: -1 }), /seed is -1/);
  await refused(
    async () => samplerByName("euler"),
    /sampler is "euler"; give one of euler-maruyama, .*dpm-solver\+\+2m/,
  );
  await refused(() => sample({}, [0, 0, 25]), /correlation length is 0; give a number from/);
  await refused(() => sample({}, [1e-5, NaN, 25]), /equilibrium potential is NaN/);
  await refused(() => sample({}, [1e-5, 0]), /There are 2 conditions; give 3 numbers/);
  assert.deepEqual([tf.memory().numTensors, process.listenerCount("SIGINT")], [before, listeners]);
});

test("fields that are not finite are refused", async () => {
  const broken = createModel(data, tinyPreset(tinyFilm));
  broken.network.setWeights(broken.network.getWeights().map((weight) => tf.fill(weight.shape, NaN)));
  await refused(
    () => sampleFields(broken, conditions, { count: 2, steps: 2 }),
    /sampled fields are not finite/,
  );
});

test("with keepBias a model's own denoiser draws; without it, what its network is off on average is taken off", async () => {
  const shipped = await loadModel("data/models/figures");
  const at = Float64Array.of(1e-5, 0, 25);
  const times = eulerMaruyama.grid(shipped.schedule, 2);
  const noise = normal([4, 100, shipped.channels], 1, 1) as tf.Tensor3D;
  const distance = (keepBias: boolean) => {
    const making = shipped.preconditioner.drawing!(shipped, at, eulerMaruyama, times, keepBias);
    let step = making.next();
    while (!step.done) step = making.next();
    const drawing = step.value;
    const t = times[1];
    const x = drawing.start(noise, t) as tf.Tensor3D;
    const far = tf.tidy(
      () =>
        drawing
          .denoise(x, t)
          .sub(shipped.denoise(x, t, at))
          .abs()
          .max()
          .dataSync()[0],
    );
    x.dispose();
    drawing.dispose();
    return far;
  };
  const [kept, takenOff] = [distance(true), distance(false)];
  assert.ok(kept < 1e-3, `${kept}`);
  assert.ok(takenOff > 3 * kept && takenOff < 1, `${takenOff} and ${kept}`);
  noise.dispose();
  shipped.dispose();
});

test("biases belong to what the network sees, and can be given to a model", async () => {
  const [shipped, other] = [await loadModel("data/models/figures"), await loadModel("data/models/figures")];
  const steps = 4;
  const draw = (by: typeof shipped, values: number[]) =>
    sampleFields(by, values, { count: 2, seed: 1, steps });
  const { fields } = await draw(shipped, [1e-5, 0.1, 25]);
  const biases = biasesOf(shipped)!;
  assert.equal(biases.size, steps);
  await draw(shipped, [1e-5, -0.1, 40]); // in which the fields are affine
  assert.equal(biasesOf(shipped), biases);
  const times = other.sampler.grid(other.schedule, steps, other.noiseLevels);
  setBiases(other, Float64Array.of(1e-5, 0, 0), other.sampler, times, biases);
  assert.deepEqual((await draw(other, [1e-5, 0.1, 25])).fields, fields);
  assert.equal(biasesOf(other), biases);
  await draw(shipped, [5e-6, 0.1, 25]);
  assert.notEqual(biasesOf(shipped), biases);
  for (const each of [shipped, other]) each.dispose();
});
