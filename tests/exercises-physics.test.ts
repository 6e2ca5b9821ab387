import assert from "node:assert/strict";
import { test } from "node:test";
import { type DrawPorosity, drawFromFactor, halfCorrelation, shareAbove } from "../lib/exercises/01-porosity";

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
