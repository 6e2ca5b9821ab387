/** The figures of the notebooks on diffusion and score, as data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { uniformGrid } from "../lib/evaluation/reverseForms";
import { vpSchedule } from "../lib/schedule";
import { threeClusters, twoPeaks } from "../lib/evaluation/toys";
import {
  dissolvingFigure,
  drowningFigure,
  forwardPathsFigure,
  marginalsFigure,
  scheduleFigure,
} from "../notebooks/support/04/diffusionFigures";
import { colour } from "../lib/figures/figure";
import { overNoiseFigure, PointHistory, regressionFigure } from "../notebooks/support/06/matchingFigures";
import { pngOf } from "../lib/figures/png";
import { cloudsFigure, nearestFigure, vectorFieldFigure } from "../lib/figures/planeFigures";
import { radiusFigure, scoreLineFigure, spaceTimeFigure } from "../notebooks/support/05/scoreFigures";
import { withSlider } from "../lib/figures/slider";
import { Random } from "../lib/random";
import { matchesSnapshot } from "./snapshots";

const schedule = vpSchedule();
const electrode = porousElectrode("figures");
const [line, plane] = [twoPeaks(), threeClusters()];
const normal = (count: number, stream: number) => new Random(1, stream).fillNormal(new Float64Array(count));

const times = Float64Array.of(0, 0.5, 1);
const history = new PointHistory(0.8, 4, 2);
for (let step = 1; step <= 4; step++) history.add({ step, loss: 2 / step });

const field = (level: number) => {
  const density = plane.marginal(schedule, schedule.timeOf(level));
  const vectors = (at: Float64Array) => density.score(at);
  return vectorFieldFigure(
    [{ title: "score", vectors, density, cloud: plane.sample(5, new Random(1)) }],
    3,
    5,
  );
};

const figures = {
  "forward-paths": forwardPathsFigure(
    times,
    [Float64Array.of(2, 1, 0), Float64Array.of(2, 1.5, -1)],
    schedule,
  ),
  marginals: marginalsFigure([{ t: 0.1, values: normal(50, 1) }], line, schedule),
  schedule: scheduleFigure(schedule),
  dissolving: dissolvingFigure(electrode, [
    { title: "forward", states: normal(200, 2) },
    { title: "back", states: normal(200, 3) },
  ]),
  drowning: drowningFigure([{ name: "all", variances: Float64Array.of(50, 1, 0.01, 0) }], schedule, [1, 2]),
  "score-line": scoreLineFigure(line),
  "vector-field": withSlider([0.1, 1].map((level) => ({ label: `${level}`, figure: field(level) }))),
  clouds: cloudsFigure([
    { title: "data", points: plane.sample(20, new Random(2)), hex: colour.pde, name: "data" },
    { title: "drawn", points: plane.sample(20, new Random(3)), hex: colour.sgm, name: "generated" },
  ]),
  "space-time": spaceTimeFigure(
    [{ title: "ODE", times: uniformGrid(schedule, 4), paths: [normal(5, 4), normal(5, 5)] }],
    line,
    schedule,
  ),
  radius: radiusFigure([{ name: "right", hex: colour.third, times: [1, 0.5, 0], radii: [1, 2, 1] }]),
  nearest: nearestFigure([{ name: "data", hex: colour.pde, distances: normal(50, 6).map(Math.abs) }]),
  regression: regressionFigure(
    { x: normal(20, 7), z: normal(20, 8) },
    {
      centres: Float64Array.of(-1, 0, 1),
      mean: Float64Array.of(-0.5, NaN, 0.5),
      error: Float64Array.of(0.1, NaN, 0.1),
    },
    { x: Float64Array.of(-1, 1), z: Float64Array.of(-0.5, 0.5) },
  ),
  "point-history": history.figure(),
  "over-noise": overNoiseFigure([
    { y: "a (1)", curves: [{ name: "a", hex: colour.pde, levels: [0.1, 1], values: [1, 2] }] },
    { y: "b (1)", log: true, curves: [{ name: "b", hex: colour.sgm, levels: [0.1, 1], values: [1, 2] }] },
  ]),
};

for (const [name, figure] of Object.entries(figures)) {
  test(`${name} is the stored figure, is drawn, and names its axes with units`, async () => {
    matchesSnapshot(name, figure);
    const png = await pngOf(figure, 1);
    assert.deepEqual(
      [png.readUInt32BE(16), png.readUInt32BE(20)],
      [figure.layout["width"], figure.layout["height"]],
    );
    for (const [key, axis] of Object.entries(figure.layout)) {
      if (!/^[xy]axis/.test(key)) continue;
      const { title } = axis as { title: { text: string } };
      // Panels in a row or a column share the title of the outermost.
      if (title.text !== "") assert.match(title.text, /\(.+\)/, `${name}: ${key}`);
    }
  });
}

test("arrows point along the field, and a bin without draws shows nothing", () => {
  const across = vectorFieldFigure(
    [{ title: "across", vectors: (at) => at.map((_, i) => (i % 2 === 0 ? 2 : 0)) }],
    1,
    3,
  );
  const { marker } = across.data[0] as unknown as { marker: { angle: number[] } };
  assert.ok(marker.angle.every((angle) => angle === 90)); // clockwise from above
  const bins = figures.regression.data[2] as { x: number[]; y: number[] };
  assert.deepEqual(
    [bins.x, bins.y],
    [
      [-1, 1],
      [-0.5, 0.5],
    ],
  );
});

test("a loss is averaged over the steps between two points", () => {
  const { x, y } = history.figure().data[0] as { x: number[]; y: number[] };
  assert.deepEqual(x, [2, 4]);
  assert.deepEqual(
    y.map((value) => Number(value.toFixed(6))),
    [1.5, 0.583333],
  );
});
