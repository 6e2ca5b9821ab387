import assert from "node:assert/strict";
import { test } from "node:test";
import { concentrationAt, decayTime } from "../lib/evaluation/transient";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import {
  drawFromFactor,
  type DrawPorosity,
  halfCorrelation,
  type PorosityMaps,
  shareAbove,
  sigmoidAndInverse,
} from "../notebooks/support/01/exercises";
import {
  type LinkConductance,
  orderOfConvergence,
  secondsToSteady,
  unequalCells,
} from "../notebooks/support/02/exercises";
import { potentialError } from "../notebooks/support/02/manufactured";
import { correlation } from "../notebooks/support/03/correlation";
import {
  type Correlation,
  correlationOf,
  explainedShare,
  modesNeeded,
} from "../notebooks/support/03/exercises";
import { fieldModes, modesForShare } from "../notebooks/support/03/fieldModes";
import { varianceParts } from "../notebooks/support/03/varianceParts";

test("1.1: half the correlation, and the ways to miss it", () => {
  const right = 10 * Math.sqrt(2 * Math.log(2));
  assert.equal(halfCorrelation.fault(right), undefined);
  assert.match(String(halfCorrelation.fault(10 * Math.sqrt(Math.log(2)))), /divided by 2 l²/);
  assert.match(String(halfCorrelation.fault(10 * Math.SQRT2)), /1\/e/);
  assert.match(String(halfCorrelation.fault(right * 1e-6)), /metres/);
  assert.match(String(halfCorrelation.fault(right / 10)), /correlation lengths/);
  assert.match(String(halfCorrelation.fault(30)), /too large/);
});

test("1.2: a draw from the factor, and the ways to miss it", () => {
  const product = (R: number[][], z: number[]) =>
    R.map((row) => row.reduce((sum, value, j) => sum + value * z[j], 0));
  const squash = (g: number[]) => g.map((value) => 0.2 + 0.3 / (1 + Math.exp(-value)));
  const transpose = (R: number[][]) => R.map((_, i) => R.map((row) => row[i]));
  const fault = (answer: DrawPorosity) => String(drawFromFactor.fault(answer));
  assert.equal(
    fault((R, z) => squash(product(R, z))),
    "undefined",
  );
  assert.match(fault(product), /sigmoid is missing/);
  assert.match(
    fault((R, z) => product(R, z).map((g) => 1 / (1 + Math.exp(-g)))),
    /between 0 and 1/,
  );
  assert.match(
    fault((R, z) => squash(product(transpose(R), z))),
    /transposed/,
  );
  assert.match(
    fault((_, z) => squash(z)),
    /multiply them by R/,
  );
  assert.match(
    fault((R, z) => squash(product(R, z)).slice(1)),
    /19 values; it needs 20/,
  );
  assert.match(
    fault((R, z) => squash(product(R, z)).map((value) => 2 * value)),
    /Value 0 is/,
  );
  assert.match(fault((() => undefined) as unknown as DrawPorosity), /returns no list/);
});

test("1.3: the share above 0.45, and the ways to miss it", () => {
  assert.equal(shareAbove.fault(0.0538), undefined); // 1 - Phi(ln 5)
  assert.match(String(shareAbove.fault(0.9462)), /below 0.45/);
  assert.match(String(shareAbove.fault(1 / 6)), /as likely/);
  assert.match(String(shareAbove.fault(5.38)), /per cent/);
  assert.match(String(shareAbove.fault(0.1076)), /both tails/);
  assert.match(String(shareAbove.fault(0.3)), /too large/);
});

test("1.6: the sigmoid and its inverse, and the ways to miss either", () => {
  const right: PorosityMaps = {
    porosity: (g) => 0.2 + 0.3 / (1 + Math.exp(-g)),
    process: (eps) => Math.log((eps - 0.2) / (0.5 - eps)),
  };
  const fault = (answer: Partial<PorosityMaps>) => String(sigmoidAndInverse.fault({ ...right, ...answer }));
  assert.equal(fault({}), "undefined");
  assert.match(fault({ porosity: (g) => 1 / (1 + Math.exp(-g)) }), /plain sigmoid/);
  assert.match(fault({ porosity: (g) => 0.2 + 0.3 / (1 + Math.exp(g)) }), /wrong sign/);
  assert.match(fault({ porosity: (g) => 0.3 / (1 + Math.exp(-g)) }), /start at 0/);
  assert.match(fault({ porosity: (g) => 0.2 + 0.5 / (1 + Math.exp(-g)) }), /width of the interval/);
  assert.match(fault({ porosity: (g) => 0.35 + 0.15 * Math.tanh(g) }), /sigmoid of 2 g/);
  assert.match(fault({ process: (eps) => Math.log((0.5 - eps) / (eps - 0.2)) }), /upside down/);
  assert.match(fault({ process: (eps) => Math.log(eps / (1 - eps)) }), /no sigmoid/);
  assert.match(fault({ process: (eps) => Math.log((eps - 0.2) / 0.3) }), /denominator is missing/);
  assert.match(fault({ process: (eps) => (eps - 0.2) / (0.5 - eps) }), /logarithm is missing/);
  assert.match(fault({ process: (eps) => Math.log10((eps - 0.2) / (0.5 - eps)) }), /base 10/);
  assert.match(fault({ process: (eps) => 1 / eps }), /inverse function/);
  assert.match(fault({ process: () => NaN }), /not a finite number/);
});

