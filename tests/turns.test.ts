/** Settings that are turned while a training runs: when they hold, and that the training's state knows of them. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { tf } from "../lib/backend/tensors";
import { Interrupted } from "../lib/backend/interrupt";
import { createModel } from "../lib/presets/createModel";
import { Random } from "../lib/random";
import { vpSchedule } from "../lib/schedule";
import { CheckpointFolder, readCheckpoint, writeCheckpoint } from "../lib/storage/checkpoint";
import { type TrainingState, trainModel, type TrainOptions } from "../lib/storage/trainingRun";
import { settled, type Steering, type Turn } from "../lib/storage/turns";
import { drawTimes, rateAt } from "../lib/training";
import { refused, tinyData, tinyPreset, tinyToken, tinyTraining } from "./tiny";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const data = tinyData();
const settings = { ...tinyTraining, noise: "log-noise-level" as const };

/** Trains 20 steps, or fewer; what it yielded, and the weights in the end. */
async function trained(options: TrainOptions = {}, stopAt = 20, training = settings) {
  const model = createModel(data, tinyPreset(tinyToken), 1);
  const states: TrainingState[] = [];
  try {
    for await (const state of trainModel(model, data, training, { steps: 20, ...options })) {
      states.push(state);
      if (state.step === stopAt) break;
    }
    const weights = model.network.getWeights().flatMap((weight) => Array.from(weight.dataSync()));
    return { states, weights };
  } finally {
    model.dispose();
  }
}

/** Asks for this before each step, by the number of steps done since it was first asked. */
function steering(ask: (steps: number) => Steering): { steer: () => Steering } {
  let steps = 0;
  return { steer: () => ask(steps++) };
}
/** By float32 sums in another order; a turned rate moves the tiny network by far more. */
const ROUNDING = 1e-3;
const distance = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

test("what is turned holds from the next step on, and is told with its step", async () => {
  const rate = settings.rate / 4;
  const { states, weights } = await trained(
    steering((steps) => (steps === 5 ? { rate } : steps === 8 ? { noiseLevel: 3 } : {})),
  );
  const turned: Turn[] = [
    { step: 5, name: "rate", value: rate },
    { step: 8, name: "noiseLevel", value: 3 },
  ];
  for (const { step, rate: own, turned: told } of states) {
    const factor = step > 5 ? 0.25 : 1;
    assert.ok(Math.abs(own / rateAt(settings, (step - 1) / 20, step - 1) - factor) < 1e-12, `step ${step}`);
    assert.deepEqual(told, turned.slice(0, step > 8 ? 2 : step > 5 ? 1 : 0));
  }
  const same = await trained();
  const asked = await trained(steering(() => ({ rate: settings.rate })));
  assert.deepEqual(asked.states.at(-1)!.turned, []);
  assert.ok(distance(same.weights, asked.weights) < ROUNDING);
  assert.ok(distance(same.weights, weights) > 10 * ROUNDING);
});

test("a training that was turned and stopped goes on as it was turned, and says so", async () => {
  const previewed = { correlation_length: 2e-6 };
  const turns = (steps: number) =>
    steps === 4 ? { rate: settings.rate / 4, noiseLevel: 0.2 } : steps === 6 ? { previewed } : {};
  const whole = await trained(steering(turns));
  const folder = path.join(scratch, "resumed");
  const checkpoint = { folder, resume: true };
  await trained({ checkpoint, ...steering(turns) }, 9);
  const notes: string[] = [];
  const { states, weights } = await trained({ checkpoint, note: (sentence) => notes.push(sentence) });
  const value = Number((settings.rate / 4).toPrecision(3));
  assert.deepEqual(notes, [
    `The training goes on after step 9, as it was turned: learning rate ${value} after step 4, noise level of the batches 0.2 after step 4, preview's correlation_length 0.000002 after step 6.`,
  ]);
  assert.deepEqual(states[0].turned, whole.states[9].turned);
  assert.deepEqual(
    states.map(({ rate }) => rate),
    whole.states.slice(9).map(({ rate }) => rate),
  );
  assert.ok(distance(weights, whole.weights) < ROUNDING, String(distance(weights, whole.weights)));
});

