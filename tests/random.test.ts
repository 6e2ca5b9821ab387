import assert from "node:assert/strict";
import { test } from "node:test";
import { InputError } from "../lib/backend/errors";
import { philox4x32 } from "../lib/backend/philox";
import { Random } from "../lib/random";
import { streams } from "../lib/backend/streams";

test("Philox4x32-10 gives the known answers of Random123", () => {
  // kat_vectors of the Random123 library, lines "philox4x32 10": counter, key, answer.
  const vectors = [
    ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ];
  const words = (text: string): Uint32Array =>
    Uint32Array.from(text.split(" "), (word) => parseInt(word, 16));
  for (const [counter, key, answer] of vectors) {
    const out = new Uint32Array(4);
    philox4x32(words(counter), words(key), out);
    assert.deepEqual(out, words(answer));
  }
});

test("a seed without streams counts the blocks of Philox from zero", () => {
  // First block of the first vector above: 53 bits from two words, twice.
  const random = new Random(0);
  const join = (high: number, low: number): number => ((high >>> 5) * 2 ** 26 + (low >>> 6)) * 2 ** -53;
  assert.equal(random.uniform(), join(0x6627e8d5, 0xe169c58d));
  assert.equal(random.uniform(), join(0xbc57ac4c, 0x9b00dbd8));
});

test("the same seed and streams repeat, and any change of them changes the numbers", () => {
  const first = (seed: number, ...stream: number[]): string => {
    const random = new Random(seed, ...stream);
    return [random.uniform(), random.normal(), random.normal()].join();
  };
  assert.equal(first(7, 1, 2), first(7, 1, 2));
  const high = Number.MAX_SAFE_INTEGER;
  const all = [
    first(0),
    first(1),
    first(2 ** 32), // bits above the 32nd count
    first(2 ** 52),
    first(high),
    first(high - 2 ** 52),
    first(0, 0),
    first(0, 1),
    first(0, 2 ** 32),
    first(0, high),
    first(0, 0, 0),
    first(0, 0, 1),
    first(0, 1, 0),
    first(1, 0),
  ];
  assert.equal(new Set(all).size, all.length);
});

test("uniform and normal numbers have their moments and neighbouring streams are uncorrelated", () => {
  const n = 200_000;
  const a = new Random(3, 0);
  const b = new Random(3, 1);
  let [u1, u2, z1, z2, z4, cross] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const u = a.uniform();
    assert.ok(u > 0 && u < 1);
    u1 += u / n;
    u2 += (u * u) / n;
  }
  for (let i = 0; i < n; i++) {
    const z = a.normal();
    z1 += z / n;
    z2 += (z * z) / n;
    z4 += z ** 4 / n;
    cross += (z * b.normal()) / n;
  }
  // Five standard errors of each estimate: variances of u, u^2, z, z^2, z^4 and z z' are 1/12, 4/45, 1, 2, 96, 1.
  const within = (value: number, expected: number, variance: number): void =>
    assert.ok(Math.abs(value - expected) < 5 * Math.sqrt(variance / n), `${value} is not ${expected}`);
  within(u1, 1 / 2, 1 / 12);
  within(u2, 1 / 3, 4 / 45);
  within(z1, 0, 1);
  within(z2, 1, 2);
  within(z4, 3, 96);
  within(cross, 0, 1);
});

test("fillNormal continues the sequence of normal", () => {
  const a = new Random(5);
  const b = new Random(5);
  const expected = Float64Array.from({ length: 5 }, () => b.normal());
  assert.equal(a.normal(), expected[0]);
  assert.deepEqual(a.fillNormal(new Float64Array(4)), expected.slice(1));
});

test("bad seeds and streams are refused with the allowed range", () => {
  for (const bad of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    const range = /0 to 2\^53 - 1\./;
    assert.throws(
      () => new Random(bad),
      (error) => error instanceof InputError && range.test(error.message),
    );
    assert.throws(
      () => new Random(0, bad),
      (error) => error instanceof InputError && range.test(error.message),
    );
  }
});

test("each use of random numbers has a first stream number of its own", () => {
  const numbers = Object.values(streams);
  assert.equal(new Set(numbers).size, numbers.length);
});
