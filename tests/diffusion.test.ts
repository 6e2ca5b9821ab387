import assert from "node:assert/strict";
import test from "node:test";
import { empiricalDenoiser, empiricalScore } from "../lib/evaluation/empiricalScore";
import { type VectorSpace } from "../lib/sde";
import { arraySpace, drawMarginal, forwardPath } from "../lib/evaluation/forwardProcess";
import { gaussian, GaussianMixture } from "../lib/evaluation/gaussianMixture";
import { karrasGrid } from "../lib/gaussian/odeSamplers";
import { quadraticGrid } from "../lib/samplers";
import { uniformGrid } from "../lib/evaluation/reverseForms";
import { stratifiedUniform, type Target } from "../lib/loss";
import { blogWeight, denoisedWeight, targetCoefficients } from "../lib/evaluation/lossWeights";
import { denoiserLoss } from "../notebooks/support/06/denoiserLoss";
import { quadraticTime, vpSchedule } from "../lib/schedule";
import { InputError } from "../lib/backend/errors";
import { Random } from "../lib/random";

const schedule = vpSchedule();
const TIMES = [1e-6, 1e-4, 0.01, 0.1, 0.37, 0.8, 1];

/** |a - b| <= relative * |b|. */
function close(actual: number, expected: number, relative: number, what: string): void {
  const error = Math.abs(actual - expected);
  assert.ok(error <= relative * Math.abs(expected), `${what}: ${actual} against ${expected}`);
}

function slope(sizes: number[], errors: number[]): number {
  const last = sizes.length - 1;
  return Math.log(errors[0] / errors[last]) / Math.log(sizes[last] / sizes[0]);
}

test("schedule: mean, std, noise level and alpha agree with one another and with beta", () => {
  for (const s of [
    schedule,
    vpSchedule({ betaMin: 0, betaMax: 3, endTime: 5 }),
    vpSchedule({ betaMin: 2, betaMax: 2 }),
  ]) {
    for (const u of TIMES) {
      const t = u * s.endTime;
      // Round-off only: a few operations on numbers of size 1.
      close(s.mean(t) ** 2 + s.std(t) ** 2, 1, 1e-14, "mean^2 + std^2");
      close(s.noiseLevel(t), s.std(t) / s.mean(t), 1e-13, "noise level");
      close(s.alpha(t), Math.log1p(s.noiseLevel(t) ** 2), 1e-13, "alpha of the noise level");
      close(s.timeOf(s.noiseLevel(t)), t, 1e-12, "time of the noise level");
      // alpha is a parabola, for which Simpson's rule on beta is exact.
      const simpson = (t / 6) * (s.beta(0) + 4 * s.beta(t / 2) + s.beta(t));
      close(s.alpha(t), simpson, 1e-13, "integral of beta");
    }
    assert.equal(s.timeOf(0), 0);
    assert.equal(s.std(0), 0);
  }
});

test("schedule: the blog's numbers, and digits kept at small times", () => {
  close(schedule.alpha(1), 10.0005, 1e-14, "alpha(1) = 0.001 + 19.999/2");
  close(schedule.noiseLevel(1), Math.sqrt(Math.exp(10.0005) - 1), 1e-12, "largest noise level");
  // 1 - exp(-a) is a - a^2/2 + O(a^3); at t = 1e-8, a = 1.1e-11 and the cube is below double precision.
  const a = schedule.alpha(1e-8);
  close(schedule.std(1e-8) ** 2, a - a ** 2 / 2, 1e-15 * 4, "std^2 at t = 1e-8");
});

