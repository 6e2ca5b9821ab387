import assert from "node:assert/strict";
import { test } from "node:test";
import { faceResistivities, porosityOfResistivity } from "../notebooks/support/13/exercises";
import { processMoments, processOf } from "../notebooks/support/13/consistencyFigures";
import { effectiveOfLogs, scalarUpdate } from "../notebooks/support/14/exercises";
import { uniformPValue } from "../notebooks/support/14/posteriorFigures";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { simulateAt } from "../lib/presets/simulate";

test("13.1 and 13.2: right answers are accepted, usual slips told", () => {
  const right = (phi: number[], q: number[], dx: number) =>
    q.map((flux, i) => (phi[i + 1] - phi[i]) / (flux * dx));
  assert.equal(faceResistivities.fault(right), undefined);
  assert.match(
    String(faceResistivities.fault((phi, q, dx) => right(phi, q, dx).map((r) => 1 / r))),
    /conductivity/,
  );
  assert.match(String(faceResistivities.fault((phi, q) => right(phi, q, 1))), /divided by the width/);
  assert.match(String(faceResistivities.fault(() => [1])), /3 faces between 4 cells/);
  assert.equal(
    porosityOfResistivity.fault((r) => r ** (-1 / 1.5)),
    undefined,
  );
  assert.match(String(porosityOfResistivity.fault((r) => r ** (1 / 1.5))), /sign of the exponent/);
  assert.match(String(porosityOfResistivity.fault((r) => 1 / r)), /power 1\/b/);
});

test("14.1 and 14.2: right answers are accepted, usual slips told", () => {
  const update = (m: number, v: number, y: number, s: number, noise = s * s): [number, number] => [
    m + (v / (v + noise)) * (y - m),
    v * (1 - v / (v + noise)),
  ];
  assert.equal(
    scalarUpdate.fault((m, v, y, s) => update(m, v, y, s)),
    undefined,
  );
  assert.match(String(scalarUpdate.fault((m, v, y, s) => update(m, v, y, s, s))), /its square/);
  assert.match(
    String(scalarUpdate.fault((m, v, y, s) => [update(m, v, y, s)[0], v])),
    /makes the variance smaller/,
  );
  const effective = (logs: number[]) => {
    const largest = Math.max(...logs);
    const w = logs.map((log) => Math.exp(log - largest));
    return w.reduce((a, b) => a + b, 0) ** 2 / w.reduce((a, b) => a + b * b, 0);
  };
  assert.equal(effectiveOfLogs.fault(effective), undefined);
  assert.match(String(effectiveOfLogs.fault((logs) => 1 / effective(logs))), /one over it/);
  const plain = (logs: number[]) => {
    const w = logs.map(Math.exp);
    return w.reduce((a, b) => a + b, 0) ** 2 / w.reduce((a, b) => a + b * b, 0);
  };
  assert.match(String(effectiveOfLogs.fault(plain)), /underflow/);
});

test("the process behind drawn porosities has variance 1 and the covariance of its law", () => {
  const { latent } = simulateAt(porousElectrode("text"), [1e-5, 0, 25], 600, 4);
  const { square, covariance } = processMoments(processOf(latent!), 100);
  assert.ok(square.every((value) => Math.abs(value - 1) < 0.25));
  assert.ok(Math.abs(covariance[10] - Math.exp(-0.5)) < 0.08, `${covariance[10]}`);
});

test("the p-value of uniform counts is chi-square's", () => {
  // Of 15 degrees of freedom 24.996 is the 95 % point, 14.339 the median.
  const counts = (square: number) => {
    const off = Math.sqrt((square * 100) / 2);
    return [100 + off, 100 - off, ...new Array<number>(14).fill(100)];
  };
  assert.ok(Math.abs(uniformPValue(counts(24.996)) - 0.05) < 0.001);
  assert.ok(Math.abs(uniformPValue(counts(14.339)) - 0.5) < 0.003);
});
