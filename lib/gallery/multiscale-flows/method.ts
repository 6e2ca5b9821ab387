/** Learning the averaged drift of a slow path: the fast law as a normalising flow, and a second flow for the parameters. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../backend/tensors";
import { Random } from "../../random";
import { concatenated, CouplingFlow, evenNormals } from "../couplingFlow";
import { descent, type DescentSettings } from "../descent";
import { loss, type Seen, tensorsOf } from "../driftLearning";
import type { Increments } from "../pathLikelihood";
import { particle } from "./system";

type Vector = tfTypes.Tensor1D;
type Rows = tfTypes.Tensor2D;

/** A slow drift b(x, y; theta) that is known but for theta and the law of y. */
export interface SlowModel {
  /** Where a training of theta starts. */
  readonly theta: readonly number[];
  /** Dimension of the flow: that of y, two at least. */
  readonly dimension: number;
  /** Averages of b over the rows of y: x [bins], y [rows, dimension], theta [parameters] -> [bins] */
  average(x: Vector, y: Rows, theta: Vector): Vector;
}

/** The wave, theta = (lambda, amplitude). Its y is the first of two coordinates, for a coupling needs two. */
export const waveModel: SlowModel = {
  theta: [1, 1],
  dimension: 2,
  average(x, y, theta) {
    const [lambda, amplitude] = tf.split(theta, 2);
    return x.mul(tf.neg(lambda)).add(cosineAverage(x, y).mul(amplitude)) as Vector;
  },
};

/** Mean of cos(x y) over the rows of y, y their first coordinate: [bins] */
function cosineAverage(x: Vector, y: Rows): Vector {
  return tf.mean(tf.cos(tf.matMul(y.slice([0, 0], [-1, 1]), x.reshape([1, -1]))), 0);
}

/** The tagged particle among solvent particles, of which all but their law is known. */
export const particleModel: SlowModel = {
  theta: [],
  dimension: particle.solvents,
  average(x, y) {
    const { solvents, trap, spring } = particle;
    return x.mul(-(trap + solvents * spring)).add(tf.mean(tf.sum(y, 1)).mul(spring)) as Vector;
  },
};

export interface FlowSettings extends DescentSettings {
  readonly couplings: number;
  readonly hidden: number;
  /** Base draws of one average, K. */
  readonly draws: number;
  /** Factor of the penalty, E |T(xi)|^2 in nats: it keeps coordinates near that the likelihood does not see. */
  readonly penalty: number;
  /** One set of draws for both factors of the squared drift, whose average is then biased: for an ablation. Default: two sets. */
  readonly oneSet?: boolean;
}

export const flowSettings: FlowSettings = {
  couplings: 6,
  hidden: 32,
  draws: 128,
  penalty: 0.1,
  steps: 2000,
  rate: 0.01,
};

/** A law of y and parameters, as learned. */
export interface FittedFlow {
  readonly flow: CouplingFlow;
  readonly weights: Float32Array;
  readonly theta: Float32Array;
}

/** Learns the law of y and theta together from the increments; yields the loss of each step, minus the gain and the penalty. */
export function* fitFlow(
  model: SlowModel,
  data: Increments,
  settings: FlowSettings,
  seed: number,
): Generator<number, FittedFlow> {
  const { draws, penalty, oneSet = false } = settings;
  const flow = new CouplingFlow(model.dimension, settings);
  const parameters = model.theta.length;
  const random = new Random(seed, 10);
  const start = concatenated([flow.start(random), Float32Array.from(model.theta)]);
  const own = tensorsOf(data);
  const objective = (all: Vector, { xi, x, slopes, weights }: Seen & { xi: Rows }) => {
    const [ofFlow, theta] = tf.split<Vector>(all, [flow.size, parameters]);
    const { y } = flow.forward(ofFlow, xi);
    const b = (oneSet ? [y] : tf.split<Rows>(y, 2)).map((set) => model.average(x, set, theta));
    const moment = tf.mean(tf.sum(tf.square(y), 1)).mul(penalty);
    return loss(b[0], b[b.length - 1], slopes, weights).add(moment) as tfTypes.Scalar;
  };
  const noise = () => {
    const sets = Array.from({ length: oneSet ? 1 : 2 }, () => evenNormals(draws, model.dimension, random));
    return { xi: tf.tensor2d(concatenated(sets), [sets.length * draws, model.dimension]) };
  };
  try {
    const all = yield* descent(objective, start, own, noise, settings);
    return { flow, weights: all.slice(0, flow.size), theta: all.slice(flow.size) };
  } finally {
    tf.dispose(Object.values(own));
  }
}

