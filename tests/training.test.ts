import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { FlatAdam } from "../lib/backend/flatAdam";
import { finish, Interrupted } from "../lib/backend/interrupt";
import { tf } from "../lib/backend/tensors";
import { groupByCondition, rowConditions, selectRows } from "../lib/data/rows";
import { type DataSet } from "../lib/dataSet";
import { createModel } from "../lib/presets/createModel";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { presets, type TrainingSettings } from "../lib/presets/presets";
import { simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { vpSchedule } from "../lib/schedule";
import { ScoreModel } from "../lib/scoreModel";
import { disposeSet, gatherBatch, shuffledBlocks, splitGroups, tensorSet } from "../lib/storage/batches";
import { batchLoss, Feed } from "../lib/storage/feed";
import { type TrainingState, trainModel, type TrainOptions } from "../lib/storage/trainingRun";
import { drawTimes, rateAt } from "../lib/training";
import { deadline } from "./processes";
import { problem, refused, tinyData, tinyFilm, tinyPreset, tinyToken, tinyTraining } from "./tiny";

const data = tinyData();

function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);
}

/** All weights of a model one after the other. */
function weights(model: ScoreModel): Float64Array {
  return Float64Array.from(model.variables.flatMap((variable) => Array.from(variable.dataSync())));
}

async function states(
  model: ScoreModel,
  set: DataSet,
  settings: TrainingSettings,
  options: TrainOptions,
): Promise<TrainingState[]> {
  const all: TrainingState[] = [];
  for await (const state of trainModel(model, set, settings, options)) all.push(state);
  return all;
}

test("Adam, its clipping and its average are those of a plain float64 implementation", () => {
  const [beta1, beta2, ema, clip, epsilon] = [0.9, 0.99, 0.8, 2, 1e-8];
  const random = new Random(1);
  const start = Array.from({ length: 10 }, () => random.normal());
  const variables = [
    tf.variable(tf.tensor1d(start.slice(0, 4))),
    tf.variable(tf.tensor2d(start.slice(4), [2, 3])),
  ];
  const adam = new FlatAdam(variables, { beta1, beta2, ema, clip });
  const values = (): number[] => variables.flatMap((variable) => Array.from(variable.dataSync()));

  // Kingma & Ba 2015, algorithm 1, written out.
  const [w, m, v] = [[...start], start.map(() => 0), start.map(() => 0)];
  const average = [...start];
  let clipped = 0;
  for (let step = 1; step <= 60; step++) {
    const gradient = start.map(() => random.normal() * (step % 3 === 0 ? 3 : 0.3));
    const norm = Math.hypot(...gradient);
    const rate = 0.1 / step;
    const tensors = [tf.tensor1d(gradient.slice(0, 4)), tf.tensor2d(gradient.slice(4), [2, 3])];
    near(adam.step(tensors, rate), norm, 1e-6 * norm, "norm before clipping"); // float32
    tf.dispose(tensors);
    if (norm > clip) clipped++;
    const decay = Math.min(ema, (1 + step) / (10 + step));
    gradient.forEach((g, i) => {
      const cut = norm > clip ? (g * clip) / norm : g;
      m[i] = beta1 * m[i] + (1 - beta1) * cut;
      v[i] = beta2 * v[i] + (1 - beta2) * cut ** 2;
      w[i] -= (rate * (m[i] / (1 - beta1 ** step))) / (Math.sqrt(v[i] / (1 - beta2 ** step)) + epsilon);
      average[i] = decay * average[i] + (1 - decay) * w[i];
    });
    // Weights of order 1 and 60 updates in float32, each rounding to 6e-8.
    values().forEach((value, i) => near(value, w[i], 4e-6, `weight ${i} after step ${step}`));
  }
  assert.ok(clipped >= 15 && clipped <= 45); // some steps were clipped, others not
  adam.useAverage();
  values().forEach((value, i) => near(value, average[i], 4e-6, `average ${i}`));
  const apart = average.map((value, i) => Math.abs(value - w[i]));
  assert.ok(Math.max(...apart) > 1e-4); // or the average would prove nothing
  adam.useLast();
  values().forEach((value, i) => near(value, w[i], 4e-6, `last weight ${i}`));
  adam.dispose();
  tf.dispose(variables);
});

