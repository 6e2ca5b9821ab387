import assert from "node:assert/strict";
import { test } from "node:test";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import {
  conditionSliderFigure,
  correlationsFigure,
  modesFigure,
  spectrumFigure,
  variancesFigure,
} from "../notebooks/support/03/dataFigures";
import { fieldModes } from "../notebooks/support/03/fieldModes";
import { matchesSnapshot } from "./snapshots";

const problem = porousElectrode("figures");
const data = generateDataSet(problem, { conditions: 20, fields: 4, seed: 1 });
const modes = fieldModes(simulateAt(problem, [1e-5, 0, 25], 100, 1));

test("the figures of the data set are those stored", () => {
  // Correlations are drawn with three digits.
  matchesSnapshot("data-correlations", correlationsFigure(data), 1.1e-3);
  matchesSnapshot("data-variances", variancesFigure(data));
  matchesSnapshot("data-spectrum", spectrumFigure([{ name: "one", modes }], 8));
  matchesSnapshot("data-modes", modesFigure(problem, modes, 2), 1.1e-4);
  const slider = conditionSliderFigure(problem, "flux", [0, 50], [1e-5, 0, 25], { rows: 5 });
  matchesSnapshot("data-slider", slider);
});

test("the slider holds the porosities: U0 leaves phi alone, and without current there is hardly a potential", () => {
  type Curves = { y?: number[] }[];
  const at = (name: string, values: number[]) =>
    conditionSliderFigure(problem, name, values, [1e-5, 0, 25], { rows: 20 });
  const potential = at("equilibrium_potential", [-0.2, 0, 0.2]).frames!.map(
    (frame) => frame["data"] as Curves,
  );
  for (const [c, , phi] of potential) assert.ok(c.y !== undefined && phi.y === undefined); // unchanged: not repeated
  const [without, , most] = at("flux", [0, 25, 50]).frames!.map(
    (frame) => (frame["data"] as Curves)[3].y![99],
  );
  assert.ok(Math.abs(without) < 0.05 && most > 5); // mV
});

test("cumulative variances rise to at most all of it, and end there", () => {
  const { data: traces } = spectrumFigure([{ name: "one", modes }], 200);
  const sums = traces[1]["y"] as number[];
  sums.forEach((value, k) => assert.ok(k === 0 || value >= sums[k - 1]));
  assert.equal(sums.at(-1), 100);
});

test("data that do not vary have no correlation, and are drawn as none", () => {
  const traces = correlationsFigure(data).data.filter((trace) => trace["xaxis"] === "x");
  for (const trace of traces) {
    const y = trace["y"] as number[];
    assert.ok(Number.isNaN(y[99])); // c is fixed in the last cell
    assert.ok(y.slice(0, 99).every((value) => Math.abs(value) <= 1));
  }
});
