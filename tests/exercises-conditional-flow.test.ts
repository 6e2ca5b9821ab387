/** The judges of notebooks 15 and 16: right answers pass, typical wrong ones are told what is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exercise } from "../lib/notebook/check";
import { conditionalScore, guidedNoise, guidedVariance } from "../notebooks/support/15/exercises";
import {
  flowRun,
  type FlowRun,
  gaussianVelocity,
  velocityOfDenoised,
} from "../notebooks/support/16/exercises";

/** Asserts what a judge says of answers: nothing of the right one, a sentence that matches of each wrong one. */
async function judges<T>(exercise: Exercise<T>, right: T, wrong: [T, RegExp][]): Promise<void> {
  assert.equal(await exercise.fault(right), undefined);
  for (const [answer, sentence] of wrong) assert.match(String(await exercise.fault(answer)), sentence);
}

test("15.1 knows the marginal score, the mean that is not shrunk and wrong variances", () =>
  judges(conditionalScore, (x, p, a, lambda, m, v) => (m * a * p - x) / (m * m * lambda + v), [
    [(x, _, a, lambda, m, v) => -x / (m * m * (lambda + a * a) + v), /without the condition/],
    [(x, p, a, lambda, m, v) => (a * p - x) / (m * m * lambda + v), /is m a p/],
    [(x, p, a, lambda, m) => (m * a * p - x) / lambda, /m² λ \+ v, not λ/],
    [(x, p, a, lambda, m, v) => (m * a * p - x) / (m * lambda + v), /by m², not by m/],
    [(x, p, a, _, m, v) => (m * a * p - x) / v, /x₀ still varies/],
    [(x, p, a, lambda, m, v) => (m * a * p - x) / Math.sqrt(m * m * lambda + v), /not by its root/],
    [(x, p, a, lambda, m, v) => (x - m * a * p) / (m * m * lambda + v), /the sign is not/],
  ]));

test("15.2 knows the other count of w, exchanged guesses and missing ones", () => {
  const mix =
    (onGiven: (w: number) => number, onFree: (w: number) => number) =>
    (given: Float64Array, free: Float64Array, w: number) =>
      given.map((g, i) => onGiven(w) * g + onFree(w) * free[i]);
  return judges(guidedNoise, mix((w) => w, (w) => 1 - w), [
    [mix((w) => 1 + w, (w) => -w), /where w = 0 is the condition alone/],
    [mix((w) => 1 - w, (w) => w), /exchanged/],
    [mix((w) => w, () => 1), /difference/],
    [mix((w) => w, (w) => -w), /start from it/],
  ]); // prettier-ignore
});

test("15.3 knows the precision, the power alone and added variances", () => {
  const all = (a: number, lambda: number) => lambda + a * a;
  const right = (w: number, a: number, lambda: number) => 1 / (w / lambda + (1 - w) / all(a, lambda));
  return judges(guidedVariance, right, [
    [(...given) => 1 / right(...given), /precision/],
    [(w, _, lambda) => lambda / w, /p\(x \| p\)\^w alone/],
    [(w, a, lambda) => w * lambda + (1 - w) * all(a, lambda), /their inverses/],
    [(...given) => Math.sqrt(right(...given)), /standard deviation/],
    [(w, a, lambda) => 1 / (w / lambda + (w - 1) / all(a, lambda)), /taken off/],
  ]);
});

test("16.1 knows the velocity against time, the forgotten r and the noise", () =>
  judges(velocityOfDenoised, (x, denoised, r) => (x - denoised) / r, [
    [(x, denoised) => x - denoised, /divided by r/],
    [(x, denoised, r) => (x - (1 - r) * denoised) / r, /That is the noise/],
    [(x, denoised, r) => (x - denoised) / (1 - r), /not by 1 − r/],
    [(x, denoised, r) => (denoised - x) / r, /the sign is not/],
  ]));

test("16.2 judges a run of the flow by its variance", async () => {
  const run =
    (sign: number, factor = 1): FlowRun =>
    (start, velocity, steps) => {
      let x = start;
      for (let k = 0; k < steps; k++) {
        const u = velocity(x, 1 - k / steps);
        x = x.map((value, i) => value + (sign * factor * u[i]) / steps);
      }
      return x;
    };
  const upwards: FlowRun = (start, velocity, steps) => {
    let x = start;
    for (let k = 0; k < steps; k++) {
      const u = velocity(x, k / steps);
      x = x.map((value, i) => value - u[i] / steps);
    }
    return x;
  };
  await assert.rejects(async () => flowRun.fault(() => new Float64Array(2)), /returns 2 points/);
  await judges(flowRun, run(-1), [
    [run(1), /towards the noise/],
    [run(-1, 0.5), /half of the velocity/],
    [upwards, /r falls from 1/],
    [(start) => start, /come back with/],
  ]);
});

test("16.3 knows the denoiser, the forgotten mean of x₀ and the sign", () => {
  const total = (lambda: number, r: number) => (1 - r) ** 2 * lambda + r * r;
  return judges(gaussianVelocity, (x, lambda, r) => ((r - (1 - r) * lambda) * x) / total(lambda, r), [
    [(x, lambda, r) => ((1 - r) * lambda * x) / total(lambda, r), /denoised state/],
    [(x, lambda, r) => (r * x) / total(lambda, r), /mean of z alone/],
    [(x, lambda, r) => ((r + (1 - r) * lambda) * x) / total(lambda, r), /z − x₀, not z \+ x₀/],
    [(x, lambda, r) => -((r - (1 - r) * lambda) * x) / total(lambda, r), /the sign is not/],
  ]);
});
