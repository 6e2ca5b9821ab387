/** The weights on their way down the loss: one gradient at a time, from the batch of its step. */
import type { DataSet } from "./dataSet";
import type { RowSource } from "./storage/rowSource";
import { CompiledFunction } from "./backend/compiled";
import type { TrainingSettings } from "./presets/presets";
import type { ScoreModel } from "./scoreModel";
import { tf } from "./backend/tensors";
import type { Checkpoint } from "./storage/checkpoint";
import { type BatchTensors, Feed, lossAt } from "./feed";
import { FlatAdam, flatGradient } from "./backend/flatAdam";

/** Loss and gradient of one batch. */
export interface Slope {
  readonly loss: number;
  /** Before clipping. */
  readonly gradientNorm: number;
  /** All weights' in one vector. */
  readonly gradient: tf.Tensor;
}

/**
 * Gradients of the loss, updates of the weights, and the loss on rows that are held back. Until the end the model has the
 * weights of the last validation: those of each step stay in the optimiser.
 */
export class Descent {
  private readonly feed: Feed;
  private readonly adam: FlatAdam;
  private readonly slopeAt: CompiledFunction<
    BatchTensors & { readonly weights: tf.Tensor },
    Readonly<Record<"loss" | "gradient" | "halfSquare", tf.Tensor>>
  >;
  private readonly heldLoss: CompiledFunction<BatchTensors, { readonly loss: tf.Tensor }>;
  private done = 0;

  /** Splits the data, see {@link Feed}. Throws InputError for settings and data that cannot be trained with. */
  constructor(model: ScoreModel, data: DataSet | RowSource, settings: TrainingSettings, seed: number) {
    const feed = new Feed(model, data, settings, seed);
    const adam = new FlatAdam(model.variables, settings);
    this.feed = feed;
    this.adam = adam;
    this.slopeAt = new CompiledFunction((inputs) => {
      adam.assign(inputs.weights);
      const { value, grads } = tf.variableGrads(() => lossAt(model, inputs, feed.mirrored), model.variables);
      return { loss: value, ...flatGradient(model.variables.map(({ name }) => grads[name])) };
    });
    this.heldLoss = new CompiledFunction(
      (inputs) => ({ loss: lossAt(model, inputs, false) }),
      () => model.variables,
    );
  }

  /** Steps taken. */
  get steps(): number {
    return this.done;
  }

  /** Steps in a pass over the data. */
  get stepsPerEpoch(): number {
    return this.feed.stepsPerEpoch;
  }

  /** The next step's loss and gradient. The caller disposes of the gradient, or follows it. */
  slope(): Slope {
    const { loss, gradient, halfSquare } = tf.tidy(() =>
      this.slopeAt.run({ ...this.feed.batch(this.done), weights: this.adam.last() }),
    );
    const [value, half] = [loss, halfSquare].map((tensor) => tensor.dataSync()[0]);
    tf.dispose([loss, halfSquare]);
    return { loss: value, gradientNorm: Math.sqrt(2 * half), gradient };
  }

  /** Takes the step down a slope, whose gradient it disposes of. */
  follow({ gradient, gradientNorm }: Slope, rate: number): void {
    this.adam.update(gradient, gradientNorm, rate);
    gradient.dispose();
    this.done++;
  }

  /** Loss of the averaged weights on the rows that are held back. */
  validate(): number {
    this.adam.useAverage();
    const loss = tf.tidy(() => this.heldLoss.run(this.feed.held()).loss.dataSync()[0]);
    this.adam.useLast();
    return loss;
  }

  /** Weights, their average and the optimiser's moments. */
  vectors(): Checkpoint["vectors"] {
    return this.adam.vectors();
  }

  /** Goes on from a state. Throws InputError if it is of a network of another size. */
  restore({ vectors, step }: Pick<Checkpoint, "vectors" | "step">): void {
    this.adam.restore(vectors, step);
    this.done = step;
  }

  /** Leaves the averaged weights in the model and frees everything else. */
  dispose(): void {
    this.adam.useAverage();
    for (const part of [this.adam, this.slopeAt, this.heldLoss, this.feed]) part.dispose();
  }
}
