/** Variational smoothing by a backward score: the network, paths of the posterior, its training, and EM. */
import { CompiledFunction } from "../../backend/compiled";
import { FlatAdam, flatGradient } from "../../backend/flatAdam";
import { normal, tf } from "../../backend/tensors";
import { filmNetwork } from "../../filmCnn";
import { FourierFeatures } from "../../backend/filmLayers";
import { Random } from "../../random";
import { tensorSpace } from "../../sampling";
import { eulerMaruyamaStep } from "../../sde";
import { derivedSeed } from "../../evaluation/derivedSeed";
import { timeGrid } from "../pathSmoothers";
import type { SmoothingProblem } from "./system";

/** What the random numbers are drawn for. */
const stream = { start: 0, steps: 1 };
const OCTAVES = 3;

/**
 * The gradient of what each later observation alone would say if the process between were Brownian, fading with the time to
 * it: sum_j exp(-(t_j - t)) (y_j - x) / (R + sigma^2 (t_j - t)) = shift - slope x. At t_j it jumps by exactly
 * (y_j - x) / R, the gradient of the log likelihood, as the score must.
 */
export function guide(
  { observations, sigma }: SmoothingProblem,
  t: number,
): { shift: number[]; slope: number } {
  const { times, values, variance } = observations;
  const weights = times.map((time) =>
    time > t ? Math.exp(t - time) / (variance + sigma ** 2 * (time - t)) : 0,
  );
  const shift = values[0].map((_, j) => weights.reduce((sum, w, i) => sum + w * values[i][j], 0));
  return { shift, slope: weights.reduce((sum, w) => sum + w, 0) };
}

/**
 * Variance of the noise of a step, over sigma^2: that of a Brownian step from t to t + dt given the next observation, which tends
 * to dt for short steps, and with which far fewer of them do. Source: Durham & Gallant 2002.
 */
function bridged({ observations, sigma }: SmoothingProblem, { t, dt }: { t: number; dt: number }): number {
  const { times, variance } = observations;
  const left = times.find((time) => time > t)! - t;
  return (dt * (variance + sigma ** 2 * (left - dt))) / (variance + sigma ** 2 * left);
}

/** What the network is given of some times, one row each, as tensors. */
export function tables(problem: SmoothingProblem, grid: readonly { t: number; dt: number }[]) {
  const times = grid.map(({ t }) => t);
  const observed = problem.observations.times;
  const last = observed[observed.length - 1];
  const ends = [0, ...observed];
  const row = (t: number) =>
    observed.map((end, i) => Math.min(1, Math.max(0, (t - ends[i]) / (end - ends[i]))));
  return tf.tidy(() => {
    const dt = tf.tensor3d(grid.map((step) => [[step.dt]]));
    const spread = tf.tensor3d(grid.map((step) => [[bridged(problem, step)]]));
    const progress = tf.tensor2d(times.map(row));
    const waves = new FourierFeatures({ octaves: OCTAVES }).apply(
      progress.reshape([-1, 1]).div(2),
    ) as tf.Tensor;
    const guides = times.map((t) => guide(problem, t));
    return {
      dt,
      spread,
      // Constant but for one interval each, and continuous: so is the network, with a bend at each observation.
      conditions: tf.concat([progress, waves.reshape([times.length, -1])], 1),
      time: tf.tensor2d(times.map((t) => [t / (2 * last)])),
      shift: tf.tensor3d(guides.map(({ shift }) => [shift])),
      slope: tf.tensor3d(guides.map(({ slope }) => [[slope]])),
      // After the last observation h is 1 and the score 0.
      fading: tf.tensor3d(times.map((t) => [[Math.min(1, (last - t) / (last - ends[observed.length - 1]))]])),
    };
  });
}
export type Tables = ReturnType<typeof tables>;

/**
 * log q / p of the steps of paths, summed: of dX - theta phi dt, which is N(sigma^2 s dt, sigma^2 spread) under the posterior and
 * N(0, sigma^2 dt) under the prior; for short steps s . (dX - theta phi dt) - sigma^2 |s|^2 dt / 2 (Girsanov).
 */
function stepRatios(
  s: tf.Tensor,
  innovations: tf.Tensor,
  { dt, spread }: Pick<Tables, "dt" | "spread">,
  sigma: number,
): tf.Tensor {
  return tf.tidy(() => {
    const off = innovations.sub(s.mul(dt.mul(sigma ** 2)));
    const prior = innovations.square().div(dt);
    const posterior = off.square().div(spread);
    return prior.sub(posterior).div(2 * sigma ** 2).sub(spread.div(dt).log().div(2)).sum([0, 2]); // prettier-ignore
  });
}

