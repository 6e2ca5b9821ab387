/** Learning a drift from a path: the loss of any averaged drift, and networks that are a drift and nothing else. */
import type * as tfTypes from "@tensorflow/tfjs";
import { finish } from "../backend/interrupt";
import { tf } from "../backend/tensors";
import { Random } from "../random";
import { DenseNetwork } from "./couplingFlow";
import { descent, type DescentSettings } from "./descent";
import { gain, type Increments, increments, partOf, type SlowPath } from "./pathLikelihood";

type Vector = tfTypes.Tensor1D;

/** What the likelihood needs of the increments: [bins] each; slopes: dX / s^2, weights: n Delta / s^2. */
export type Seen = { x: Vector; slopes: Vector; weights: Vector };

export function tensorsOf({ x, count, sum, interval, variance }: Increments): Seen {
  const [places, slopes, weights] = [
    x,
    sum.map((own) => own / variance),
    count.map((n) => (n * interval) / variance),
  ];
  return {
    x: tf.tensor1d(Float32Array.from(places)),
    slopes: tf.tensor1d(Float32Array.from(slopes)),
    weights: tf.tensor1d(Float32Array.from(weights)),
  };
}

/**
 * Minus the gain of a drift in log likelihood (see gain), in nats, of two averages of it over independent draws:
 * E[b1 b2] = b^2, while the square of one average is too large by its variance, which would pay for a narrow law.
 */
export function loss(b1: Vector, b2: Vector, slopes: Vector, weights: Vector): tfTypes.Scalar {
  return tf.sum(b1.mul(b2).mul(weights).sub(b1.add(b2).mul(slopes))).mul(0.5);
}

/** Width of the hidden layers, and how they are trained. */
export type NetworkSettings = DescentSettings & { readonly hidden: number };

/** A drift that is a network and nothing else, by the same likelihood, optimiser and steps: a function of some x. */
export function* fitNetwork(
  data: Increments,
  { hidden, steps, rate }: NetworkSettings,
  seed: number,
): Generator<number, (x: Float64Array) => Float32Array> {
  const network = new DenseNetwork([1, hidden, hidden, 1]);
  const own = tensorsOf(data);
  const drift = (all: Vector, x: Vector) => network.apply(all, x.reshape([-1, 1])).flatten() as Vector;
  const objective = (all: Vector, { x, slopes, weights }: Seen) => {
    const b = drift(all, x);
    return loss(b, b, slopes, weights);
  };
  const start = network.start(new Random(seed, 12));
  try {
    const all = yield* descent(objective, start, own, () => ({}), { steps, rate });
    return (x) =>
      tf.tidy(() => drift(tf.tensor1d(all), tf.tensor1d(Float32Array.from(x))).dataSync() as Float32Array);
  } finally {
    tf.dispose(Object.values(own));
  }
}

/** The same with fewer steps, so many that what is learned from four fifths of the path is likeliest on the last fifth. */
export function fitStoppedNetwork(
  path: SlowPath,
  settings: NetworkSettings,
  seed: number,
): (x: Float64Array) => Float32Array {
  const count = path.noise.length;
  const cut = Math.round(0.8 * count);
  const [seen, kept] = [partOf(path, 0, cut), partOf(path, cut, count)].map((part) => increments(part));
  const fit = (data: Increments, steps: number) => finish(fitNetwork(data, { ...settings, steps }, seed));
  const fits = [1, 2, 4, 8, 16, 32, 64].map((divisor) => {
    const steps = Math.ceil(settings.steps / divisor);
    return { steps, gained: gain(kept, fit(seen, steps)(kept.x)) };
  });
  return fit(increments(path), fits.reduce((a, b) => (b.gained > a.gained ? b : a)).steps);
}
