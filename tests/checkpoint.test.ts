/** The state of an unfinished training: goes on as if nothing had happened, whatever happens to process and disk. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { createModel } from "../lib/presets/createModel";
import { Random } from "../lib/random";
import { CheckpointFolder, readCheckpoint } from "../lib/storage/checkpoint";
import { trainModel, type TrainOptions } from "../lib/storage/trainingRun";
import { deadline } from "./processes";
import { refused, tinyData, tinyPreset, tinyToken, tinyTraining } from "./tiny";

const { environment, root } = require("../scripts/environment") as {
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const data = tinyData();

/** Trains 20 steps, or fewer where it is stopped; returns the averaged weights. */
async function weightsAfter(
  folder: string | undefined,
  stopAt = 20,
  options: TrainOptions = {},
): Promise<number[]> {
  const model = createModel(data, tinyPreset(tinyToken), 1);
  const checkpoint = folder === undefined ? {} : { checkpoint: { folder, resume: true } };
  try {
    for await (const { step } of trainModel(model, data, tinyTraining, {
      steps: 20,
      ...checkpoint,
      ...options,
    })) {
      if (step === stopAt) break;
    }
    return model.network.getWeights().flatMap((weight) => Array.from(weight.dataSync()));
  } finally {
    model.dispose();
  }
}

const stateOf = (folder: string, step: number) =>
  path.join(folder, `step-${String(step).padStart(9, "0")}.safetensors`);

test("a training that was stopped goes on from its last state to the same weights", async () => {
  const folder = path.join(scratch, "state");
  const whole = await weightsAfter(undefined);
  await weightsAfter(folder, 9);
  const stored = readCheckpoint(stateOf(folder, 9))!;
  assert.equal(stored.step, 9);
  const notes: string[] = [];
  const resumed = await weightsAfter(folder, 20, { note: (sentence) => notes.push(sentence) });
  assert.deepEqual(notes, ["The training goes on after step 9."]);
  // The same numbers but for the order of float32 sums over several threads, which 20 steps magnify.
  const difference = whole.map((value, i) => Math.abs(value - resumed[i]));
  assert.ok(Math.max(...difference) < 1e-3, `${Math.max(...difference)}`);
  // A training from the start that is stopped at the same step is somewhere else.
  const moved = stored.vectors.weights.filter((value, i) => Math.abs(value - whole[i]) > 1e-2);
  assert.ok(moved.length > 10);
});

test("a complete training is prolonged, at the rates of a training of the new length", async () => {
  const folder = path.join(scratch, "prolonged");
  await weightsAfter(folder);
  await refused(
    () => weightsAfter(folder, 20, { steps: 12 }),
    /is complete, after 20 steps; give a greater length/,
  );
  await refused(() => weightsAfter(folder, 20, { steps: 30, seed: 2 }), /another seed/);
  const rates = async (options: TrainOptions): Promise<Map<number, number>> => {
    const model = createModel(data, tinyPreset(tinyToken), 1);
    const found = new Map<number, number>();
    for await (const { step, rate } of trainModel(model, data, tinyTraining, { steps: 30, ...options }))
      found.set(step, rate);
    model.dispose();
    return found;
  };
  const notes: string[] = [];
  const whole = await rates({});
  const checkpoint = { folder, resume: true };
  const prolonged = await rates({ checkpoint, note: (sentence) => notes.push(sentence) });
  assert.deepEqual(notes, [
    "The complete training of 20 steps is prolonged: the learning rate is that of a training of the new length.",
    "The training goes on after step 20.",
  ]);
  assert.deepEqual([...prolonged], [...whole].slice(20));
  // What is now a complete training of 30 steps has nothing left to do.
  assert.equal((await rates({ checkpoint })).size, 0);
});

