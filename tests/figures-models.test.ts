/** Figures of notebooks 7 to 9, as data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allocateDataSet, selectRows } from "../lib/data/rows";
import { type DataSet } from "../lib/dataSet";
import { colour, type Figure, type Json } from "../lib/figures/figure";
import { pngOf } from "../lib/figures/png";
import { filmNetwork } from "../lib/filmCnn";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { patchNetwork } from "../lib/presets/patchNetwork";
import { simulateAt } from "../lib/presets/simulate";
import type { TrainingState } from "../lib/storage/trainingRun";
import { filmFigure } from "../notebooks/support/07/filmFigure";
import { blockFigure } from "../notebooks/support/07/networkFigure";
import { profileFigure } from "../notebooks/support/07/profileFigure";
import { reachFigure } from "../notebooks/support/07/reachFigure";
import { scalingFigure } from "../notebooks/support/07/scalingFigure";
import { denoisedFigure, lossFigure } from "../notebooks/support/08/denoisingFigures";
import { levelsFigure } from "../notebooks/support/08/levelsFigure";
import { TrainingHistory, validationFigure } from "../notebooks/support/08/trainingFigure";
import { biasFigure, startFigure } from "../notebooks/support/09/biasFigures";
import { samplerFigure } from "../notebooks/support/09/samplerFigure";
import { pathFigure, sameNoiseFigure, stepsFigure } from "../notebooks/support/09/samplingFigures";
import { matchesSnapshot } from "./snapshots";
import { samplerStudy } from "./tiny";

const electrode = porousElectrode("figures");
/** The electrode on every tenth cell only, so that stored figures stay small. */
const coarse = { ...electrode, cells: 10, positions: electrode.positions.filter((_, i) => i % 10 === 5) };
function thinned(set: DataSet): DataSet {
  const small = allocateDataSet(coarse, set.rows);
  const fields = set.fields.filter((_, i) => i % 10 === 5);
  return { ...small, conditions: set.conditions, fields };
}
const set = thinned(simulateAt(electrode, [1e-5, 0, 25], 6, 1));
const other = thinned(simulateAt(electrode, [1e-5, 0, 25], 6, 2));

const films = [0.1, 1].map((noiseLevel, k) => ({
  conditions: Float64Array.of(1e-5, 0, 25),
  noiseLevel,
  positions: 2,
  channels: 4,
  features: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  gamma: Float32Array.of(0, 3 * k, 1 * k, 2 * k),
  beta: Float32Array.of(0, 0.5, k, -k),
}));

const shape = { cells: 100, fields: 2, conditions: 3 };

function states(count: number): TrainingState[] {
  return Array.from({ length: count }, (_, k) => ({
    step: k + 1,
    steps: 8,
    epoch: (k + 1) / 4,
    loss: 1 / (k + 1),
    gradientNorm: 0.5,
    validationLoss: k < 3 ? NaN : 0.3,
    validated: k % 4 === 3,
    rate: 1e-3,
    turned: [],
    secondsElapsed: k + 1,
    secondsLeft: 8 - k - 1,
  }));
}

function historyOf(count: number): Figure {
  const history = new TrainingHistory(2);
  for (const state of states(count)) history.add(state);
  return history.figure();
}

