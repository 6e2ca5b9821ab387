import assert from "node:assert/strict";
import { test } from "node:test";
import { gaussian, GaussianMixture } from "../lib/evaluation/gaussianMixture";
import type { AblationStudy } from "../lib/evaluation/studies";
import { bandsFigure, solutionsFigure } from "../lib/figures/fieldFigures";
import { band, colour, type Figure, line, panels } from "../lib/figures/figure";
import { cloudsFigure, vectorFieldFigure } from "../lib/figures/planeFigures";
import { pngOf } from "../lib/figures/png";
import { bundleOf } from "../lib/figures/show";
import { filmNetwork } from "../lib/filmCnn";
import { duration, timeLeft } from "../lib/notebook/duration";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { vpSchedule } from "../lib/schedule";
import { porosityFigure, uncertaintyFigure } from "../notebooks/support/01/electrodeFigures";
import { conditionsFigure, variancesFigure } from "../notebooks/support/03/dataFigures";
import { scheduleFigure } from "../notebooks/support/04/diffusionFigures";
import { blockFigure } from "../notebooks/support/07/networkFigure";
import { reachFigure } from "../notebooks/support/07/reachFigure";
import { TrainingHistory } from "../notebooks/support/08/trainingFigure";
import { samplerFigure } from "../notebooks/support/09/samplerFigure";
import { ablationFigure } from "../notebooks/support/12/ablationFigure";
import { samplerStudy } from "./tiny";

const electrode = porousElectrode("figures");
const set = simulateAt(electrode, [1e-5, 0, 25], 40, 1);
const other = simulateAt(electrode, [1e-5, 0, 25], 40, 2);
const data = generateDataSet(electrode, { conditions: 30, fields: 4, seed: 1 });
const toy = new GaussianMixture([gaussian(1, [0, 0], [[1, 0], [0, 0.2]])]); // prettier-ignore
const cloud = toy.sample(50, new Random(1));

/** Two answers, two seeds each, of which one training gave no finite samples. */
const ablations: AblationStudy = {
  problem: "p",
  minutes: 1,
  evaluation: {
    floorRows: 2000,
    referenceRows: 8000,
    conditions: [{ name: "here", conditions: [1], floor: 0.1, control: [] }],
  },
  questions: [
    {
      question: "One or two?",
      reach: true,
      answers: [1, 2].map((n) => ({ label: `${n}`, variant: `v${n}` })),
    },
  ],
  variants: [1, 2].map((n) => ({
    name: `v${n}`,
    description: "",
    factor: 1,
    batch: 1,
    data: { conditions: 1, fields: 1 },
    parameters: 1,
    reach: 10 * n,
    relativeStep: 1,
    stepSeconds: 1,
    steps: 1,
    settings: "",
  })),
  runs: [1, 2].flatMap((n) =>
    [1, 2].map((seed) => ({
      variant: `v${n}`,
      seed,
      fingerprint: "",
      steps: 1,
      loss: 1,
      validationLoss: 1,
      trainingSeconds: 1,
      evaluationSeconds: 1,
      results: [
        {
          condition: "here",
          rows: 10,
          sampler: "a",
          networkCalls: 1,
          floorRatio: n + seed > 3 ? null : n * seed,
          meanError: 0,
          stdRatio: 1,
        },
      ],
    })),
  ),
};

test("ablations: a row for each answer, its seeds and their mean, without what is not finite", () => {
  const { data, layout } = ablationFigure(ablations, ablations.questions[0]);
  const [seeds, means] = data;
  // What stands at a tick is its place: panels() has ticks of its own on a logarithmic axis.
  const { tickvals, ticktext } = layout["xaxis"] as { tickvals: number[]; ticktext: string[] };
  assert.deepEqual(tickvals, ticktext.map(Number));
  assert.ok(tickvals.includes(1));
  assert.deepEqual(seeds["x"], [1, 2, 2]);
  assert.deepEqual(seeds["y"], [1, 1, 0]);
  assert.deepEqual(means["x"], [1.5, 2]);
  assert.deepEqual(means["y"], [1, 0]);
  assert.deepEqual((layout["yaxis"] as { ticktext: string[] }).ticktext, [
    "1<br>reach 10 cells",
    "2<br>reach 20 cells",
  ]);
});

function history(): TrainingHistory {
  const states = new TrainingHistory(2);
  for (let step = 1; step <= 10; step++) {
    states.add({
      step,
      steps: 10,
      epoch: step / 5,
      loss: 1 / step,
      gradientNorm: 0.5,
      validationLoss: step < 5 ? NaN : 0.3,
      validated: step % 5 === 0,
      rate: 1e-3,
      turned: [],
      secondsElapsed: step,
      secondsLeft: 10 - step,
    });
  }
  return states;
}

