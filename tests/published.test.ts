/** The published statistics against our solver, and the judges of notebook 17. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { columnStd } from "../lib/comparison";
import { potentialInFloat32 } from "../lib/evaluation/roundoff";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { simulateAt } from "../lib/presets/simulate";
import { colour } from "../lib/figures/figure";
import { narrowing, narrowingInErrors } from "../notebooks/support/17/exercises";
import { figure4, spreadsFigure } from "../notebooks/support/17/figure4";
import { published, summaryOf } from "../notebooks/support/17/published";

const { pde, sgm, rows } = published();
const set = simulateAt(porousElectrode("figures"), [1e-5, 0, 25], 4000, 5);
const own = summaryOf(set);
/** Four standard errors of the ratio of two standard deviations, the published one of `rows` rows. */
const within = 4 / Math.sqrt(2 * rows);

test("the published c is our solver's: mean and spread agree within the error of 500 rows", () => {
  for (const cell of [0, 25, 50, 75, 95]) {
    const error = (pde.c.mean[cell] - own.c.mean[cell]) / own.c.std[cell];
    assert.ok(Math.abs(error) < 4 / Math.sqrt(rows), `cell ${cell}: mean off by ${error} std`);
    const ratio = pde.c.std[cell] / own.c.std[cell];
    assert.ok(Math.abs(ratio - 1) < within, `cell ${cell}: std ratio ${ratio}`);
  }
  assert.equal(pde.c.std[99], 0);
  assert.ok(sgm.c.std[99] > 1e-3);
});

test("the published band of phi is that of float32 arithmetic, and not the exact one", () => {
  const phi = new Float64Array(100 * 1000);
  for (let row = 0; row < 1000; row++)
    phi.set(potentialInFloat32(set.latent!.slice(100 * row, 100 * (row + 1)), 0, 25), 100 * row);
  const std = columnStd(phi, 100);
  for (const cell of [50, 99]) {
    const ratio = pde.phi.std[cell] / std[cell];
    assert.ok(Math.abs(ratio - 1) < 4 * Math.hypot(1 / Math.sqrt(1000), 1 / Math.sqrt(2000)), `${ratio}`);
  }
  assert.ok(pde.phi.std[50] / own.phi.std[50] > 1.5);
});

test("a summary's band is drawn in the field's units, with the mean in it", () => {
  const x = [...porousElectrode("figures").positions].map((value) => 1e6 * value);
  const sides = [{ name: "PDE", hex: colour.pde, summary: own }];
  const [bandOfC, meanOfC, , meanOfPhi] = figure4(x, sides, "Figure 4").data;
  assert.equal((bandOfC["y"] as number[]).length, 200);
  assert.ok(Math.abs((meanOfC["y"] as number[])[0] - own.c.mean[0]) < 1e-2);
  assert.ok(Math.abs((meanOfPhi["y"] as number[])[99] - 1000 * own.phi.mean[99]) < 1e-3);
  const [, ofPhi] = spreadsFigure(x, sides, "spreads").data;
  assert.ok(Math.abs((ofPhi["y"] as number[])[50] - 1000 * own.phi.std[50]) < 1e-4);
});

test("17.1 and 17.2 know shares, variances, the other field and the error of one deviation", () => {
  const ratio = sgm.c.std[50] / pde.c.std[50];
  const gap = 1 - ratio;
  const first = (answer: number) => String(narrowing.fault(answer));
  assert.equal(first(100 * gap), "undefined");
  assert.match(first(gap), /per cent/);
  assert.match(first(100 * ratio), /missing to 100/);
  assert.match(first(100 / ratio - 100), /divide by the solver's/);
  assert.match(first(100 * (1 - ratio ** 2)), /variances/);
  const second = (answer: number) => String(narrowingInErrors.fault(answer));
  assert.equal(second(gap * Math.sqrt(500)), "undefined");
  assert.match(second(gap * Math.sqrt(1000)), /both of the ratio/);
  assert.match(second(gap * 500), /root of the rows/);
  assert.match(second(gap / Math.sqrt(500)), /multiply by √n/);
  assert.match(second(100 * gap * Math.sqrt(500)), /as a share/);
});