test("the last three states and the best are kept, and nothing else is left", async () => {
  const folder = path.join(scratch, "kept");
  const losses = new Map<number, number>();
  const model = createModel(data, tinyPreset(tinyToken), 1);
  const options = { steps: 20, validateEvery: 4, checkpoint: { folder, everySteps: 3 } };
  for await (const { step, validated, validationLoss } of trainModel(model, data, tinyTraining, options)) {
    if (validated) losses.set(step, validationLoss);
  }
  model.dispose();
  const names = ["best.safetensors", ...[15, 18, 20].map((step) => path.basename(stateOf("", step)))];
  assert.deepEqual(fs.readdirSync(folder).sort(), names.sort());
  const best = readCheckpoint(path.join(folder, "best.safetensors"))!;
  const least = Math.min(...losses.values());
  assert.equal(losses.get(best.step), least);
  assert.equal(best.bestLoss, least);
});

test("a checkpoint is a safetensors file that a stranger can read", async () => {
  const folder = path.join(scratch, "format");
  await weightsAfter(folder, 3);
  const bytes = fs.readFileSync(stateOf(folder, 3));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8")) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  assert.equal(length % 8, 0);
  const blocks = Object.entries(header).filter(([name]) => name !== "__metadata__");
  assert.deepEqual(blocks.map(([name]) => name).sort(), ["average", "first", "second", "weights"]);
  for (const [
    ,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of blocks) {
    // prettier-ignore
    assert.equal(dtype, "F32");
    assert.equal(to - from, 4 * shape[0]);
    assert.ok(8 + length + to <= bytes.length);
  }
});

test("another seed, other data and a folder that is in use or has states are refused with a sentence", async () => {
  const folder = path.join(scratch, "refused");
  await weightsAfter(folder, 3);
  await refused(() => weightsAfter(folder, 20, { seed: 2 }), /another seed/);
  await refused(() => weightsAfter(folder, 20, { steps: 21 }), /another length/);
  const model = createModel(data, tinyPreset(tinyToken), 1);
  const settings = { steps: 20, checkpoint: { folder, resume: true } };
  const on = (set: typeof data, training = tinyTraining) => trainModel(model, set, training, settings).next();
  await refused(() => on(tinyData(2)), /another data set/);
  await refused(() => on(data, { ...tinyTraining, ema: 0.9 }), /another set of training settings/);
  await refused(() => weightsAfter(folder, 20, { checkpoint: { folder } }), /holds the states of a training/);
  const first = new CheckpointFolder(folder);
  await refused(() => weightsAfter(folder), /Another training \(process \d+\) uses/);
  first.close();
  await refused(() => weightsAfter(path.join("/dev/null", "x")), /not a folder/);
  model.dispose();
  assert.deepEqual(fs.readdirSync(folder).sort(), ["best.safetensors", path.basename(stateOf("", 3))]);
});

test("a damaged state is passed over for the one before, and all damaged ones are left alone", async () => {
  // Of so long a path a sentence shows a part, which must be the one that names the file.
  const folder = path.join(scratch, "a-folder-of-many-runs".repeat(3), "damaged");
  const model = createModel(data, tinyPreset(tinyToken), 1);
  const options = { steps: 20, checkpoint: { folder, everySteps: 5 } };
  for await (const { step } of trainModel(model, data, tinyTraining, options)) if (step === 15) break;
  model.dispose();
  const newest = stateOf(folder, 15);
  const whole = fs.readFileSync(newest);
  const random = new Random(1);
  const flipped = (at: number) => {
    const bytes = Buffer.from(whole);
    bytes[at] ^= 1 << Math.floor(8 * random.uniform());
    return bytes;
  };
  const places = Array.from({ length: 300 }, () => Math.floor(whole.length * random.uniform()));
  const broken = [
    ...places.map(flipped), // anywhere
    ...Array.from({ length: 300 }, (_, k) => flipped(k)), // in the header
    ...[0, 4, 8, 100, whole.length - 4].map((length) => whole.subarray(0, length)),
    Buffer.concat([whole, Buffer.alloc(4)]),
  ];
  const opened = new CheckpointFolder(folder);
  for (const bytes of broken) {
    fs.writeFileSync(newest, bytes);
    const notes: string[] = [];
    assert.equal(opened.newest((sentence) => notes.push(sentence))?.step, 10);
    assert.equal(notes.length, 1);
    assert.match(notes[0], /step-000000015\.safetensors" is damaged/);
  }
  for (const step of [5, 10]) fs.writeFileSync(stateOf(folder, step), "");
  await refused(() => opened.newest(() => undefined), /None of the states/);
  opened.close();
});

/** A training at a rate at which it must diverge. */
async function shaken(options: TrainOptions): Promise<{ steps: number[]; notes: string[] }> {
  const model = createModel(data, tinyPreset(tinyToken), 1);
  const [steps, notes]: [number[], string[]] = [[], []];
  const settings = { ...tinyTraining, rate: 1e4, finalRate: 1e4, clip: 0 };
  const note = (sentence: string) => void notes.push(sentence);
  try {
    for await (const { step } of trainModel(model, data, settings, { steps: 300, note, ...options }))
      steps.push(step);
  } finally {
    model.dispose();
  }
  return { steps, notes };
}

test("a training that diverges stops, or steps back at half the rate, and never keeps what it diverged to", async () => {
  const folder = path.join(scratch, "diverged");
  await refused(
    () => shaken({ checkpoint: { folder, everySteps: 1000 } }),
    /The loss is .* train with a smaller rate/,
  );
  assert.deepEqual(fs.readdirSync(folder), []);
  const notes: string[] = [];
  const note = (sentence: string) => void notes.push(sentence);
  await refused(() => shaken({ divergence: "step-back", note }), /The loss is .* train with a smaller rate/);
  assert.equal(notes.length, 5);
  const rates = notes.map((sentence) => Number(/rate of ([\d.e+]+)/.exec(sentence)![1]));
  rates.forEach((rate, k) => assert.ok(Math.abs(rate / (rates[0] / 2 ** k) - 1) < 0.1, rates.join(", ")));
  for (const sentence of notes) assert.match(sentence, /back to step 0/);
});

test("a full disk and a lost permission end a training with the last good state and a sentence", (t) => {
  // A file system of the test's own, in a namespace of its own.
  const inside = (script: string) =>
    spawnSync("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", script], {
      cwd: root,
      encoding: "utf8",
      env: environment(),
      ...deadline(600),
    });
  if (inside("mount -t tmpfs none /mnt").status !== 0) return t.skip("no file system may be mounted here");
  const training = (folder: string) =>
    `node --require ./scripts/typescript.js tests/trainProcess.ts ${folder} 20`;
  const check = (folder: string, script: string, reason: RegExp) => {
    fs.mkdirSync(folder);
    // What is in the folder is copied out, as the file system ends with the namespace.
    const { status, stderr } = inside(`${script}; code=$?; cp -r ${folder} ${folder}-after; exit $code`);
    assert.equal(status, 2, stderr);
    assert.match(stderr, reason);
    const names = fs.readdirSync(`${folder}-after`).filter((name) => name !== "lock");
    for (const name of names) assert.match(name, /^(step-\d{9}|best)\.safetensors$/);
    const opened = new CheckpointFolder(`${folder}-after`);
    assert.ok(opened.newest((sentence) => assert.fail(sentence))!.step >= 3);
    opened.close();
  };
  const [full, refusing] = ["full", "read-only"].map((name) => path.join(scratch, name));
  const size = fs.statSync(stateOf(path.join(scratch, "kept"), 20)).size;
  // Room for the three states, the best and half of the next.
  const room = Math.round(4.5 * size);
  check(full, `mount -t tmpfs -o size=${room} none ${full} && ${training(full)}`, /the disk is full/);
  const wait = `while [ ! -e ${stateOf(refusing, 3)} ]; do sleep 0.02; done; mount -o remount,ro ${refusing}`;
  const script = `mount -t tmpfs none ${refusing} && { ${training(refusing)} & pid=$!; ${wait}; wait $pid; }`;
  check(refusing, script, /read-only/);
});

/** Starts a training in a process of its own; `until` gets each line that it prints. */
function started(folder: string, pause: number, until: (line: string, child: ChildProcess) => void) {
  const env = environment({ ...process.env, TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "1" });
  const args = ["--require", "./scripts/typescript.js", "tests/trainProcess.ts", folder, String(pause)];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    ...deadline(600),
  });
  const lines: string[] = [];
  let rest = "";
  child.stdout!.on("data", (text: Buffer) => {
    const parts = (rest + text.toString()).split("\n");
    rest = parts.pop()!;
    for (const line of parts) {
      lines.push(line);
      until(line, child);
    }
  });
  child.stderr!.on("data", (text: Buffer) => lines.push(text.toString().trim()));
  return { child, lines, ended: once(child, "close") };
}

