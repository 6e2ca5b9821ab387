/** The models that come with the project: whole, of their convention, and close to the solver. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { compare } from "../lib/evaluation/compare";
import { gaussianControl } from "../lib/evaluation/controls";
import { measureFloorRatio, referenceSets } from "../lib/evaluation/floorRatio";
import { referenceConditions } from "../lib/evaluation/heldOut";
import { presets } from "../lib/presets/presets";
import { simulateAt } from "../lib/presets/simulate";
import { loadModel } from "../lib/storage/modelFolder";
import { sampleFields } from "../lib/storage/samplingRun";

/** Sets of each kind; `npm run test:models` compares twice as many. */
const SETS = Number(process.env["POROUS_SGM_SETS"] ?? 2);

test("blog: the published recipe's model is what its file says, and draws fields", async () => {
  const model = await loadModel(path.join(__dirname, "..", "data", "models", "blog"));
  assert.deepEqual(model.settings, presets.blog.model);
  assert.equal(model.history["preset"], "blog");
  assert.deepEqual(model.problem.settings, { convention: "figures" });
  assert.equal(model.sampler.name, "dpm-solver++2m");
  const at = referenceConditions(model.problem);
  const drawn = await sampleFields(model, at, { count: 20, steps: 10 });
  assert.equal(drawn.rows, 20); // values that are not finite are refused
  model.dispose();
});

for (const convention of ["figures", "text"]) {
  test(`${convention}: draws from the PDE's distribution, where a Gaussian of its moments does not`, async () => {
    const model = await loadModel(path.join(__dirname, "..", "data", "models", convention));
    assert.deepEqual(model.problem.settings, { convention });
    assert.equal(model.sampler.name, "gaussian-exact-2m");
    const at = referenceConditions(model.problem);
    const [rows, sets] = [1000, SETS];
    const references = await referenceSets((set, count) => simulateAt(model.problem, at, count, 71 + set), {
      rows,
      sets,
    });
    const draw = (set: number, count: number) =>
      sampleFields(model, at, { count, batch: count, seed: 81 + set });
    const own = await measureFloorRatio(references, draw);
    const large = simulateAt(model.problem, at, 8000, 99);
    const gaussian = await measureFloorRatio(references, gaussianControl(large, 5));
    console.log(`${convention}: ${own.pooled.toFixed(2)} floors, a Gaussian ${gaussian.pooled.toFixed(2)}`);
    // A pair of sets scatters by half a floor, all pairs of four by a quarter of that: three of these above 1.
    assert.ok(own.pooled < 1.4, `${own.pooled}`);
    assert.ok(gaussian.pooled > own.pooled + 0.6, `${gaussian.pooled}`);
    assert.ok(own.pinnedExact);

    // As smooth as solutions, also where these are smoothest: second differences to a tenth.
    const long = Float64Array.of(2e-5, 0, 25);
    const [a, b] = [91, 92].map((seed) => simulateAt(model.problem, long, rows, seed));
    const drawn = await sampleFields(model, long, { count: rows, batch: rows, seed: 93 });
    for (const { name, roughnessRatio } of compare(a, drawn, b).fields) {
      const { sample, floor } = roughnessRatio;
      assert.ok(Math.abs(sample - 1) < 0.1, `${name}: ${sample} times as rough, a set of the PDE ${floor}`);
    }
    model.dispose();
  });
}
