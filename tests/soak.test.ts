/**
 * Long work in constant memory: training, sampling, writing to disk, and interrupts of the kernel. A share runs here;
 * `npm run test:soak` takes 20,000 steps, 200 calls, 1,000,000 fields and 50 interrupts, and prints figures on its way.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { tf } from "../lib/backend/tensors";
import { createModel } from "../lib/presets/createModel";
import type { ModelSettings } from "../lib/presets/presets";
import { Random } from "../lib/random";
import { ArrowRows } from "../lib/storage/arrow";
import { saveModel } from "../lib/storage/modelFolder";
import { sampleFields } from "../lib/storage/samplingRun";
import { trainModel } from "../lib/storage/trainingRun";
import { deadline } from "./processes";
import { tinyData, tinyPreset, tinyToken, tinyTraining } from "./tiny";

const { environment, python, root } = require("../scripts/environment") as {
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  python: string;
  root: string;
};

/** npm run test:soak sets it to 20,000; the other numbers go with it. */
const STEPS = Number(process.env["POROUS_SGM_SOAK"] ?? 1000);
const CALLS = Math.max(20, STEPS / 100);
const FIELDS = 50 * STEPS;
const INTERRUPTS = Math.max(3, STEPS / 400);
const long = STEPS > 1000;

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const data = tinyData();
/** The target and the training of the presets "fast" and "best", with the smallest network. */
const settings: ModelSettings = { ...tinyToken, target: "residual" };
const training = { ...tinyTraining, batch: 8, mirrored: true };

/** Resident memory in MB, without the garbage of JavaScript, which comes and goes by tens of them. */
function residentMemory(): number {
  v8.setFlagsFromString("--expose-gc");
  (vm.runInNewContext("gc") as () => void)();
  return process.memoryUsage().rss / 1e6;
}

/** Measurements in the course of a test. */
const PARTS = 20;

/** What is measured now and then: the first fifth is warm-up. */
class Figures {
  readonly tensors = new Set<number>();
  private readonly resident: number[] = [];

  constructor(private readonly log: (line: string) => void) {}

  take(what: string): void {
    this.resident.push(residentMemory());
    const { numTensors } = tf.memory();
    if (this.resident.length > this.warm) this.tensors.add(numTensors);
    this.log(`${what}: ${this.resident.at(-1)!.toFixed(0)} MB resident, ${numTensors} tensors`);
  }

  private get warm(): number {
    return Math.ceil(PARTS / 5);
  }

  /** MB between warm-up and the end, from the least of a few measurements each. */
  get growth(): number {
    const [first, last] = [this.resident.slice(this.warm, this.warm + 3), this.resident.slice(-3)];
    return Math.min(...last) - Math.min(...first);
  }
}

const told = ({ growth }: Figures) => `${growth.toFixed(1)} MB more`;

test(`memory is constant over ${STEPS} steps of a training`, async (t) => {
  const model = createModel(data, tinyPreset(settings), 1);
  const record = new Figures((line) => long && t.diagnostic(line));
  const checkpoint = { folder: path.join(scratch, "states"), everySteps: STEPS / PARTS };
  const options = { steps: STEPS, validateEvery: STEPS / PARTS, checkpoint };
  for await (const { step } of trainModel(model, data, training, options)) {
    if (step % (STEPS / PARTS) === 0) record.take(`step ${step}`);
  }
  assert.equal(record.tensors.size, 1, `tensors: ${[...record.tensors].join()}`);
  // If each step left the network's input, 8 x 100 x 12 numbers of 4 bytes, 800 steps would take 31 MB; 20,000 steps that left
  // one row of 600 responses each, 38 MB. JavaScript and its compiler differ by some MB.
  assert.ok(record.growth < 20, told(record));
  t.diagnostic(told(record));
  model.dispose();
});

