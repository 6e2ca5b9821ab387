import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldBands } from "../lib/comparison";
import { compare } from "../lib/evaluation/compare";
import { measureFloorRatio, referenceSets } from "../lib/evaluation/floorRatio";
import { reverseForms, uniformGrid } from "../lib/evaluation/reverseForms";
import { curvesFigure } from "../lib/figures/curves";
import { colour, type Figure } from "../lib/figures/figure";
import { pngOf } from "../lib/figures/png";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { vpSchedule } from "../lib/schedule";
import { readEvaluations } from "../lib/storage/evaluations";
import { conditionMapFigure } from "../notebooks/support/10/conditionMap";
import { floorRatiosFigure, spreadFloorFigure } from "../notebooks/support/10/floorFigures";
import { inFloorDeviations, metricRows, metricsOf } from "../notebooks/support/10/metricList";
import { metricsFigure, metricsTable } from "../notebooks/support/10/metricsFigure";
import { modeCloudsFigure } from "../notebooks/support/10/modeCloudsFigure";
import { sparklines } from "../notebooks/support/10/sparkline";
import { reverseVariancesFigure, varianceFigure } from "../notebooks/support/11/errataDiffusionFigures";
import { modulationFigure, nearestConditionFigure } from "../notebooks/support/11/errataNetworkFigures";
import {
  conventionsFigure,
  eliminationFigure,
  equilibriumPotentialFigure,
  readingFigure,
  roundOffFigure,
  steadyStateFigure,
} from "../notebooks/support/11/errataPhysicsFigures";
import { errataTable } from "../notebooks/support/11/errataTable";
import { simulatedReverseVariances } from "../notebooks/support/11/linearLaw";
import { matchesSnapshot } from "./snapshots";

const schedule = vpSchedule();
/** Few numbers: what is stored should be small. */
const x = Float64Array.of(10, 50, 90);
const values = Float64Array.of(1, 2, 3, 2, 4, 7, 1.5, 3, 4);
const times = uniformGrid(schedule, 200, 1e-3);
const gaussianData = { mean: 0, variance: 0.25 };
const law = {
  form: reverseForms.sde,
  data: gaussianData,
  schedule,
  name: "score × 1",
  hex: colour.third,
  times,
};
const simulated = simulatedReverseVariances(law.form, law.data, schedule, times, 50, new Random(1));

/** A problem of few cells, with sets of it. */
const { fields, conditions } = porousElectrode("figures");
const small = {
  ...porousElectrode("figures"),
  cells: 3,
  positions: x.map((value) => value * 1e-6),
  fields,
  conditions,
};
const sets = [1, 2, 3, 4, 5].map((seed) => {
  const set = simulateAt(porousElectrode("figures"), [1e-5, 0, 25], 12, seed);
  return { ...set, problem: small, fields: set.fields.filter((_, i) => [10, 50, 90].includes(i % 100)) };
});
const compared = { SGM: compare(sets[0], sets[1], sets[2]), control: compare(sets[0], sets[3], sets[4]) };
const rows = metricRows(compared, [compare(sets[0], sets[4], sets[3])]);
const bands = { pde: fieldBands(sets[0]), sgm: fieldBands(sets[1]) };
const map = [
  { conditions: [2e-6, -0.2, 0], pooled: 1.4, meanError: 0.01, stdRatio: 0.99, bands },
  { conditions: [1e-5, 0, 25], pooled: 1, meanError: 0.02, stdRatio: 1 },
  { conditions: [2e-5, 0.2, 50], pooled: 0.9, meanError: 0.02, stdRatio: 1.01, bands },
];

const errataFigures: Record<string, Figure> = {
  "round-off": roundOffFigure(
    x,
    values,
    values.map((value) => value * 1.1),
  ),
  elimination: eliminationFigure([1e-7, 1e-6], { difference: [NaN, 4e-4], excess: [3e-6, 3e-7] }, 1.6e-7),
  conventions: conventionsFigure([sets[0]]),
  "equilibrium-potential": equilibriumPotentialFigure(x, ["figures"], [-0.2, 0.2], [[values, values]]),
  transient: steadyStateFigure(
    x,
    [
      { seconds: 1, c: x },
      { seconds: 10, c: x },
    ],
    x,
    {
      seconds: [50, 100],
      percent: [80, 60],
      tau: 174,
    },
  ),
  reading: readingFigure([25, 50], [{ name: "face, centres", errors: [4e-4, 1e-4] }]),
  reverse: reverseVariancesFigure([{ title: "β(t)", runs: [{ ...law, simulated }] }]),
  variance: varianceFigure(schedule, { t: [0, 0.5, 1], std: [0, 0.96, 1] }),
  modulation: modulationFigure({ before: values, after: values, channels: 3, numbers: 6 }, 3),
  nearest: nearestConditionFigure([{ name: "250 × 100", distances: Float64Array.of(0.1, 0.2) }]),
};
const comparisonFigures: Record<string, Figure> = {
  "spread-floor": spreadFloorFigure(
    { x, truth: Float64Array.of(1, 2, 0), pde: [values], sgm: values },
    [2, 3],
  ),
  metrics: metricsFigure(rows),
  modes: modeCloudsFigure([{ name: "PDE", coordinates: values, modes: 3 }], [[0, 1]]),
  "condition-map": conditionMapFigure(small, map),
};