test("without a moving average the last weights are the result", () => {
  const variable = tf.variable(tf.tensor1d([1, 2]));
  const adam = new FlatAdam([variable], { beta1: 0.9, beta2: 0.99, ema: 0, clip: 0 });
  const gradient = tf.tensor1d([100, -1]);
  adam.step([gradient], 0.5);
  adam.useAverage();
  // Adam's first step has the size of the rate whatever the gradient, which is not clipped.
  variable.dataSync().forEach((value, i) => near(value, [0.5, 2.5][i], 1e-6, "weight")); // float32
  adam.dispose();
  tf.dispose([variable, gradient]);
});

test("the rate rises over the warm-up and falls as a cosine", () => {
  const settings = { ...tinyTraining, rate: 1, finalRate: 0.1, warmUp: 4 };
  assert.equal(rateAt({ ...settings, warmUp: 0 }, 0, 0), 1);
  near(rateAt(settings, 0.5, 10), 0.55, 1e-15, "middle"); // round-off, as below
  near(rateAt(settings, 1, 20), 0.1, 1e-15, "end");
  near(rateAt(settings, 1.5, 30), 0.1, 1e-15, "after the end");
  const rising = [0, 1, 2, 3, 4].map((step) => rateAt(settings, 0, step));
  rising.forEach((rate, step) => near(rate, [0.2, 0.4, 0.6, 0.8, 1][step], 1e-15, "warm-up"));
});

const levels = {
  schedule: vpSchedule(),
  noiseLevels: { smallest: 0.002, largest: vpSchedule().noiseLevel(1) },
};

test("a batch's quadratic times hold one of each stratum, in random order", () => {
  const times = drawTimes(levels, "quadratic-time", 64, new Random(3));
  const u = Array.from(times, (t) => Math.sqrt((t - 1e-4) / (1 - 1e-4)));
  const strata = u.map((value) => Math.floor(value * 64 + 1e-9)); // the root rounds
  assert.notDeepEqual(
    strata,
    [...strata].sort((a, b) => a - b),
  );
  assert.deepEqual(
    [...strata].sort((a, b) => a - b),
    Array.from({ length: 64 }, (_, i) => i),
  );
});

test("a batch's noise levels cover their range, and more densely where most is learnt", () => {
  const { schedule } = levels;
  const times = drawTimes(levels, "log-noise-level", 100, new Random(4));
  assert.ok(times.every((t) => t > 0 && t <= 1));
  const logs = Array.from(times, (t) => Math.log(schedule.noiseLevel(t)));
  /** How many of `count` equal parts of a range of levels hold a draw. */
  const filled = (low: number, high: number, count: number): number => {
    const part = logs.map((value) => ((value - Math.log(low)) / Math.log(high / low)) * count);
    return new Set(part.filter((value) => value >= 0 && value <= count).map(Math.floor)).size;
  };
  // 60 of the 100 are stratified over the centre, the other 40 over everything; a level may round into its neighbour.
  assert.ok(filled(0.07, 13, 60) >= 59);
  assert.ok(filled(0.002, schedule.noiseLevel(1), 40) >= 39);
});

test("a permutation holds every row once", () => {
  const order = new Random(2).permutation(500);
  assert.deepEqual(
    Int32Array.from(order).sort(),
    Int32Array.from({ length: 500 }, (_, i) => i),
  );
  assert.notDeepEqual(order, Int32Array.from(order).sort());
});

const keys = (set: DataSet): Set<string> =>
  new Set(groupByCondition(set).map(({ conditions }) => conditions.join()));

function splitByCondition(set: DataSet, share: number, mostRows: number) {
  const { training, validation } = splitGroups(groupByCondition(set).map(({ rows }) => rows), share, mostRows); // prettier-ignore
  const rows = Array.from({ length: training.length }, (_, k) => [...Array.from(training.at(k)!)]).flat();
  return { training: selectRows(set, rows), validation: selectRows(set, validation) };
}

test("validation takes whole conditions, and rows where there is one condition", () => {
  const { training, validation } = splitByCondition(data, 0.1, 1000);
  assert.deepEqual([keys(training).size, keys(validation).size], [36, 4]);
  assert.equal(training.rows + validation.rows, data.rows);
  const trained = keys(training);
  for (const key of keys(validation)) assert.ok(!trained.has(key));
  const few = splitByCondition(data, 0.5, 30).validation;
  assert.ok(few.rows <= 30 && few.rows > 15 && keys(few).size === 20);
  const one = splitByCondition(simulateAt(problem, [1e-5, 0, 25], 40, 1), 0.05, 1000);
  assert.deepEqual([one.training.rows, one.validation.rows], [38, 2]);
});