const figures: Record<string, Figure> = {
  film: filmFigure(films, {
    length: 1e-4,
    prefix: "s = ",
    label: ({ noiseLevel }) => String(noiseLevel),
  }),
  "block-film": blockFigure(filmNetwork(shape, { blocks: 1 })),
  "block-token": blockFigure(patchNetwork(shape, { blocks: 1 })),
  reach: reachFigure([{ name: "one", influence: Float64Array.of(1, 0.1, 0) }]),
  profile: profileFigure(
    [0.01, 1].map((noiseLevel) => ({
      noiseLevel,
      denoised: 0.5,
      beyond: { nothing: 0.5, scaled: 0.4, linear: 0.1 },
      error: { scaled: 0.3, linear: 0.2, network: 0.1 },
    })),
  ),
  scaling: scalingFigure(electrode, [
    { conditions: Float64Array.of(1e-5, -0.1, 20), shares: [0.1, 0.2] },
    { conditions: Float64Array.of(2e-6, 0.1, 40), shares: [0.05, 0.3] },
  ]),
  loss: lossFigure([0.1, 1, 10], [{ name: "untrained", loss: [1, 0.9, 1], hex: colour.grey, dash: "dot" }]),
  levels: levelsFigure([
    { name: "independent", levels: [0.01, 1, 1.1, 100], losses: [1, 2, 4] },
    { name: "stratified", levels: [0.01, 0.1, 1, 100], losses: [2, 2, 3] },
  ]),
  denoised: denoisedFigure(
    selectRows(set, [0]),
    [0.1, 1].map((noiseLevel, k) => ({ noiseLevel, noisy: k === 0 ? set : other, denoised: set })),
  ),
  training: historyOf(8),
  validation: validationFigure([
    { name: "last", states: states(8).filter(({ validated }) => validated), hex: colour.grey },
  ]),
  path: pathFigure(
    [60, 0].map((noiseLevel, step) => ({ step, steps: 1, noiseLevel, fields: step ? set : other })),
  ),
  steps: stepsFigure(set, [2, 4], [{ name: "a", sets: [set, other] }]),
  "same-noise": sameNoiseFigure(set, [{ name: "a", set: other }]),
  bias: biasFigure(
    [
      { name: "a", calls: [10, 20], errors: [0.1, 0.05] },
      { name: "exact", calls: [10, 20], errors: [0, 1e-16] },
    ],
    [1000],
  ),
  start: startFigure(
    [1, 10],
    [{ name: "normal", missed: [0.1, 0.01], hex: colour.grey }],
    [{ level: 5, name: "here" }],
  ),
  samplers: samplerFigure(samplerStudy),
};

test("figures of networks, training and sampling are those that are stored", () => {
  for (const [name, figure] of Object.entries(figures)) matchesSnapshot(`models-${name}`, figure);
});

test("each is drawn by plotly.js in its size, and says in words what it shows", async () => {
  for (const [name, figure] of Object.entries(figures)) {
    const png = await pngOf(figure, 1);
    const size = [png.readUInt32BE(16), png.readUInt32BE(20)];
    assert.deepEqual(size, [figure.layout["width"], figure.layout["height"]], name);
    assert.ok((figure.text ?? "").length > 10, name);
  }
});

test("every axis has a title, and every curve that can be hovered over says what it is", () => {
  for (const [name, { data, layout }] of Object.entries(figures)) {
    for (const [key, axis] of Object.entries(layout)) {
      const { title, visible } = (axis ?? {}) as { title?: { text: string }; visible?: boolean };
      if (!/^[xy]axis/.test(key) || visible === false) continue;
      assert.ok(title && title.text.length > 0, `${name}: ${key} has no title`);
    }
    for (const trace of data) {
      assert.ok(trace["hovertemplate"] ?? trace["hoverinfo"], `${name}: a curve without hover`);
    }
  }
});

test("FiLM's slider: channels whose gain moves most, the features before it in all positions the same", () => {
  const { data, frames } = figures["film"];
  assert.deepEqual(
    data.slice(0, 3).map((trace) => trace["name"]),
    ["channel 1", "channel 3", "channel 2"],
  );
  const second = (frames![1]["data"] as readonly { readonly [key: string]: Json }[]).map(
    (trace) => trace["y"],
  );
  assert.deepEqual(second.slice(0, 3), [undefined, undefined, undefined]); // not repeated: as in the first
  assert.deepEqual(second[3], [4 * 2 + 0.5, 4 * 6 + 0.5]); // (1 + gamma) h + beta
});

test("the training's title tells the time left while it runs, and the time taken at its end", () => {
  const title = (figure: Figure) => (figure.layout["title"] as { text: string }).text;
  assert.equal(title(historyOf(4)), "step 4 of 8 · validation 0.300 · 4 s left");
  assert.equal(title(historyOf(8)), "step 8 of 8 · validation 0.300 · took 8 s");
});

test("a bias that is round-off is not drawn", () => {
  const exact = figures["bias"].data.find((trace) => trace["name"] === "exact")!;
  assert.deepEqual(JSON.parse(JSON.stringify(exact["y"])), [null, null]);
});

test("blocks are drawn with the names and colours of their layers, none of which is unknown", () => {
  for (const name of ["block-film", "block-token"]) {
    const labels = (figures[name].layout["annotations"] as readonly { text: string }[]).map(
      ({ text }) => text,
    );
    assert.ok(labels.some((text) => /^conv/.test(text)));
    assert.ok(labels.some((text) => /^dense/.test(text)));
    assert.ok(!labels.some((text) => /Conv1D|Affine/.test(text)), String(labels));
  }
});
