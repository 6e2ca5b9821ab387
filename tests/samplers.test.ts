import assert from "node:assert/strict";
import test from "node:test";
import { empiricalDenoiser } from "../lib/evaluation/empiricalScore";
import { gaussian, GaussianMixture } from "../lib/evaluation/gaussianMixture";
import { karrasGrid } from "../lib/gaussian/odeSamplers";
import { type ModalCombination, quadraticGrid, sample, type Sampler, trajectory } from "../lib/samplers";
import { uniformGrid } from "../lib/evaluation/reverseForms";
import { samplerByName, samplers } from "../lib/presets/samplers";
import { vpSchedule } from "../lib/schedule";
import { type VectorSpace } from "../lib/sde";
import { arraySpace } from "../lib/evaluation/forwardProcess";
import { InputError } from "../lib/backend/errors";
import { Random } from "../lib/random";
import { energyDistance } from "../lib/comparison";

const schedule = vpSchedule();

// One-dimensional Gaussian data: every sampler's step is then an affine map of the state and of the noise.
const [MEAN, VARIANCE] = [0.7, 0.25];
const exact = new GaussianMixture([gaussian(1, [MEAN], [[VARIANCE]])]);
const gaussianProcess = { schedule, denoise: exact.denoiser(schedule) };
const marginalMean = (t: number) => schedule.mean(t) * MEAN;
const marginalVariance = (t: number) => schedule.mean(t) ** 2 * VARIANCE + schedule.std(t) ** 2;

/** Three states at once, 0, 1 and 0, the last with noise 1: an affine map's offset, gain and noise factor. */
const probe: VectorSpace<Float64Array> = { ...arraySpace(0), normal: () => Float64Array.of(0, 0, 1) };

/** Offset, gain and noise factor of one step of a single-step sampler between two times. */
function affineStep(
  sampler: Sampler,
  t: number,
  next: number,
): { offset: number; gain: number; noise: number } {
  const times = Float64Array.of(t, next);
  const [offset, one, noisy] = sample({
    ...gaussianProcess,
    space: probe,
    sampler,
    start: Float64Array.of(0, 1, 0),
    times,
  });
  return { offset, gain: one - offset, noise: noisy - offset };
}

/** Mean and variance at the last time of a sampler started from the exact marginal, by recursion: no random number. */
function moments(sampler: Sampler, times: Float64Array): { mean: number; variance: number } {
  let [mean, variance] = [marginalMean(times[0]), marginalVariance(times[0])];
  for (let k = 1; k < times.length; k++) {
    const { offset, gain, noise } = affineStep(sampler, times[k - 1], times[k]);
    mean = gain * mean + offset;
    variance = gain ** 2 * variance + noise ** 2;
  }
  return { mean, variance };
}

function weakError(sampler: Sampler, times: Float64Array): number {
  const { mean, variance } = moments(sampler, times);
  const last = times[times.length - 1];
  return Math.abs(mean - marginalMean(last)) + Math.abs(variance - marginalVariance(last));
}

/** Error of the probability-flow ODE's map, which is affine and known: mean to mean, std to std. */
function flowError(sampler: Sampler, times: Float64Array): number {
  const [first, last] = [times[0], times[times.length - 1]];
  const start = Float64Array.of(0, 1, 0);
  const [offset, one] = sample({ ...gaussianProcess, space: probe, sampler, start, times });
  const gain = Math.sqrt(marginalVariance(last) / marginalVariance(first));
  return Math.abs(one - offset - gain) + Math.abs(offset - (marginalMean(last) - gain * marginalMean(first)));
}

/** Karras' spacing from noise level 20 to 0.05 without the step to 0, so that refinement leaves both ends in place. */
function karrasToPositive(steps: number): Float64Array {
  return karrasGrid(schedule, steps + 1, { largest: 20, smallest: 0.05 }).slice(0, -1);
}

/** Slope of log error against log steps between the two finest grids, and the order at each refinement printed. */
function observedOrder(what: string, sizes: number[], error: (steps: number) => number): number {
  const errors = sizes.map(error);
  const orders = sizes.slice(1).map((n, i) => Math.log(errors[i] / errors[i + 1]) / Math.log(n / sizes[i]));
  console.log(
    `${what}: observed order ${orders.map((order) => order.toFixed(2)).join(", ")} at ${sizes} steps`,
  );
  return orders[orders.length - 1];
}