/** Draws of a flow: (rows, dimension). */
export function drawsOf(
  { flow, weights }: Omit<FittedFlow, "theta">,
  rows: number,
  seed: number,
): Float32Array {
  const { dimension } = flow;
  return tf.tidy(() => {
    const xi = tf.tensor2d(evenNormals(rows, dimension, new Random(seed, 11)), [rows, dimension]);
    return flow.forward(tf.tensor1d(weights), xi).y.dataSync() as Float32Array;
  });
}

/** The averaged drift of a fitted flow at some x, over 4096 draws. */
export function flowDrift(model: SlowModel, fitted: FittedFlow, x: Float64Array): Float32Array {
  const y = drawsOf(fitted, 4096, 0);
  return tf.tidy(
    () =>
      model
        .average(
          tf.tensor1d(Float32Array.from(x)),
          tf.tensor2d(y, [4096, model.dimension]),
          tf.tensor1d(fitted.theta),
        )
        .dataSync() as Float32Array,
  );
}

/** int cos(x y) of a fitted law at some x. */
export function flowAverage(fitted: FittedFlow, x: Float64Array): Float32Array {
  return flowDrift(waveModel, { ...fitted, theta: Float32Array.of(0, 1) }, x);
}

/**
 * A flow q(theta) for the parameters of a drift sum_i theta_i f_i(x), f as features (parameters, bins): maximises
 * E_q[log likelihood + log p(theta) - log q(theta)], here with a flat prior. Source: Saha & Ganguly 2026; the flow is ours.
 */
export function* fitPosterior(
  features: readonly ArrayLike<number>[],
  data: Increments,
  settings: Omit<FlowSettings, "penalty">,
  seed: number,
): Generator<number, Omit<FittedFlow, "theta">> {
  const m = features.length;
  const flow = new CouplingFlow(m, settings);
  const random = new Random(seed, 13);
  const own = tensorsOf(data);
  const table = tf.tensor2d(Float32Array.from(features.flatMap((own) => Array.from(own))), [
    m,
    data.x.length,
  ]);
  const given = { ...own, table };
  const objective = (all: Vector, { xi, slopes, weights, table }: typeof given & { xi: Rows }) => {
    const { y: theta, logDet } = flow.forward(all, xi);
    const b = tf.matMul(theta, table);
    const misfit = tf.sum(b.square().mul(weights).mul(0.5).sub(b.mul(slopes)), 1);
    return tf.mean(misfit.sub(logDet)) as tfTypes.Scalar; // log N(xi) has no weights in it
  };
  const noise = () => ({ xi: tf.tensor2d(evenNormals(settings.draws, m, random), [settings.draws, m]) });
  try {
    const all = yield* descent(objective, flow.start(random), given, noise, settings);
    return { flow, weights: all };
  } finally {
    tf.dispose(Object.values(given));
  }
}

/** Mean, deviation and the ends of the middle 90 % of each coordinate of draws (rows, m). */
export function summary(
  draws: ArrayLike<number>,
  m: number,
): { mean: number; deviation: number; low: number; high: number }[] {
  return Array.from({ length: m }, (_, i) => {
    const own = Float64Array.from({ length: draws.length / m }, (_, k) => draws[k * m + i]).sort();
    const mean = own.reduce((a, b) => a + b, 0) / own.length;
    const deviation = Math.sqrt(own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / own.length);
    const [low, high] = [0.05, 0.95].map((share) => own[Math.floor(share * own.length)]);
    return { mean, deviation, low, high };
  });
}
