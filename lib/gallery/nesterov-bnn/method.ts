/** The network whose weights move by an SDE while its hidden state moves by an ODE: plain, or Nesterov's. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../backend/tensors";
import type { Random } from "../../random";
import { concatenated } from "../couplingFlow";
import type { VectorField } from "../adaptiveRungeKutta";
import { type WeightPaths, WeightProcess } from "./weightProcess";

type Tensor = tfTypes.Tensor;
type Vector = tfTypes.Tensor1D;

/** How the hidden state moves. */
export type Dynamics = "plain" | "nesterov" | "bounded";

export interface Architecture {
  /**
   * plain: h' = f(h; w), t from 0 to 1. nesterov: h = k(t) x, x' = m, m' = -m - f(h; w), k(t) = t^(-3/2) exp(t/2), t from 1 to
   * 2, from rest. bounded: the same with f clipped to [-5, 5], and less h / 2. Source: Nguyen et al. 2022, section 3.
   */
  readonly dynamics: Dynamics;
  readonly inputs: number;
  /** Classes, or 1 for a value. */
  readonly outputs: number;
  /** Numbers of the hidden state h. */
  readonly state: number;
  /** Whether h starts as a learned linear map of the input, or as the input and zeros. */
  readonly encoder: boolean;
  /** Hidden layers of f. */
  readonly hidden: readonly number[];
  readonly activation: "tanh" | "elu";
  /** Of the prior of f's weights. */
  readonly sigma: number;
  /** Hidden units of their control. */
  readonly control: number;
}

/** k(t): what Nesterov's x is multiplied by. */
export const scaling = (t: number): number => t ** -1.5 * Math.exp(t / 2);

/** Of the bounded form: where f is clipped, and xi, by which h is pulled to 0. */
const CLIP = 5;
const PULL = 0.5;

/** The network as functions of one vector of parameters: first weights of f, their control, encoder and decoder. */
export class SdeBnn {
  readonly process: WeightProcess;
  /** Shapes of f's layers: [inputs, outputs] each. */
  private readonly layers: readonly (readonly [number, number])[];
  private readonly sizes: {
    readonly w0: number;
    readonly control: number;
    readonly encoder: number;
    readonly decoder: number;
  };

  constructor(readonly architecture: Architecture) {
    const { inputs, outputs, state, encoder, hidden, sigma, control } = architecture;
    const widths = [state, ...hidden, state];
    this.layers = hidden.concat(state).map((width, k) => [widths[k], width] as const);
    const size = this.layers.reduce((sum, [a, b]) => sum + (a + 1) * b, 0);
    this.process = new WeightProcess({ size, rate: 1, sigma, endTime: 1, hidden: control });
    this.sizes = {
      w0: size,
      control: this.process.parameters,
      encoder: encoder ? (inputs + 1) * state : 0,
      decoder: (state + 1) * outputs,
    };
  }

  /** First parameters. */
  start(random: Random): Float32Array {
    const { inputs, outputs, state, encoder } = this.architecture;
    const linear = ([a, b]: readonly [number, number]) =>
      Float32Array.from({ length: (a + 1) * b }, (_, k) => (k < a * b ? random.normal() / Math.sqrt(a) : 0));
    return concatenated([
      ...this.layers.map(linear),
      this.process.start(random),
      ...(encoder ? [linear([inputs, state])] : []),
      linear([state, outputs]),
    ]);
  }

  /** Parameters by their names. */
  private parts(vector: Tensor): { w0: Vector; control: Vector; encoder: Vector; decoder: Vector } {
    const { w0, control, encoder, decoder } = this.sizes;
    const [a, b, ...rest] = tf.split<Vector>(vector, [w0, control, ...(encoder ? [encoder] : []), decoder]);
    return { w0: a, control: b, encoder: rest[0], decoder: rest[rest.length - 1] };
  }

  /** Paths of f's weights from normal draws (steps, paths, weights). */
  weights(vector: Tensor, noise: Tensor): WeightPaths {
    const { w0, control } = this.parts(vector);
    return this.process.paths(control, w0, noise);
  }

  /** h at the start: x [rows, inputs] -> [rows, state] */
  encode(vector: Tensor, x: Tensor): Tensor {
    const { inputs, state, encoder } = this.architecture;
    if (!encoder) return state === inputs ? x : tf.pad(x as tfTypes.Tensor2D, [[0, 0], [0, state - inputs]]); // prettier-ignore
    return affine(x, this.parts(vector).encoder, inputs, state);
  }

  /** h at the end [paths, rows, state] -> [paths, rows, outputs] */
  decode(vector: Tensor, h: Tensor): Tensor {
    const { outputs, state } = this.architecture;
    return affine(h.reshape([-1, state]), this.parts(vector).decoder, state, outputs).reshape([
      h.shape[0],
      -1,
      outputs,
    ]);
  }

