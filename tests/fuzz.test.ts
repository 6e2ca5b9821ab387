/**
 * Broken files of every kind that the project reads: each is read, or refused in one sentence, within a second, and takes
 * no more memory than its size warrants. `npm run test:fuzz` tries 100,000 inputs: these, cli-fuzz.test.ts, properties.test.ts.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { FlatAdam } from "../lib/backend/flatAdam";
import { tf } from "../lib/backend/tensors";
import { InputError } from "../lib/backend/errors";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { createModel } from "../lib/presets/createModel";
import { generateDataSet } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { readDataSet, writeDataSet } from "../lib/storage/arrow";
import { checkSame, readCheckpoint, writeCheckpoint } from "../lib/storage/checkpoint";
import { readPorosityCsv } from "../lib/storage/csv";
import { openTable } from "../lib/storage/numberTables";
import { loadModel, saveModel } from "../lib/storage/modelFolder";
import { mutated } from "./mutations";
import { problem, tinyPreset, tinyToken, tinyTraining } from "./tiny";

/** Inputs of all fuzz tests; most are broken files. */
const INPUTS = Number(process.env["POROUS_SGM_FUZZ"] ?? 1000);
/** Of the processor, so that what else the machine does counts for nothing; waiting for ever would end no test. */
const MOST_MS = 1000;
/** What a file of some kilobytes may take, beside what the garbage collector has not yet taken back. */
const MOST_BYTES = 300e6;

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

interface Target {
  readonly name: string;
  readonly kind: "binary" | "text";
  /** Share of the inputs. */
  readonly share: number;
  /** A file that is broken, and what reads it. */
  readonly file: string;
  readonly read: () => unknown;
  readonly broken?: typeof mutated;
}

async function targets(): Promise<Target[]> {
  const at = (...names: string[]) => path.join(scratch, ...names);
  const data = generateDataSet(problem, { conditions: 3, fields: 2, seed: 1 });
  writeDataSet(at("data.arrow"), data);
  const figures = porousElectrode("figures");
  for (const [name, from] of [
    ["lz4", "pandas.feather"],
    ["zstd", "polars-zstd.arrow"],
    ["stream", "pandas-null.arrows"],
    ["own.npy", "own-float32-big-endian-fortran.npy"],
    ["own.npz", "own.npz"],
    ["own.parquet", "own-pandas.parquet"],
    ["own.feather", "own-pandas.feather"],
  ]) {
    fs.copyFileSync(path.join(__dirname, "data", "foreign", from), at(name));
  }
  const latent = Array.from(data.latent!.subarray(0, 300));
  const rows = [0, 1, 2].map((row) => latent.slice(100 * row, 100 * (row + 1)).join(","));
  fs.writeFileSync(at("porosity.csv"), `${rows.join("\n")}\n`);
  const vector = Float32Array.of(1, 2, 3);
  const vectors = { weights: vector, average: vector, first: vector, second: vector };
  const fingerprint = { seed: "1", length: "2" };
  writeCheckpoint(at("state"), { fingerprint, step: 3, seconds: 1, bestLoss: 0.5, rollbacks: 0, vectors });
  const training = generateDataSet(problem, { conditions: 40, fields: 10, seed: 1 });
  const residual = { ...tinyToken, target: "residual" as const };
  const model = createModel(training, tinyPreset(residual), 1);
  await saveModel(model, at("model"));
  model.dispose();
  const load = async () => (await loadModel(at("model"))).dispose();
  const adam = new FlatAdam([tf.variable(tf.zeros([3]))], tinyTraining);
  const resume = () => {
    const state = readCheckpoint(at("state"))!;
    checkSame("state", state.fingerprint, fingerprint);
    adam.restore(state.vectors, state.step);
  };
  return [
    { name: "Arrow file packed by lz4", kind: "binary", share: 0.05, file: at("lz4"), read: () => readDataSet(at("lz4"), figures) },
    { name: "Arrow file packed by zstd", kind: "binary", share: 0.05, file: at("zstd"), read: () => readDataSet(at("zstd"), figures) },
    { name: "Arrow stream", kind: "binary", share: 0.05, file: at("stream"), read: () => readDataSet(at("stream"), figures) },
    { name: "Arrow file", kind: "binary", share: 0.15, file: at("data.arrow"), read: () => readDataSet(at("data.arrow")) },
    { name: "CSV file", kind: "text", share: 0.15, file: at("porosity.csv"), read: () => drained(readPorosityCsv(at("porosity.csv"), problem)) },
    ...["own.npy", "own.npz", "own.parquet", "own.feather"].map((name) => ({
      ...{ name: `imported ${name}`, kind: "binary" as const, share: 0.03, file: at(name) },
      read: async () => {
        const table = await openTable(at(name));
        for (const array of table.names) if (array !== "note") await table.read(array);
      },
    })),
    { name: "checkpoint", kind: "binary", share: 0.1, file: at("state"), read: () => readCheckpoint(at("state")) },
    { name: "checkpoint with a right digest", kind: "text", share: 0.1, file: at("state"), read: resume, broken: resealed },
    { name: "model.json", kind: "text", share: 0.04, file: at("model", "model.json"), read: load },
    { name: "network.json", kind: "text", share: 0.03, file: at("model", "network.json"), read: load },
    { name: "covariance.bin", kind: "binary", share: 0.03, file: at("model", "covariance.bin"), read: load },
  ]; // prettier-ignore
}