test("training never sees the validation data", async () => {
  const spoilt = { ...data, fields: data.fields.slice() };
  for (const row of groupByCondition(data).at(-1)?.rows ?? []) {
    spoilt.fields.fill(0, row * 200, (row + 1) * 200); // one of the two conditions that are held out
  }
  const run = async (set: DataSet): Promise<TrainingState[]> => {
    const model = createModel(data, tinyPreset(tinyToken));
    const all = await states(model, set, tinyTraining, { steps: 13, validateEvery: 13 }); // more than one epoch
    model.dispose();
    return all;
  };
  const [clean, other] = [await run(data), await run(spoilt)];
  // float32 sums may run in another order from run to run.
  clean.forEach(({ loss }, i) => near(other[i].loss, loss, 1e-4 * loss, `loss of step ${i + 1}`));
  assert.ok(clean[12].validated && other[12].validationLoss > 1.5 * clean[12].validationLoss);
});

/** Loss on other data than those trained on, always with the same noise. */
function testLoss(model: ScoreModel): number {
  const other = tensorSet(model, tinyData(2));
  const blocks = shuffledBlocks(other.groups, 1, new Random(8)).slice();
  const times = drawTimes(model, "log-noise-level", other.rows, new Random(9));
  const loss = tf.tidy(() => batchLoss(model, gatherBatch(other, blocks), times, 5).dataSync()[0]);
  disposeSet(other);
  return loss;
}

test("every step is given other rows, times and noise, and the same again when it is repeated", () => {
  for (const model of [tinyToken, tinyFilm]) {
    const scores = createModel(data, tinyPreset(model));
    const feed = finish(Feed.making(scores, data, tinyTraining, 3));
    /** What a step is given, as texts: two are equal when all numbers are. */
    const given = (step: number, from = feed) => {
      const tensors = from.batch(step);
      const texts = Object.entries(tensors).map(
        ([name, tensor]) => [name, String(tensor.dataSync())] as const,
      );
      tf.dispose(Object.values(tensors));
      return Object.fromEntries(texts);
    };
    const steps = feed.stepsPerEpoch + 2; // into the second pass over the data
    const all = Array.from({ length: steps }, (_, step) => given(step));
    for (const name of ["fields", "noise", "std"]) {
      assert.equal(new Set(all.map((texts) => texts[name])).size, steps, `${name} of ${model.network.kind}`);
    }
    // Also backwards, as after a resumption, and for another feed of the same seed.
    const other = finish(Feed.making(scores, data, tinyTraining, 3));
    for (const step of [steps - 1, 0, 1]) assert.deepEqual(given(step, other), all[step]);
    const seeded = finish(Feed.making(scores, data, tinyTraining, 4));
    for (const name of ["fields", "noise", "std"]) assert.notEqual(given(0, seeded)[name], all[0][name]);
    for (const one of [feed, other, seeded]) one.dispose();
    scores.dispose();
  }
});

test("a short training lowers the loss and beats the zero network on new data", async () => {
  const wide = {
    ...tinyToken,
    network: { ...tinyToken.network, width: 24, filmWidth: 24 },
  } as typeof tinyToken;
  const model = createModel(data, tinyPreset(wide));
  const zero = testLoss(model); // an untrained token network is zero
  near(zero, 1, 0.1, "loss of zero"); // the target has variance 1; 400 rows that are strongly correlated in themselves
  const all = await states(model, data, tinyTraining, { steps: 120 });
  const mean = (part: TrainingState[]): number => part.reduce((sum, { loss }) => sum + loss / part.length, 0);
  // It falls by 0.2 and more; the mean of 20 stratified batches scatters by a few hundredths.
  assert.ok(mean(all.slice(-20)) < mean(all.slice(0, 20)) - 0.1);
  assert.ok(testLoss(model) < 0.9 * zero);
  assert.ok(all[119].validationLoss < 0.9);
  model.dispose();
});

test("the blog's kind of network learns too", async () => {
  const settings = { ...tinyTraining, noise: "quadratic-time" as const };
  const model = createModel(data, tinyPreset(tinyFilm));
  const all = await states(model, data, settings, { steps: 60, validateEvery: 10 });
  // Of the score 0 the weighted loss is 1, the noise's variance; a random network starts above. 0.83 to 0.89 with
  // three seeds.
  assert.ok(all[59].validationLoss < 0.95 && all[59].validationLoss < all[9].validationLoss);
  model.dispose();
});