test("schedule and grids: bad input is named", () => {
  assert.throws(() => vpSchedule({ betaMin: -1 }), InputError);
  assert.throws(() => vpSchedule({ betaMin: 21 }), InputError);
  assert.throws(() => vpSchedule({ betaMax: NaN }), InputError);
  assert.throws(() => vpSchedule({ endTime: 0 }), InputError);
  assert.throws(() => schedule.timeOf(-1), InputError);
  assert.throws(() => uniformGrid(schedule, 0), InputError);
  assert.throws(() => uniformGrid(schedule, 2.5), InputError);
  assert.throws(() => quadraticGrid(schedule, 10, 1), InputError);
  assert.throws(() => karrasGrid(schedule, 10, { smallest: 0 }), InputError);
  assert.throws(() => karrasGrid(schedule, 10, { largest: 1e4 }), /148\.[45]/);
});

test("grids: ends, strict fall and shape", () => {
  const grids = { uniformGrid, quadraticGrid, karrasGrid };
  for (const [name, grid] of Object.entries(grids)) {
    for (const steps of [1, 2, 7, 1000]) {
      const times = grid(schedule, steps);
      assert.equal(times.length, steps + 1, name);
      assert.equal(times[0], schedule.endTime, name);
      assert.ok(
        times.every((t, i) => i === 0 || t < times[i - 1]),
        `${name} falls`,
      );
    }
  }
  assert.equal(uniformGrid(schedule, 10)[10], 1e-3);
  assert.equal(quadraticGrid(schedule, 10)[10], 1e-4);
  close(quadraticGrid(schedule, 10)[5], 1e-4 + (1 - 1e-4) * 0.25, 1e-14, "middle of the quadratic grid");

  const levels = Array.from(karrasGrid(schedule, 8, { largest: 80 }), (t) => schedule.noiseLevel(t));
  assert.equal(levels[8], 0);
  // The round trip through time costs the digits checked above.
  close(levels[0], 80, 1e-11, "largest level");
  close(levels[7], 0.002, 1e-11, "smallest level");
  const roots = levels.slice(0, 8).map((level) => level ** (1 / 7));
  for (let i = 1; i < 7; i++) close(roots[i] - roots[i + 1], roots[0] - roots[1], 1e-9, "even seventh roots");
});

test("array space: noise depends on the draw number alone", () => {
  const space = arraySpace(5, 2);
  const like = new Float64Array(4);
  const third = space.normal(like, 3);
  space.normal(like, 1);
  assert.deepEqual(space.normal(like, 3), third);
  assert.notDeepEqual(space.normal(like, 4), third);
  assert.notDeepEqual(arraySpace(5, 3).normal(like, 3), third);
  assert.notDeepEqual(arraySpace(6, 2).normal(like, 3), third);
  const [a, b] = [Float64Array.of(1, 2), Float64Array.of(10, 20)];
  assert.deepEqual(space.combine([[2, a], [-1, b], [1, a]]), Float64Array.of(-7, -14)); // prettier-ignore
  assert.deepEqual([a, b], [Float64Array.of(1, 2), Float64Array.of(10, 20)]);
});

/** The state 0, 1 or 0 with the noise 0, 0 or 1: an affine map's offset, gain and noise in one vector. */
const probe: VectorSpace<Float64Array> = { ...arraySpace(0), normal: () => Float64Array.of(0, 0, 1) };

test("forward: marginal draws are mean x_0 + std z", () => {
  for (const t of TIMES) {
    const x = drawMarginal(probe, schedule, Float64Array.of(0, 1, 0), t, 0);
    assert.deepEqual(x, Float64Array.of(0, schedule.mean(t), schedule.std(t)));
  }
});