  /** f(h; w): h [paths, rows, state], w [paths, weights] -> [paths, rows, state] */
  private f(h: Tensor, w: Tensor): Tensor {
    const [paths] = w.shape;
    const parts = tf.split(
      w,
      this.layers.flatMap(([a, b]) => [a * b, b]),
      1,
    );
    return this.layers.reduce((value, [a, b], k) => {
      const sum = tf
        .matMul(value, parts[2 * k].reshape([paths, a, b]))
        .add(parts[2 * k + 1].reshape([paths, 1, b]));
      if (k === this.layers.length - 1) return sum;
      return this.architecture.activation === "tanh" ? tf.tanh(sum) : tf.elu(sum);
    }, h);
  }

  /** h at the end [paths, rows, state] from h [rows, state] by Heun's method, a step for each step of the weights' paths. */
  forward(start: Tensor, states: readonly Tensor[]): Tensor {
    const { dynamics } = this.architecture;
    const [h, steps] = [1 / (states.length - 1), states.length - 1];
    const h0 = tf.tile(tf.expandDims(start, 0), [states[0].shape[0], 1, 1]);
    const from = dynamics === "plain" ? 0 : 1;
    const slope = (t: number, y: readonly Tensor[], w: Tensor): Tensor[] => {
      if (dynamics === "plain") return [this.f(y[0], w)];
      const [x, m] = y;
      const at = x.mul(scaling(t));
      const f = this.f(at, w);
      if (dynamics === "nesterov") return [m, tf.neg(m.add(f))];
      return [m, tf.neg(m.add(tf.clipByValue(f, -CLIP, CLIP)).add(at.mul(PULL)))];
    };
    const moved = (y: readonly Tensor[], by: number, ...slopes: Tensor[][]) =>
      y.map((value, i) => value.add(tf.addN(slopes.map((own) => own[i])).mul(by)));
    let y: Tensor[] = dynamics === "plain" ? [h0] : [h0.div(scaling(1)), h0.div(scaling(1))];
    for (let k = 0; k < steps; k++) {
      const first = slope(from + k * h, y, states[k]);
      const second = slope(from + (k + 1) * h, moved(y, h, first), states[k + 1]);
      y = moved(y, h / 2, first, second);
    }
    return dynamics === "plain" ? y[0] : y[0].mul(scaling(2));
  }

  /**
   * The same equation of one path for an adaptive method, from h0 (rows, state); between the grid's points (steps + 1, weights)
   * the weights are linear. last: h at the end.
   */
  ode(h0: Float64Array, states: readonly Float64Array[]) {
    const { dynamics } = this.architecture;
    const steps = states.length - 1;
    const from = dynamics === "plain" ? 0 : 1;
    const n = h0.length;
    const weightsAt = (t: number) => {
      const place = (t - from) * steps;
      const k = Math.min(steps - 1, Math.max(0, Math.floor(place)));
      return states[k].map((w, i) => w + (place - k) * (states[k + 1][i] - w));
    };
    const field: VectorField = (t, y) => {
      const w = weightsAt(t);
      if (dynamics === "plain") return this.fOfRows(y, w);
      const out = new Float64Array(2 * n);
      const k = scaling(t);
      const h = y.subarray(0, n).map((x) => x * k);
      const f = this.fOfRows(h, w);
      for (let i = 0; i < n; i++) {
        const m = y[n + i];
        out[i] = m;
        out[n + i] =
          dynamics === "nesterov" ? -m - f[i] : -m - Math.min(CLIP, Math.max(-CLIP, f[i])) - PULL * h[i];
      }
      return out;
    };
    const [first, end] = [scaling(1), scaling(2)];
    const x0 = h0.map((h) => h / first);
    const y0 = dynamics === "plain" ? h0 : Float64Array.of(...x0, ...x0);
    const last = (y: Float64Array) => (dynamics === "plain" ? y : y.slice(0, n).map((x) => x * end));
    return { field, y0, from, to: from + 1, last };
  }

  /** f(h; w): h (rows, state), w (weights) -> (rows, state) */
  private fOfRows(h: Float64Array, w: Float64Array): Float64Array {
    const rows = h.length / this.architecture.state;
    const act =
      this.architecture.activation === "tanh" ? Math.tanh : (v: number) => (v > 0 ? v : Math.expm1(v));
    let at = 0;
    return this.layers.reduce((value, [a, b], k) => {
      const out = new Float64Array(rows * b);
      const bias = at + a * b;
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < b; j++) out[r * b + j] = w[bias + j];
        for (let i = 0; i < a; i++) {
          const v = value[r * a + i];
          for (let j = 0; j < b; j++) out[r * b + j] += v * w[at + i * b + j];
        }
      }
      if (k < this.layers.length - 1) for (let i = 0; i < out.length; i++) out[i] = act(out[i]);
      at = bias + b;
      return out;
    }, h);
  }
}

/** x W + b with W and b one vector: x [rows, a] -> [rows, b] */
function affine(x: Tensor, vector: Vector, a: number, b: number): Tensor {
  const [matrix, bias] = tf.split(vector, [a * b, b]);
  return tf.matMul(x as tfTypes.Tensor2D, matrix.reshape([a, b]) as tfTypes.Tensor2D).add(bias);
}
