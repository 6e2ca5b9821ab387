import assert from "node:assert/strict";
import { test } from "node:test";
import { energyOfNumbers, permutationPValue, rowsForOnePercent } from "../notebooks/support/10/exercises";
import {
  fieldsFromResponses,
  float32Cells,
  halvedScore,
  layersToReach,
} from "../notebooks/support/11/exercises";

test("10.1 tells which terms of the energy distance are wrong", () => {
  const mean = (a: number[], b: number[]) =>
    a.reduce((sum, p) => sum + b.reduce((part, q) => part + Math.abs(p - q), 0), 0) / (a.length * b.length);
  const right = (x: number[], y: number[]) => 2 * mean(x, y) - mean(x, x) - mean(y, y);
  assert.equal(energyOfNumbers.fault(right), undefined);
  assert.match(String(energyOfNumbers.fault((x, y) => mean(x, y) - mean(x, x) - mean(y, y))), /counts twice/);
  assert.match(String(energyOfNumbers.fault((x, y) => Math.sqrt(right(x, y)))), /root/);
  assert.match(String(energyOfNumbers.fault((x, y) => 2 * mean(x, y))), /subtracted/);
  const unbiased = (x: number[]) => (mean(x, x) * x.length) / (x.length - 1);
  assert.match(
    String(energyOfNumbers.fault((x, y) => 2 * mean(x, y) - unbiased(x) - unbiased(y))),
    /row with itself/,
  );
});

test("10.2 tells a forgotten set from a forgotten standard error", () => {
  assert.equal(rowsForOnePercent.fault(40_000), undefined);
  assert.match(String(rowsForOnePercent.fault(20_000)), /both sets/);
  assert.match(String(rowsForOnePercent.fault(10_000)), /asked are two/);
  assert.match(String(rowsForOnePercent.fault(80_000)), /error of a mean/);
});

test("10.3 counts the observed division above and below", () => {
  const at = (observed: number, permuted: number[]) => permuted.filter((value) => value >= observed).length;
  assert.equal(
    permutationPValue.fault((o, p) => (1 + at(o, p)) / (1 + p.length)),
    undefined,
  );
  assert.match(String(permutationPValue.fault((o, p) => at(o, p) / p.length)), /above and below/);
  assert.match(String(permutationPValue.fault((o, p) => at(o, p) / (1 + p.length))), /never 0/);
  assert.match(String(permutationPValue.fault((o, p) => (1 + at(o, p)) / p.length)), /divide by/);
  assert.match(
    String(permutationPValue.fault((o, p) => (1 + p.filter((v) => v > o).length) / (1 + p.length))),
    /as far apart counts/,
  );
});

test("11.1 tells the kernel's half from the whole, and strides from cells", () => {
  const right = (cells: number, kernel: number) => Math.ceil((2 * (cells - 1)) / (kernel - 1));
  assert.equal(layersToReach.fault(right), undefined);
  assert.match(String(layersToReach.fault((cells, kernel) => Math.floor(cells / kernel))), /both sides/);
  assert.match(String(layersToReach.fault((cells, kernel) => cells / kernel)), /both sides/);
  assert.match(String(layersToReach.fault((cells, kernel) => (2 * (cells - 1)) / (kernel - 1))), /round up/);
  assert.match(
    String(layersToReach.fault((cells, kernel) => Math.ceil((2 * cells) / (kernel - 1)))),
    /strides of one cell/,
  );
});

test("11.2 knows the neighbouring distance, the square and float64", () => {
  const cells = (share: number) => 1e-4 * Math.sqrt((5e5 * 0.65 * 0.1) / 0.35 ** 1.5 / share);
  assert.equal(float32Cells.fault(cells(2 ** -24)), undefined);
  assert.match(String(float32Cells.fault(cells(2 ** -23))), /2\^-24/);
  assert.match(String(float32Cells.fault(cells(2 ** -24) ** 2)), /root/);
  assert.match(String(float32Cells.fault(cells(2 ** -53))), /float64/);
});

test("11.3 adds the noise to the variance that was there", () => {
  const alpha = 0.001 + 0.5 * 19.999;
  assert.equal(halvedScore.fault(1 + alpha), undefined);
  assert.match(String(halvedScore.fault(1)), /right equation/);
  assert.match(String(halvedScore.fault(alpha)), /start with variance 1/);
  assert.match(String(halvedScore.fault(21)), /integral/);
});

test("11.4 tells a missing response from exchanged conditions", () => {
  const mix =
    (weights: (U0: number, F: number) => readonly [number, number, number]) =>
    (r0: Float64Array, r1: Float64Array, r2: Float64Array, U0: number, F: number) => {
      const [a, b, c] = weights(U0, F);
      return r0.map((value, i) => a * value + b * r1[i] + c * r2[i]);
    };
  assert.equal(fieldsFromResponses.fault(mix((U0, F) => [1, U0, F])), undefined);
  assert.match(String(fieldsFromResponses.fault(mix((U0, F) => [0, U0, F]))), /missing/);
  assert.match(String(fieldsFromResponses.fault(mix((U0, F) => [1, F, U0]))), /second response/);
  assert.match(String(fieldsFromResponses.fault(mix(() => [1, 0, 0]))), /the solver gives/);
  assert.match(String(fieldsFromResponses.fault(() => new Float64Array(3))), /200 numbers/);
});
