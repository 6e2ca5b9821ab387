/** Posteriors from sensors, where they are known: of a Gaussian prior, of an empirical one, and of the solver. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { Interrupted } from "../lib/backend/interrupt";
import { normal, tf } from "../lib/backend/tensors";
import { derivedSeed } from "../lib/evaluation/derivedSeed";
import { gaussianExact } from "../lib/gaussian/exactSampler";
import { karrasGrid } from "../lib/gaussian/odeSamplers";
import { crankNicolson } from "../lib/posterior/crankNicolson";
import { diffusionPosteriorSampling } from "../lib/posterior/dps";
import { drawPosterior } from "../lib/posterior/drawPosterior";
import { gaussianGuidance } from "../lib/posterior/gaussianGuidance";
import { linearisedImportance, weightedByData } from "../lib/posterior/importance";
import { kalmanDraws, kalmanMoments } from "../lib/posterior/kalman";
import { momentMatching } from "../lib/posterior/mmps";
import { type LinearObservation, observationOf } from "../lib/posterior/observation";
import type { ModalPrior } from "../lib/posterior/prior";
import { effectiveNumber, systematic } from "../lib/posterior/resampling";
import { electrodeSimulator } from "../lib/posterior/simulator";
import { twistedSampling } from "../lib/posterior/twisted";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { simulateAt } from "../lib/presets/simulate";
import { loadModel } from "../lib/storage/modelFolder";
import { Random } from "../lib/random";
import { sample } from "../lib/samplers";
import { tensorSpace } from "../lib/sampling";
import { vpSchedule } from "../lib/schedule";
import type { Denoiser } from "../lib/sde";

const schedule = vpSchedule();
const LARGEST = 60;
const grid = (steps: number) => karrasGrid(schedule, steps, { smallest: 0.002, largest: LARGEST });

/** Combinations of states whose last axis are the modes. */
const combinations =
  (variances: Float64Array): ModalPrior["combineModes"] =>
  (terms) =>
    tf.tidy(() =>
      tf.addN(terms.map(([of, x]) => x.mul(tf.tensor1d(Float32Array.from(variances, (l) => of(l)))))),
    );

function gaussianPrior(variances: Float64Array): ModalPrior {
  const gains = (t: number) =>
    tf.tensor1d(Float32Array.from(variances, (l) => l / (l + schedule.noiseLevel(t) ** 2)));
  return {
    schedule,
    variances,
    combineModes: combinations(variances),
    denoise: (x, t) => tf.tidy(() => x.mul(gains(t)).div(schedule.mean(t))),
    pull: (x, t, directions) =>
      tf.tidy(() => tf.tile(directions.mul(gains(t)).expandDims(1), [1, x.shape[1]!, 1])) as tf.Tensor3D,
  };
}

/** Mean and variance of each mode over rows [1, rows, modes], with weights. */
function moments(x: tf.Tensor, weights?: Float64Array): { mean: Float64Array; variance: Float64Array } {
  const [, rows, modes] = x.shape as [number, number, number];
  const values = x.dataSync();
  const w = weights ?? new Float64Array(rows).fill(1 / rows);
  const mean = new Float64Array(modes);
  const variance = new Float64Array(modes);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < modes; i++) mean[i] += w[row] * values[row * modes + i];
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < modes; i++) variance[i] += w[row] * (values[row * modes + i] - mean[i]) ** 2;
  return { mean, variance };
}

function guided(
  prior: ModalPrior,
  denoise: Denoiser<tf.Tensor>,
  observation: LinearObservation,
  rows: number,
  steps: number,
  seed: number,
): tf.Tensor {
  const times = grid(steps);
  const start = tf.tidy(() =>
    kalmanDraws(prior.variances, observation, rows, LARGEST, seed, 1).mul(schedule.mean(times[0])),
  );
  const x = sample({ ...prior, denoise, sampler: gaussianExact, times, start, space: tensorSpace(seed, 2) });
  start.dispose();
  return x;
}