for (const [part, list] of Object.entries({ errata: errataFigures, comparison: comparisonFigures })) {
  for (const [name, figure] of Object.entries(list))
    test(`the figure ${name} is the stored one`, () => matchesSnapshot(`${part}-${name}`, figure));
}

test("every figure is drawn, and every axis that is seen has a title or names at its ticks", async () => {
  for (const [name, figure] of Object.entries({ ...errataFigures, ...comparisonFigures })) {
    const png = await pngOf(figure, 1);
    const { width, height } = figure.layout;
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [width, height], name);
    assert.ok(png.length > 4500, name); // a white picture has 1000 bytes
    for (const [key, axis] of Object.entries(figure.layout)) {
      if (!/^[xy]axis/.test(key)) continue;
      const { title, ticktext } = axis as { title?: { text: string }; ticktext?: string[] };
      assert.ok(title?.text || ticktext, `${name}: ${key}`);
    }
  }
});

test("hover labels take symbol and unit from the axes", () => {
  const curve = { name: "a", hex: "#000000", x: [1], y: [2] };
  const [trace] = curvesFigure([{ x: "x (µm)", y: "std of c (mol/m³)", curves: [curve] }]).data;
  assert.equal(trace["hovertemplate"], "a<br>x = %{x:.5~g} µm<br>std of c = %{y:.5~g} mol/m³<extra></extra>");
});

test("the round-off figure shows the difference of both sets", () => {
  const { data } = errataFigures["round-off"];
  const alone = data.filter((trace) => trace["name"] === "round-off alone")[0];
  // Standard deviations of a tenth of each column, of every other cell.
  assert.deepEqual(alone["y"], [0.05, 0.208167]);
});

test("metrics come with the floors of all comparisons, and in their standard deviations", () => {
  assert.equal(rows.length, metricsOf(compared.SGM).length);
  for (const { floors } of rows) assert.equal(floors.length, 4); // one of each candidate, two of the further pair
  const energy = rows[rows.length - 1];
  assert.equal(energy.values["SGM"], compared.SGM.floorRatio.sample);
  assert.equal(inFloorDeviations(4, [1, 3]), 2 / Math.SQRT2);
  assert.ok(Number.isNaN(inFloorDeviations(4, [1])));
  const table = metricsTable(rows);
  assert.equal((table.values as string[][]).length, rows.length);
  assert.match((table.values as string[][])[0][0], /±/);
});

test("sparklines share one scale", () => {
  assert.deepEqual(sparklines([[0, 1], [0.5, NaN]], 2), ["▁█", "▅ "]); // prettier-ignore
  assert.deepEqual(sparklines([[3, 3]], 3), ["▁▁▁"]);
});

test("the map names the frames of the points that have fields, and each frame brings its ranges", () => {
  const { data, layout, frames } = comparisonFigures["condition-map"];
  assert.deepEqual(data[0]["customdata"], ["0", null, "1"]);
  assert.deepEqual(layout["meta"], { hoverFrames: true });
  assert.deepEqual(
    frames!.map((frame) => frame["name"]),
    ["0", "1"],
  );
  for (const frame of frames!) {
    const { yaxis2 } = frame["layout"] as { yaxis2: { range: [number, number] } };
    assert.ok(yaxis2.range[0] < yaxis2.range[1]);
  }
  // The slider stands at the worst condition.
  assert.equal((layout["sliders"] as unknown as { active: number }[])[0].active, 0);
  assert.match((data[0]["text"] as string[])[0], /c mean PDE [▁-█]+ SGM [▁-█]+/);
  assert.doesNotMatch((data[0]["text"] as string[])[1], /PDE/);
  assert.throws(() => conditionMapFigure(small, [map[1]]), /No condition/);
});

test("floor ratios: single pairs and all pairs, a row a candidate", async () => {
  const references = await referenceSets((set) => sets[set], { rows: 12, sets: 2 });
  const ratio = await measureFloorRatio(references, (set) => sets[set + 2]);
  const { data } = floorRatiosFigure([
    { name: "a", ratio },
    { name: "b", ratio: { ...ratio, pooled: 2 } },
  ]);
  assert.deepEqual(data[1]["y"], [1, 1, 0, 0]);
  assert.deepEqual((data[2]["x"] as number[])[1], 2);
});

test("errata become rows of a table in their order", () => {
  const { index, values: cells } = errataTable([{ entry: "e", says: "a", so: "b", size: "c", shown: "1" }]);
  assert.deepEqual([index, cells], [["e"], [["a", "b", "c", "1"]]]);
});

test("stored evaluations are read in the problem's order", () => {
  const read = readEvaluations("data/results/evaluation-best-figures.json");
  assert.equal(read.length, 50);
  for (const { conditions: at, pooled } of read) {
    conditions.forEach(({ min, max }, k) => assert.ok(at[k] >= min && at[k] <= max));
    assert.ok(pooled > 0);
  }
});
