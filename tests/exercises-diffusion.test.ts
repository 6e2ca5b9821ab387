import assert from "node:assert/strict";
import { test } from "node:test";
import { vpSchedule } from "../lib/schedule";
import { drowningTime, equalEnd, equalParts, noising } from "../notebooks/support/04/exercises";
import {
  eulerMaruyamaRun,
  factorOnScore,
  flowStep,
  mixtureScore,
  normalScore,
  type FlowStep,
  type ReverseRun,
} from "../notebooks/support/05/exercises";
import {
  denoisedErrorWeight,
  type DenoisingLoss,
  denoisingLossOfBatch,
  gaussianFloor,
  scoreFromDenoised,
} from "../notebooks/support/06/exercises";

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

test("4.4: noising", async () => {
  const alpha = (t: number) => 0.001 * t + 0.5 * 19.999 * t * t;
  const mix = (onData: (t: number) => number, onNoise: (t: number) => number) =>
    noising.fault((x0, z, t) => x0.map((x, i) => onData(t) * x + onNoise(t) * z[i]));
  const [m, v] = [(t: number) => Math.exp(-alpha(t) / 2), (t: number) => 1 - Math.exp(-alpha(t))];
  const std = (t: number) => Math.sqrt(v(t));
  assert.equal(await mix(m, std), undefined);
  assert.match((await mix(m, v))!, /v is a variance/);
  assert.match((await mix((t) => m(t) ** 2, std))!, /it is exp\(-α\/2\)/);
  assert.match((await mix(() => 1, std))!, /not shrunk/);
  assert.match(
    (await mix(
      () => 1,
      (t) => std(t) / m(t),
    ))!,
    /x_t itself is asked/,
  );
  assert.match((await mix(std, m))!, /exchanged/);
  const steep = (t: number) => t * (0.001 + 19.999 * t);
  assert.match(
    (await mix(
      (t) => Math.exp(-steep(t) / 2),
      (t) => Math.sqrt(1 - Math.exp(-steep(t))),
    ))!,
    /integral of β/,
  );
  assert.match((await noising.fault(() => new Float64Array(1)))!, /has 1 numbers/);
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

test("5.4: Euler-Maruyama of the reverse SDE", async () => {
  const run =
    (onState: number, onScore: number, size: (beta: number, h: number) => number): ReverseRun =>
    (start, score, beta, times, normal) =>
      times.slice(1).reduce((x, next, k) => {
        const [t, h] = [times[k], times[k] - next];
        const slope = score(x, t);
        return x.map(
          (y, i) => y + beta(t) * h * (onState * y + onScore * slope[i]) + size(beta(t), h) * normal(),
        );
      }, start);
  const root = (beta: number, h: number) => Math.sqrt(beta * h);
  assert.equal(await eulerMaruyamaRun.fault(run(0.5, 1, root)), undefined);
  const wrong: [ReverseRun, RegExp][] = [
    [run(0.5, -1, root), /wrong sign: points flee/],
    [run(-0.5, 1, root), /½ x has the wrong sign/],
    [run(0.5, 0.5, root), /½ is for the ODE/],
    [run(0, 1, root), /½ x is missing/],
    [run(0.5, 1, () => 0), /There is no noise/],
    [run(0.5, 1, (beta, h) => Math.sqrt(beta) * h), /factor √h, not h/],
    [run(0.5, 1, (beta, h) => beta * h), /√\(β h\), not β h/],
    [run(0.5, 1, (_, h) => Math.sqrt(h)), /lacks its √β/],
    [(start) => start, /come back with mean .* and variance/],
    [() => new Float64Array(3), /returns 3 points/],
  ];
  for (const [answer, sentence] of wrong)
    await assert.doesNotReject(async () => {
      const fault = await Promise.resolve()
        .then(() => eulerMaruyamaRun.fault(answer))
        .catch((error: Error) => error.message);
      assert.match(String(fault), sentence);
    });
  const shared: ReverseRun = (start, score, beta, times, normal) =>
    times.slice(1).reduce((x, next, k) => {
      const [h, z, slope] = [times[k] - next, normal(), score(x, times[k])];
      return x.map((y, i) => y + beta(times[k]) * h * (0.5 * y + slope[i]) + root(beta(times[k]), h) * z);
    }, start);
  assert.match((await eulerMaruyamaRun.fault(shared))!, /same noise/);
  const ode: ReverseRun = (start, score, beta, times) =>
    run(0.5, 0.5, () => 0)(start, score, beta, times, () => 0);
  assert.match((await eulerMaruyamaRun.fault(ode))!, /that is the ODE/);
});

test("5.5: Heun's step on the probability-flow ODE", async () => {
  type Field = (x: Float64Array, t: number) => Float64Array;
  const with_ =
    (onScore: number, step: (f: Field, x: Float64Array, t: number, next: number) => Float64Array): FlowStep =>
    (x, score, beta, t, next) =>
      step((y, at) => score(y, at).map((s, i) => beta(at) * (0.5 * y[i] + onScore * s)), x, t, next);
  const add = (x: Float64Array, h: number, slope: Float64Array) => x.map((value, i) => value + h * slope[i]);
  const mean = (a: Float64Array, b: Float64Array) => a.map((value, i) => 0.5 * (value + b[i]));
  const euler: Parameters<typeof with_>[1] = (f, x, t, next) => add(x, t - next, f(x, t));
  const heun: Parameters<typeof with_>[1] = (f, x, t, next) =>
    add(x, t - next, mean(f(x, t), f(euler(f, x, t, next), next)));
  assert.equal(await flowStep.fault(with_(0.5, heun)), undefined);
  const wrong: [FlowStep, RegExp][] = [
    [with_(0.5, euler), /Euler's step/],
    [with_(1, heun), /counts half/],
    [
      with_(0.5, (f, x, t, next) => add(x, t - next, mean(f(x, t), f(euler(f, x, t, next), t)))),
      /time `next`/,
    ],
    [with_(0.5, (f, x, t, next) => add(x, t - next, mean(f(x, t), f(x, next)))), /predicted points/],
    [with_(0.5, (f, x, t, next) => add(x, t - next, f(euler(f, x, t, next), next))), /mean of both slopes/],
    [
      with_(0.5, (f, x, t, next) => add(x, 2 * (t - next), mean(f(x, t), f(euler(f, x, t, next), next)))),
      /Both slopes are added/,
    ],
    [
      with_(0.5, (f, x, t, next) => add(x, next - t, mean(f(x, t), f(euler(f, x, t, next), next)))),
      /goes forward/,
    ],
  ];
  for (const [answer, sentence] of wrong) assert.match((await flowStep.fault(answer))!, sentence);
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

test("6.4: the denoising loss of a batch", async () => {
  const loss =
    (
      error: (guessed: number, z: number, x0: number, t: number) => number,
      noisy = (x0: number, z: number, t: number) => schedule.mean(t) * x0 + schedule.std(t) * z,
    ): DenoisingLoss =>
    (x0, z, t, guess) => {
      const guessed = guess(
        x0.map((x, i) => noisy(x, z[i], t[i])),
        t,
      );
      return guessed.reduce((sum, value, i) => sum + error(value, z[i], x0[i], t[i]), 0) / t.length;
    };
  const square = (guessed: number, z: number) => (guessed - z) ** 2;
  const right = loss(square);
  assert.equal(await denoisingLossOfBatch.fault(right), undefined);
  const std = schedule.std;
  const wrong: [DenoisingLoss, RegExp][] = [
    [(x0, z, t, guess) => t.length * right(x0, z, t, guess), /sum over the batch/],
    [(...given) => Math.sqrt(right(...given)), /root of the loss/],
    [loss((guessed, z) => Math.abs(guessed - z)), /is squared/],
    [loss((guessed, _, x0) => (guessed - x0) ** 2), /compared with x₀/],
    [loss((guessed, z, _, t) => (guessed - std(t) * z) ** 2), /not with √v z/],
    [loss((guessed, z, _, t) => (guessed + z / std(t)) ** 2), /score's −z\/√v/],
    [loss((guessed, z, _, t) => square(guessed, z) / std(t) ** 2), /1\/v times/],
    [loss(square, (x0) => x0), /given the clean numbers/],
    [loss(square, (x0, z, t) => schedule.mean(t) * x0 + std(t) ** 2 * z), /v is a variance/],
    [loss(square, (x0, z, t) => x0 + std(t) * z), /not shrunk by m/],
  ];
  for (const [answer, sentence] of wrong) assert.match((await denoisingLossOfBatch.fault(answer))!, sentence);
});
