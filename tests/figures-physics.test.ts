import assert from "node:assert/strict";
import { test } from "node:test";
import { solutionsFigure } from "../lib/figures/fieldFigures";
import { type Figure, line, panels, withHover } from "../lib/figures/figure";
import { sharedRanges } from "../lib/figures/slider";
import { uniformGrid } from "../lib/finiteVolumes";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { correlationLengthFigure } from "../notebooks/support/01/correlationLengthFigure";
import { porosityFigure, uncertaintyFigure } from "../notebooks/support/01/electrodeFigures";
import { poresFigure } from "../notebooks/support/01/poresFigure";
import { covarianceFigure, eigenvaluesFigure, squashFigure } from "../notebooks/support/01/processFigures";
import { chargeBalance } from "../notebooks/support/02/balance";
import {
  affineFigure,
  balanceFigure,
  cellsFigure,
  convergenceFigure,
  transientFigure,
  twoLayersFigure,
} from "../notebooks/support/02/finiteVolumeFigures";
import { electrodeResponses, solveElectrode } from "../notebooks/support/02/solve";
import { matchesSnapshot } from "./snapshots";

const electrode = porousElectrode("figures");
const set = simulateAt(electrode, [1e-5, 0, 25], 30, 1);
const coarse = uniformGrid(20, 1e-4).centres;

/** Figures of notebook 1, by the names of their snapshots. */
const figures: Record<string, Figure> = {
  "porosity-pores": poresFigure(
    coarse.map((x) => 0.2 + 3e3 * x),
    coarse,
    new Random(1),
  ),
  "porosity-covariance": covarianceFigure(coarse, 1e-5),
  "porosity-squash": squashFigure(
    coarse,
    coarse.map((x) => Math.sin(1e5 * x)),
  ),
  "porosity-fields": porosityFigure([set], ["one"], 2),
  "porosity-solutions": solutionsFigure(set, 2),
  "porosity-uncertainty": uncertaintyFigure(set),
};

const uniform = new Float64Array(100).fill(0.35);

/** Figures of notebook 2. */
const solverFigures: Record<string, Figure> = {
  "volumes-cells": cellsFigure(),
  "volumes-layers": twoLayersFigure([4, 8]),
  "volumes-convergence": convergenceFigure(
    [{ title: "one", y: "error (1)", curves: [{ name: "order 3", errors: [1, 1 / 8], hex: "#000000" }] }],
    [10, 20],
  ),
  "volumes-affine": affineFigure(
    electrode.positions,
    electrodeResponses(uniform, "figures").map((fields, k) => ({ name: `R${k}`, fields })),
    solveElectrode(uniform, { equilibriumPotential: 1, flux: 1 }, "figures"),
  ),
  "volumes-transient": transientFigure(coarse, [{ name: "a", c: coarse }, { name: "steady", c: coarse }], {
    seconds: [1, 100],
    difference: [10, 5],
  }), // prettier-ignore
};

test("the figures of the solver are those stored", () => {
  for (const [name, figure] of Object.entries(solverFigures)) matchesSnapshot(name, figure);
});

test("the balance figure draws current and reaction, which agree", () => {
  const [current, made, difference] = balanceFigure(chargeBalance(uniform, 25, "figures")).data;
  assert.equal((current["y"] as number[])[99], -25);
  assert.equal((made["y"] as number[]).at(-1), -25);
  assert.ok((difference["y"] as number[]).every((value) => Math.abs(value) < 250)); // 1e-8 of the current
});

test("the arithmetic mean's error is right of the interface alone, and shrinks from position to position", () => {
  const { frames, data } = twoLayersFigure([4, 8, 16]);
  const errors = frames!.map((frame) => (frame["data"] as { y?: number[] }[])[4].y!);
  assert.equal(data.length, 5);
  for (const list of errors) {
    const half = list.length / 2;
    assert.ok(list.slice(0, half).every((value) => Math.abs(value) < 1e-9));
    assert.ok(list.slice(half).every((value) => Math.abs(value / list[half] - 1) < 1e-4)); // six digits are drawn
  }
  assert.ok(
    Math.abs(errors[0][3] / errors[1][7] - 2) < 1e-4 && Math.abs(errors[1][7] / errors[2][15] - 2) < 1e-4,
  );
});