test("what is yielded adds up", async () => {
  const model = createModel(data, tinyPreset(tinyToken));
  const all = await states(model, data, tinyTraining, { epochs: 2, validateEvery: 5 });
  // 38 conditions of 10 rows in batches of 32: 11 steps an epoch.
  assert.equal(all.length, 22);
  assert.deepEqual(
    all.map(({ step }) => step),
    Array.from({ length: 22 }, (_, i) => i + 1),
  );
  assert.ok(all.every(({ steps }) => steps === 22));
  assert.deepEqual(
    all.filter(({ validated }) => validated).map(({ step }) => step),
    [5, 10, 15, 20, 22],
  );
  assert.ok(Number.isNaN(all[3].validationLoss) && all[6].validationLoss === all[4].validationLoss);
  assert.ok(all.every(({ gradientNorm, loss }) => gradientNorm > 0 && loss > 0));
  assert.equal(all[10].epoch, 1);
  assert.equal(all[7].rate, rateAt(tinyTraining, 7 / 22, 7));
  // The first step's time, with all that comes before it, tells nothing about the others.
  assert.ok(Number.isNaN(all[0].secondsLeft));
  const [{ secondsElapsed: first }, { secondsElapsed: sixth, secondsLeft }] = [all[0], all[5]];
  assert.ok(Math.abs(secondsLeft - (16 * (sixth - first)) / 5) < 1e-9);
  assert.equal(all[21].secondsLeft, 0);
  model.dispose();
});

test("the length may be given in minutes", async () => {
  const model = createModel(data, tinyPreset(tinyToken));
  const all = await states(model, data, tinyTraining, { minutes: 0.005 });
  const last = all[all.length - 1];
  assert.ok(last.secondsElapsed >= 0.3 && last.secondsLeft === 0);
  assert.ok(all.slice(0, -1).every(({ secondsElapsed }) => secondsElapsed < 0.3)); // no step begins after the end
  model.dispose();
});

test("the same seed gives the same weights, bit for bit on one thread, and another seed others", () => {
  const script = `
    const { createModel } = require("./lib/presets/createModel");
    const { trainModel } = require("./lib/storage/trainingRun");
    const { tinyData, tinyPreset, tinyToken, tinyFilm, tinyTraining } = require("./tests/tiny");
    const data = tinyData();
    async function run(settings, seed) {
      const model = createModel(data, tinyPreset(settings), seed);
      for await (const state of trainModel(model, data, tinyTraining, { steps: 4, seed }));
      const bytes = Buffer.concat(model.variables.map((v) => Buffer.from(v.dataSync().slice().buffer)));
      return require("crypto").createHash("sha256").update(bytes).digest("hex");
    }
    (async () => {
      for (const seed of [1, 1, 2]) console.log(await run(tinyToken, seed));
      for (const seed of [1, 1]) console.log(await run(tinyFilm, seed));
    })();`;
  const output = execFileSync(
    process.execPath,
    ["--require", "ts-node/register/transpile-only", "-e", script],
    {
      cwd: path.join(__dirname, ".."),
      env: { ...process.env, TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "1" },
      encoding: "utf8",
      ...deadline(600),
    },
  );
  const hashes = output.trim().split("\n");
  assert.equal(hashes.length, 5);
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
  assert.equal(hashes[3], hashes[4]);
});

test("after a break the model has the average of its weights, and nothing else is left", async () => {
  const model = createModel(data, tinyPreset(tinyToken));
  const [tensors, listeners] = [tf.memory().numTensors, process.listenerCount("SIGINT")];
  const average = weights(model);
  // Without an average the same steps leave the last weights in the model, at each step that is validated.
  const [plain, length] = [createModel(data, tinyPreset(tinyToken)), { steps: 100, validateEvery: 1 }];
  let last = average;
  for await (const { step } of trainModel(plain, data, { ...tinyTraining, ema: 0 }, length)) {
    last = weights(plain);
    const decay = Math.min(tinyTraining.ema, (1 + step) / (10 + step));
    average.forEach((value, i) => (average[i] = decay * value + (1 - decay) * last[i]));
    if (step === 7) break;
  }
  plain.dispose();
  for await (const { step } of trainModel(model, data, tinyTraining, length)) {
    if (step === 7) break;
  }
  const kept = weights(model);
  kept.forEach((value, i) => near(value, average[i], 1e-4, `weight ${i}`)); // but for the order of float32 sums
  assert.ok(kept.some((value, i) => Math.abs(value - last[i]) > 1e-3));
  assert.deepEqual([tf.memory().numTensors, process.listenerCount("SIGINT")], [tensors, listeners]);
  model.dispose();
});

