import { InputError } from "../errors";
import { NativeVariable, native, tf, typeAttribute } from "./native";

/**
 * Adam (Kingma & Ba 2015) on all weights as one vector, with gradient clipping and a moving average of the weights.
 *
 * One vector makes an update a few native operations, where one update a variable would take several hundred. The vectors
 * are TensorFlow's own variables, which its ApplyAdam changes in place, in one pass over all four.
 */
export class FlatAdam {
  private readonly weights: NativeVariable;
  private readonly average: NativeVariable;
  private readonly first: NativeVariable;
  private readonly second: NativeVariable;
  private readonly sizes: number[];
  private readonly size: number;
  private steps = 0;

  constructor(
    private readonly variables: tf.Variable[],
    private readonly options: { beta1: number; beta2: number; ema: number; clip: number; epsilon?: number },
  ) {
    this.sizes = variables.map((variable) => variable.size);
    const start = tf.tidy(() => flatten(variables));
    this.size = start.size;
    this.weights = new NativeVariable(start);
    this.average = new NativeVariable(start);
    const zeros = tf.zerosLike(start);
    this.first = new NativeVariable(zeros);
    this.second = new NativeVariable(zeros);
    tf.dispose([start, zeros]);
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
    const { beta1, beta2, ema, clip, epsilon = 1e-8 } = this.options;
    const { weights, average, first, second } = this;
    tf.tidy(() => {
      const clipped = clip > 0 && norm > clip ? gradient.mul(clip / norm) : gradient;
      // ApplyAdam folds the bias corrections of both moments into the rate and leaves epsilon as it is; what is meant
      // is epsilon beside the corrected root (Kingma & Ba, end of section 2).
      const powers = [beta1 ** this.steps, beta2 ** this.steps];
      const numbers = [...powers, rate, beta1, beta2, epsilon * Math.sqrt(1 - powers[1])];
      weights.apply(
        "ResourceApplyAdam",
        [first, second],
        [...numbers.map((value) => tf.scalar(value)), clipped],
      );
    });
    // The average forgets the first weights quickly, and then moves with the chosen decay.
    const decay = ema > 0 ? Math.min(ema, (1 + this.steps) / (10 + this.steps)) : 0;
    if (decay > 0) {
      tf.tidy(() => {
        const ahead = average.read().sub(weights.read());
        average.apply("ResourceApplyGradientDescent", [], [tf.scalar(1 - decay), ahead]);
      });
    }
  }

  /** The last weights as one vector, which changes with the next step. The caller disposes of it. */
  last(): tf.Tensor {
    return this.weights.read();
  }

  /** The state as plain vectors, to go on from later. */
  vectors(): Record<"weights" | "average" | "first" | "second", Float32Array> {
    const copy = (variable: NativeVariable) => {
      const value = variable.read();
      const numbers = value.dataSync().slice() as Float32Array; // not inside of tidy, which looks at every one
      value.dispose();
      return numbers;
    };
    const { weights, average, first, second } = this;
    return { weights: copy(weights), average: copy(average), first: copy(first), second: copy(second) };
  }

  /** Goes on from such vectors after so many steps. Throws InputError if they are of another length. */
  restore(vectors: ReturnType<FlatAdam["vectors"]>, steps: number): void {
    for (const name of ["weights", "average", "first", "second"] as const) {
      if (vectors[name].length !== this.size) {
        throw new InputError("The checkpoint is of a network of another size; give the same settings.");
      }
      tf.tidy(() => this[name].assign(tf.tensor1d(vectors[name])));
    }
    this.steps = steps;
    this.place(this.weights);
  }

  /** Puts the averaged weights into the network (the last ones where there is no average). */
  useAverage(): void {
    this.place(this.options.ema > 0 ? this.average : this.weights);
  }

  /** Puts the last weights into the network, to go on. */
  useLast(): void {
    this.place(this.weights);
  }

  dispose(): void {
    for (const variable of [this.weights, this.average, this.first, this.second]) variable.dispose();
  }

  /** Gives the network's variables their values, parts of one vector. */
  assign(flat: tf.Tensor): void {
    tf.tidy(() => {
      tf.split(flat, this.sizes).forEach((part, i) =>
        this.variables[i].assign(part.reshape(this.variables[i].shape)),
      );
    });
  }

  private place(flat: NativeVariable): void {
    tf.tidy(() => this.assign(flat.read()));
  }
}

/** Gradients as one vector, with half its square: L2Loss, in one pass. */
export function flatGradient(gradients: readonly tf.Tensor[]): {
  gradient: tf.Tensor1D;
  halfSquare: tf.Tensor;
} {
  const gradient = flatten(gradients);
  const half = native().executeSingleOutput("L2Loss", [typeAttribute("T", "float32")], [gradient]);
  return { gradient, halfSquare: half };
}

function flatten(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.concat1d(tensors.map((tensor) => tensor.flatten()));
}