test("every axis of the figures has a title with a unit, or is hidden", () => {
  for (const [name, { layout }] of Object.entries({ ...figures, ...solverFigures })) {
    for (const [key, axis] of Object.entries(layout)) {
      const { title, visible } = (axis ?? {}) as { title?: { text: string }; visible?: boolean };
      if (!/^[xy]axis/.test(key) || visible === false) continue;
      assert.match(title?.text ?? "", /\(.+\)|porosity|number|cells/, `${name}: ${key}`);
    }
  }
});

test("the figures of the porosity are those stored", () => {
  for (const [name, figure] of Object.entries(figures)) matchesSnapshot(name, figure);
});

test("eigenvalues fall faster for longer correlation lengths, and the jitter is drawn", () => {
  const { data } = eigenvaluesFigure(coarse, [2e-6, 1e-5]);
  const [short, long, jitter] = data.map((trace) => trace["y"] as number[]);
  assert.ok(short[19] > 1e6 * long[19]); // about 1 and exp(-2 pi^2)
  assert.deepEqual(jitter, [1e-4, 1e-4]);
});

test("the slider of the correlation length draws k from its porosity, and hills widen with it", () => {
  const figure = correlationLengthFigure([2e-6, 1e-5, 2e-5], { equilibriumPotential: 0, flux: 25 });
  matchesSnapshot("porosity-slider", correlationLengthFigure([2e-6, 2e-5], { equilibriumPotential: 0, flux: 25 }, { electrodes: 1 })); // prettier-ignore
  const curves = figure.frames!.map((frame) => (frame["data"] as { y: number[] }[]).map(({ y }) => y));
  const turns = (values: number[]) =>
    values.slice(2).filter((_, i) => (values[i + 2] - values[i + 1]) * (values[i + 1] - values[i]) < 0)
      .length;
  for (const [first, ...others] of [curves])
    assert.ok(others.every((other) => turns(other[0]) < turns(first[0])));
  for (const frame of curves) {
    frame[0].forEach((porosity, i) => assert.ok(Math.abs(frame[3][i] / porosity ** 1.5 - 1) < 1e-3)); // four digits
    assert.equal(frame[6][frame[6].length - 1], 1000); // c is fixed in the last cell
    assert.equal(frame[9][0], 0); // phi is zero in the first
  }
});

test("hover texts name the symbol and its unit", () => {
  const traces = [line([0, 1], [0, 1]), line([0, 1], [1, 0], { name: "b" }), { hoverinfo: "skip", y: [1] }];
  const { data } = withHover(panels([{ x: "x (µm)", y: "ε (1)", traces }]));
  assert.equal(data[0]["hovertemplate"], "x = %{x:.5~g} µm<br>ε = %{y:.5~g}<extra></extra>");
  assert.equal(data[1]["hovertemplate"], "x = %{x:.5~g} µm<br>ε = %{y:.5~g}");
  assert.equal(data[2]["hovertemplate"], undefined);
});

test("positions of a slider share their ranges, in decades where the axis is logarithmic", () => {
  const figure = (top: number) =>
    panels([
      { x: "x (1)", y: "y (1)", traces: [line([0, 1], [0, top])] },
      { x: "x (1)", y: "z (1)", yType: "log", traces: [line([0, 1], [1, 10 * top])] },
    ]);
  const shared = sharedRanges([10, 100].map((top) => ({ label: `${top}`, figure: figure(top) })));
  for (const { figure: one } of shared) {
    assert.deepEqual((one.layout["yaxis"] as { range: number[] }).range, [-5, 105]);
    assert.deepEqual((one.layout["yaxis2"] as { range: number[] }).range, [-0.15, 3.15]);
  }
});
