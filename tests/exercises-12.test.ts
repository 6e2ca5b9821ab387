import assert from "node:assert/strict";
import { test } from "node:test";
import { permutationTest, smallestPValue } from "../notebooks/support/12/exercises";

test("12.1: 2 of 20 splits are as far apart; usual slips are told", () => {
  assert.equal(smallestPValue.fault(0.1), undefined);
  assert.match(String(smallestPValue.fault(0.05)), /two-sided/);
  assert.match(String(smallestPValue.fault(1 / 720)), /order inside a group/);
  assert.match(String(smallestPValue.fault(0.5)), /too large/);
});

/** All splits, by recursion: another way than the judge's. */
function pValue(
  a: readonly number[],
  b: readonly number[],
  of: (x: number) => number,
  strict = false,
  sided = 2,
): number {
  const all = [...a, ...b].map(of);
  const sum = (list: readonly number[]) => list.reduce((s, v) => s + v, 0);
  const mean = (list: readonly number[]) => sum(list) / list.length;
  const gap = (x: readonly number[], y: readonly number[]) =>
    sided === 2 ? Math.abs(mean(x) - mean(y)) : mean(y) - mean(x);
  const seen = gap(a.map(of), b.map(of));
  const gaps: number[] = [];
  const split = (i: number, x: number[], y: number[]): void => {
    if (x.length > a.length || y.length > b.length) return;
    if (i === all.length) gaps.push(gap(x, y));
    else {
      split(i + 1, [...x, all[i]], y);
      split(i + 1, x, [...y, all[i]]);
    }
  };
  split(0, [], []);
  return gaps.filter((g) => (strict ? g > seen + 1e-9 : g >= seen - 1e-9)).length / gaps.length;
}

test("12.2: the test is accepted, and its usual slips are told", () => {
  assert.equal(
    permutationTest.fault((a, b) => pValue(a, b, Math.log)),
    undefined,
  );
  assert.match(String(permutationTest.fault((a, b) => pValue(a, b, Math.log, false, 1))), /one-sided/);
  assert.match(
    String(permutationTest.fault((a, b) => pValue(a, b, Math.log, true))),
    /at least as far apart/,
  );
  assert.match(String(permutationTest.fault((a, b) => pValue(a, b, (x) => x))), /means of the ratios/);
});
