/** What is said of fields that nothing refuses: too few steps, conditions that a model never saw, values without a meaning. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionsWarning, MeaninglessFields, spreadFactor, stepsWarning } from "../lib/evaluation/warnings";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { samplerByName, samplers } from "../lib/presets/samplers";
import { simulateAt } from "../lib/presets/simulate";
import { vpSchedule } from "../lib/schedule";

const model = {
  schedule: vpSchedule({ betaMin: 0.001, betaMax: 20 }),
  noiseLevels: { smallest: 0.002, largest: 60 },
};

test("too few steps are told with what they do and how many would do", () => {
  assert.match(
    stepsWarning(model, samplerByName("stochastic-heun"), 1)!,
    /^With 1 step the sampler stochastic-heun makes fields whose spread is 38 times what it should be, even of Gaussian data; give --steps 8 or more \(its own: 1000\)\.$/,
  );
  // Steps that ignore most of the noise make fields that hardly vary.
  assert.match(stepsWarning(model, samplerByName("dpm-solver++2m"), 1)!, /spread is 0\.00\d+ times/);
  for (const sampler of samplers) {
    assert.equal(stepsWarning(model, sampler, sampler.defaultSteps), undefined, sampler.name);
    const said = stepsWarning(model, sampler, 2);
    if (sampler.name === "gaussian-exact-2m") {
      assert.equal(said, undefined); // it is exact for Gaussian data, whatever its steps
      continue;
    }
    // As many as are advised do.
    const enough = Number(/--steps (\d+) or more/.exec(said!)![1]);
    assert.equal(stepsWarning(model, sampler, enough), undefined, sampler.name);
    assert.ok(Math.abs(spreadFactor(model, sampler, enough) - 1) <= 0.1);
  }
});

const problem = porousElectrode("text");

test("conditions outside of those that a model was trained on are told, each with range and value", () => {
  const trained = {
    problem,
    trainedOn: [
      [5e-6, 1e-5],
      [0, 0],
      [10, 30],
    ] as const,
  };
  assert.equal(conditionsWarning(trained, [7e-6, 0, 20]), undefined);
  assert.equal(conditionsWarning(trained, [1.02e-5, 0, 30.9]), undefined); // as near as draws leave the ends out
  assert.equal(
    conditionsWarning(trained, [2e-5, 0, 20]),
    "The model was not trained on such conditions: the correlation length of 0.00002 m is outside of 0.000005 to 0.00001 m; what it draws there is a guess.",
  );
  assert.match(conditionsWarning(trained, [7e-6, 0.1, 45])!, /equilibrium potential of 0.1 V is outside of 0 to 0 V, and the flux of 45 A\/m2 is outside of 10 to 30 A\/m2;/); // prettier-ignore
});

test("negative concentrations are counted, with the smallest", () => {
  const data = simulateAt(problem, [1e-5, 0, 25], 8, 1);
  const count = new MeaninglessFields();
  count.add(data);
  assert.equal(count.warning("mend them"), undefined);
  const fields = data.fields.slice();
  fields[205] = -3; // c of the second row
  fields[405] = -24000.4;
  fields[1500] = -1; // a potential may be negative
  count.add({ ...data, fields });
  assert.equal(
    count.warning("mend them"),
    "Some of the fields have no meaning: 2 of 16 fields c go below 0 mol/m3, down to -24000 mol/m3; mend them.",
  );
});