const byName = Object.fromEntries(samplers.map((sampler) => [sampler.name, sampler]));
const eulerMaruyama = byName["euler-maruyama"];
const stochasticHeun = byName["stochastic-heun"];
const pfOdeHeun = byName["pf-ode-heun"];
const dpmSolver = byName["dpm-solver++2m"];
const gaussianExact = byName["gaussian-exact-2m"];
const deterministic = [pfOdeHeun, dpmSolver, gaussianExact];

test("registry: five samplers by name, others refused with the list", () => {
  for (const name of [
    "euler-maruyama",
    "stochastic-heun",
    "pf-ode-heun",
    "dpm-solver++2m",
    "gaussian-exact-2m",
  ]) {
    assert.equal(samplerByName(name).name, name);
  }
  assert.throws(
    () => samplerByName("ddim"),
    (error: Error) =>
      error instanceof InputError && samplers.every(({ name }) => error.message.includes(name)),
  );
});

test("Euler-Maruyama: each step is the closed recursion of its equation", () => {
  const times = quadraticGrid(schedule, 25);
  let [mean, variance] = [marginalMean(1), marginalVariance(1)];
  for (let k = 1; k < times.length; k++) {
    const t = times[k - 1];
    const [h, beta, v] = [t - times[k], schedule.beta(t), marginalVariance(t)];
    // The exact score of N(mean, v) is -(x - mean) / v.
    const expected = {
      offset: (h * beta * marginalMean(t)) / v,
      gain: 1 + h * beta * (0.5 - 1 / v),
      noise: Math.sqrt(beta * h),
    };
    const step = affineStep(eulerMaruyama, t, times[k]);
    for (const part of ["offset", "gain", "noise"] as const) {
      // The step forms the score as (m D - x) / std^2, which cancels to 1 / std^2 = 5e6 ulp at t = 1e-4.
      assert.ok(Math.abs(step[part] - expected[part]) < 1e-9, `${part} at t = ${t}`);
    }
    mean = expected.gain * mean + expected.offset;
    variance = expected.gain ** 2 * variance + expected.noise ** 2;
  }
  const recursion = moments(eulerMaruyama, times);
  assert.ok(Math.abs(recursion.mean - mean) < 1e-9 && Math.abs(recursion.variance - variance) < 1e-9);

  // Monte Carlo over the real loop with its real noise: the same moments, which are not the exact ones.
  const n = 40000;
  const space = arraySpace(1);
  const start = space
    .normal(new Float64Array(n), 0)
    .map((z) => marginalMean(1) + Math.sqrt(marginalVariance(1)) * z);
  const x = sample({ ...gaussianProcess, space, sampler: eulerMaruyama, start, times });
  const sampleMean = x.reduce((sum, value) => sum + value, 0) / n;
  const sampleVariance = x.reduce((sum, value) => sum + (value - sampleMean) ** 2, 0) / (n - 1);
  // Four standard errors of the mean and of the variance of n Gaussian draws.
  assert.ok(Math.abs(sampleMean - mean) < 4 * Math.sqrt(variance / n), `mean ${sampleMean} against ${mean}`);
  const tolerance = 4 * variance * Math.sqrt(2 / n);
  assert.ok(
    Math.abs(sampleVariance - variance) < tolerance,
    `variance ${sampleVariance} against ${variance}`,
  );
  // With 25 steps the discretisation is visible above that error, so the check above is about the recursion.
  assert.ok(Math.abs(variance - marginalVariance(1e-4)) > 2 * tolerance);
});

test("Euler-Maruyama: weak order 1", () => {
  const order = observedOrder("Euler-Maruyama, moments", [100, 200, 400, 800], (n) =>
    weakError(eulerMaruyama, uniformGrid(schedule, n)),
  );
  assert.ok(Math.abs(order - 1) <= 0.3, `order ${order}`);
});

test("stochastic Heun: weak order 2 on uniform and quadratic grids", () => {
  const grids = { uniform: uniformGrid, quadratic: quadraticGrid };
  for (const [name, grid] of Object.entries(grids)) {
    const order = observedOrder(`stochastic Heun, moments, ${name} grid`, [100, 200, 400, 800], (n) =>
      weakError(stochasticHeun, grid(schedule, n)),
    );
    assert.ok(Math.abs(order - 2) <= 0.2, `order ${order}`); // h^3 terms are a tenth of h^2 terms here
  }
});

test("probability-flow ODE with Heun: order 2", () => {
  const order = observedOrder("PF-ODE Heun", [40, 80, 160, 320], (n) =>
    flowError(pfOdeHeun, karrasToPositive(n)),
  );
  assert.ok(Math.abs(order - 2) <= 0.2, `order ${order}`);
});