/** Paths and what they weigh. */
export interface Paths {
  /** States at the beginning of each step, and after the last: (steps + 1, paths, dimension) */
  readonly x: tf.Tensor;
  /** dX - theta phi(X) dt of each step: (steps, paths, dimension) */
  readonly innovations: tf.Tensor;
  /** log of the observations' likelihood and the start's density under the prior: (paths) */
  readonly joint: tf.Tensor;
  /** log p(y, X) / q(X), whose mean is the evidence's lower bound: (paths) */
  readonly logWeights: tf.Tensor;
}

/** Draws of the posterior at some times. */
export interface Sample {
  readonly times: readonly number[];
  /** One list a time: (paths * dimension) */
  readonly states: readonly number[][];
  readonly logWeights: readonly number[];
}

/** The evidence's lower bound, and its estimate by weights. */
export function evidence(logWeights: readonly number[]): { bound: number; weighted: number } {
  const n = logWeights.length;
  const most = logWeights.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logWeights.reduce((total, value) => total + Math.exp(value - most), 0);
  return { bound: logWeights.reduce((a, b) => a + b, 0) / n, weighted: most + Math.log(sum / n) };
}

/** Mean and standard deviation. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) };
}

export interface SmootherSettings {
  /** Paths drawn at once. */
  readonly paths: number;
  /** Steps from one observation to the next while training. */
  readonly perInterval: number;
  readonly width: number;
  readonly seed: number;
}

/**
 * The score of the observations to come, s(t, x) = grad log p(observations after t | X_t = x), as the guide plus the course's own
 * network with paths in the place of cells and kernels of one cell; and a mixture of normal distributions for X_0.
 */
export class Smoother {
  theta: number;
  private readonly network: tf.LayersModel;
  private readonly start: { means: tf.Variable; logs: tf.Variable; logits: tf.Variable };
  private readonly variables: tf.Variable[];
  private readonly advance = new CompiledFunction(
    (inputs: StepInputs) => this.steps(inputs),
    () => this.variables,
  );
  private readonly grids = new Map<number, Grid>();
  private draws = 0;

  constructor(
    readonly problem: SmoothingProblem,
    readonly settings: SmootherSettings,
  ) {
    const { dimension, guess, observations } = problem;
    const { paths, width, seed } = settings;
    this.theta = problem.theta;
    const conditions = observations.times.length * (1 + 2 * OCTAVES);
    this.network = filmNetwork(
      { cells: paths, fields: dimension, conditions },
      { blocks: 1, width, kernel: 1, filmWidth: width, octaves: OCTAVES },
      seed,
    );
    const mixture = (value: (mean: number) => number) =>
      tf.variable(tf.tensor2d(guess.means.map((mean) => new Array<number>(dimension).fill(value(mean)))));
    // A variable takes the value of a tensor, which remains: tidy frees it.
    this.start = tf.tidy(() => ({
      means: mixture((mean) => mean),
      logs: mixture(() => Math.log(guess.deviation)),
      logits: tf.variable(tf.zeros([guess.means.length])),
    }));
    const weights = this.network.trainableWeights.map((weight) => weight.read() as tf.Variable);
    this.variables = [...weights, ...Object.values(this.start)];
  }

  /** The steps with so many from one observation to the next, a multiple of {@link STEPS}. */
  private gridOf(perInterval: number): Grid {
    let grid = this.grids.get(perInterval);
    if (!grid) {
      const table = tables(this.problem, timeGrid(this.problem.observations, perInterval));
      const steps = table.dt.shape[0];
      const cut = Object.entries(table).map(([name, own]) => [name, tf.split(own, steps / STEPS)] as const);
      const parts = Array.from({ length: steps / STEPS }, (_, k) =>
        Object.fromEntries(cut.map(([name, pieces]) => [name, pieces[k]])),
      ) as unknown as Tables[];
      grid = { steps, table, parts };
      this.grids.set(perInterval, grid);
    }
    return grid;
  }