test("forward: Euler-Maruyama moments reach the exact marginal with order 1", () => {
  const sizes = [100, 200, 400, 800];
  const errors = sizes.map((steps) => {
    const times = Float64Array.from({ length: steps + 1 }, (_, i) => (0.6 * i) / steps);
    let [gain, variance] = [1, 0];
    for (let k = 1; k <= steps; k++) {
      // One step of the real path between two of its times, started from the probe.
      const shifted = { ...schedule, beta: () => schedule.beta(times[k - 1]) };
      const path = forwardPath(
        probe,
        shifted,
        Float64Array.of(0, 1, 0),
        Float64Array.of(0, times[k] - times[k - 1]),
      );
      path.next();
      const { x } = path.next().value as { x: Float64Array };
      gain *= x[1];
      variance = x[1] ** 2 * variance + x[2] ** 2;
    }
    return Math.abs(gain - schedule.mean(0.6)) + Math.abs(variance - schedule.std(0.6) ** 2);
  });
  const order = slope(sizes, errors);
  console.log(`forward Euler-Maruyama, observed weak order ${order.toFixed(3)}`);
  assert.ok(Math.abs(order - 1) < 0.1, `order ${order}`); // the O(h^2) term is below 10 % at these steps
  const walked = [...forwardPath(arraySpace(1), schedule, Float64Array.of(1), Float64Array.of(0, 0.1, 0.3))];
  assert.deepEqual(walked.map(({ t }) => t), [0, 0.1, 0.3]); // prettier-ignore
  assert.throws(
    () => [...forwardPath(arraySpace(1), schedule, Float64Array.of(1), Float64Array.of(0.1, 0.3))],
    InputError,
  );
});

const mixture = new GaussianMixture([
  gaussian(2, [-1, 0.5], [[0.3, 0.1], [0.1, 0.2]]), // prettier-ignore
  gaussian(1, [1.5, -0.4], [[0.05, -0.02], [-0.02, 0.1]]), // prettier-ignore
  gaussian(1, [0.2, 2], [[0.02, 0], [0, 0.4]]), // prettier-ignore
]);

/** Largest difference between a score and central differences of a log density, relative to the largest score. */
function scoreError(
  score: Float64Array,
  logDensity: (points: Float64Array) => Float64Array,
  points: Float64Array,
  d: number,
): number {
  const h = 1e-5;
  let [error, largest] = [0, 0];
  for (let i = 0; i < points.length; i++) {
    const shifted = (by: number) =>
      logDensity(points.map((x, j) => (j === i ? x + by : x)))[Math.floor(i / d)];
    error = Math.max(error, Math.abs((shifted(h) - shifted(-h)) / (2 * h) - score[i]));
    largest = Math.max(largest, Math.abs(score[i]));
  }
  return error / largest;
}

test("mixture: score is the gradient of the log density, at every time", () => {
  for (const t of [0, 0.05, 0.3, 1]) {
    const marginal = mixture.marginal(schedule, t);
    const points = marginal.sample(20, new Random(1));
    const error = scoreError(marginal.score(points), (p) => marginal.logDensity(p), points, 2);
    // Round-off of central differences is 1e-16 |log p| / h = 1e-10, truncation h^2 p''' of the same size.
    assert.ok(error < 1e-7, `t = ${t}: ${error}`);
  }
});

test("mixture: the density integrates to 1 and the sample has its moments", () => {
  let [mass, mean, square] = [0, 0, 0];
  const h = 0.05; // a smooth function on a grid far finer than its narrowest width, 0.14: spectral accuracy
  const points: number[] = [];
  for (let x = -6; x < 6; x += h) for (let y = -6; y < 6; y += h) points.push(x, y);
  mixture.logDensity(Float64Array.from(points)).forEach((log, row) => {
    const p = Math.exp(log) * h * h;
    mass += p;
    mean += p * points[2 * row];
    square += p * points[2 * row] ** 2;
  });
  close(mass, 1, 1e-6, "total mass");
  close(mean, 0.5 * -1 + 0.25 * 1.5 + 0.25 * 0.2, 1e-5, "mean by quadrature against weights times means");
  const n = 40000;
  const sample = mixture.sample(n, new Random(2)).filter((_, i) => i % 2 === 0);
  const sampleMean = sample.reduce((a, b) => a + b) / n;
  // Five standard errors of a mean of n independent draws.
  assert.ok(
    Math.abs(sampleMean - mean) < 5 * Math.sqrt((square - mean ** 2) / n),
    `sample mean ${sampleMean}`,
  );
});