function twisted(
  prior: ModalPrior,
  observation: LinearObservation,
  particles: number,
  steps: number,
  seed: number,
) {
  const run = twistedSampling(prior, observation, grid(steps), particles, seed, 3);
  for (;;) {
    const next = run.next();
    if (next.done) return next.value;
  }
}

const MODES = Float64Array.of(100, 9, 1, 0.25, 0.01);
/** Two sensors, one sharp, one blunt, that see all modes. */
const SENSORS: LinearObservation = {
  size: 5,
  matrix: Float64Array.of(1, 0.7, -0.5, 0.8, 0.3, 0.1, -0.2, 0.6, 0.1, 1),
  values: Float64Array.of(4, -1.5),
};

test("with a Gaussian prior and its exact score all but DPS find the Kalman update, within Monte Carlo error", (t) => {
  const prior = gaussianPrior(MODES);
  const exact = kalmanMoments(MODES, SENSORS);
  const ROWS = 4000;
  const draws: Record<string, { x: tf.Tensor; weights?: Float64Array }> = {
    kalman: { x: kalmanDraws(MODES, SENSORS, ROWS, 0, 5, 9) },
    jfps: { x: guided(prior, gaussianGuidance(prior, SENSORS), SENSORS, ROWS, 64, 6) },
    mmps: { x: guided(prior, momentMatching(prior, SENSORS), SENSORS, ROWS, 64, 7) },
    twisted: twisted(prior, SENSORS, ROWS, 40, 8),
    dps: { x: guided(prior, diffusionPosteriorSampling(prior, SENSORS, 0.05), SENSORS, ROWS, 64, 6) },
  };
  const errors = Object.entries(draws).map(([name, { x, weights }]) => {
    const { mean, variance } = moments(x, weights);
    x.dispose();
    // In standard errors of a mean and of a variance of so many samples.
    const off = mean.map(
      (value, i) => (Math.abs(value - exact.mean[i]) / Math.sqrt(exact.variance[i])) * Math.sqrt(ROWS),
    );
    const wide = variance.map((value, i) => Math.abs(value / exact.variance[i] - 1) * Math.sqrt(ROWS / 2));
    const worst = Math.max(...off, ...wide);
    t.diagnostic(`${name}: ${worst.toFixed(1)} standard errors at worst`);
    return [name, worst] as const;
  });
  for (const [name, worst] of errors) {
    if (name === "dps") assert.ok(worst > 20, `${name}: ${worst}`);
    else assert.ok(worst < 5, `${name}: ${worst}`);
  }
});

/** Exact denoiser of atoms (count, modes). */
function empiricalPrior(atoms: Float64Array, modes: number): ModalPrior {
  const count = atoms.length / modes;
  const points = tf.tensor2d(Float32Array.from(atoms), [count, modes]);
  const squares = tf.tidy(() => points.square().sum(1));
  const variances = new Float64Array(modes);
  atoms.forEach((value, i) => (variances[i % modes] += (value * value) / count));
  return {
    schedule,
    variances,
    combineModes: combinations(variances),
    denoise: (x, t) =>
      tf.tidy(() => {
        const y = x.reshape([-1, modes]).div(schedule.mean(t)) as tf.Tensor2D;
        const level = schedule.noiseLevel(t);
        const logs = tf
          .matMul(y, points, false, true)
          .sub(squares.div(2))
          .div(level * level);
        return tf.matMul(tf.softmax(logs) as tf.Tensor2D, points).reshape(x.shape);
      }),
    pull: () => {
      throw new Error("not needed");
    },
  };
}

