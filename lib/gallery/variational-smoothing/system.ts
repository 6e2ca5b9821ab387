/** The two processes of the chapter, what is seen of them, and where they start. */
import { tf } from "../../backend/tensors";
import type { ScalarSde } from "../gridSmoother";
import type { ObservedSde } from "../pathSmoothers";

/** A process, what is seen of it, and where it starts. */
export interface SmoothingProblem extends ObservedSde {
  /** phi of tensors. */
  feature(x: tf.Tensor): tf.Tensor;
  /** Logarithm of one coordinate's density at time 0, which is stationary, with another theta on request. */
  logStart(x: number, theta?: number): number;
  /** Normal distributions whose mixture the posterior at time 0 is close to: means and common deviation, before training. */
  readonly guess: { readonly means: readonly number[]; readonly deviation: number };
}

/** The problem's drift in one coordinate. */
export function scalarSde({ theta, sigma, featureOf }: SmoothingProblem): ScalarSde {
  return { sigma, drift: (x) => theta * featureOf(Float64Array.of(x))[0] };
}

/** Ornstein and Uhlenbeck's process, dX = -theta X dt + dW; coordinate j sees the four values from the j-th on, in a circle. */
export function ornsteinUhlenbeck(dimension = 1, theta = 1): SmoothingProblem {
  const seen = [1.2, -0.3, -1.0, 0.8];
  const sigma = 1;
  return {
    dimension,
    theta,
    sigma,
    observations: {
      times: [1, 2, 3, 4],
      values: seen.map((_, i) => Array.from({ length: dimension }, (__, j) => seen[(i + j) % 4])),
      variance: 0.04,
    },
    feature: (x) => x.neg(),
    featureOf: (x) => x.map((value) => -value),
    logStart: (x, own = theta) => {
      const variance = sigma ** 2 / (2 * own);
      return -0.5 * (x ** 2 / variance + Math.log(2 * Math.PI * variance));
    },
    guess: { means: [0], deviation: Math.SQRT1_2 },
  };
}

/** A double well, dX = 4 X (1 - X^2) dt + dW: the process stays near -1 or 1 and seldom changes sides. */
export function doubleWell(theta = 4): SmoothingProblem {
  const sigma = 1;
  const potential = (x: number, own: number) => (own * (x ** 2 - x ** 4 / 2)) / sigma ** 2;
  const normaliser = (own: number) => {
    let sum = 0; // the trapezoidal rule, exact to round-off for a density that vanishes at both ends
    for (let k = -400; k <= 400; k++) sum += 0.01 * Math.exp(potential(k / 100, own));
    return Math.log(sum);
  };
  const log = normaliser(theta);
  return {
    dimension: 1,
    theta,
    sigma,
    observations: { times: [1, 2, 3, 4], values: [[1.05], [-0.9], [-1.1], [0.95]], variance: 0.04 },
    feature: (x) => tf.tidy(() => x.sub(x.mul(x).mul(x))),
    featureOf: (x) => x.map((value) => value - value ** 3),
    logStart: (x, own = theta) => potential(x, own) - (own === theta ? log : normaliser(own)),
    guess: { means: [-1, 0, 1], deviation: 0.4 },
  };
}