test("2.1: the order between 30 and 90 cells, and the ways to miss it", () => {
  const fault = (answer: number) => String(orderOfConvergence.fault(answer));
  const ratio = potentialError(30) / potentialError(90);
  assert.equal(fault(2), "undefined");
  assert.match(fault(ratio), /ratio of the errors/);
  assert.match(fault(Math.log2(ratio)), /three times as many/);
  assert.match(fault(Math.log(ratio)), /divide it by the logarithm/);
  assert.match(fault(0.5), /inverse/);
  assert.match(fault(1), /too small/);
});

test("2.2: the link between unequal cells, and the ways to miss it", () => {
  const fault = (answer: LinkConductance) => String(unequalCells.fault(answer));
  const right: LinkConductance = (k1, w1, k2, w2) => 1 / (w1 / (2 * k1) + w2 / (2 * k2));
  assert.equal(fault(right), "undefined");
  assert.match(
    fault((...cells) => 1 / right(...cells)),
    /resistance/,
  );
  assert.match(
    fault((k1, w1, k2, w2) => 1 / (w1 / k1 + w2 / k2)),
    /two whole cells/,
  );
  assert.match(
    fault((k1, w1, k2, w2) => (4 * k1 * k2) / (k1 + k2) / (w1 + w2)),
    /same weight/,
  );
  assert.match(
    fault((k1, w1, k2, w2) => (k1 + k2) / (w1 + w2)),
    /averages conductivities/,
  );
  assert.match(
    fault((k1, w1, k2, w2) => (2 * k1) / w1 + (2 * k2) / w2),
    /side by side/,
  );
  assert.match(
    fault(() => 1),
    /For \(0.35, .*\) it gives 1, not/,
  );
});

test("2.3: the time to the steady state, and the ways to miss it", () => {
  const fault = (answer: number) => String(secondsToSteady.fault(answer));

  const porosity = new Float64Array(100).fill(0.35);
  const at = (t: number) => concentrationAt(t, porosity, { equilibriumPotential: 0, flux: 25 })[0] - 1000;
  const steady = at(Infinity);
  let right = 20;
  while (Math.abs(at(right) / steady - 1) > 0.01) right += 10;
  assert.equal(fault(right), "undefined");
  const decay = decayTime(porosity);
  assert.match(fault(decay), /37 %/);
  assert.match(fault(100), /data set/);
  assert.match(fault(decay * Math.LN2), /half/);
  assert.match(fault(2 * decay), /14 %/);
  assert.match(fault(20 * decay), /too large/);
});

const problem = porousElectrode("figures");

test("3.1: the share that conditions explain, and the ways to miss it", () => {
  const data = generateDataSet(problem, { conditions: 40, fields: 5, seed: 2 });
  const { total, within } = varianceParts(data);
  const left = within[0] / total[0];
  const fault = (answer: number) => String(explainedShare(data).fault(answer));
  assert.equal(fault(1 - left), "undefined");
  assert.match(fault(100 * (1 - left)), /per cent/);
  assert.match(fault(left), /left within/);
  assert.match(fault(1 - Math.sqrt(left)), /standard deviations/);
  assert.match(fault(1 - within[199] / total[199]), /φ at x = L/);
  assert.match(fault(0.5), /too small/);
});

test("3.2: the number of modes, from other samples than the judge's, and the ways to miss it", () => {
  const at = (l: number) => fieldModes(simulateAt(problem, [l, 0, 25], 1000, 1));
  const fault = (answer: number) => String(modesNeeded(problem).fault(answer));
  const short = at(2e-6);
  assert.equal(fault(modesForShare(short, 0.99)), "undefined");
  assert.match(fault(2.5), /no number of modes/);
  assert.match(fault(100), /too large/);
  assert.match(fault(1), /too small/);
});

test("3.3: a correlation, and the ways to miss it", () => {
  const fault = (answer: Correlation) => String(correlationOf.fault(answer));
  const right: Correlation = (x, y) => correlation(Float64Array.from(x), Float64Array.from(y));
  const mean = (v: number[]) => v.reduce((sum, value) => sum + value, 0) / v.length;
  const product = (x: number[], y: number[]) => mean(x.map((value, i) => value * y[i]));
  const centred = (v: number[]) => v.map((value) => value - mean(v));
  const covariance: Correlation = (x, y) => product(centred(x), centred(y));
  assert.equal(fault(right), "undefined");
  assert.match(fault(covariance), /covariance/);
  assert.match(
    fault((x, y) => product(x, y) / Math.sqrt(product(x, x) * product(y, y))),
    /not subtracted/,
  );
  assert.match(
    fault((x, y) => right(x, y) ** 2),
    /square/,
  );
  assert.match(
    fault((x, y) => covariance(x, y) / covariance(x, x) / covariance(y, y)),
    /square roots/,
  );
  assert.match(
    fault((x, y) => -right(x, y)),
    /sign/,
  );
  assert.match(
    fault(() => NaN),
    /not a finite number/,
  );
});
