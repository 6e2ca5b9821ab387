/** Layers that tfjs lacks or is slow at, with their gradients written out. */
import { InputError } from "./errors";
import { product, siluGrad, tf } from "./tensors";

/** Lets a network that was saved with these layers load with tf.loadLayersModel. */
export function registerLayers(layers: readonly unknown[]): void {
  for (const layer of layers) {
    tf.serialization.registerClass(
      layer as tf.serialization.SerializableConstructor<tf.serialization.Serializable>,
    );
  }
}

/** tf.layers.Layer passes its inputs as one tensor or as a list. */
export function listOf(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(inputs) ? inputs : [inputs];
}

/** SiLU, also named swish: x sigmoid(x), in two operations and with a gradient in three. */
export class SiLU extends tf.layers.Layer {
  static className = "SiLU";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const silu = tf.customGrad((input, save) => {
      const x = input as tf.Tensor;
      const share = x.sigmoid();
      (save as tf.GradSaveFunc)([x, share]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => dy.mul(siluGrad(saved[0], saved[1]));
      return { value: x.mul(share), gradFunc };
    });
    return tf.tidy(() => silu(listOf(inputs)[0]));
  }
}

type Initializer = ReturnType<typeof tf.initializers.zeros>;

/** A layer with a kernel, whose last axis counts the outputs, and a bias. */
abstract class KernelLayer extends tf.layers.Layer {
  protected kernel!: tf.LayerVariable;
  protected bias!: tf.LayerVariable;
  private readonly initializer: Initializer;

  constructor({ kernelInitializer, ...config }: { kernelInitializer?: Initializer; name?: string }) {
    super(config as never);
    this.initializer = kernelInitializer ?? tf.initializers.zeros(); // a network that is loaded brings its weights
  }

  protected addWeights(shape: number[]): void {
    this.kernel = this.addWeight("kernel", shape, "float32", this.initializer);
    this.bias = this.addWeight("bias", shape.slice(-1), "float32", tf.initializers.zeros());
  }
}

/**
 * A dense layer on the last axis, [..., inputs] -> [..., units], whose products are those of plain
 * matrices. tfjs has a Dense of its own, so that files call it Affine.
 */
export class Dense extends KernelLayer {
  static className = "Affine";
  private readonly units: number;

  constructor(config: DenseConfig) {
    super(config);
    this.units = config.units;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.addWeights([(inputShape as tf.Shape).at(-1)!, this.units]);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return [...(inputShape as tf.Shape).slice(0, -1), this.units];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const affine = tf.customGrad((input, matrix, shift, save) => {
      const [x, kernel, keep] = [input as tf.Tensor, matrix as tf.Tensor, save as tf.GradSaveFunc];
      const rows = asRows(x);
      keep([rows, kernel]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const slope = asRows(dy);
        const dx = product(slope, saved[1], false, true);
        return [x.rank === 2 ? dx : dx.reshape(x.shape), product(saved[0], slope, true), slope.sum(0)];
      };
      const y = product(rows, kernel).add(shift as tf.Tensor);
      return { value: x.rank === 2 ? y : y.reshape([...x.shape.slice(0, -1), this.units]), gradFunc };
    });
    return tf.tidy(() => affine(listOf(inputs)[0], this.kernel.read(), this.bias.read()));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), units: this.units };
  }
}

interface DenseConfig {
  units: number;
  kernelInitializer?: Initializer;
  name?: string;
}

/** [..., width] -> [rows, width]. */
export function asRows(x: tf.Tensor): tf.Tensor {
  return x.rank === 2 ? x : x.reshape([-1, x.shape.at(-1)!]);
}

/**
 * Initialisers with seeds of their own, one a call: two layers with one seed would start with the same weights.
 * tfjs takes seed 0 as no seed, so they count from a positive number.
 */