test("DPM-Solver++(2M): order 2, and order 1 without its memory", () => {
  const order = observedOrder("DPM-Solver++(2M)", [40, 80, 160, 320], (n) =>
    flowError(dpmSolver, karrasToPositive(n)),
  );
  assert.ok(Math.abs(order - 2) <= 0.2, `order ${order}`);
  const forgetful: Sampler = {
    ...dpmSolver,
    step: (process, { x, t }, next, noise) => dpmSolver.step(process, { x, t }, next, noise),
  };
  const first = observedOrder("DDIM (2M without memory)", [40, 80, 160, 320], (n) =>
    flowError(forgetful, karrasToPositive(n)),
  );
  assert.ok(Math.abs(first - 1) <= 0.2, `order ${first}`);
});

test("gaussian-exact: exact in any number of steps where the variance is known, order 2 where it is not", () => {
  const known = {
    ...gaussianProcess,
    // What is left of the mean is not linear in the modes: data of mean zero.
    denoise: (x: Float64Array, t: number) => {
      const s = schedule.noiseLevel(t);
      return x.map((value) => (VARIANCE / (VARIANCE + s * s)) * (value / schedule.mean(t)));
    },
    combineModes: ((terms) =>
      probe.combine(
        terms.map(([coefficient, x]) => [coefficient(VARIANCE), x] as const),
      )) as ModalCombination<Float64Array>,
  };
  for (const steps of [1, 3, 10]) {
    const times = karrasGrid(schedule, steps + 1, { largest: 20, smallest: 0.05 });
    const [, gain] = sample({
      ...known,
      space: probe,
      sampler: gaussianExact,
      start: Float64Array.of(0, 1, 0),
      times,
    });
    const exactGain = Math.sqrt(VARIANCE / marginalVariance(times[0]));
    // Some dozen roundings.
    assert.ok(Math.abs(gain / exactGain - 1) < 1e-13, `${steps} steps: ${gain / exactGain - 1}`);
  }
  const order = observedOrder("gaussian-exact, variance not known", [40, 80, 160, 320], (n) =>
    flowError(gaussianExact, karrasToPositive(n)),
  );
  assert.ok(Math.abs(order - 2) <= 0.2, `order ${order}`);
});

test("default steps: the standard deviation of Gaussian data is met within 1 %", () => {
  for (const std of [1, 0.3, 0.06]) {
    const data = new GaussianMixture([gaussian(1, [0], [[std * std]])]);
    const combineModes: ModalCombination<Float64Array> = (terms) =>
      probe.combine(terms.map(([coefficient, x]) => [coefficient(std * std), x] as const));
    for (const sampler of samplers) {
      const process = { schedule, denoise: data.denoiser(schedule), combineModes, space: probe, sampler };
      const times = sampler.grid(schedule, sampler.defaultSteps);
      let variance = 1; // a standard normal start, as in use
      if (deterministic.includes(sampler)) {
        const [offset, one] = sample({ ...process, start: Float64Array.of(0, 1, 0), times });
        variance = (one - offset) ** 2;
      } else {
        for (let k = 1; k < times.length; k++) {
          const start = Float64Array.of(0, 1, 0);
          const [offset, one, noisy] = sample({ ...process, start, times: times.slice(k - 1, k + 1) });
          variance = (one - offset) ** 2 * variance + (noisy - offset) ** 2;
        }
      }
      const ratio = Math.sqrt(variance) / std;
      console.log(
        `${sampler.name}, ${sampler.defaultSteps} steps, data std ${std}: ratio ${ratio.toFixed(4)}`,
      );
      // 1 % is the sampling error of a standard deviation at 5,000 draws, 1 / sqrt(2 n).
      assert.ok(Math.abs(ratio - 1) < 0.01, `${sampler.name} at ${std}: ${ratio}`);
    }
  }
});

test("deterministic samplers end at noise level 0 on the denoised state", () => {
  for (const sampler of [pfOdeHeun, dpmSolver]) {
    const times = Float64Array.of(schedule.timeOf(0.5), 0);
    const start = Float64Array.of(1.3);
    const x = sample({ ...gaussianProcess, space: arraySpace(0), sampler, start, times });
    // One step from s to 0 is D exactly but for one rounding of 1 - 0.
    assert.ok(Math.abs(x[0] - gaussianProcess.denoise(start, times[0])[0]) < 1e-15, sampler.name);
  }
  for (const sampler of samplers) {
    const x = sample({
      ...gaussianProcess,
      space: arraySpace(0),
      sampler,
      start: Float64Array.of(1.3),
      times: karrasGrid(schedule, 20),
    });
    assert.ok(Number.isFinite(x[0]), `${sampler.name} divides by a noise level of 0`);
  }
});

