import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { power } from "../lib/backend/power";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { generateDataSet } from "../lib/presets/simulate";
import { Random } from "../lib/random";

/** A digest of the bits of some numbers. */
function digest(...arrays: Float64Array[]): string {
  const hash = createHash("sha256");
  for (const array of arrays) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest("hex").slice(0, 16);
}

const uniforms = (count: number, seed: number): Float64Array => {
  const random = new Random(seed);
  return new Float64Array(count).map(() => random.uniform());
};

test("the power of 1.5 is rounded as well as can be, beside exact arithmetic", (t) => {
  const porosities = uniforms(20000, 1).map((u) => 0.2 + 0.3 * u); // at most 56 binary places
  let largest = 0;
  for (const x of porosities) {
    const y = power(x, 1.5);
    assert.ok(y > 2 ** -4 && y < 2 ** -1);
    // y^2 against x^3, both exactly; relative to x^3 twice the relative error of y.
    const [square, cube] = [(BigInt(y * 2 ** 58) ** 2n) << 52n, BigInt(x * 2 ** 56) ** 3n];
    const relative = (Number(((square - cube) << 70n) / cube) / 2 ** 70) * 0.5;
    const unit = 2 ** (Math.floor(Math.log2(y)) - 52);
    largest = Math.max(largest, Math.abs((relative * y) / unit));
  }
  t.diagnostic(`largest error ${largest.toFixed(3)} units`);
  assert.ok(largest < 0.51);
});

test("other powers are exp(exponent log(base)), and 0 and 1 stay what they are", () => {
  for (const exponent of [0.3, 1, 1 / 7, 7]) {
    for (const base of [1e-3, 0.5, 2, 10, 30000]) {
      // Four units of exponent log(base), at most 73 here, and one of the result.
      assert.ok(Math.abs(power(base, exponent) / Math.pow(base, exponent) - 1) < 80 * 2 ** -52);
    }
  }
  assert.deepEqual([power(0, 0.5), power(0, 1.5), power(1, 0.7), power(10, 0)], [0, 0, 1, 1]);
});

// Numbers of Node 20.19, 22.13, 22.22, 24.0 and 24.18 on Linux x64. Math.pow gives others on 24.
test("powers, and whatever a data set is computed with, have the same bits on every version of Node", () => {
  const u = uniforms(10000, 2);
  const bits = {
    "power 1.5": digest(u.map((x) => power(x, 1.5))),
    power: digest(u.map((x) => power(10, x))),
    exp: digest(u.map((x) => Math.exp(20 * x - 10))),
    log: digest(u.map(Math.log)),
    normal: digest(new Random(3).fillNormal(new Float64Array(10000))),
  };
  assert.deepEqual(bits, {
    "power 1.5": "1b081b8c68a03966",
    power: "f53691adc0207958",
    exp: "865aff294d3fc600",
    log: "16971a42e2302ae8",
    normal: "52043248510219cd",
  });
});

for (const [convention, expected] of [
  ["figures", "0df316a273d7421d"],
  ["text", "167612c51768f5e9"],
] as const) {
  test(`a data set of one seed has the same bits on every version of Node (${convention})`, () => {
    const data = generateDataSet(porousElectrode(convention), { conditions: 40, fields: 3, seed: 5 });
    assert.equal(digest(data.conditions, data.latent!, data.fields), expected);
  });
}
