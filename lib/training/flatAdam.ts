import { InputError } from "../errors";
import { tf } from "../tensorflow";

/**
 * Adam (Kingma & Ba 2015) on all weights as one vector, with gradient clipping and a moving average of the weights.
 *
 * One vector makes an update a dozen native operations, where one update a variable would take several hundred;
 * its norm and its average are one operation each.
 */
export class FlatAdam {
  private weights: tf.Tensor1D;
  private average: tf.Tensor1D;
  private first: tf.Tensor1D;
  private second: tf.Tensor1D;
  private readonly sizes: number[];
  private steps = 0;

  constructor(
    private readonly variables: tf.Variable[],
    private readonly options: { beta1: number; beta2: number; ema: number; clip: number; epsilon?: number },
  ) {
    this.sizes = variables.map((variable) => variable.size);
    this.weights = tf.tidy(() => flatten(variables));
    this.average = this.weights.clone();
    this.first = tf.zerosLike(this.weights);
    this.second = tf.zerosLike(this.weights);
  }

  /** One step down the gradients (one a variable, same order); returns the gradient's norm before clipping. */
  step(gradients: tf.Tensor[], rate: number): number {
    this.steps++;
    const { beta1, beta2, ema, clip, epsilon = 1e-8 } = this.options;
    const flat = tf.tidy(() => flatten(gradients));
    const norm = Math.sqrt(tf.tidy(() => flat.dot(flat).dataSync()[0]));
    const scale = clip > 0 && norm > clip ? clip / norm : 1;
    // The bias corrections of both moments, folded into the rate and epsilon (Kingma & Ba, end of section 2).
    const correction = Math.sqrt(1 - beta2 ** this.steps);
    const size = (rate * correction) / (1 - beta1 ** this.steps);
    // The average forgets the first weights quickly, and then moves with the chosen decay.
    const decay = ema > 0 ? Math.min(ema, (1 + this.steps) / (10 + this.steps)) : 0;
    this.update("first", () => tf.add(this.first.mul(beta1), flat.mul((1 - beta1) * scale)));
    this.update("second", () => tf.add(this.second.mul(beta2), flat.square().mul((1 - beta2) * scale ** 2)));
    this.update("weights", () =>
      this.weights.sub(this.first.div(this.second.sqrt().add(epsilon * correction)).mul(size)),
    );
    if (decay > 0) this.update("average", () => tf.add(this.average.mul(decay), this.weights.mul(1 - decay)));
    flat.dispose();
    this.assign(this.weights);
    return norm;
  }

  /** The state as plain vectors, to go on from later. */
  vectors(): Record<"weights" | "average" | "first" | "second", Float32Array> {
    const copy = (vector: tf.Tensor1D) => vector.dataSync().slice() as Float32Array;
    const { weights, average, first, second } = this;
    return { weights: copy(weights), average: copy(average), first: copy(first), second: copy(second) };
  }

  /** Goes on from such vectors after so many steps. Throws InputError if they are of another length. */
  restore(vectors: ReturnType<FlatAdam["vectors"]>, steps: number): void {
    for (const name of ["weights", "average", "first", "second"] as const) {
      if (vectors[name].length !== this.weights.size) {
        throw new InputError("The checkpoint is of a network of another size; give the same settings.");
      }
      this.update(name, () => tf.tensor1d(vectors[name]));
    }
    this.steps = steps;
    this.assign(this.weights);
  }

  /** Puts the averaged weights into the network (the last ones where there is no average). */
  useAverage(): void {
    this.assign(this.options.ema > 0 ? this.average : this.weights);
  }

  /** Puts the last weights into the network, to go on. */
  useLast(): void {
    this.assign(this.weights);
  }

  dispose(): void {
    tf.dispose([this.weights, this.average, this.first, this.second]);
  }

  private update(name: "weights" | "average" | "first" | "second", next: () => tf.Tensor): void {
    const value = tf.tidy(next) as tf.Tensor1D;
    this[name].dispose();
    this[name] = value;
  }

  private assign(flat: tf.Tensor1D): void {
    tf.tidy(() => {
      tf.split(flat, this.sizes).forEach((part, i) =>
        this.variables[i].assign(part.reshape(this.variables[i].shape)),
      );
    });
  }
}

function flatten(tensors: tf.Tensor[]): tf.Tensor1D {
  return tf.concat1d(tensors.map((tensor) => tensor.flatten()));
}
