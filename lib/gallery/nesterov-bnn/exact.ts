/** The method on one weight whose evidence is known. */
import type * as tfTypes from "@tensorflow/tfjs";
import { finish } from "../../backend/interrupt";
import { normal, tf } from "../../backend/tensors";
import { Random } from "../../random";
import { descent } from "../descent";
import { cauchyProblem } from "./system";
import { WeightProcess } from "./weightProcess";

export interface ExactSettings {
  /** Of Adam. */
  readonly steps: number;
  readonly rate: number;
  /** In each of them. */
  readonly paths: number;
  /** Steps of a path in training. */
  readonly grid: number;
  readonly hidden: number;
  readonly seed: number;
}

/** What a trained control says of the problem's evidence. */
export interface ExactResult {
  /** E[log p(y | z) - KL], by paths of four times as many steps. */
  readonly bound: number;
  /** log E[exp(log weight)], which has no gap but noise. */
  readonly weighted: number;
  /** Deviation of the log weights: 0 for the exact control. */
  readonly deviation: number;
  /** z at the end of each path. */
  readonly ends: Float32Array;
}

const stream = { start: 40, training: 41, check: 42 };

/** sum over the observations of log p(y | z): z [paths, 1] -> [paths] */
export function logLikelihood(z: tfTypes.Tensor): tfTypes.Tensor {
  const each = cauchyProblem.seen.map((y) => tf.log(z.sub(y).square().add(1).mul(Math.PI)));
  return tf.neg(tf.addN(each)).flatten();
}

/** Maximises the lower bound of the evidence and measures it with `draws` paths. */
export function cauchyBound(
  { steps, rate, paths, grid, hidden, seed }: ExactSettings,
  draws = 20_000,
): ExactResult {
  const process = new WeightProcess({ size: 1, ...cauchyProblem, hidden });
  let step = 0;
  const draw = () => ({ noise: normal([grid, paths, 1], seed, stream.training, step++) });
  const loss = (vector: tfTypes.Tensor1D, { noise }: { noise: tfTypes.Tensor }) => {
    const { states, kl } = process.paths(vector, tf.zeros([1]), noise);
    return tf.neg(logLikelihood(states[grid]).sub(kl).mean()) as tfTypes.Scalar;
  };
  const start = process.start(new Random(seed, stream.start));
  const vector = finish(descent(loss, start, {}, draw, { steps, rate }));
  const kept = tf.tidy(() => {
    const noise = normal([4 * grid, draws, 1], seed, stream.check);
    const { states, kl, logRatio } = process.paths(tf.tensor1d(vector), tf.zeros([1]), noise);
    const likelihood = logLikelihood(states[4 * grid]);
    const weights = likelihood.add(logRatio);
    const deviation = tf.moments(weights).variance.sqrt();
    return [likelihood.sub(kl).mean(), tf.logSumExp(weights), deviation, states[4 * grid]];
  });
  const [[bound], [sum], [deviation], ends] = kept.map((tensor) => tensor.dataSync().slice() as Float32Array);
  tf.dispose(kept);
  return { bound, weighted: sum - Math.log(draws), deviation, ends };
}