const lastStep = (lines: readonly string[]) =>
  Math.max(0, ...lines.map((line) => Number(/^step (\d+)$/.exec(line)?.[1] ?? 0)));

test("20 steps, SIGKILL and 20 steps more are 40 steps, byte for byte", async () => {
  const run = async (name: string, killAt: number) => {
    const folder = path.join(scratch, name);
    const first = started(
      folder,
      0,
      (line, child) => void (line === `step ${killAt}` && child.kill("SIGKILL")),
    );
    await first.ended;
    if (killAt > 40) return first.lines;
    const second = started(folder, 0, () => undefined);
    await second.ended;
    assert.match(second.lines.join("\n"), /^note The training goes on after step (20|21|22|23|24|25)\.$/m);
    return second.lines;
  };
  const whole = (await run("whole", 99)).find((line) => line.startsWith("weights"));
  const parts = (await run("parts", 20)).find((line) => line.startsWith("weights"));
  assert.ok(whole);
  assert.equal(parts, whole);
});

/** npm run test:faults sets it to 200. */
const KILLS = Number(process.env["POROUS_SGM_KILLS"] ?? 4);

test(`after each of ${KILLS} SIGKILLs at random moments the newest state is at most one interval old`, async () => {
  const random = new Random(7);
  let folder = path.join(scratch, "killed-0");
  let [known, finished] = [0, 0];
  for (let kill = 0; kill < KILLS; kill++) {
    const delay = 100 * random.uniform(); // ms after the first step: some fifteen steps and their writes
    let timer: NodeJS.Timeout | undefined;
    const { lines, ended } = started(folder, 2, (line, child) => {
      if (/^step/.test(line)) timer ??= setTimeout(() => child.kill("SIGKILL"), delay);
    });
    await ended;
    clearTimeout(timer);
    const text = lines.join("\n");
    assert.doesNotMatch(text, /damaged|rror/, text);
    if (known > 0) {
      // It went on from what the run before had reported, or from the step that was being written.
      const from = Number(/goes on after step (\d+)/.exec(text)?.[1]);
      assert.ok(from >= known && from <= known + 1, `${from} after ${known}`);
    }
    known = lastStep(lines);
    if (text.includes("weights")) {
      finished++;
      known = 0;
      folder = path.join(scratch, `killed-${finished}`);
    }
  }
  assert.ok(finished < KILLS, "no run was killed");
});

test("SIGINT ends a training with its state kept", async () => {
  const folder = path.join(scratch, "interrupted");
  const { lines, ended } = started(
    folder,
    20,
    (line, child) => void (line === "step 5" && child.kill("SIGINT")),
  );
  await ended;
  assert.match(lines.join("\n"), /was interrupted: the model keeps the weights of \d+ steps/);
  const opened = new CheckpointFolder(folder);
  assert.equal(opened.newest(() => undefined)!.step, lastStep(lines));
  opened.close();
});
