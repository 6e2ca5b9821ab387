/** The judges of notebooks 7 to 9: right answers pass, typical wrong ones are told what is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exercise } from "../lib/notebook/check";
import {
  type FilmAnswer,
  modulation,
  parametersOfFiveBlocks,
  smallestDilation,
} from "../notebooks/support/07/exercises";
import { halfLife, linearLossOfMode, stratificationFactor } from "../notebooks/support/08/exercises";
import { biasOfHalfTheSteps, eulerStep, fewestSteps } from "../notebooks/support/09/exercises";
import { filmNetwork } from "../lib/filmCnn";

/** Asserts what a judge says of answers: nothing of the right one, a sentence that matches of each wrong one. */
async function judges<T>(exercise: Exercise<T>, right: T, wrong: [T, RegExp][]): Promise<void> {
  assert.equal(await exercise.fault(right), undefined);
  for (const [answer, sentence] of wrong) assert.match(String(await exercise.fault(answer)), sentence);
}

test("7.1 knows the forgotten 1, the shift in the wrong place, the missing shift, cells for channels and the post's", () => {
  const film =
    (of: (x: number, gamma: number, beta: number) => number): FilmAnswer =>
    (h, gamma, beta) =>
      h.map((row) => row.map((x, k) => of(x, gamma[k], beta[k])));
  const silu = (x: number) => x / (1 + Math.exp(-x));
  const right = film((x, gamma, beta) => (1 + gamma) * x + beta);
  return judges(modulation, right, [
    [film((x, gamma, beta) => gamma * x + beta), /gain is γ itself/],
    [film((x, gamma, beta) => (1 + gamma) * (x + beta)), /before the gain/],
    [film((x, gamma) => (1 + gamma) * x), /shift b is missing/],
    [(h, gamma, beta) => h.map((row, i) => row.map((x) => (1 + gamma[i]) * x + beta[i])), /go by cells/],
    [film((x, gamma, beta) => gamma * silu(x) + beta), /post's γ SiLU/],
    [film((x, gamma, beta) => (1 + gamma) * silu(x) + beta), /it follows it/],
    [(h) => h, /it should be/],
    [() => [[1, 2]], /Return 5 rows/],
  ]);
});

test("7.2 knows halves and networks without ends", () => {
  const count = (blocks: number) =>
    filmNetwork({ cells: 100, fields: 2, conditions: 3 }, { blocks }).countParams();
  const [five, ten] = [count(5), count(10)];
  return judges(parametersOfFiveBlocks, five, [
    [ten, /ten blocks/],
    [ten / 2, /first and the last layers are there once/],
    [ten - five, /five blocks alone/],
    [five + 1, /too large/],
  ]);
});

test("7.3 measures whether a dilation reaches, and whether a smaller one does", async () => {
  await judges(smallestDilation, 2, [
    [1, /reach 60/],
    [3, /2 is enough, too/],
  ]);
  await assert.rejects(async () => smallestDilation.fault(1.5), /whole number/);
});

test("8.1 tells the error of x_0, the factor, the untrained loss and the root apart", () => {
  const right = (l: number, s: number) => (l * (1 + s * s)) / (l + s * s);
  return judges(linearLossOfMode, right, [
    [(l, s) => (l * s * s) / (l + s * s), /error of x₀/],
    [(_, s) => 1 + 1 / (s * s), /error of x₀ is missing/],
    [(l, s) => Math.sqrt(right(l, s)), /root/],
    [() => NaN, /not a finite number/],
    [(l, s) => (1 + s * s * l) / (1 + s * s), /mean square of v itself|root|too/],
  ]);
});

test("8.2 knows the time constant and the linear fall", () =>
  judges(halfLife, Math.log(2) / -Math.log(0.999), [
    [1000, /1\/e/],
    [500, /not linearly/],
    [10, /too small/],
  ]));

test("8.3 measures the gain of stratification", () =>
  judges(stratificationFactor, 128, [
    [Math.sqrt(128), /√128/],
    [128 ** 2, /variances/],
    [1 / 128, /other way round/],
  ]));

test("9.1 knows wrong signs, slopes and drifts", () =>
  judges(eulerStep, (y, d, s, next) => y + ((next - s) * (y - d)) / s, [
    [(y, d, s, next) => y + ((s - next) * (y - d)) / s, /goes up/],
    [(y, d, s, next) => y + (next - s) * (y - d), /division by s is missing/],
    [(y, d, s, next) => y + ((next - s) * (y - d)) / next, /divide by s/],
    [(y, d, s, next) => y + (2 * (next - s) * (y - d)) / s, /reverse SDE/],
    [(_, d) => d, /noise level 0/],
  ]));

test("9.2 expects the factor of order 2", () =>
  judges(biasOfHalfTheSteps, 4, [
    [2, /order 1/],
    [8, /order 3/],
    [0.25, /grows/],
  ]));

test("9.3 finds the fewest steps, and knows variance and 1 / √n", async () => {
  // The error of a first-order method falls as 1 / steps: the three bounds lie a factor of 2 and of √2 apart.
  const sentences: string[] = [];
  let right = 0;
  const complete = () =>
    right > 0 && [/variance/, /√n/].every((word) => sentences.some((one) => word.test(one)));
  for (let steps = 20; steps < 800 && !complete(); steps = Math.ceil(steps * 1.02)) {
    const fault = await fewestSteps.fault(steps);
    if (fault === undefined) right ||= steps;
    else sentences.push(fault);
  }
  assert.ok(right > 0, "no number of steps is right");
  assert.ok(sentences.some((sentence) => /variance/.test(sentence)));
  assert.ok(sentences.some((sentence) => /√n/.test(sentence)));
});
