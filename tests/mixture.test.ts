/** A family whose law is known: what a model learns of it, against the law itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { energyDistance } from "../lib/comparison";
import { type DataSet } from "../lib/dataSet";
import { allocateDataSet } from "../lib/data/rows";
import { createModel } from "../lib/presets/createModel";
import type { Problem } from "../lib/problem";
import { Random } from "../lib/random";
import { sampleFields } from "../lib/storage/samplingRun";
import { trainModel } from "../lib/storage/trainingRun";
import { tinyPreset, tinyToken } from "./tiny";

/**
 * One number x = s (2 b - 1) + 0.3 z at a condition s: b is 1 with probability 0.2, z standard normal. Two peaks of unlike
 * weight, so skewed and not of one mode.
 */
const family: Problem = {
  name: "mixture",
  version: 1,
  description: "a mixture of two Gaussians",
  settings: {},
  conditions: [
    {
      name: "separation",
      symbol: "s",
      unit: "1",
      min: 0.5,
      max: 2,
      scale: "linear",
      description: "of the peaks",
    },
  ],
  fields: [{ name: "x", symbol: "x", unit: "1", description: "the number" }],
  cells: 1,
  length: 1,
  positions: Float64Array.of(0.5),
  affineIn: [],
  simulate(conditions, random, _latent, fields) {
    for (let i = 0; i < fields.length; i++) {
      fields[i] = conditions[0] * (random.uniform() < 0.2 ? 1 : -1) + 0.3 * random.normal();
    }
  },
  solve: () => assert.fail("has no latent field"),
  responses: () => assert.fail("has no latent field"),
};

function draw(separation: number | undefined, rows: number, seed: number): DataSet {
  const random = new Random(seed);
  const data = allocateDataSet(family, rows, seed);
  for (let row = 0; row < rows; row++) {
    // 50 rows a condition
    data.conditions[row] =
      separation ?? (row % 50 === 0 ? 0.5 + 1.5 * random.uniform() : data.conditions[row - 1]);
    family.simulate(data.conditions.subarray(row, row + 1), random, new Float64Array(0), data.fields.subarray(row, row + 1)); // prettier-ignore
  }
  return { ...data, latent: undefined };
}

test("a skewed mixture is recovered to its sampling floor, with the Gaussian part given and without", async () => {
  const data = draw(undefined, 20_000, 1);
  const [n, sets] = [800, 4];
  for (const target of ["residual", "v"] as const) {
    const preset = tinyPreset(
      {
        ...tinyToken,
        target,
        network: { ...tinyToken.network, kind: "token", stride: 1, width: 32, filmWidth: 32, blocks: 2, kernel: 1, dilations: [1, 1] }, // prettier-ignore
        noiseLevels: { smallest: 0.002, largest: 60 },
      },
      { batch: 256, rate: 1e-2, finalRate: 1e-4, warmUp: 20 },
    );
    const trained = createModel(data, preset);
    const untrained = createModel(data, preset);
    for await (const state of trainModel(trained, data, preset.training, { steps: 350 }))
      assert.ok(state.loss < 2);
    for (const separation of [0.7, 1.7]) {
      const distances = async (rows: (set: number) => Promise<DataSet> | DataSet, count: number) => {
        let sum = 0;
        for (let set = 0; set < count; set++) {
          sum += energyDistance(draw(separation, n, 100 + set).fields, (await rows(set)).fields, 1) / count;
        }
        return sum;
      };
      const from = (model: typeof trained) => (set: number) =>
        sampleFields(model, [separation], { count: n, batch: n, seed: 200 + set });
      const floor = await distances((set) => draw(separation, n, 300 + set), 40);
      const ratio = (await distances(from(trained), sets)) / floor;
      const before = (await distances(from(untrained), sets)) / floor;
      console.log(`${target} at ${separation}: ${ratio.toFixed(2)} floors; a Gaussian ${before.toFixed(0)}`);
      // In one dimension the distance of two sets of a law has a standard deviation like its mean: over four sets each,
      // ratios of 1 +- 0.7 are chance, and a short training adds as much. The Gaussian is ten floors away and more.
      assert.ok(ratio < 3.5, `${target} at ${separation}: ${ratio}`);
      assert.ok(before > 6, `${target} at ${separation}, untrained: ${before}`);
    }
    trained.dispose();
    untrained.dispose();
  }
});
