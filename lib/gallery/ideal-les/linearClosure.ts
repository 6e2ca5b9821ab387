/** The latent SDE as the closure of the linear system, whose ideal one is known. */
import type * as tfTypes from "@tensorflow/tfjs";
import { normal, tf } from "../../backend/tensors";
import { Random } from "../../random";
import { concatenated, DenseNetwork } from "../couplingFlow";
import { descent } from "../descent";
import { choleskyFactor } from "../gaussianMoments";
import { normalDraws } from "../diffusion";
import { LatentSde } from "./latentSde";
import { stationaryCovariance } from "./system";

type Tensor = tfTypes.Tensor;
type Rows = tfTypes.Tensor2D;

const sizes = { latent: 2, hidden: 16, steps: 8 };
const encoder = new DenseNetwork([1, 16, 2 * sizes.latent]);
const decoder = new DenseNetwork([sizes.latent, 1]);
const sde = new LatentSde(sizes);
const split = [encoder.size, sde.size, decoder.size];

/** Mean of w over the paths of each v, [batch, 1], and the mean cost of a path in nats. noise: [steps + 1, paths batch, latent] */
function meanClosure(weights: tfTypes.Tensor1D, v: Rows, noise: Tensor): { w: Tensor; kl: Tensor } {
  const [towards, own, back] = tf.split<tfTypes.Tensor1D>(weights, split);
  const paths = (noise.shape[1] as number) / v.shape[0];
  const [mean, logDeviation] = tf.split(tf.tile(encoder.apply(towards, v), [paths, 1]), 2, 1);
  const { z, kl } = sde.paths(own, mean, logDeviation, tf.unstack(noise));
  return {
    w: decoder
      .apply(back, z as Rows)
      .reshape([paths, -1, 1])
      .mean(0),
    kl: kl.mean(),
  };
}

export interface LinearFit {
  /** Of the learned mean closure on v, by least squares over the stationary law of v. */
  readonly slope: number;
  /** Mean of g, and of the cost of a path in nats. */
  readonly noise: number;
  readonly kl: number;
  /** Some v of the stationary law, and the learned closure there. */
  readonly v: number[];
  readonly closure: number[];
}

/** Learns the closure from independent pairs (v, w) of the stationary law; s, the deviation of w given v, is learned, too. */
export function fitLinear(settings: {
  steps: number;
  batch: number;
  paths: number;
  beta: number;
  seed: number;
}): LinearFit {
  const { steps, batch, paths, beta, seed } = settings;
  const factor = choleskyFactor(stationaryCovariance());
  const random = new Random(seed, 4);
  const start = concatenated([
    encoder.start(random),
    sde.start(random),
    decoder.start(random),
    Float32Array.of(-1),
  ]);
  const shape = (rows: number) => [sizes.steps + 1, rows, sizes.latent];
  let step = 0;
  const draw = () => {
    const pairs = Float32Array.from(normalDraws(new Float64Array(2), factor, batch, seed * 100_000 + ++step));
    return { pairs: tf.tensor2d(pairs, [batch, 2]), noise: normal(shape(batch * paths), seed, 5, step) };
  };
  const loss = (all: tfTypes.Tensor1D, { pairs, noise }: { pairs: Tensor; noise: Tensor }) => {
    const [weights, logDeviation] = tf.split<tfTypes.Tensor1D>(all, [all.size - 1, 1]);
    const [v, truth] = tf.split<Rows>(pairs, 2, 1);
    const { w, kl } = meanClosure(weights, v, noise);
    const misfit = truth.sub(w).square().mean().mul(tf.exp(logDeviation.mul(-2))).mul(0.5); // prettier-ignore
    return misfit.add(logDeviation.sum()).add(kl.mul(beta)) as tfTypes.Scalar;
  };
  const training = descent(loss, start, {}, draw, { steps, rate: 0.01 });
  let next = training.next();
  while (!next.done) next = training.next();
  const all = next.value;
  return tf.tidy(() => {
    const weights = tf.tensor1d(all.subarray(0, -1));
    const rows = 400;
    const pairs = normalDraws(new Float64Array(2), factor, rows, seed * 100_000);
    const v = Array.from({ length: rows }, (_, k) => pairs[2 * k]);
    const { w, kl } = meanClosure(weights, tf.tensor2d(v, [rows, 1]), normal(shape(rows * 64), seed, 6));
    const closure = Array.from(w.dataSync());
    const [vw, vv] = v.reduce(([a, b], own, k) => [a + own * closure[k], b + own * own], [0, 0]);
    const g = sde.noise(tf.split<tfTypes.Tensor1D>(weights, split)[1], tf.zeros([1, sizes.latent]));
    return { slope: vw / vv, noise: g.mean().dataSync()[0], kl: kl.dataSync()[0], v, closure };
  });
}
