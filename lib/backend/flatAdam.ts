import { InputError } from "./errors";
import { type AdamState, type AdamVector, adamVectors } from "./backend";
import { backend, tf } from "./native";

/** What keeps the denominator from 0, as in the paper. */
const EPSILON = 1e-8;

/**
 * Adam (Kingma & Ba 2015) on all weights as one vector, with gradient clipping and a moving average of the weights.
 *
 * One vector makes an update a few operations, where one update a variable would take several hundred.
 */
export class FlatAdam {
  private readonly state: AdamState;
  private readonly sizes: number[];
  private readonly size: number;
  private steps = 0;

  constructor(
    private readonly variables: tf.Variable[],
    private readonly options: { beta1: number; beta2: number; ema: number; clip: number },
  ) {
    this.sizes = variables.map((variable) => variable.size);
    const start = tf.tidy(() => flatten(variables));
    this.size = start.size;
    this.state = backend.adam(start);
    start.dispose();
  }

  /** One step down the gradients (one a variable, same order); returns the gradient's norm before clipping. */
  step(gradients: tf.Tensor[], rate: number): number {
    const { gradient, halfSquare } = tf.tidy(() => flatGradient(gradients));
    const norm = Math.sqrt(2 * halfSquare.dataSync()[0]);
    this.update(gradient, norm, rate);
    tf.dispose([gradient, halfSquare]);
    this.useLast();
    return norm;
  }

  /** One step down a flat gradient of this norm; the network's variables are left as they are. */
  update(gradient: tf.Tensor, norm: number, rate: number): void {
    this.steps++;
    const { beta1, beta2, ema, clip } = this.options;
    tf.tidy(() => {
      const clipped = clip > 0 && norm > clip ? gradient.mul(clip / norm) : gradient;
      this.state.step(clipped, { steps: this.steps, rate, beta1, beta2, epsilon: EPSILON });
    });
    // The average forgets the first weights quickly, and then moves with the chosen decay.
    const decay = ema > 0 ? Math.min(ema, (1 + this.steps) / (10 + this.steps)) : 0;
    if (decay > 0) this.state.followWeights(1 - decay);
  }

  /** The last weights as one vector, which changes with the next step. The caller disposes of it. */
  last(): tf.Tensor {
    return this.state.read("weights");
  }

  /** The state as plain vectors, to go on from later. */
  vectors(): Record<AdamVector, Float32Array> {
    const copy = (vector: AdamVector) => {
      const value = this.state.read(vector);
      const numbers = value.dataSync().slice() as Float32Array; // not inside of tidy, which looks at every one
      value.dispose();
      return numbers;
    };
    return {
      weights: copy("weights"),
      average: copy("average"),
      first: copy("first"),
      second: copy("second"),
    };
  }

  /** Goes on from such vectors after so many steps. Throws InputError if they are of another length. */
  restore(vectors: ReturnType<FlatAdam["vectors"]>, steps: number): void {
    for (const name of adamVectors) {
      if (vectors[name].length !== this.size) {
        throw new InputError("The checkpoint is of a network of another size; give the same settings.");
      }
      tf.tidy(() => this.state.assign(name, tf.tensor1d(vectors[name])));
    }
    this.steps = steps;
    this.place("weights");
  }

  /** Puts the averaged weights into the network (the last ones where there is no average). */
  useAverage(): void {
    this.place(this.options.ema > 0 ? "average" : "weights");
  }

  /** Puts the last weights into the network, to go on. */
  useLast(): void {
    this.place("weights");
  }

  dispose(): void {
    this.state.dispose();
  }

  /** Gives the network's variables their values, parts of one vector. */
  assign(flat: tf.Tensor): void {
    tf.tidy(() => {
      tf.split(flat, this.sizes).forEach((part, i) =>
        this.variables[i].assign(part.reshape(this.variables[i].shape)),
      );
    });
  }

  private place(vector: AdamVector): void {
    tf.tidy(() => this.assign(this.state.read(vector)));
  }
}

/** Gradients as one vector, with half its square. */
export function flatGradient(gradients: readonly tf.Tensor[]): {
  gradient: tf.Tensor1D;
  halfSquare: tf.Tensor;
} {
  const gradient = flatten(gradients);
  return { gradient, halfSquare: backend.halfSquare(gradient) };
}

function flatten(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.concat1d(tensors.map((tensor) => tensor.flatten()));
}