test("the schedule does not matter, only the noise levels visited", () => {
  const other = vpSchedule({ betaMin: 0.1, betaMax: 3, endTime: 4 });
  const data = new GaussianMixture([gaussian(1, [-1], [[0.1]]), gaussian(2, [1], [[0.3]])]);
  const start = arraySpace(3).normal(new Float64Array(20), 0);
  for (const sampler of deterministic) {
    const levels = Array.from(karrasGrid(schedule, 12, { largest: 15, smallest: 0.1 }), (t) =>
      schedule.noiseLevel(t),
    );
    const run = (s: typeof schedule) =>
      sample({
        schedule: s,
        denoise: data.denoiser(s),
        space: arraySpace(0),
        sampler,
        start: start.map((z) => z * s.mean(s.timeOf(levels[0])) * 15), // y = x / mean is the same in both
        times: Float64Array.from(levels, (level) => s.timeOf(level)),
      });
    const [a, b] = [run(schedule), run(other)];
    // Round-off of 12 steps, magnified where the flow separates the two Gaussians.
    a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < 1e-10, `${sampler.name} ${value} ${b[i]}`));
  }
});

test("all samplers recover a two-dimensional mixture within its sampling floor", () => {
  const data = new GaussianMixture([
    gaussian(2, [-1, 0.5], [[0.3, 0.1], [0.1, 0.2]]), // prettier-ignore
    gaussian(1, [1.5, -0.4], [[0.05, -0.02], [-0.02, 0.1]]), // prettier-ignore
  ]);
  const [n, sets] = [1500, 4];
  const references = Array.from({ length: sets }, (_, k) => data.sample(n, new Random(1, k)));
  // The floor: the same distance for independent draws of the mixture itself.
  const floor = Array.from({ length: 20 }, (_, k) =>
    energyDistance(data.sample(n, new Random(2, k)), references[k % sets], 2),
  );
  const mean = floor.reduce((sum, value) => sum + value, 0) / floor.length;
  const std = Math.sqrt(floor.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (floor.length - 1));
  const limit = 1 + (4 * std) / mean / Math.sqrt(sets);
  /** Energy distance in floors, mean over the sets. */
  const distance = (sampler: Sampler, steps: number) => {
    let sum = 0;
    references.forEach((reference, k) => {
      const space = arraySpace(4, k);
      const start = space.normal(new Float64Array(2 * n), 0);
      const process = { schedule, denoise: data.denoiser(schedule), space };
      sum += energyDistance(sample({ ...process, sampler, start, steps }), reference, 2);
    });
    return sum / sets / mean;
  };
  const steps: Record<string, number> = { "euler-maruyama": 400, "stochastic-heun": 200 };
  for (const sampler of samplers) {
    const ratio = distance(sampler, steps[sampler.name] ?? sampler.defaultSteps);
    console.log(`${sampler.name}: energy distance ${ratio.toFixed(2)} floors, allowed ${limit.toFixed(2)}`);
    // Draws of the mixture itself exceed four standard errors about once in a thousand seeds (the distance has a
    // heavier tail than a Gaussian); the seed is fixed.
    assert.ok(ratio < limit, `${sampler.name}: ${ratio}`);
    // The same check fails when the sampler is given too few steps.
    assert.ok(distance(sampler, 5) > limit, `${sampler.name} with 5 steps`);
  }
});

test("with the score of a finite sample the ODE returns the samples", () => {
  const samples = Float64Array.of(-1, -1, 0, 1, 1, 0.5);
  const space = arraySpace(7);
  const denoise = empiricalDenoiser(samples, 2, schedule);
  for (const sampler of deterministic) {
    const x = sample({ schedule, denoise, space, sampler, start: space.normal(new Float64Array(40), 0) });
    const hits = new Set<number>();
    for (let row = 0; row < 20; row++) {
      const distances = [0, 1, 2].map((i) =>
        Math.hypot(x[2 * row] - samples[2 * i], x[2 * row + 1] - samples[2 * i + 1]),
      );
      const nearest = distances.indexOf(Math.min(...distances));
      // At the last noise level, 0.002, the softmax has picked one sample to all digits. The arc of gaussian-exact, whose
      // data have variance 1, leaves 0.002^2 / 2 of it.
      assert.ok(
        distances[nearest] < (sampler === gaussianExact ? 1e-5 : 1e-9),
        `${sampler.name} ends at ${x[2 * row]}, ${x[2 * row + 1]}`,
      );
      hits.add(nearest);
    }
    assert.equal(hits.size, 3, "all samples are reached");
  }
});