test("mixture: the denoiser is Tweedie's formula and, for one Gaussian, linear regression", () => {
  const points = mixture.marginal(schedule, 0.4).sample(10, new Random(3));
  for (const t of [0.05, 0.4, 0.9]) {
    const [m, variance] = [schedule.mean(t), schedule.std(t) ** 2];
    const score = mixture.marginal(schedule, t).score(points);
    mixture
      .denoiser(schedule)(points, t)
      .forEach((value, i) => {
        // Dividing by m magnifies round-off by at most 1 / m = 60.
        close(value + 1e3, (points[i] + variance * score[i]) / m + 1e3, 1e-12, `Tweedie at t = ${t}`);
      });
  }
  const single = new GaussianMixture([gaussian(3, [0.7], [[0.25]])]);
  const [m, variance] = [schedule.mean(0.3), schedule.std(0.3) ** 2];
  const expected = 0.7 + ((m * 0.25) / (m * m * 0.25 + variance)) * (1.1 - m * 0.7);
  close(single.denoiser(schedule)(Float64Array.of(1.1), 0.3)[0], expected, 1e-14, "regression of x_0 on x_t");
  const same = mixture.denoiser(schedule)(points, 0);
  same.forEach((value, i) =>
    close(value + 10, points[i] + 10, 1e-13, "at t = 0 the data are their own mean"),
  );
});

test("mixture: bad input is named", () => {
  assert.throws(() => gaussian(0, [0], [[1]]), InputError);
  assert.throws(() => gaussian(1, [0, 0], [[1, 2], [2, 1]]), /eigenvalues/); // prettier-ignore
  assert.throws(() => gaussian(1, [0, 0], [[1]]), InputError);
  assert.throws(() => new GaussianMixture([]), InputError);
  assert.throws(() => new GaussianMixture([gaussian(1, [0], [[1]]), mixture.components[0]]), InputError);
});

test("empirical score: gradient of the log of the smoothed sample, and the mixture's limit", () => {
  const samples = mixture.sample(30, new Random(4));
  for (const t of [0.02, 0.2, 0.9]) {
    const [m, variance] = [schedule.mean(t), schedule.std(t) ** 2];
    const logDensity = (points: Float64Array) =>
      Float64Array.from({ length: points.length / 2 }, (_, row) => {
        let sum = 0;
        for (let i = 0; i < 30; i++) {
          const square =
            (points[2 * row] - m * samples[2 * i]) ** 2 + (points[2 * row + 1] - m * samples[2 * i + 1]) ** 2;
          sum += Math.exp(-square / (2 * variance));
        }
        return Math.log(sum);
      });
    const noise = new Random(5);
    const points = samples.map((x) => m * x + schedule.std(t) * noise.normal());
    const error = scoreError(empiricalScore(samples, 2, schedule)(points, t), logDensity, points, 2);
    // Truncation is h^2 / (6 std^3) relative to 1 / std: 4e-9 at the smallest std here, 0.06.
    assert.ok(error < 1e-6, `t = ${t}: ${error}`);
    const points2 = Array.from({ length: 30 }, (_, i) => Array.from(samples.subarray(2 * i, 2 * i + 2)));
    const narrow = new GaussianMixture(points2.map((p) => gaussian(1, p, [[1e-12, 0], [0, 1e-12]]))); // prettier-ignore
    const limit = narrow.denoiser(schedule)(points, t);
    empiricalDenoiser(
      samples,
      2,
      schedule,
    )(points, t).forEach((value, i) => {
      assert.ok(Math.abs(value - limit[i]) < 1e-8, "a Gaussian of variance 1e-12 moves D by 1e-12 / std^2");
    });
  }
});

test("empirical denoiser: far from all samples it still finds the nearest one", () => {
  const denoise = empiricalDenoiser(Float64Array.of(0, 1, 5), 1, schedule);
  assert.deepEqual(denoise(Float64Array.of(1e3, -1e3), 1e-4), Float64Array.of(5, 0));
  assert.throws(() => denoise(Float64Array.of(1), 0), InputError);
  assert.throws(() => empiricalDenoiser(new Float64Array(5), 2, schedule), InputError);
});