  /** s at the times of the tables, one a row of x: (times, paths, dimension) */
  scoreAt({ conditions, time, shift, slope, fading }: Tables, x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const head = this.network.apply([x, conditions, time]) as tf.Tensor;
      return shift.sub(slope.mul(x)).add(fading.mul(head));
    });
  }

  /** log q(X_0): (paths, dimension) -> (paths) */
  logStart(x0: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const { means, logs, logits } = this.start;
      const z = x0.expandDims(1).sub(means).div(logs.exp());
      const each = z.square().mul(-0.5).sub(logs).sub(0.5 * Math.log(2 * Math.PI)).sum(2); // prettier-ignore
      return tf.logSumExp(each.add(tf.logSoftmax(logits)), 1);
    });
  }

  /** Draws X_0 from the mixture: (paths, dimension) */
  private drawStart(count: number, random: Random): Float64Array {
    const [means, logs, logits] = Object.values(this.start).map((variable) => variable.dataSync());
    const weights = Array.from(logits, Math.exp);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const { dimension } = this.problem;
    const x0 = new Float64Array(count * dimension);
    for (let row = 0; row < count; row++) {
      let [k, left] = [0, random.uniform() * total - weights[0]];
      while (left > 0 && k < weights.length - 1) left -= weights[++k];
      for (let j = 0; j < dimension; j++) {
        const at = k * dimension + j;
        x0[row * dimension + j] = means[at] + Math.exp(logs[at]) * random.normal();
      }
    }
    return x0;
  }

  /** Draws paths of the posterior dX = (theta phi + sigma^2 s) dt + sigma dW. The caller disposes of them. */
  draw(perInterval: number, seed: number): Paths {
    const { problem, theta } = this;
    const { dimension, observations, sigma } = problem;
    const { paths } = this.settings;
    const grid = this.gridOf(perInterval);
    const x0 = this.drawStart(paths, new Random(seed, stream.start));
    const prior = Float32Array.from({ length: paths }, (_, row) =>
      x0
        .subarray(row * dimension, (row + 1) * dimension)
        .reduce((sum, x) => sum + problem.logStart(x, theta), 0),
    );
    const start = tf.tensor3d(Float32Array.from(x0), [1, paths, dimension]);
    const noise = normal([grid.steps, paths, dimension], seed, stream.steps);
    const rate = tf.scalar(theta);
    const pieces = tf.split(noise, grid.parts.length);
    const [states, scores]: tf.Tensor[][] = [[start], []];
    grid.parts.forEach((part, k) => {
      const last = states[k];
      const x = last.slice([last.shape[0] - 1, 0, 0]);
      const next = this.advance.run({ x, noise: pieces[k], theta: rate, ...part });
      states.push(next.x);
      scores.push(next.s);
      tf.dispose(x);
    });
    const drawn = tf.tidy(() => {
      const [x, s] = [tf.concat(states, 0), tf.concat(scores, 0)];
      const { dt, spread } = grid.table;
      const innovations = s.mul(dt.mul(sigma ** 2)).add(noise.mul(spread.sqrt().mul(sigma)));
      const places = observations.times.map((_, i) => (i + 1) * perInterval);
      const misfit = tf.tensor3d(observations.values.map((value) => [[...value]])).sub(tf.gather(x, places)).square(); // prettier-ignore
      const constant = 0.5 * Math.log(2 * Math.PI * observations.variance) * dimension * places.length;
      const joint = misfit.sum([0, 2]).div(-2 * observations.variance).sub(constant).add(tf.tensor1d(prior)); // prettier-ignore
      const ratio = stepRatios(s, innovations, grid.table, sigma);
      const logWeights = joint.sub(this.logStart(start.squeeze([0]))).sub(ratio);
      return { x, innovations, joint, logWeights };
    });
    tf.dispose([noise, rate, ...pieces, ...states, ...scores]);
    return drawn;
  }

  /** Some Euler-Maruyama steps, in a clock in which each is 1 long. */
  private steps({ x: start, noise, theta, dt, spread, ...all }: StepInputs): { x: tf.Tensor; s: tf.Tensor } {
    const { sigma, feature } = this.problem;
    const space = tensorSpace(0);
    const z = tf.split(noise.mul(spread.sqrt()), STEPS);
    const lengths = tf.split(dt, STEPS);
    const rows = Object.entries(all).map(([name, table]) => [name, tf.split(table, STEPS)] as const);
    const scores: tf.Tensor[] = [];
    const states: tf.Tensor[] = [];
    let x = start;
    for (let k = 0; k < STEPS; k++) {
      const own = Object.fromEntries(rows.map(([name, list]) => [name, list[k]])) as unknown as Tables;
      const [state, s, h] = [x, this.scoreAt(own, x), lengths[k]];
      const drift = () => [[1, feature(state).mul(theta).mul(h)], [sigma ** 2, s.mul(h)]] as const; // prettier-ignore
      x = eulerMaruyamaStep(space, { drift, diffusion: () => sigma }, state, k, 1, () => z[k]); // prettier-ignore
      states.push(x);
      scores.push(s);
    }
    return { x: tf.concat(states, 0), s: tf.concat(scores, 0) };
  }

  /**
   * The loss of one batch of paths: the variance over them of
   *
   *     log p(y, X) / q_s(X) = log p(y | X) + log p_0(X_0) / q_0(X_0) - sum_k [s . (dX - theta phi dt) - sigma^2 |s|^2 dt / 2],
   *
   * the paths being what they are. It is 0 for the exact score, and on paths of the present s its gradient is, in the mean, minus twice that of
   * the evidence's lower bound: no derivative of the network in t or x, and none through the paths, is needed.
   * Source: Richter, Boustati, Nüsken, Ruiz & Akyildiz 2020; Nüsken & Richter 2021.
   */
  loss({ x, innovations, joint, ...own }: Omit<Paths, "logWeights"> & Tables): tf.Scalar {
    const [x0] = tf.split(x, [1, x.shape[0] - 1]);
    const [before] = tf.split(x, [x.shape[0] - 1, 1]);
    const s = this.scoreAt(own, before);
    const ratio = stepRatios(s, innovations, own, this.problem.sigma);
    const logWeights = joint.sub(this.logStart(x0.squeeze([0]))).sub(ratio);
    return logWeights.sub(logWeights.mean()).square().mean() as tf.Scalar;
  }

  /** Trains the score and the start: yields after each step. objective: another loss than {@link loss}. */
  *train({ steps, rate, reuse, seed, objective }: TrainingSettings) {
    const { variables } = this;
    const { perInterval } = this.settings;
    const optimiser = new FlatAdam(variables, { beta1: 0.9, beta2: 0.99, ema: 0.98, clip: 10 });
    const { inputs: table, loss: lossOf } = objective ?? {
      inputs: this.gridOf(perInterval).table,
      loss: (batch) => this.loss(batch),
    };
    const gradientOf = new CompiledFunction(
      ({ weights, ...batch }: Omit<Paths, "logWeights"> & Tables & { weights: tf.Tensor }) => {
        optimiser.assign(weights);
        const { value, grads } = tf.variableGrads(() => lossOf(batch), variables);
        return { loss: value, ...flatGradient(variables.map(({ name }) => grads[name])) };
      },
    );
    let paths: Paths | undefined;
    let bound = NaN;
    try {
      for (let step = 0; step < steps; step++) {
        if (!paths || step % reuse === 0) {
          if (paths) tf.dispose(paths as unknown as tf.TensorContainer);
          paths = this.draw(perInterval, derivedSeed(seed, this.draws++));
          bound = tf.tidy(() => paths!.logWeights.mean().dataSync()[0]);
        }
        const { x, innovations, joint } = paths;
        const { loss, gradient, halfSquare } = tf.tidy(() =>
          gradientOf.run({ x, innovations, joint, ...table, weights: optimiser.last() }),
        );
        const [value, half] = [loss, halfSquare].map((tensor) => tensor.dataSync()[0]);
        optimiser.update(gradient, Math.sqrt(2 * half), rate * (0.02 + 0.98 * 0.5 * (1 + Math.cos((Math.PI * step) / steps)))); // prettier-ignore
        optimiser.useLast();
        tf.dispose([loss, halfSquare, gradient]);
        yield { step, loss: value, bound };
      }
    } finally {
      optimiser.useAverage();
      for (const part of [optimiser, gradientOf]) part.dispose();
      if (paths) tf.dispose(paths as unknown as tf.TensorContainer);
    }
  }

  /** Draws `count` times as many paths as are drawn at once: weights, and states at the steps nearest to some times. */
  sample(
    times: readonly number[],
    { count, perInterval, seed }: { count: number; perInterval: number; seed: number },
  ): Sample {
    const grid = timeGrid(this.problem.observations, perInterval).map(({ t }) => t);
    const nearest = times.map((time) =>
      grid.reduce((best, t, k) => (Math.abs(t - time) < Math.abs(grid[best] - time) ? k : best), 0),
    );
    const states: number[][] = times.map(() => []);
    const logWeights: number[] = [];
    for (let part = 0; part < count; part++) {
      const paths = this.draw(perInterval, seed + part);
      logWeights.push(...paths.logWeights.dataSync());
      nearest.forEach((k, i) => {
        const x = paths.x.slice([k, 0, 0], [1]);
        states[i].push(...x.dataSync());
        x.dispose();
      });
      tf.dispose(paths as unknown as tf.TensorContainer);
    }
    return { times: nearest.map((k) => grid[k]), states, logWeights };
  }

  /**
   * EM's other half: the theta under which the paths of the present posterior, with their weights, are likeliest. It maximises
   *
   *     E[log p_0(X_0; theta)] + (theta B - theta^2 A / 2) / sigma^2,   A = E sum |phi|^2 dt,   B = E sum phi . dX,
   *
   * and for Ornstein and Uhlenbeck's process, whose p_0 = N(0, sigma^2 / (2 theta)), solves
   * A theta^2 - (B - E|X_0|^2) theta - d sigma^2 / 2 = 0. The problem's p_0 must be that.
   */
  maximise(perInterval: number, draws: number, seed: number): number {
    const { sigma, dimension, feature } = this.problem;
    const { dt } = this.gridOf(perInterval).table;
    let [a, b, c, total, typical] = [0, 0, 0, 0, NaN];
    for (let part = 0; part < draws; part++) {
      const paths = this.draw(perInterval, derivedSeed(seed, part));
      const sums = tf.tidy(() => {
        const [x0] = tf.split(paths.x, [1, paths.x.shape[0] - 1]);
        const [before] = tf.split(paths.x, [paths.x.shape[0] - 1, 1]);
        const phi = feature(before);
        const dx = paths.innovations.add(phi.mul(dt.mul(this.theta)));
        const parts = [phi.square().mul(dt), phi.mul(dx), x0.square()];
        return tf.stack(parts.map((values) => values.sum([0, 2])));
      });
      const [own, logWeights] = [sums, paths.logWeights].map((tensor) => Array.from(tensor.dataSync()));
      const { length } = logWeights;
      if (part === 0) typical = logWeights.reduce((most, value) => Math.max(most, value), -Infinity);
      logWeights.forEach((value, k) => {
        const w = Math.exp(value - typical);
        [a, b, c] = [a + w * own[k], b + w * own[length + k], c + w * own[2 * length + k]];
        total += w;
      });
      tf.dispose([sums, ...Object.values(paths)]);
    }
    [a, b, c] = [a / total, b / total, c / total];
    return (b - c + Math.sqrt((b - c) ** 2 + 2 * a * dimension * sigma ** 2)) / (2 * a);
  }

  /** EM: trains a little, takes the best theta by finer paths (perInterval), and again. Yields theta after each round. */
  *em({
    rounds,
    draws,
    perInterval,
    ...training
  }: {
    rounds: number;
    draws: number;
    perInterval: number;
  } & TrainingSettings) {
    for (let round = 0; round < rounds; round++) {
      for (const step of this.train({ ...training, seed: training.seed + round })) void step;
      this.theta = this.maximise(perInterval, draws, training.seed + rounds + round);
      yield { round, theta: this.theta };
    }
  }

  /** Frees all tensors. */
  dispose(): void {
    this.advance.dispose();
    this.network.dispose();
    const tables = Array.from(this.grids.values(), ({ table, parts }) => [table, ...parts]).flat();
    tf.dispose([...Object.values(this.start), ...tables] as unknown as tf.TensorContainer);
  }

  /** s at time t and some places, (count, dimension) with at most as many as paths. */
  score(t: number, places: Float64Array): Float64Array {
    const { paths } = this.settings;
    const { dimension } = this.problem;
    const x = new Float32Array(paths * dimension);
    x.set(places);
    const s = tf.tidy(() =>
      this.scoreAt(tables(this.problem, [{ t, dt: 0 }]), tf.tensor3d(x, [1, paths, dimension])),
    );
    const values = Float64Array.from(s.dataSync().subarray(0, places.length));
    s.dispose();
    return values;
  }
}

export interface TrainingSettings {
  readonly steps: number;
  /** Rate of Adam in the first step. */
  readonly rate: number;
  /** Steps on the same paths. */
  readonly reuse: number;
  readonly seed: number;
  /** A loss of a batch of paths and of tables that remain the caller's; by default the variance of the weights. */
  readonly objective?: {
    readonly inputs: Tables;
    loss(batch: Omit<Paths, "logWeights"> & Tables): tf.Scalar;
  };
}

interface Grid {
  readonly steps: number;
  readonly table: Tables;
  /** Rows of the table, {@link STEPS} each. */
  readonly parts: readonly Tables[];
}

type StepInputs = Tables & { x: tf.Tensor; noise: tf.Tensor; theta: tf.Tensor };

/** Steps that are one graph: few make long calls, many a graph that takes long to build. */
const STEPS = 10;