/** A checkpoint whose header is changed, with the digest that belongs to what it is then. */
function resealed(whole: Buffer, random: Random): Buffer {
  const start = 8 + Number(whole.readBigUInt64LE(0));
  const [zeros, blocks] = ["0".repeat(64), whole.subarray(start)];
  const header = whole.toString("utf8", 8, start).replace(/(?<="sha256":")[0-9a-f]{64}/, zeros);
  const changed = mutated(Buffer.from(header), random, "text").toString("utf8");
  const digest = createHash("sha256").update(changed).update(blocks).digest("hex");
  const sealed = Buffer.from(changed.replace(zeros, digest));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(sealed.length));
  return Buffer.concat([length, sealed, blocks]);
}

async function drained(rows: AsyncGenerator<Float64Array>): Promise<void> {
  for await (const row of rows) assert.equal(row.length, 100);
}

test(`${0.87 * INPUTS} broken files are read or refused in one sentence`, async (t) => {
  for (const { name, kind, share, file, read, broken = mutated } of await targets()) {
    await t.test(name, async (part) => {
      const whole = fs.readFileSync(file);
      await read(); // what it takes once, such as a kernel's first call
      const random = new Random(1, whole.length);
      const before = process.memoryUsage().rss;
      const tensors = tf.memory().numTensors;
      let [refusals, longest] = [0, 0];
      const inputs = Math.round(INPUTS * share);
      for (let n = 0; n < inputs; n++) {
        const bytes = broken(whole, random, kind);
        fs.writeFileSync(file, bytes);
        const start = process.cpuUsage();
        try {
          await read();
        } catch (error) {
          refusals++;
          const told = error instanceof InputError && /^[^\n]{20,500}$/.test(error.message);
          if (!told) {
            const kept = path.join(os.tmpdir(), `porous-sgm-fuzz-${path.basename(file)}`);
            fs.writeFileSync(kept, bytes);
            assert.fail(`input ${n}, kept as ${kept}: ${String((error as Error).stack)}`);
          }
        }
        const { user, system } = process.cpuUsage(start);
        const ms = (user + system) / 1000;
        longest = Math.max(longest, ms);
        assert.ok(ms < MOST_MS, `input ${n} took ${ms.toFixed(0)} ms`);
      }
      fs.writeFileSync(file, whole);
      await read(); // still well
      assert.ok(refusals > 0);
      assert.equal(tf.memory().numTensors, tensors);
      const grown = process.memoryUsage().rss - before;
      const told = `${refusals} of ${inputs} refused, at most ${longest.toFixed(0)} ms, ${(grown / 1e6).toFixed(0)} MB more`;
      part.diagnostic(told);
      assert.ok(grown < MOST_BYTES, told);
    });
  }
  t.diagnostic(`${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB of memory at most`);
  const left = ["data.arrow", "lz4", "model", "own.feather", "own.npy", "own.npz", "own.parquet", "porosity.csv", "state", "stream", "zstd"]; // prettier-ignore
  assert.deepEqual(fs.readdirSync(scratch).sort(), left);
});