test("with an empirical prior of 4,000 atoms and its exact score, particles come to the analytic weights, the closer the more", (t) => {
  // A bent cloud: no Gaussian, and guidance by the Gaussian covariance is off.
  const modes = 3;
  const random = new Random(11);
  const atoms = new Float64Array(4000 * modes);
  for (let i = 0; i < atoms.length; i += modes) {
    const [a, b, c] = [random.normal(), random.normal(), random.normal()];
    atoms.set([2 * a, 0.6 * (a * a - 1) + 0.3 * b, 0.5 * a * b + 0.1 * c], i);
  }
  const prior = empiricalPrior(atoms, modes);
  const observation: LinearObservation = {
    size: modes,
    matrix: Float64Array.of(0.5, 2, 0, 0, 1, 2),
    values: Float64Array.of(1.2, -0.6),
  };
  const exact = weightedByData(observation, atoms);
  const truth = moments(tf.tensor3d(Float32Array.from(atoms), [1, 4000, modes]), exact.weights);
  const error = (particles: number, repeats: number) => {
    let [mean, spread] = [0, 0];
    for (let k = 0; k < repeats; k++) {
      const { x, weights } = twisted(prior, observation, particles, 50, derivedSeed(particles, k));
      const found = moments(x, weights);
      x.dispose();
      found.mean.forEach((value, i) => (mean += (value - truth.mean[i]) ** 2 / truth.variance[i]));
      found.variance.forEach((value, i) => (spread += (value / truth.variance[i] - 1) ** 2));
    }
    return [Math.sqrt(mean / modes / repeats), Math.sqrt(spread / modes / repeats)];
  };
  const errors = [50, 400, 3200].map((particles) => error(particles, particles > 1000 ? 2 : 6));
  const sample = guided(prior, gaussianGuidance(prior, observation), observation, 3200, 50, 3);
  const biased = moments(sample).mean.map(
    (value, i) => (value - truth.mean[i]) / Math.sqrt(truth.variance[i]),
  );
  const guidance = Math.sqrt(biased.reduce((sum, value) => sum + value ** 2, 0) / modes);
  t.diagnostic(
    `errors of mean and variance: ${errors.map((e) => e.map((v) => v.toFixed(3)).join("/")).join(", ")}; guidance ${guidance.toFixed(3)}`,
  );
  assert.ok(errors[1][0] < 0.6 * errors[0][0] && errors[2][0] < 0.6 * errors[1][0], `${errors}`);
  assert.ok(errors[2][0] < 0.08 && errors[2][1] < 0.15, `${errors[2]}`);
  assert.ok(guidance > 1.4 * errors[2][0], `${guidance}`);
});

test("systematic resampling keeps each weight but for one row", () => {
  const weights = Float64Array.of(0.5, 0.05, 0.2, 0.25);
  for (const u of [0, 0.3, 0.999]) {
    const counts = new Float64Array(4);
    systematic(weights, 100, u).forEach((row) => counts[row]++);
    counts.forEach((count, i) => assert.ok(Math.abs(count - 100 * weights[i]) < 1, `${u}: ${counts}`));
  }
  assert.equal(effectiveNumber(Float64Array.of(0.25, 0.25, 0.25, 0.25)), 4);
});

const problem = porousElectrode("figures");
const CONDITIONS = Float64Array.of(1e-5, 0, 25);

test("importance sampling, by prior or linearised proposal, and pCN with the solver agree", (t) => {
  const truth = simulateAt(problem, CONDITIONS, 1, 21).fields;
  const sensors = [
    { field: "c", x: 5e-5, value: truth[50] + 0.05, std: 0.15 },
    { field: "phi", x: 5e-5, value: truth[150], std: 1e-4 },
  ];
  const observation = observationOf(problem, sensors);
  const [prior, again] = [22, 25].map((seed) =>
    weightedByData(observation, simulateAt(problem, CONDITIONS, 12_000, seed).fields),
  );
  const simulator = electrodeSimulator(problem, CONDITIONS);
  const linearised = last(linearisedImportance(simulator, observation, 6000, 23));
  const options = { chains: 300, movesPerTemperature: 5, moves: 30, thin: 3, seed: 24 };
  const chains = last(crankNicolson(simulator, observation, options));
  const equal = new Float64Array(chains.fields.length / 200).fill(200 / chains.fields.length);
  const found = [prior, again, linearised, { fields: chains.fields, weights: equal }].map(
    ({ fields, weights }) =>
      moments(
        tf.tensor3d(
          Float32Array.from(fields, (v, i) => (i % 200 < 100 ? v - 998 : 1e3 * v)),
          [1, weights.length, 200],
        ),
        weights,
      ),
  );
  const effective = [prior, again, linearised].map((sample) => sample.effective);
  t.diagnostic(
    `effective: prior ${effective[0].toFixed(0)}, ${effective[1].toFixed(0)}, linearised ${effective[2].toFixed(0)}; ${chains.temperatures} temperatures`,
  );
  assert.ok(effective[0] >= 2000 && effective[1] >= 2000 && effective[2] >= 100, `${effective}`);
  for (const at of [0, 25, 75, 110, 199]) {
    const [a, b, c, d] = found.map(({ mean }) => mean[at]);
    const spread = Math.sqrt(found[0].variance[at]);
    // Four standard errors of the difference of two means.
    const within = (n: number) => 4 * spread * Math.sqrt(1 / n + 1 / effective[0]);
    assert.ok(Math.abs(b - a) < within(effective[1]), `seeds, cell ${at}: ${(b - a) / spread}`);
    assert.ok(Math.abs(c - a) < within(effective[2]), `linearised, cell ${at}: ${(c - a) / spread}`);
    assert.ok(Math.abs(d - a) < 0.25 * spread, `chains, cell ${at}: ${(d - a) / spread}`);
    const ratio = Math.sqrt(found[3].variance[at] / found[0].variance[at]);
    assert.ok(ratio > 0.85 && ratio < 1.18, `chains, cell ${at}: ${ratio}`);
  }
});

