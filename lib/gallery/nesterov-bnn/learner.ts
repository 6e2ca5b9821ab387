/** The network of method.ts, trained on examples and asked for what it expects by an adaptive integrator. */
import type * as tfTypes from "@tensorflow/tfjs";
import { CompiledFunction } from "../../backend/compiled";
import { InputError } from "../../backend/errors";
import { FlatAdam } from "../../backend/flatAdam";
import { normal, tf } from "../../backend/tensors";
import { Random } from "../../random";
import { heunEuler, type Pair, solveOde } from "../adaptiveRungeKutta";
import { type Architecture, SdeBnn } from "./method";
import { chosen, type Examples } from "./system";

type Tensor = tfTypes.Tensor;

export interface TrainingSettings {
  /** Passes through the examples. */
  readonly epochs: number;
  /** Rate of Adam in the first step; it falls to zero as a cosine. */
  readonly rate: number;
  /** Examples a step. */
  readonly batch: number;
  /** Paths of the weights a step. */
  readonly paths: number;
  /** Steps of a path. */
  readonly grid: number;
  /** kappa, factor of the KL distance; 1 for a lower bound of the evidence. */
  readonly kappa: number;
  /** Standard deviation of the values' noise; 0 where the outputs are classes. */
  readonly noise: number;
  /** c in h(T) + c h(0), which is decoded; with `counted` it is divided by 1 + the evaluations of an adaptive solution. */
  readonly skip?: number;
  readonly counted?: boolean;
}

/** Of the chapter's trainings. */
export const training = { rate: 0.01, batch: 100, paths: 4, grid: 10, kappa: 1, noise: 0 } as const;

export interface SolveOptions {
  readonly paths: number;
  /** Points of the weights' paths. */
  readonly grid: number;
  readonly tolerance: number;
  readonly pair?: Pair;
  readonly seed: number;
}

const stream = { start: 50, noise: 51, order: 52, solve: 53 };

type StepInputs = Record<"vector" | "x" | "y" | "noise" | "skip", Tensor>;

export class Learner {
  readonly network: SdeBnn;
  private readonly vector: tfTypes.Variable;
  private readonly adam: FlatAdam;
  /** c at present. */
  private skip = 0;

  constructor(
    architecture: Architecture,
    private readonly seed: number,
  ) {
    this.network = new SdeBnn(architecture);
    this.vector = tf.tidy(() => tf.variable(tf.tensor1d(this.network.start(new Random(seed, stream.start)))));
    this.adam = new FlatAdam([this.vector], { beta1: 0.9, beta2: 0.99, ema: 0, clip: 10 });
  }

  /** Yields the mean loss of an example and the distance KL of each epoch. Throws InputError for a bad size of batches. */
  *train(examples: Examples, settings: TrainingSettings): Generator<{ loss: number; kl: number }, void> {
    const { epochs, rate, batch, paths, grid, kappa, noise: deviation, skip = 0, counted = false } = settings;
    const count = examples.y.length;
    if (!(Number.isInteger(batch) && batch >= 1 && batch <= count)) {
      throw new InputError(`A batch has ${batch} examples; give a whole number from 1 to ${count}.`);
    }
    const perEpoch = Math.floor(count / batch);
    const slope = new CompiledFunction(({ vector, ...inputs }: StepInputs) => {
      const body = (v: Tensor) => this.loss(v, inputs, kappa / count, deviation);
      const { value, grad } = tf.valueAndGrad(body as never)(vector, tf.tensor1d([1, 0]));
      return { value, gradient: grad };
    });
    try {
      for (let epoch = 0, step = 0; epoch < epochs; epoch++) {
        const some = { paths: 1, grid, tolerance: 1e-3, seed: epoch };
        this.skip = counted ? skip / (1 + this.solve(examples, some).evaluations) : skip;
        const order = new Random(this.seed, stream.order, epoch).permutation(count);
        let [total, distance] = [0, 0];
        for (let k = 0; k < perEpoch; k++, step++) {
          const { x, y } = this.tensors(chosen(examples, order.subarray(k * batch, (k + 1) * batch)));
          const noise = normal(
            [grid, paths, this.network.process.options.size],
            this.seed,
            stream.noise,
            step,
          );
          const given = { x, y, noise, skip: tf.scalar(this.skip) };
          const { value, gradient } = slope.run({ vector: this.vector, ...given });
          const [loss, kl] = value.dataSync();
          [total, distance] = [total + loss / perEpoch, distance + kl / perEpoch];
          this.adam.step([gradient], 0.5 * rate * (1 + Math.cos((Math.PI * step) / (epochs * perEpoch))));
          tf.dispose([value, gradient, ...Object.values(given)]);
        }
        yield { loss: total, kl: distance };
      }
    } finally {
      slope.dispose();
    }
  }

