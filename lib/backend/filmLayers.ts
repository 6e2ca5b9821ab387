/** The layers that make the post's network: FiLM, the embedding of the time, and a scale for each field. */
import { listOf, registerLayers } from "./layers";
import { siluGrad, tf } from "./tensors";

/**
 * Feature-wise linear modulation (Perez et al. 2018): f = h (1 + gamma) + beta, one gamma and beta a channel; with the
 * activation "swish" f sigmoid(f).
 *
 * Inputs: features h [batch, cells, channels] and modulation [batch, 2 channels] (gamma, then beta).
 * The 1 makes a modulation of zero the identity. The gradient is written out: the one that tfjs derives reshapes and
 * tiles what broadcasting does by itself, and at this size an operation costs as much as its arithmetic. Where no
 * gradient is asked for, one row of modulation serves all rows.
 */
export class FiLM extends tf.layers.Layer {
  static className = "FiLM";
  private readonly activation?: "swish";

  constructor({ activation, ...config }: { activation?: "swish"; name?: string } = {}) {
    super(config as never);
    this.activation = activation;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return (inputShape as tf.Shape[])[0];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { activation } = this;
    const film = tf.customGrad((features, modulation, save) => {
      const [gamma, beta] = tf.split((modulation as tf.Tensor).expandDims(1), 2, 2);
      const gain = gamma.add(1);
      const [h, keep] = [features as tf.Tensor, save as tf.GradSaveFunc];
      const f = h.mul(gain).add(beta);
      const share = activation && f.sigmoid();
      keep([h, gain, ...(share ? [f, share] : [])]);
      const gradFunc = (dy: tf.Tensor, [x, factor, ...activated]: tf.Tensor[]) => {
        const df = activated.length > 0 ? dy.mul(siluGrad(activated[0], activated[1])) : dy;
        return [df.mul(factor), tf.concat([df.mul(x).sum(1), df.sum(1)], 1)];
      };
      return { value: share ? f.mul(share) : f, gradFunc };
    });
    const [features, modulation] = listOf(inputs);
    return tf.tidy(() => film(features, modulation));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.activation && { activation: this.activation }) };
  }
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

registerLayers([FiLM, FourierFeatures, FieldScale]);
