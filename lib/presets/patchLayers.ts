/** The layers of the patch network. */
import { neighbours, product, tf } from "../backend/tensors";
import { asRows, DilatedConv1D, type DilatedConv1DConfig, listOf, registerLayers } from "../backend/layers";

/**
 * The convolution of DilatedConv1D with zeros outside, for few cells of many channels: the neighbours of each cell
 * laid side by side, so that output and gradients are products of matrices. There they are faster than convolutions.
 */
export class TokenConv1D extends DilatedConv1D {
  static override className = "TokenConv1D";

  constructor(config: Omit<DilatedConv1DConfig, "padding">) {
    super({ ...config, padding: "same" });
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { filters, kernelSize, dilation } = this.config;
    const convolve = tf.customGrad((input, matrix, bias, save) => {
      const [x, kernel, keep] = [input as tf.Tensor3D, matrix as tf.Tensor3D, save as tf.GradSaveFunc];
      const [batch, cells, channels] = x.shape;
      const columns = neighbours(x, kernelSize, dilation, 1);
      keep([columns, kernel]);
      const y = product(columns, kernel.reshape([kernelSize * channels, filters])).add(bias as tf.Tensor);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const gradient = asRows(dy);
        // With respect to x: the same convolution in the opposite direction, with the kernel transposed.
        const transposed = saved[1].transpose([1, 0, 2]).reshape([channels, kernelSize * filters]);
        const columns = neighbours(dy as tf.Tensor3D, kernelSize, dilation, -1);
        const dx = product(columns, transposed, false, true);
        const dKernel = product(saved[0], gradient, true).reshape(kernel.shape);
        return [dx.reshape(x.shape), dKernel, gradient.sum(0)];
      };
      return { value: y.reshape([batch, cells, filters]), gradFunc };
    });
    return tf.tidy(() => convolve(listOf(inputs)[0], this.kernel.read(), this.bias.read()));
  }
}

/**
 * A vector appended to every position's channels: h [batch, positions, channels] and a vector [batch, n] (or one row that
 * serves all) -> [batch, positions, channels + n].
 */
export class Append extends tf.layers.Layer {
  static className = "Append";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [[batch, positions, channels], vector] = inputShape as tf.Shape[];
    return [batch, positions, channels! + vector[1]!];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [h, vector] = listOf(inputs);
      const repeated = tf.broadcastTo(vector.expandDims(1), [h.shape[0], h.shape[1]!, vector.shape[1]!]);
      return tf.concat([h, repeated], 2);
    });
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

registerLayers([TokenConv1D, Append, PositionBias]);
