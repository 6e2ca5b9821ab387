import assert from "node:assert/strict";
import { test } from "node:test";
import { vpSchedule } from "../lib/schedule";
import { drowningTime, equalEnd, equalParts } from "../notebooks/support/04/exercises";
import { factorOnScore, mixtureScore, normalScore } from "../notebooks/support/05/exercises";
import { denoisedErrorWeight, gaussianFloor, scoreFromDenoised } from "../notebooks/support/06/exercises";

const schedule = vpSchedule();
const timeOfAlpha = (alpha: number) => schedule.timeOf(Math.sqrt(Math.expm1(alpha)));

test("4.1: the time at which signal and noise are equal", async () => {
  assert.equal(await equalParts.fault(timeOfAlpha(Math.LN2)), undefined);
  // m = v: e^(-a/2) = 1 - e^(-a), the golden ratio.
  const golden = timeOfAlpha(-2 * Math.log((Math.sqrt(5) - 1) / 2));
  assert.match((await equalParts.fault(golden))!, /signal's variance is m²/);
  assert.match((await equalParts.fault(Math.sqrt(Math.LN2 / 20)))!, /integral of β/);
  assert.match((await equalParts.fault(0.5))!, /too large/);
});

test("4.2: the time at which a mode drowns", async () => {
  assert.equal(await drowningTime.fault((lambda) => timeOfAlpha(Math.log1p(lambda))), undefined);
  assert.match((await drowningTime.fault((lambda) => schedule.timeOf(lambda)))!, /standard deviation/);
  const unshrunk = (lambda: number) =>
    lambda < 1 ? timeOfAlpha(-Math.log1p(-lambda)) : timeOfAlpha(Math.log1p(lambda));
  assert.match((await drowningTime.fault(unshrunk))!, /For λ = 0.1: .*shrunk by m/);
});

test("4.3: the end time of the process with constant rate", async () => {
  assert.equal(await equalEnd.fault(schedule.alpha(1)), undefined);
  assert.match((await equalEnd.fault(schedule.alpha(1) / 2))!, /mean is exp\(-T\/2\)/);
  assert.match((await equalEnd.fault(1))!, /61 %/);
  assert.match((await equalEnd.fault(20))!, /area under β/);
});

test("5.1: the score of a normal distribution", async () => {
  assert.equal(await normalScore.fault((x, mean, std) => (mean - x) / std ** 2), undefined);
  assert.match((await normalScore.fault((x, mean, std) => (x - mean) / std ** 2))!, /sign/);
  assert.match((await normalScore.fault((x, mean, std) => (mean - x) / std))!, /by the variance/);
  assert.match((await normalScore.fault((x, _, std) => -x / std ** 2))!, /from the mean/);
  const density = (x: number, mean: number, std: number) =>
    Math.exp(-0.5 * ((x - mean) / std) ** 2) / (std * Math.sqrt(2 * Math.PI));
  const slope = (x: number, mean: number, std: number) => ((mean - x) / std ** 2) * density(x, mean, std);
  assert.match((await normalScore.fault(slope))!, /slope of the density/);
});

test("5.2: the factor on the score that goes with a noise", async () => {
  assert.equal(await factorOnScore.fault((n) => 0.5 * (1 + n * n)), undefined);
  assert.match((await factorOnScore.fault(() => 0.5))!, /With n = 1 and a factor of 0.5, .* come back with/);
  assert.match((await factorOnScore.fault(() => 1))!, /With n = 0/);
  assert.match((await factorOnScore.fault((n) => 0.5 * (1 + n)))!, /With n = 0.5/);
  assert.match((await factorOnScore.fault(() => NaN))!, /not a finite number/);
});

test("5.3: the score of a mixture", async () => {
  const right = (x: number, weights: number[], means: number[], variances: number[]) => {
    const parts = weights.map(
      (w, k) => (w * Math.exp((-0.5 * (x - means[k]) ** 2) / variances[k])) / Math.sqrt(variances[k]),
    );
    const total = parts.reduce((sum, part) => sum + part, 0);
    return parts.reduce((sum, part, k) => sum + ((part / total) * (means[k] - x)) / variances[k], 0);
  };
  assert.equal(await mixtureScore.fault(right), undefined);
  const byWeight = (x: number, weights: number[], means: number[], variances: number[]) =>
    weights.reduce((sum, w, k) => sum + (w * (means[k] - x)) / variances[k], 0);
  assert.match((await mixtureScore.fault(byWeight))!, /how probable each is at x/);
});

test("6.1: the score from the denoised state", async () => {
  assert.equal(await scoreFromDenoised.fault((d, x, m, v) => (m * d - x) / v), undefined);
  assert.match((await scoreFromDenoised.fault((d, x, _, v) => (d - x) / v))!, /around m x₀/);
  assert.match(
    (await scoreFromDenoised.fault((d, x, m, v) => (m * d - x) / Math.sqrt(v)))!,
    /not by its root/,
  );
  assert.match((await scoreFromDenoised.fault((d, x, m, v) => (x - m * d) / v))!, /sign/);
});

test("6.2: the floor for Gaussian data", async () => {
  assert.equal(await gaussianFloor.fault((lambda, s) => lambda / (lambda + s * s)), undefined);
  assert.match((await gaussianFloor.fault((lambda, s) => (s * s) / (lambda + s * s)))!, /does tell/);
  assert.match((await gaussianFloor.fault((lambda, s) => lambda / (lambda + s)))!, /s² beside λ/);
  assert.match((await gaussianFloor.fault(() => 0))!, /has a floor/);
});

test("6.3: the weight that makes the score's error that of the denoised state", async () => {
  assert.equal(await denoisedErrorWeight.fault((m, v) => (v / m) ** 2), undefined);
  assert.match((await denoisedErrorWeight.fault((_, v) => v))!, /error of the noise/);
  assert.match((await denoisedErrorWeight.fault((m, v) => v / m))!, /of their squares/);
  assert.match((await denoisedErrorWeight.fault((m, v) => (m / v) ** 2))!, /other way round/);
});