const figures: Record<string, Figure> = {
  porosity: porosityFigure([set, other], ["a", "b"]),
  solutions: solutionsFigure(set, 3),
  bands: bandsFigure([
    { set, name: "PDE", hex: colour.pde },
    { set: other, name: "SGM", hex: colour.sgm },
  ]),
  ablations: ablationFigure(ablations, ablations.questions[0]),
  samplers: samplerFigure(samplerStudy),
  uncertainty: uncertaintyFigure(set),
  conditions: conditionsFigure(data),
  variances: variancesFigure(data),
  schedule: scheduleFigure(vpSchedule()),
  vectors: vectorFieldFigure([{ title: "score", vectors: (at) => toy.score(at), cloud }]),
  clouds: cloudsFigure([{ title: "data", points: cloud, hex: colour.pde, name: "data" }]),
  block: blockFigure(filmNetwork({ cells: 100, fields: 2, conditions: 3 }, { blocks: 1 })),
  reach: reachFigure([{ name: "one", influence: Float64Array.of(1, 0.1, 0) }]),
  training: history().figure(),
};

/** Width and height of a PNG, from its header. */
function sizeOf(png: Buffer): [number, number] {
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

test("every figure is drawn by plotly.js, in the size of its layout", async () => {
  for (const [name, figure] of Object.entries(figures)) {
    const [width, height] = sizeOf(await pngOf(figure, 1));
    assert.deepEqual([width, height], [figure.layout["width"], figure.layout["height"]], name);
  }
});

test("every axis of every figure has a title, and one of a physical quantity its unit", () => {
  for (const [name, { layout }] of Object.entries(figures)) {
    for (const [key, axis] of Object.entries(layout)) {
      const { title, visible } = (axis ?? {}) as { title?: { text: string }; visible?: boolean };
      if (!/^[xy]axis/.test(key) || visible === false) continue;
      assert.ok(title && title.text.length > 0, `${name}: ${key} has no title`);
      if (/^[cφx]( |$)|^std of/.test(title.text)) assert.match(title.text, /\(.+\)/, name);
    }
  }
});

test("PDE and SGM have their colours, and no name appears twice in a legend", () => {
  const { data: traces } = figures["bands"];
  for (const [name, hex] of [
    ["PDE mean", colour.pde],
    ["SGM mean", colour.sgm],
  ]) {
    // prettier-ignore
    for (const trace of traces.filter((candidate) => candidate["name"] === name)) {
      assert.equal((trace["line"] as { color: string }).color, hex);
    }
  }
  for (const [figure, { data: list }] of Object.entries(figures)) {
    const shown = list.filter((trace) => trace["name"] !== undefined && trace["showlegend"] !== false);
    const names = shown.map((trace) => trace["name"]);
    assert.equal(new Set(names).size, names.length, figure);
  }
});

test("the bands figure shows mean and percentiles of the data", () => {
  const constant = { ...set, fields: new Float64Array(set.fields.length).fill(2) };
  const traces = bandsFigure([{ set: constant, name: "A", hex: "#000000" }]).data;
  const mean = traces.find((trace) => trace["name"] === "A mean" && trace["yaxis"] === "y");
  const edge = traces.find((trace) => trace["name"] === "A 95 %" && trace["yaxis"] === "y2");
  assert.ok((mean?.["y"] as number[]).every((value) => value === 2));
  // phi is drawn in mV.
  assert.ok((edge?.["y"] as number[]).every((value) => value === 2000));
});

test("a band runs along its upper edge and back along its lower one", () => {
  const { x, y } = band([1, 2], [0, 1], [5, 6], "#000000") as { x: number[]; y: number[] };
  assert.deepEqual(x, [1, 2, 2, 1]);
  assert.deepEqual(y, [5, 6, 1, 0]);
});

test("a bundle holds the live figure, its picture and a text", async () => {
  const bundle = await bundleOf(
    panels([{ x: "x", y: "y", traces: [line([0, 1], [0, 1])] }], { text: "a line" }),
  );
  assert.deepEqual(Object.keys(bundle).sort(), ["application/vnd.plotly.v1+json", "image/png", "text/plain"]);
  assert.equal(bundle["text/plain"], "a line");
  const sent = JSON.parse(JSON.stringify(bundle["application/vnd.plotly.v1+json"])) as Figure;
  assert.deepEqual([sent.data[0]["x"], sent.data[0]["y"]], [[0, 1], [0, 1]]); // prettier-ignore
});

test("a figure that plotly.js cannot draw is an error with a reason, and the next one is drawn", async () => {
  const broken = { data: "no list", layout: {} } as unknown as Figure;
  await assert.rejects(pngOf(broken), /could not be drawn/);
  assert.equal(sizeOf(await pngOf(figures["training"], 1)).length, 2);
});

test("the training figure averages between its points and tells the state in one line", () => {
  const states = history();
  // The last point is the mean of steps 9 and 10.
  assert.equal(states.text, "step 10/10, loss 0.1056, gradient 0.500, validation 0.3000, 0 s left");
  const loss = states.figure().data.find((trace) => trace["name"] === "training loss")!["y"] as number[];
  assert.equal(loss[0], 0.75); // the mean of 1 and 1/2
  assert.equal(duration(200), "3 min 20 s");
  assert.equal(duration(7560), "2 h 06 min");
  assert.equal(duration(4.5e5), "5 d 05 h");
  for (const unknown of [NaN, Infinity, 1.5e13]) {
    assert.equal(duration(unknown), "an unknown time");
    assert.equal(timeLeft(unknown), "");
  }
  assert.equal(timeLeft(59.7), ", 1 min 00 s left");
});