test(`memory is constant over ${CALLS} calls of sampling`, async (t) => {
  const model = createModel(data, tinyPreset(settings), 1);
  const record = new Figures((line) => long && t.diagnostic(line));
  const random = new Random(1);
  for (let call = 1; call <= CALLS; call++) {
    // Other conditions each time, so that the drift is measured anew.
    const flux = 50 * random.uniform();
    const { fields } = await sampleFields(model, [1e-5, 0, flux], { count: 20, steps: 4, seed: call });
    assert.ok(Number.isFinite(fields[100]));
    if (call % (CALLS / PARTS) === 0) record.take(`call ${call}`);
  }
  assert.equal(record.tensors.size, 1, `tensors: ${[...record.tensors].join()}`);
  // If each call left its ensemble, 512 x 600 numbers of 4 bytes, 16 calls would take 20 MB, and 160 calls 200 MB; how memory is
  // parted makes some MB.
  assert.ok(record.growth < (long ? 20 : 10), told(record));
  t.diagnostic(told(record));
  model.dispose();
});

/** Draws fields with the command line; returns the most memory that its process had, in MB. */
async function memoryToSample(count: number): Promise<number> {
  const out = path.join(scratch, "fields.arrow");
  // What a process needed at most counts from its parent's memory on; the system's own count does not.
  const tell = `import fs from "node:fs"; process.on("exit", () => {
    const status = fs.existsSync("/proc/self/status") ? fs.readFileSync("/proc/self/status", "utf8") : "";
    const most = /VmHWM:\\s+(\\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
    fs.writeSync(1, "most " + most);
  })`;
  const options = [
    "--model",
    path.join(scratch, "model"),
    "--steps",
    "1",
    "--count",
    String(count),
    "--out",
    out,
  ];
  const conditions = ["--correlation-length", "1e-5", "--equilibrium-potential", "0", "--flux", "25"];
  const script = path.join(root, "scripts", "porous-sgm.js");
  const args = [
    "--import",
    `data:text/javascript,${encodeURIComponent(tell)}`,
    script,
    "sample",
    ...options,
    ...conditions,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: environment(),
    ...deadline(7200),
  });
  assert.equal(status, 0, stderr);
  const file = await ArrowRows.open(out);
  assert.equal(file.rows, count);
  file.close();
  fs.rmSync(out);
  return Number(/most (\d+)/.exec(stdout)![1]) / 1000;
}

test(`${FIELDS} fields are drawn to the disk in the memory of a ${long ? "twentieth" : "tenth"} of them`, async (t) => {
  const fewer = FIELDS / (long ? 20 : 10);
  const { bavail, bsize } = fs.statfsSync(scratch);
  const bytes = FIELDS * 200 * 8;
  if (bavail * bsize < 1.5 * bytes)
    return t.skip(`there are no ${(1.5e-9 * bytes).toFixed(1)} GB of free disk`);
  const model = createModel(data, tinyPreset(tinyToken), 1);
  await saveModel(model, path.join(scratch, "model"));
  model.dispose();
  const [few, many] = [await memoryToSample(fewer), await memoryToSample(FIELDS)];
  t.diagnostic(`${few.toFixed(0)} MB for ${fewer} fields, ${many.toFixed(0)} MB for ${FIELDS}`);
  // Kept in memory, the others would take 72 MB and more; garbage that has not been collected differs by some tens.
  assert.ok(many - few < 50, `${few} and ${many}`);
});

interface Interrupt {
  readonly kind: 0 | 1 | 2;
  readonly ended: string;
  readonly sum: number[];
  readonly still: boolean;
  readonly tensors: number;
  readonly resident: number;
}

test(`the kernel survives ${INTERRUPTS} interrupts, and computes on`, async (t) => {
  const child = spawn(python, [path.join("tests", "interrupts.py"), String(INTERRUPTS)], {
    cwd: root,
    env: environment(),
    ...deadline(7200),
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => (texts.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (texts.stderr += text.toString()));
  const [status] = (await once(child, "close")) as [number];
  assert.equal(status, 0, texts.stderr);
  const all = texts.stdout.trim().split("\n").map((line) => JSON.parse(line) as Interrupt); // prettier-ignore
  assert.equal(all.length, INTERRUPTS);
  for (const [turn, { kind, ended, sum, still, tensors, resident }] of all.entries()) {
    if (long && turn % 5 === 4)
      t.diagnostic(`interrupt ${turn + 1}: ${(resident / 1e6).toFixed(0)} MB resident, ${tensors} tensors`);
    // A computation that never awaits ends by itself.
    assert.equal(ended, kind === 2 ? "ok" : "error");
    assert.deepEqual(sum, [17, 39]);
    assert.ok(still, "what was interrupted runs on");
    assert.equal(tensors, all[0].tensors);
  }
});