export function seededInitializers(seed: number): () => ReturnType<typeof tf.initializers.glorotUniform> {
  if (!Number.isInteger(seed) || seed < 0)
    throw new InputError(`A seed must be a whole number from 0, not ${seed}.`);
  let next = ((seed * 10007) % 2147483000) + 1;
  return () => tf.initializers.glorotUniform({ seed: next++ });
}

/** Replicate padding: repeats the first and the last cell, so that a convolution sees no invented zeros. */
export class ReplicatePad extends tf.layers.Layer {
  static className = "ReplicatePad";
  private readonly cells: number;

  /** @param config.cells cells added at each end */
  constructor(config: { cells: number; name?: string }) {
    super(config as never);
    this.cells = config.cells;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, cells, channels] = inputShape as tf.Shape;
    return [batch, cells === null ? null : cells + 2 * this.cells, channels];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const added = this.cells;
    if (added === 0) return tf.clone(listOf(inputs)[0]);
    const pad = tf.customGrad((input) => {
      const x = input as tf.Tensor;
      const cells = x.shape[1]!;
      const from = Array.from({ length: cells + 2 * added }, (_, i) =>
        Math.max(0, Math.min(cells - 1, i - added)),
      );
      // An end gets the slopes of all its copies.
      const gradFunc = (dy: tf.Tensor) => {
        const [first, inner, last] = tf.split(dy, [added + 1, cells - 2, added + 1], 1);
        return tf.concat([first.sum(1, true), inner, last.sum(1, true)], 1);
      };
      return { value: tf.gather(x, tf.tensor1d(from, "int32"), 1), gradFunc };
    });
    return tf.tidy(() => pad(listOf(inputs)[0]));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), cells: this.cells };
  }
}

/**
 * A convolution along the cells whose kernel takes every dilation-th cell: [batch, cells, channels] ->
 * [batch, cells, filters] ("same": zeros outside) or [batch, cells - dilation (kernelSize - 1), filters] ("valid").
 *
 * tf.layers.conv1d has no gradient for dilations. Here the cells are laid out as rows of `dilation` cells, so that the
 * kernel runs down a column: an ordinary convolution of size kernelSize x 1 in two dimensions.
 */
export class DilatedConv1D extends KernelLayer {
  static className = "DilatedConv1D";
  protected readonly config: Omit<DilatedConv1DConfig, "kernelInitializer" | "name">;

  constructor(config: DilatedConv1DConfig) {
    super(config);
    const { filters, kernelSize, dilation, padding } = config;
    this.config = { filters, kernelSize, dilation, padding };
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const { filters, kernelSize } = this.config;
    this.addWeights([kernelSize, (inputShape as tf.Shape)[2]!, filters]);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, cells] = inputShape as tf.Shape;
    const { filters, kernelSize, dilation, padding } = this.config;
    const lost = padding === "valid" ? dilation * (kernelSize - 1) : 0;
    return [batch, cells === null ? null : cells - lost, filters];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { filters, dilation, padding } = this.config;
      const [x] = listOf(inputs) as tf.Tensor3D[];
      const [batch, cells, channels] = x.shape;
      const rows = Math.ceil(cells / dilation);
      const ends: [number, number][] = [
        [0, 0],
        [0, rows * dilation - cells],
        [0, 0],
      ];
      const grid = x.pad(ends).reshape([batch, rows, dilation, channels]) as tf.Tensor4D;
      const kernel = this.kernel.read().expandDims(1) as tf.Tensor4D;
      const y = tf.conv2d(grid, kernel, 1, padding).add(this.bias.read());
      const kept = (this.computeOutputShape(x.shape) as number[])[1];
      return tf.slice(y.reshape([batch, y.shape[1]! * dilation, filters]), [0, 0, 0], [batch, kept, filters]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}

export interface DilatedConv1DConfig {
  filters: number;
  /** odd */
  kernelSize: number;
  dilation: number;
  padding: "valid" | "same";
  kernelInitializer?: Initializer;
  name?: string;
}

registerLayers([SiLU, Dense, ReplicatePad, DilatedConv1D]);
