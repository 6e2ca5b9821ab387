/** How a closure is trained, through the steps of the large-eddy simulation, and how it is run. */
import type * as tfTypes from "@tensorflow/tfjs";
import { CompiledFunction } from "../../backend/compiled";
import { normal, tf } from "../../backend/tensors";
import { Random } from "../../random";
import { concatenated } from "../couplingFlow";
import { descent } from "../descent";
import type { Closure, IdealClosure } from "./closures";
import type { CoarseFlow } from "./coarse";
import { INTERVAL } from "./flowData";

type Tensor = tfTypes.Tensor;
type Vector = tfTypes.Tensor1D;

/** Steps of the large-eddy simulation in an interval, in which the closure stays as it is. */
export const STEPS = 2;
/** Deviations of a vorticity and of a closure, by which networks see and give numbers near 1. */
export const units = { vorticity: 3, closure: 2 };

export interface TrainingSettings {
  readonly batch: number;
  /** Paths of each field. */
  readonly paths: number;
  /** Intervals through which a simulation is followed. */
  readonly intervals: number;
  readonly steps: number;
  readonly rate: number;
  /** Weight of the KL divergence, which is reached after half the steps. */
  readonly beta: number;
  readonly seed: number;
}

/** One interval of the large-eddy simulation with a closure: coefficients [batch, m, m]. */
export function interval(
  flow: CoarseFlow,
  closure: Closure | undefined,
  weights: Vector,
  w: Tensor,
  noise?: Tensor,
): { w: Tensor; kl?: Tensor } {
  const dt = INTERVAL / STEPS;
  if (!closure) return { w: flow.advance(w, dt, STEPS) };
  const seen = flow.fields(w).div(units.vorticity);
  const { closure: own, kl } = closure.apply(weights, seen, noise);
  return { w: flow.advance(w, dt, STEPS, flow.coefficients(own).mul(units.closure)), kl };
}

/** Weights of a closure, and after them the log deviations of its forecast's errors, one a shell. */
export function startWeights(closure: Closure, flow: CoarseFlow, seed: number): Float32Array {
  const shells = Math.max(...flow.shells.flat()) + 1;
  return concatenated([closure.start(new Random(seed, 0)), new Float32Array(shells).fill(-3)]);
}

type Batch = { fields: Tensor; beta: Tensor; noise?: Tensor };

/**
 * - log p(what comes next | forecast) + beta KL, nats a field and interval. fields: [batch, intervals + 1, n, n], filtered direct
 * simulations; the forecast starts from the first. Its error after k intervals is taken for normal, with a deviation that grows
 * as k and is learned for each shell.
 */
export function loss(
  flow: CoarseFlow,
  closure: Closure,
  all: Vector,
  { fields, beta, noise }: Batch,
): tfTypes.Scalar {
  const [batch, times, n] = fields.shape as number[];
  const shells = all.size - closure.size;
  const [weights, logs] = tf.split<Vector>(all, [closure.size, shells]);
  const member = flow.shells.flatMap((row) => row.map((own) => Array.from({ length: shells }, (_, s) => Number(s === own)))); // prettier-ignore
  const m = flow.wavenumbers.length;
  const logDeviation = tf.matMul(tf.tensor2d(member), logs.reshape([shells, 1])).reshape([m, m]);
  const inverse = tf.exp(tf.neg(logDeviation));
  const truth = tf.unstack(flow.coefficients(fields.reshape([-1, n, n])).reshape([batch, times, m, m]), 1);
  const noises = noise ? tf.unstack(noise) : [];
  let w = truth[0];
  let total: Tensor = logDeviation.sum();
  for (let k = 1; k < times; k++) {
    const next = interval(flow, closure, weights, w, noises[k - 1]);
    w = next.w;
    const misfit = w
      .sub(truth[k])
      .mul(inverse)
      .square()
      .sum()
      .mul(0.5 / (k * k * batch));
    const kl = next.kl ? next.kl.mean().mul(beta) : tf.scalar(0);
    total = total.add(misfit.add(kl).div(times - 1));
  }
  return total as tfTypes.Scalar;
}