test("a sensor sees the line between two cells; what cannot be is refused", () => {
  const at = (x: number) => observationOf(problem, [{ field: "phi", x, value: 0, std: 2 }]).matrix;
  const seen = (x: number) =>
    [...at(x)].reduce((sum, weight, i) => sum + 2 * weight * (i < 100 ? 1e6 : i - 100), 0);
  assert.deepEqual(
    [2e-5, 5.03e-5, 0, 1e-4].map((x) => Math.round(1e6 * seen(x)) / 1e6),
    [19.5, 49.8, 0, 99.5],
  );
  const sensor = { field: "c", x: 5e-5, value: 998, std: 0.1 };
  const refused = (change: object, pattern: RegExp) =>
    assert.throws(() => observationOf(problem, [{ ...sensor, ...change }]), pattern);
  refused({ field: "d" }, /The field of sensor 1 is "d"; give c or phi\./);
  refused({ x: 2e-4 }, /The x of sensor 1 is 0.0002; give a number from 0 to 0.0001 m\./);
  refused({ std: 0 }, /standard deviation of sensor 1 is 0;/);
  refused({ value: NaN }, /value of sensor 1 is NaN/);
  assert.throws(() => observationOf(problem, []), /no sensors/);
});

function last<T>(run: Generator<unknown, T, void>): T {
  for (;;) {
    const next = run.next();
    if (next.done) return next.value;
  }
}

test("no tensor is left behind", () => {
  const prior = gaussianPrior(MODES);
  const before = tf.memory().numTensors;
  twisted(prior, SENSORS, 50, 5, 1).x.dispose();
  guided(prior, momentMatching(prior, SENSORS), SENSORS, 10, 4, 1).dispose();
  const stopped = twistedSampling(prior, SENSORS, grid(5), 50, 1);
  stopped.next();
  stopped.return(undefined as never);
  assert.equal(tf.memory().numTensors, before);
  normal([1], 1).dispose();
});

test("a drawing that is interrupted leaves no tensor either", async () => {
  const model = await loadModel(path.join(__dirname, "..", "data", "models", "figures"));
  const sensors = [{ field: "c", x: 5e-5, value: 998, std: 0.1 }];
  const draw = (stop: AbortController, afterFields: number) =>
    drawPosterior(model, [1e-5, 0, 25], sensors, {
      ...{ method: "jfps", count: 8, steps: 4, signal: stop.signal },
      onProgress: ({ fields }) => (fields >= afterFields ? stop.abort() : undefined),
    });
  await draw(new AbortController(), Infinity);
  const before = tf.memory().numTensors;
  for (const afterFields of [2, 8]) {
    await assert.rejects(draw(new AbortController(), afterFields), Interrupted);
    assert.equal(tf.memory().numTensors, before, `after ${afterFields} fields`);
  }
  model.dispose();
});
