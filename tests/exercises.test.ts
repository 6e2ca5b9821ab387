import assert from "node:assert/strict";
import { test } from "node:test";
import { check, listFault, numberFault } from "../lib/notebook/check";

test("a judgement says what is wrong with a number", () => {
  const mistakes = [[4, "4 is the ratio of the errors; asked is its logarithm."]] as const;
  assert.equal(numberFault(2.01, 2, 0.02, mistakes), undefined);
  assert.match(numberFault(4, 2, 0.02, mistakes)!, /ratio of the errors/);
  assert.match(numberFault(-2, 2, 0.02)!, /sign/);
  assert.match(numberFault(3, 2, 0.02)!, /too large/);
  assert.match(numberFault(1, 2, 0.02)!, /too small/);
  assert.match(numberFault(NaN, 2, 0.02)!, /not a finite number/);
  assert.match(numberFault("2" as unknown as number, 2, 0.02)!, /not a finite number/);
  assert.equal(numberFault(0.01, 0, 0.02), undefined);
});

test("a judgement says what is wrong with a list", () => {
  const mistakes = [[[2, 4], "That is twice as much."]] as const;
  assert.equal(listFault([1, 2.001], [1, 2], 0.01, mistakes), undefined);
  assert.equal(listFault(Float64Array.of(0, 0), [0, 0], 0.01), undefined);
  assert.match(listFault([2, 4.001], [1, 2], 0.01, mistakes)!, /twice as much/);
  assert.match(listFault([-1, -2], [1, 2], 0.01)!, /the sign is not/);
  assert.match(listFault([1, 3], [1, 2], 0.01)!, /Number 2 of the answer is 3; it should be 2/);
  assert.match(listFault([1], [1, 2], 0.01)!, /has 1 numbers; return 2/);
  assert.match(listFault(undefined as never, [1, 2], 0.01)!, /has no numbers/);
  assert.match(listFault([1, NaN], [1, 2], 0.01)!, /NaN is not a finite number/);
});

test("check prints the judgement, also for answers that are missing or make the judge fail", async (t) => {
  const printed: string[] = [];
  t.mock.method(console, "log", (text: string) => void printed.push(text));
  const exercise = { number: "2.1", fault: (answer: () => number) => numberFault(answer(), 2, 0.01) };
  await check(exercise, undefined);
  await check(exercise, () => 2);
  await check(exercise, () => 5);
  const failing = () => {
    throw new Error("the function fails.");
  };
  await check(exercise, failing);
  assert.deepEqual(printed, [
    "Exercise 2.1: no answer yet.",
    "Exercise 2.1: right.",
    "Exercise 2.1: not yet. 5 is too large.",
    "Exercise 2.1: not yet. the function fails.",
  ]);
});
