/** The state of an unfinished training: goes on as if nothing had happened, and refuses what does not belong to it. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { readCheckpoint } from "../lib/training/checkpoint";
import { createModel, train } from "../lib/training/train";
import { refused, tinyData, tinyPreset, tinyToken, tinyTraining } from "./tiny";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const data = tinyData();

/** Trains 20 steps, or fewer where it is stopped; returns the averaged weights. */
async function weightsAfter(file: string | undefined, stopAt = 20, seed = 1): Promise<number[]> {
  const model = createModel(data, tinyPreset(tinyToken), 1);
  const options = { steps: 20, seed, ...(file ? { checkpoint: { file } } : {}) };
  for await (const { step } of train(model, data, tinyTraining, options)) if (step === stopAt) break;
  const weights = model.network.getWeights().flatMap((weight) => Array.from(weight.dataSync()));
  model.dispose();
  return weights;
}

test("a training that was stopped goes on from its checkpoint to the same weights", async () => {
  const file = path.join(scratch, "state.safetensors");
  const whole = await weightsAfter(undefined);
  await weightsAfter(file, 9);
  const stored = readCheckpoint(file)!;
  assert.equal(stored.step, 9);
  const resumed = await weightsAfter(file);
  // The same numbers but for the order of float32 sums over several threads, which 20 steps magnify.
  const difference = whole.map((value, i) => Math.abs(value - resumed[i]));
  assert.ok(Math.max(...difference) < 1e-3, `${Math.max(...difference)}`);
  // A training from the start that is stopped at the same step is somewhere else.
  const moved = stored.vectors.weights.filter((value, i) => Math.abs(value - whole[i]) > 1e-2);
  assert.ok(moved.length > 10);
});

test("a checkpoint is a safetensors file that a stranger can read", async () => {
  const file = path.join(scratch, "format.safetensors");
  await weightsAfter(file, 3);
  const bytes = fs.readFileSync(file);
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

test("another seed, a damaged file and a folder that is not there are refused with a sentence", async () => {
  const file = path.join(scratch, "refused.safetensors");
  await weightsAfter(file, 3);
  await refused(() => weightsAfter(file, 20, 2), /another seed/);
  const bytes = fs.readFileSync(file);
  bytes[bytes.length - 5] ^= 1;
  fs.writeFileSync(file, bytes);
  await refused(() => weightsAfter(file), /damaged/);
  fs.writeFileSync(file, bytes.subarray(0, 100));
  await refused(() => weightsAfter(file), /damaged/);
  await refused(() => weightsAfter(path.join(scratch, "absent", "x.safetensors")), /no such file or folder/);
});