test("trajectory: progress, times, noise by step number, denoised end", () => {
  const space = arraySpace(9);
  const start = Float64Array.of(0.3, -0.2);
  for (const sampler of samplers) {
    const options = { ...gaussianProcess, space, sampler, start, steps: 6 };
    const states = [...trajectory(options)];
    const times = sampler.grid(schedule, 6);
    assert.deepEqual(states.map(({ step }) => step), [0, 1, 2, 3, 4, 5, 6]); // prettier-ignore
    assert.deepEqual(states.map(({ t }) => t), Array.from(times)); // prettier-ignore
    assert.ok(states.every(({ steps }) => steps === 6));
    assert.equal(states[0].x, start);
    assert.deepEqual(sample(options), states[6].x, "the same noise each time");
  }
  const draws: number[] = [];
  const watched: VectorSpace<Float64Array> = {
    ...space,
    normal(like, draw) {
      draws.push(draw);
      return space.normal(like, draw);
    },
  };
  sample({ ...gaussianProcess, space: watched, sampler: stochasticHeun, start, steps: 3 });
  assert.deepEqual(draws, [1, 2, 3]);
});

test("trajectory: network calls are those declared", () => {
  for (const sampler of samplers) {
    let calls = 0;
    const denoise = (x: Float64Array, t: number) => {
      calls++;
      return gaussianProcess.denoise(x, t);
    };
    sample({ schedule, denoise, space: arraySpace(0), sampler, start: Float64Array.of(1), steps: 10 });
    // A two-call step to noise level 0 saves its second call.
    const saved = sampler === pfOdeHeun ? 1 : 0;
    assert.equal(calls, 10 * sampler.networkCallsPerStep - saved, sampler.name);
  }
});

test("trajectory: unusable times are refused", () => {
  const bad = [[], [0.5], [0.5, 0.5], [0.1, 0.5], [0.5, -0.1], [1.1, 0.5], [0.5, NaN]];
  for (const times of bad) {
    const options = {
      ...gaussianProcess,
      space: arraySpace(0),
      sampler: eulerMaruyama,
      start: Float64Array.of(0),
    };
    assert.throws(() => sample({ ...options, times: Float64Array.from(times) }), InputError, `${times}`);
  }
  const options = {
    ...gaussianProcess,
    space: arraySpace(0),
    sampler: eulerMaruyama,
    start: Float64Array.of(0),
  };
  assert.throws(() => sample({ ...options, steps: 0 }), InputError);
});

test("trajectory: states that need freeing are all freed, and none is read after", () => {
  interface Handle {
    value: number;
    alive: boolean;
  }
  const living = new Set<Handle>();
  const make = (value: number): Handle => {
    const handle = { value, alive: true };
    living.add(handle);
    return handle;
  };
  const read = (handle: Handle): number => {
    assert.ok(handle.alive, "a freed state is read");
    return handle.value;
  };
  const free = (handle: Handle) => {
    assert.ok(handle.alive, "a state is freed twice");
    handle.alive = false;
    living.delete(handle);
  };
  const handlesIn = (value: unknown): unknown[] =>
    value !== null && typeof value === "object" ? [value, ...Object.values(value).flatMap(handlesIn)] : [];
  const space: VectorSpace<Handle> = {
    combine: (terms) =>
      make(terms.reduce((sum, [coefficient, handle]) => sum + coefficient * read(handle), 0)),
    normal: () => make(0.5),
    scope(body) {
      const before = new Set(living);
      const result = body();
      const kept = new Set(handlesIn(result));
      for (const handle of [...living]) if (!before.has(handle) && !kept.has(handle)) free(handle);
      return result;
    },
    release: free,
  };
  const denoise = (x: Handle, t: number) => make(gaussianProcess.denoise(Float64Array.of(read(x)), t)[0]);
  for (const sampler of samplers) {
    const start = make(0.3);
    const options = { schedule, space, denoise, sampler, start, steps: 5 };
    const result = sample(options);
    assert.deepEqual([...living], [start, result], `${sampler.name} run to its end`);
    let most = 0;
    for (const { x, step } of trajectory(options)) {
      read(x);
      most = Math.max(most, living.size);
      if (step === 3) break;
    }
    assert.deepEqual([...living], [start, result], `${sampler.name} stopped on its way`);
    assert.ok(most <= 4, "start, result, current state and one memory");
    const failing = {
      ...options,
      denoise: (x: Handle, t: number) => (t < 0.5 ? assert.fail("network") : denoise(x, t)),
    };
    assert.throws(() => sample(failing), /network/);
    free(result);
    assert.ok(living.has(start), "the start stays the caller's");
    living.clear();
  }
});
