/**
 * The layers that tfjs lacks, registered so that a saved network loads with tf.loadLayersModel.
 */
import { tf } from "../tensorflow";

/** tf.layers.Layer passes its inputs as one tensor or as a list. */
function listOf(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(inputs) ? inputs : [inputs];
}

/**
 * Feature-wise linear modulation (Perez et al. 2018): h (1 + gamma) + beta, one gamma and beta a channel.
 *
 * Inputs: features h [batch, cells, channels] and modulation [batch, 2 channels] (gamma, then beta).
 * The 1 makes a modulation of zero the identity. The gradient is written out: the one that tfjs derives reshapes and
 * tiles what broadcasting does by itself, and at this size an operation costs as much as its arithmetic.
 */
export class FiLM extends tf.layers.Layer {
  static className = "FiLM";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return (inputShape as tf.Shape[])[0];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const film = tf.customGrad((features, modulation, save) => {
      const [gamma, beta] = tf.split((modulation as tf.Tensor).expandDims(1), 2, 2);
      const gain = gamma.add(1);
      const [h, keep] = [features as tf.Tensor, save as tf.GradSaveFunc];
      keep([h, gain]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, factor] = saved;
        return [dy.mul(factor), tf.concat([dy.mul(x).sum(1), dy.sum(1)], 1)];
      };
      return { value: h.mul(gain).add(beta), gradFunc };
    });
    const [features, modulation] = listOf(inputs);
    return tf.tidy(() => film(features, modulation));
  }
}

/** SiLU, also named swish: x sigmoid(x), in two operations and with a gradient in four. */
export class SiLU extends tf.layers.Layer {
  static className = "SiLU";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const silu = tf.customGrad((input, save) => {
      const x = input as tf.Tensor;
      const share = x.sigmoid();
      const value = x.mul(share);
      (save as tf.GradSaveFunc)([share, value]);
      // d/dx x s(x) = s + x s (1 - s) = s + y - y s
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [s, y] = saved;
        return dy.mul(s.add(y.sub(y.mul(s))));
      };
      return { value, gradFunc };
    });
    return tf.tidy(() => silu(listOf(inputs)[0]));
  }
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
    if (this.cells === 0) return tf.clone(listOf(inputs)[0]);
    return tf.tidy(() => {
      const [x] = listOf(inputs) as tf.Tensor3D[];
      const [batch, cells, channels] = x.shape;
      const first = tf.tile(tf.slice(x, [0, 0, 0], [batch, 1, channels]), [1, this.cells, 1]);
      const last = tf.tile(tf.slice(x, [0, cells - 1, 0], [batch, 1, channels]), [1, this.cells, 1]);
      return tf.concat([first, x, last], 1);
    });
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
export class DilatedConv1D extends tf.layers.Layer {
  static className = "DilatedConv1D";
  private readonly config: Omit<DilatedConv1DConfig, "kernelInitializer">;
  private readonly initializer: ReturnType<typeof tf.initializers.zeros>;
  private kernel!: tf.LayerVariable;
  private bias!: tf.LayerVariable;

  constructor({ kernelInitializer, ...config }: DilatedConv1DConfig) {
    super(config as never);
    const { filters, kernelSize, dilation, padding } = config;
    this.config = { filters, kernelSize, dilation, padding };
    this.initializer = kernelInitializer ?? tf.initializers.zeros(); // a network that is loaded brings its weights
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const channels = (inputShape as tf.Shape)[2];
    const { filters, kernelSize } = this.config;
    this.kernel = this.addWeight("kernel", [kernelSize, channels, filters], "float32", this.initializer);
    this.bias = this.addWeight("bias", [filters], "float32", tf.initializers.zeros());
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, cells] = inputShape as tf.Shape;
    const lost = this.config.padding === "valid" ? this.reach() : 0;
    return [batch, cells === null ? null : cells - lost, this.config.filters];
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

  private reach(): number {
    return this.config.dilation * (this.config.kernelSize - 1);
  }
}

export interface DilatedConv1DConfig {
  filters: number;
  /** odd */
  kernelSize: number;
  dilation: number;
  padding: "valid" | "same";
  kernelInitializer?: ReturnType<typeof tf.initializers.zeros>;
  name?: string;
}

/** Sines and cosines of 2 pi 2^k t for k = 0 .. octaves - 1: [batch, 1] -> [batch, 2 octaves]. */
export class FourierFeatures extends tf.layers.Layer {
  static className = "FourierFeatures";
  private readonly octaves: number;

  constructor(config: { octaves: number; name?: string }) {
    super(config as never);
    this.octaves = config.octaves;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return [(inputShape as tf.Shape)[0], 2 * this.octaves];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const frequencies = Array.from({ length: this.octaves }, (_, k) => 2 * Math.PI * 2 ** k);
      const angles = listOf(inputs)[0].mul(tf.tensor2d([frequencies]));
      return tf.concat([angles.sin(), angles.cos()], 1);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), octaves: this.octaves };
  }
}

/** One learned vector a position, added: it tells tokens that share their weights where they are. */
export class PositionBias extends tf.layers.Layer {
  static className = "PositionBias";
  private bias!: tf.LayerVariable;

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const [, positions, channels] = inputShape as tf.Shape;
    this.bias = this.addWeight("bias", [positions, channels], "float32", tf.initializers.zeros());
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => listOf(inputs)[0].add(this.bias.read()));
  }
}

/**
 * A gain and a bias per field: y = x gain + bias.
 *
 * Inputs: x [batch, cells, fields] and coefficients [batch, 2 fields] (gain, then bias).
 */
export class FieldScale extends tf.layers.Layer {
  static className = "FieldScale";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return (inputShape as tf.Shape[])[0];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, coefficients] = listOf(inputs);
      const [gain, bias] = tf.split(coefficients.expandDims(1), 2, 2);
      return x.mul(gain).add(bias);
    });
  }
}

for (const layer of [FiLM, SiLU, ReplicatePad, DilatedConv1D, FourierFeatures, PositionBias, FieldScale]) {
  tf.serialization.registerClass(
    layer as unknown as tf.serialization.SerializableConstructor<tf.serialization.Serializable>,
  );
}
