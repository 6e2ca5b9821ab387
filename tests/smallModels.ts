/** Both networks trained for a few steps on solutions of the electrode, and fields drawn by them: the same on every backend. */
import { CompiledFunction } from "../lib/backend/compiled";
import { FlatAdam, flatGradient } from "../lib/backend/flatAdam";
import { normal, tf } from "../lib/backend/tensors";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { filmNetwork } from "../lib/filmCnn";
import { lowRank } from "../lib/gaussian/covariance";
import { patchNetwork } from "../lib/presets/patchNetwork";
import { normaliseConditions, sampleConditions } from "../lib/problem";
import { Random } from "../lib/random";
import { sample } from "../lib/samplers";
import { samplerByName } from "../lib/presets/samplers";
import { vpSchedule } from "../lib/schedule";
import { tensorSpace } from "../lib/sampling";

/** Numbers by name, in the order in which they were computed. */
export type Results = Record<string, number[]>;

const SEED = 3;
const ROWS = 48;
const BATCH = 16;
const STEPS = 10;

export function smallModels(): Results {
  const problem = porousElectrode("text");
  const [cells, fields, width] = [problem.cells, problem.fields.length, problem.conditions.length];
  const data = solutions(problem);
  const shape = { cells, fields, conditions: width };
  const networks = {
    film: filmNetwork(shape, { blocks: 1, width: 6, kernel: 3, filmWidth: 8, octaves: 3 }, SEED),
    token: patchNetwork(shape, { stride: 10, width: 8, blocks: 1, filmWidth: 8 }, SEED),
  };
  const results: Results = {};
  for (const [name, network] of Object.entries(networks)) {
    Object.assign(
      results,
      tf.tidy(() => trained(name, network, data)),
    );
    network.dispose();
  }
  // Eigenvectors have signs that no backend need agree on; the covariance that they make has none.
  const factor = lowRank(Float32Array.from(data.fields.dataSync()), cells * fields);
  results.covariance = tf.tidy(() => {
    const rows = tf.tensor2d(factor, [factor.length / (cells * fields), cells * fields]);
    return [...tf.matMul(rows, rows, true).dataSync()];
  });
  tf.dispose([data.fields, data.conditions]);
  return results;
}

interface Data {
  /** [rows, cells, fields] standardised */
  readonly fields: tf.Tensor3D;
  /** [rows, conditions] */
  readonly conditions: tf.Tensor2D;
}

function solutions(problem: ReturnType<typeof porousElectrode>): Data {
  const random = new Random(SEED, 1);
  const [cells, count] = [problem.cells, problem.fields.length];
  const values = new Float32Array(ROWS * cells * count);
  const conditions = new Float32Array(ROWS * problem.conditions.length);
  for (let row = 0; row < ROWS; row++) {
    const chosen = sampleConditions(problem, random);
    const solved = new Float64Array(count * cells);
    problem.simulate(chosen, random, new Float64Array(cells), solved);
    conditions.set(normaliseConditions(problem, chosen), row * chosen.length);
    solved.forEach(
      (value, i) => (values[(row * cells + (i % cells)) * count + Math.floor(i / cells)] = value),
    );
  }
  const fields = tf.tidy(() => {
    const all = tf.tensor3d(values, [ROWS, cells, count]);
    const { mean, variance } = tf.moments(all, [0, 1]);
    return all.sub(mean).div(variance.sqrt()) as tf.Tensor3D;
  });
  return { fields, conditions: tf.tensor2d(conditions, [ROWS, problem.conditions.length]) };
}

function trained(name: string, network: tf.LayersModel, { fields, conditions }: Data): Results {
  const schedule = vpSchedule();
  const variables = network.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);
  const adam = new FlatAdam(variables, { beta1: 0.9, beta2: 0.99, ema: 0.9, clip: 1 });
  type Inputs = Record<"weights" | "clean" | "told" | "t" | "mean" | "std" | "noise", tf.Tensor>;
  const slope = new CompiledFunction(({ weights, clean, told, t, mean, std, noise }: Inputs) => {
    adam.assign(weights);
    const { value, grads } = tf.variableGrads(() => {
      const noisy = clean.mul(mean).add(noise.mul(std));
      return (network.apply([noisy, told, t]) as tf.Tensor).sub(noise).square().mean();
    }, variables);
    return { loss: value, ...flatGradient(variables.map((variable) => grads[variable.name])) };
  });
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const random = new Random(SEED, 2, step);
    const times = Array.from({ length: BATCH }, () => 0.05 + 0.9 * random.uniform());
    const column = (of: (t: number) => number) => tf.tensor3d(times.map(of), [BATCH, 1, 1]);
    const first = (step * BATCH) % ROWS;
    const { loss, gradient, halfSquare } = slope.run({
      weights: adam.last(),
      clean: fields.slice([first], [BATCH]),
      told: conditions.slice([first], [BATCH]),
      t: tf.tensor2d(times, [BATCH, 1]),
      mean: column(schedule.mean),
      std: column(schedule.std),
      noise: normal([BATCH, ...fields.shape.slice(1)], SEED, 3, step),
    });
    const norm = Math.sqrt(2 * halfSquare.dataSync()[0]);
    losses.push(loss.dataSync()[0]);
    norms.push(norm);
    adam.update(gradient, norm, 3e-3);
  }
  const { average, second } = adam.vectors();
  adam.useAverage();
  const [rows, told] = [4, conditions.slice([0], [4])];
  const drawn = sample({
    sampler: samplerByName("stochastic-heun"),
    schedule,
    steps: 6,
    start: normal([rows, ...fields.shape.slice(1)], SEED, 4),
    space: tensorSpace(SEED, 5),
    denoise: (x: tf.Tensor, t: number) => {
      const noise = network.apply([x, told, tf.fill([rows, 1], t)]) as tf.Tensor;
      return x.sub(noise.mul(schedule.std(t))).div(schedule.mean(t));
    },
  });
  const fieldsDrawn = [...drawn.dataSync()];
  for (const part of [adam, slope]) part.dispose();
  return {
    [`${name}: losses`]: losses,
    [`${name}: gradient norms`]: norms,
    [`${name}: averaged weights`]: [...average],
    [`${name}: second moments`]: [...second],
    [`${name}: drawn fields`]: fieldsDrawn,
  };
}