test("a pause takes no steps and none of the training's time, and what is turned in it holds after it", async () => {
  let asked = 0;
  const began = performance.now();
  const { states } = await trained({
    minutes: 0.005,
    steps: undefined,
    steer: () => {
      asked++;
      return asked < 10 ? { pause: true, rate: 1e-9 * asked } : {};
    },
  });
  const elapsed = states.at(-1)!.secondsElapsed;
  assert.ok((performance.now() - began) / 1000 > elapsed + 0.4, "the pause was counted"); // nine times 50 ms
  assert.deepEqual(states.at(-1)!.turned, []); // nobody asked for it when the pause was over
  const { states: later } = await trained(
    steering((count) => ({ pause: count > 2 && count < 5, ...(count > 3 ? { rate: 1e-4 } : {}) })),
  );
  assert.deepEqual(later.at(-1)!.turned, [{ step: 3, name: "rate", value: 1e-4 }]);
  assert.equal(later.length, 20);
});

test("an interrupt ends a pause and the training, and nothing is left", async () => {
  const before = tf.memory().numTensors;
  let asked = 0;
  const steer = () => {
    if (++asked === 6) process.kill(process.pid, "SIGINT");
    return { pause: asked > 3 };
  };
  await assert.rejects(
    trained({ steer }),
    (error) => error instanceof Interrupted && /weights of 3 steps/.test(error.message),
  );
  assert.equal(tf.memory().numTensors, before);
});

test("values that cannot be are refused in a sentence", async () => {
  const turn =
    (wanted: Steering, training = settings) =>
    () =>
      trained(
        steering(() => wanted),
        20,
        training,
      );
  await refused(turn({ rate: -1 }), /^The learning rate is -1; give a number from 1e-9 to 1\.$/);
  await refused(turn({ previewed: { flux: NaN } }), /^The preview's flux is NaN; give/);
  await refused(turn({ noiseLevel: NaN }), /^The noise level of the batches is NaN; give a number from/);
  const quadratic = { ...settings, noise: "quadratic-time" as const } as unknown as typeof settings;
  await refused(turn({ noiseLevel: 2 }, quadratic), /drawn as "quadratic-time"; only with "log-noise-level"/);
});

test("a state without turns has no word of them, and one with impossible turns is damaged", () => {
  const vectors = {
    weights: new Float32Array(4),
    average: new Float32Array(4),
    first: new Float32Array(4),
    second: new Float32Array(4),
  };
  const state = { fingerprint: {}, step: 3, seconds: 1, bestLoss: 1, rollbacks: 0, vectors };
  const file = path.join(scratch, "step-000000003.safetensors");
  writeCheckpoint(file, state);
  assert.doesNotMatch(fs.readFileSync(file, "latin1"), /turned/);
  assert.deepEqual(readCheckpoint(file)!.turned, []);
  const turned: Turn[] = [
    { step: 2, name: "rate", value: 1e-3 },
    { step: 3, name: "previewed flux", value: -5 },
  ];
  writeCheckpoint(file, { ...state, turned });
  assert.deepEqual(readCheckpoint(file)!.turned, turned);
  for (const bad of [
    { step: -1, name: "rate", value: 1e-3 },
    { step: 1, name: "other", value: 1e-3 },
    { step: 1, name: "rate", value: "fast" },
  ]) {
    writeCheckpoint(file, { ...state, turned: [bad as unknown as Turn] });
    assert.throws(() => readCheckpoint(file), /is damaged/, JSON.stringify(bad));
  }
  fs.rmSync(file);
  assert.deepEqual(new CheckpointFolder(scratch).steps, []);
});

test("a slider that is dragged counts where it was let go", () => {
  const at = (step: number, value: number, name: Turn["name"] = "rate"): Turn => ({ step, name, value });
  const turns = [at(1, 2), at(2, 3), at(5, 9, "noiseLevel"), at(9, 4), at(100, 5), at(101, 6)];
  assert.deepEqual(settled(turns), [at(5, 9, "noiseLevel"), at(9, 4), at(101, 6)]);
});

test("batches prefer the noise levels about the one that is asked for", () => {
  const schedule = vpSchedule();
  const levels = { schedule, noiseLevels: { smallest: 0.002, largest: 60 } };
  const drawn = (preferred?: number) => drawTimes(levels, "log-noise-level", 200, new Random(4), preferred);
  const mean = (times: Float64Array) =>
    times.reduce((sum, t) => sum + Math.log(schedule.noiseLevel(t)), 0) / times.length;
  // 60 % of them move with it.
  assert.ok(Math.abs(mean(drawn(0.2)) - mean(drawn()) - 0.6 * Math.log(0.2 / Math.sqrt(0.07 * 13))) < 0.02);
  assert.ok(drawn(1000).every((t) => schedule.noiseLevel(t) < 60.001));
});
