/** Normalising flows of affine couplings and small dense networks. Their weights are one vector: Adam moves it in few operations. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../backend/tensors";
import type { Random } from "../random";

type Vector = tfTypes.Tensor1D;
type Rows = tfTypes.Tensor2D;

/** Dense layers with tanh between them. widths: of the input, the hidden layers and the output. */
export class DenseNetwork {
  private readonly shapes: readonly (readonly number[])[];
  /** Number of weights. */
  readonly size: number;

  constructor(private readonly widths: readonly number[]) {
    this.shapes = widths.slice(1).flatMap((width, k) => [[widths[k], width], [width]]);
    this.size = this.shapes.reduce((sum, shape) => sum + product(shape), 0);
  }

  /** Initial weights: normal with variance 1 / inputs (LeCun), those of the last layer times lastScale; biases 0. */
  start(random: Random, lastScale = 1): Float32Array {
    const layers = this.widths.length - 1;
    return concatenated(
      this.shapes.map((shape, k) => {
        if (shape.length === 1) return new Float32Array(shape[0]);
        const scale = (k === 2 * (layers - 1) ? lastScale : 1) / Math.sqrt(shape[0]);
        return Float32Array.from({ length: product(shape) }, () => scale * random.normal());
      }),
    );
  }

  /** x [rows, inputs] -> [rows, outputs] */
  apply(weights: Vector, x: Rows): Rows {
    const parts = tf.split(weights, this.shapes.map(product));
    let h = x;
    for (let k = 0; k < parts.length; k += 2) {
      const [width, out] = this.shapes[k];
      h = tf.matMul(h, parts[k].reshape([width, out])).add(parts[k + 1]);
      if (k < parts.length - 2) h = tf.tanh(h);
    }
    return h;
  }
}

/** Log scales of a coupling lie between minus this and this, so that no step of a training makes them overflow. */
const LARGEST_LOG_SCALE = 2;

/**
 * An invertible map y = T(xi) of R^m, m >= 2: couplings, and a shift and a scale of each coordinate at the end. A coupling leaves
 * one half of the coordinates as it is and moves the other by a shift and a scale that a network of one hidden layer makes
 * of the first; the halves change places from one coupling to the next. If xi ~ N(0, I), y has the log density
 * log N(xi; 0, I) - logDet. Source: Dinh, Sohl-Dickstein & Bengio 2017, section 3.
 */
export class CouplingFlow {
  private readonly networks: readonly DenseNetwork[];
  private readonly halves: readonly [number, number];
  /** Number of weights. */
  readonly size: number;

  constructor(
    readonly dimension: number,
    { couplings, hidden }: { couplings: number; hidden: number },
  ) {
    const first = Math.ceil(dimension / 2);
    this.halves = [first, dimension - first];
    this.networks = Array.from({ length: couplings }, (_, k) => {
      const [kept, moved] = k % 2 === 0 ? this.halves : [this.halves[1], this.halves[0]];
      return new DenseNetwork([kept, hidden, 2 * moved]);
    });
    this.size = this.networks.reduce((sum, { size }) => sum + size, 2 * dimension);
  }

  /** Weights of a map close to the identity. */
  start(random: Random): Float32Array {
    const own = this.networks.map((network) => network.start(random, 0.1));
    return concatenated([...own, new Float32Array(2 * this.dimension)]);
  }

  /** xi [rows, m] -> y [rows, m] and log |det dy / dxi| [rows] */
  forward(weights: Vector, xi: Rows): { y: Rows; logDet: Vector } {
    const { parts, shift, logScale } = this.parts(weights);
    let halves = tf.split<Rows>(xi, [...this.halves], 1);
    let logDet = tf.sum(logScale) as tfTypes.Tensor;
    this.networks.forEach((network, k) => {
      const [kept, moved] = k % 2 === 0 ? halves : [halves[1], halves[0]];
      const [own, scale] = this.coefficients(network, parts[k], kept);
      const next = moved.mul(tf.exp(scale)).add<Rows>(own);
      logDet = logDet.add(tf.sum(scale, 1));
      halves = k % 2 === 0 ? [kept, next] : [next, kept];
    });
    const y = tf.concat(halves, 1).mul(tf.exp(logScale)).add(shift) as Rows;
    return { y, logDet: logDet as Vector };
  }

  /** y [rows, m] -> xi [rows, m] and the same log |det dy / dxi| [rows] */
  inverse(weights: Vector, y: Rows): { xi: Rows; logDet: Vector } {
    const { parts, shift, logScale } = this.parts(weights);
    let halves = tf.split<Rows>(y.sub(shift).mul(tf.exp(tf.neg(logScale))), [...this.halves], 1);
    let logDet = tf.sum(logScale) as tfTypes.Tensor;
    for (let k = this.networks.length - 1; k >= 0; k--) {
      const [kept, moved] = k % 2 === 0 ? halves : [halves[1], halves[0]];
      const [own, scale] = this.coefficients(this.networks[k], parts[k], kept);
      const next = moved.sub(own).mul<Rows>(tf.exp(tf.neg(scale)));
      logDet = logDet.add(tf.sum(scale, 1));
      halves = k % 2 === 0 ? [kept, next] : [next, kept];
    }
    return { xi: tf.concat(halves, 1), logDet: logDet as Vector };
  }

  private parts(weights: Vector): { parts: Vector[]; shift: Vector; logScale: Vector } {
    const sizes = [...this.networks.map(({ size }) => size), this.dimension, this.dimension];
    const all = tf.split<Vector>(weights, sizes);
    return { parts: all.slice(0, -2), shift: all[all.length - 2], logScale: all[all.length - 1] };
  }

  /** Shift and log scale of one coupling, each [rows, moved]. */
  private coefficients(network: DenseNetwork, weights: Vector, kept: Rows): [Rows, Rows] {
    const [shift, raw] = tf.split<Rows>(network.apply(weights, kept), 2, 1);
    return [shift, tf.tanh(raw).mul<Rows>(LARGEST_LOG_SCALE)];
  }
}

/**
 * Normal draws [rows, m] that fill the space more evenly than independent ones: a Kronecker sequence, shifted at random (which
 * makes every average over them unbiased), through Box and Muller's map. Source: Niederreiter 1992, chapter 3; the steps are powers of
 * the root of g^(d+1) = g + 1.
 */
export function evenNormals(rows: number, m: number, random: Random): Float32Array {
  const d = 2 * Math.ceil(m / 2);
  let g = 2;
  for (let k = 0; k < 60; k++) g = (1 + g) ** (1 / (d + 1));
  const shift = Array.from({ length: d }, () => random.uniform());
  const out = new Float32Array(rows * m);
  for (let row = 0; row < rows; row++) {
    const u = shift.map((own, j) => (own + (row + 1) * g ** -(j + 1)) % 1);
    for (let j = 0; j < m; j++) {
      const [radius, angle] = [
        Math.sqrt(-2 * Math.log(1 - u[j - (j % 2)])),
        2 * Math.PI * u[j - (j % 2) + 1],
      ];
      out[row * m + j] = radius * (j % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    }
  }
  return out;
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Vectors one after the other. */
export function concatenated(vectors: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
  vectors.reduce((at, vector) => {
    all.set(vector, at);
    return at + vector.length;
  }, 0);
  return all;
}