test("an interrupt stops the training within one step and keeps the weights", async () => {
  const model = createModel(data, tinyPreset(tinyToken));
  const [tensors, listeners] = [tf.memory().numTensors, process.listenerCount("SIGINT")];
  const first = weights(model);
  let steps = 0;
  await assert.rejects(
    async () => {
      for await (const { step } of trainModel(model, data, tinyTraining, { steps: 50 })) {
        steps = step;
        if (step === 5) process.kill(process.pid, "SIGINT");
      }
    },
    (error) =>
      error instanceof Interrupted &&
      /training was interrupted: .* weights of [56] steps/.test(error.message),
  );
  assert.ok(steps === 5 || steps === 6, `${steps} steps`); // the signal is sent while step 5 is handed over
  assert.notDeepEqual(weights(model), first);
  assert.deepEqual([tf.memory().numTensors, process.listenerCount("SIGINT")], [tensors, listeners]);
  model.dispose();
});

test("data that are not finite, of another problem or too few are refused, and nothing is left", async () => {
  const model = createModel(data, tinyPreset(tinyToken));
  const [tensors, listeners] = [tf.memory().numTensors, process.listenerCount("SIGINT")];
  const run = (set: DataSet, options: TrainOptions = {}, more: Partial<TrainingSettings> = {}) =>
    states(model, set, { ...tinyTraining, ...more }, { steps: 3, ...options });
  for (const row of [5, data.rows - 1]) {
    const fields = data.fields.slice();
    fields[row * 200 + 103] = NaN;
    const place = new RegExp(`The field phi in cell 3 of row \\d+ is not finite`);
    await refused(() => run({ ...data, fields }), place);
  }
  const other = simulateAt(porousElectrode("figures"), rowConditions(data, 0), 20, 1);
  const unknown = { ...data, conditions: data.conditions.slice() };
  unknown.conditions[9] = NaN;
  await refused(() => run(unknown), /Some rows of the data are of unknown conditions/);
  await refused(() => createModel(unknown, tinyPreset(tinyToken)), /unknown conditions/);
  await refused(
    () => createModel(simulateAt(problem, [1e-5, 0, 25], 9, 1), tinyPreset(tinyToken)),
    /too few different/,
  );
  await refused(() => run(other), /of another problem than the model/);
  await refused(() => run(simulateAt(problem, [1e-5, 0, 25], 1, 1)), /There are 1 rows of data/);
  await refused(
    () => run(data, { epochs: 2 }),
    /length is given twice; give one of steps, epochs and minutes/,
  );
  await refused(() => run(data, { steps: -3 }), /number of steps is -3/);
  await refused(() => run(data, { steps: undefined, minutes: 0 }), /length is 0; give a number from 0.001/);
  await refused(() => run(data, { steps: undefined, epochs: NaN }), /number of epochs is NaN/);
  await refused(() => run(data, { seed: -1 }), /seed is -1/);
  await refused(() => run(data, {}, { batch: 0 }), /batch size is 0/);
  assert.deepEqual([tf.memory().numTensors, process.listenerCount("SIGINT")], [tensors, listeners]);
  model.dispose();
});

test("a training that diverges ends with an error that tells the rate", async () => {
  const model = createModel(data, tinyPreset(tinyFilm));
  const wild = { ...tinyTraining, rate: 1e25, finalRate: 1e25, warmUp: 0, clip: 0 };
  const before = tf.memory().numTensors;
  await refused(
    () => states(model, data, wild, { steps: 50 }),
    /loss is (NaN|Infinity) after \d+ steps at a rate of 1.0e\+25/,
  );
  assert.equal(tf.memory().numTensors, before);
  model.dispose();
});

test("presets are complete, and data at a single condition train as well", async () => {
  for (const { model, training, description } of Object.values(presets)) {
    assert.ok(
      description.endsWith(".") && training.epochs > 0 && model.schedule.betaMax > model.schedule.betaMin,
    );
  }
  const one = simulateAt(problem, [1e-5, 0, 25], 60, 1);
  const model = createModel(one, tinyPreset(tinyFilm));
  const all = await states(model, one, tinyTraining, { steps: 2 });
  assert.ok(Number.isFinite(all[1].validationLoss));
  model.dispose();
});