  /** [mean loss of an example with its share of the KL distance, the distance] */
  private loss(
    v: Tensor,
    { x, y, noise, skip }: Omit<StepInputs, "vector">,
    share: number,
    deviation: number,
  ): Tensor {
    const { states, kl } = this.network.weights(v, noise);
    const h0 = this.network.encode(v, x);
    const out = this.network.decode(v, this.network.forward(h0, states).add(h0.mul(skip)));
    const wrong =
      deviation > 0
        ? out.sub(y).square().sum(2).div(2 * deviation ** 2)
        : tf.logSumExp(out, 2).sub(out.mul(y).sum(2)); // prettier-ignore
    return tf.stack([wrong.mean().add(kl.mean().mul(share)), kl.mean()]);
  }

  /** x [rows, inputs] and y [1, rows, outputs], a class as a row with a 1 in its place. */
  private tensors({ x, y, inputs }: Examples): { x: Tensor; y: Tensor } {
    const { outputs } = this.network.architecture;
    const wanted = Array.from(y, (own) =>
      outputs === 1 ? [own] : Array.from({ length: outputs }, (_, k) => (k === own ? 1 : 0)),
    );
    return { x: tf.tensor2d(Float32Array.from(x), [y.length, inputs]), y: tf.tensor3d([wanted]) };
  }

  /**
   * Outputs (paths, rows, outputs), and how often f was evaluated for one path, in the mean over paths. The weights' path is drawn
   * first, on a grid; then the equation of h is solved for all rows at once.
   */
  solve(
    { inputs, x, y }: Examples,
    { paths, grid, tolerance, pair = heunEuler, seed }: SolveOptions,
  ): { outputs: Float64Array; evaluations: number } {
    const { network, vector } = this;
    const { size } = network.process.options;
    const rows = y.length;
    const tensors = tf.tidy(() => {
      const noise = normal([grid, paths, size], this.seed, stream.solve, seed);
      const start = network.encode(vector, tf.tensor2d(Float32Array.from(x), [rows, inputs]));
      return [start.mul(1), ...network.weights(vector, noise).states]; // x itself may be the start
    });
    const [h0, ...states] = tensors.map((tensor) => Float64Array.from(tensor.dataSync()));
    tf.dispose(tensors);
    let evaluations = 0;
    const ends = new Float32Array(paths * h0.length);
    for (let path = 0; path < paths; path++) {
      const own = states.map((w) => w.subarray(path * size, (path + 1) * size));
      const { field, y0, from, to, last } = network.ode(h0, own);
      const solved = solveOde(field, y0, { from, to, tolerance, pair });
      evaluations += solved.evaluations / paths;
      const h = last(solved.y);
      ends.set(h.map((value, i) => value + this.skip * h0[i]), path * h0.length); // prettier-ignore
    }
    const decoded = tf.tidy(() =>
      network.decode(vector, tf.tensor3d(ends, [paths, rows, network.architecture.state])),
    );
    const outputs = Float64Array.from(decoded.dataSync());
    decoded.dispose();
    return { outputs, evaluations };
  }

  dispose(): void {
    this.adam.dispose();
    this.vector.dispose();
  }
}

/** Probabilities (rows, classes), means over the paths, of outputs (paths, rows, classes). */
export function probabilities(outputs: Float64Array, rows: number, classes: number): Float64Array {
  const mean = tf.tidy(() => {
    const all = tf.tensor3d(Float32Array.from(outputs), [outputs.length / (rows * classes), rows, classes]);
    return tf.softmax(all).mean(0);
  });
  const values = Float64Array.from(mean.dataSync());
  mean.dispose();
  return values;
}

/** Share of rows whose class is the likeliest in the mean over the paths. */
export function accuracy(outputs: Float64Array, { y }: Examples, classes: number): number {
  const p = probabilities(outputs, y.length, classes);
  const found = y.map((_, row) => {
    const own = p.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
  });
  return found.filter((label, row) => label === y[row]).length / y.length;
}

/** Mean and deviation over the paths of one output (paths, rows). */
export function spread(outputs: Float64Array, rows: number): { mean: Float64Array; deviation: Float64Array } {
  const paths = outputs.length / rows;
  const over = (of: (value: number, row: number) => number) =>
    Float64Array.from({ length: rows }, (_, row) => {
      let sum = 0;
      for (let path = 0; path < paths; path++) sum += of(outputs[path * rows + row], row) / paths;
      return sum;
    });
  const mean = over((value) => value);
  return { mean, deviation: over((value, row) => (value - mean[row]) ** 2).map(Math.sqrt) };
}