test("targets: every parametrisation is the same denoiser, and the losses differ by the stated weight", () => {
  const [x0, z] = [0.8, -1.3];
  for (const t of TIMES) {
    const [m, std] = [schedule.mean(t), schedule.std(t)];
    const x = m * x0 + std * z;
    const exact: Record<Target, number> = { score: -z / std, noise: z, denoised: x0, v: m * z - std * x0 };
    for (const [target, value] of Object.entries(exact) as [Target, number][]) {
      const { onState, onDenoised } = targetCoefficients(target, schedule, t);
      // x - m x_0 cancels to std z, so round-off grows by 1 / std^2 at most for v and 1 / std for the others.
      const tolerance = (target === "v" ? 1e-14 / std ** 2 : 1e-14 / std) + 1e-14;
      close(onState * x + onDenoised * x0, value, tolerance, `${target} at t = ${t}`);
    }
    // The blog's loss is the squared error of the noise: v_t times the score's weight.
    close(
      blogWeight(schedule, t) * denoisedWeight("score", schedule, t),
      denoisedWeight("noise", schedule, t),
      1e-13,
      "blog's weight",
    );
    const s = schedule.noiseLevel(t);
    close(denoisedWeight("noise", schedule, t), 1 / s ** 2, 1e-12, "noise weight is 1 / s^2");
    close(denoisedWeight("v", schedule, t), 1 + 1 / s ** 2, 1e-12, "v weight is EDM's, 1 + 1 / s^2");
  }
  assert.throws(() => targetCoefficients("x" as Target, schedule, 0.5), InputError);
});

test("stratified times: one in every part, the batch as a whole uniform", () => {
  const random = new Random(6);
  const u = stratifiedUniform(64, random);
  u.forEach((value, i) => assert.ok(value >= i / 64 && value < (i + 1) / 64));
  assert.equal(quadraticTime(schedule, 0), 1e-4);
  assert.equal(quadraticTime(schedule, 1), 1);
  // The mean of u^2 over a stratified batch has standard deviation below 64^-1.5 / sqrt(12) * 2 = 1.1e-3.
  const square = u.reduce((sum, value) => sum + value * value, 0) / 64;
  assert.ok(Math.abs(square - 1 / 3) < 5e-3, `mean of u^2 ${square}`);
  assert.throws(() => stratifiedUniform(0, random), InputError);
});

test("denoising loss: its closed form for a Gaussian, and its minimum at the exact denoiser", () => {
  const [variance, rows, t] = [0.25, 20000, 0.3];
  const single = new GaussianMixture([gaussian(1, [0.7], [[variance]])]);
  const clean = single.sample(rows, new Random(7));
  const times = new Float64Array(rows).fill(t);
  const exact = single.denoiser(schedule);
  const loss = (denoise: typeof exact, weight?: (t: number) => number) =>
    denoiserLoss(denoise, schedule, clean, times, new Random(8), weight);
  const [m2, s2] = [schedule.mean(t) ** 2, schedule.std(t) ** 2];
  const expected = (variance * s2) / (m2 * variance + s2); // posterior variance of x_0
  // A squared Gaussian has relative standard deviation sqrt(2): five standard errors are 5 sqrt(2 / rows) = 5 %.
  close(loss(exact, () => 1), expected, 0.05, "posterior variance"); // prettier-ignore
  close(loss(exact), expected / schedule.noiseLevel(t) ** 2, 0.05, "default weight 1 / s^2");
  for (const factor of [0.9, 1.1]) {
    // On the same draws the excess is (0.1)^2 E D^2 within noise far smaller than itself.
    assert.ok(loss((x, time) => exact(x, time).map((value) => factor * value)) > loss(exact));
  }
});