/** Trains on simulations [snapshots, n, n] each; yields the loss before each step, and returns weights as startWeights. */
export function* train(
  flow: CoarseFlow,
  closure: Closure,
  start: Float32Array,
  simulations: readonly Float32Array[],
  { batch, paths, intervals, steps, rate, beta, seed }: TrainingSettings,
): Generator<number, Float32Array> {
  const { n } = flow;
  const random = new Random(seed, 1, intervals);
  const cells = (intervals + 1) * n * n;
  let step = 0;
  const draw = (): Batch => {
    const fields = new Float32Array(batch * cells);
    for (let k = 0; k < batch; k++) {
      const own = simulations[Math.floor(random.uniform() * simulations.length)];
      const from = Math.floor(random.uniform() * (own.length / (n * n) - intervals));
      fields.set(own.subarray(from * n * n, from * n * n + cells), k * cells);
    }
    const now = beta * Math.min(1, (2 * step++) / steps);
    const shape = closure.noiseShape?.(batch, paths);
    return {
      fields: tf.tensor(fields, [batch, intervals + 1, n, n]),
      beta: tf.scalar(now),
      ...(shape && { noise: normal([intervals, ...shape], seed, 2, intervals, step) }),
    };
  };
  const objective = (all: Vector, drawn: Batch) => loss(flow, closure, all, drawn);
  return yield* descent(objective, start, {}, draw, { steps, rate });
}

/** A large-eddy simulation of several flows at once from fields [batch, n, n]: the fields after each interval. */
export function* simulate(
  flow: CoarseFlow,
  closure: Closure | undefined,
  all: Float32Array,
  fields: Float32Array,
  { intervals, paths, seed }: { intervals: number; paths: number; seed: number },
): Generator<Float32Array> {
  const { n } = flow;
  const batch = fields.length / (n * n);
  const shape = closure?.noiseShape?.(batch, paths);
  const weights = tf.tensor1d(closure ? all.subarray(0, closure.size) : new Float32Array(1));
  type Inputs = { w: Tensor; weights: Tensor; noise?: Tensor };
  const step = new CompiledFunction(({ w, weights: own, noise }: Inputs) => {
    const next = interval(flow, closure, own as Vector, w, noise).w;
    return { next, fields: flow.fields(next) };
  });
  let w = tf.tidy(() => flow.coefficients(tf.tensor3d(fields, [batch, n, n])));
  try {
    for (let k = 0; k < intervals; k++) {
      const noise = shape && normal(shape, seed, 3, k);
      const { next, fields: seen } = step.run({ w, weights, noise });
      tf.dispose([w, ...(noise ? [noise] : [])]);
      w = next;
      const values = seen.dataSync() as Float32Array;
      seen.dispose();
      yield values;
    }
  } finally {
    step.dispose();
    tf.dispose([w, weights]);
  }
}

/** Cost of the paths in nats a field, and the mean of g over the ends of the paths, at fields [batch, n, n]. */
export function closureCost(
  flow: CoarseFlow,
  closure: IdealClosure,
  all: Float32Array,
  fields: Float32Array,
  { paths, seed }: { paths: number; seed: number },
): { kl: number; noise: number } {
  const { n } = flow;
  const batch = fields.length / (n * n);
  return tf.tidy(() => {
    const weights = tf.tensor1d(all.subarray(0, closure.size));
    const v = tf.tensor3d(fields, [batch, n, n]).div(units.vorticity);
    const { kl, g } = closure.apply(weights, v, normal(closure.noiseShape(batch, paths), seed, 4));
    return { kl: kl.mean().dataSync()[0], noise: g.mean().dataSync()[0] };
  });
}
