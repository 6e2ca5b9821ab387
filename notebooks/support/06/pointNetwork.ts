import { positiveInteger } from "../../../lib/backend/errors";
import type { Denoiser } from "../../../lib/sde";
import type { Schedule } from "../../../lib/schedule";
import { tf } from "../../../lib/backend/tensors";
import { Dense, seededInitializers, SiLU } from "../../../lib/backend/layers";

/**
 * A small network for points in a few dimensions: x_t and its noise level -> the noise in it.
 *
 * A multilayer perceptron whose input is x_t beside u = ln(noise level) / 4 and sines and cosines of 2u and 4u. With
 * untrained weights it returns zeros. Throws InputError for sizes that are not positive whole numbers.
 */
export class PointNetwork {
  private readonly model: tf.LayersModel;

  constructor(
    readonly dimension: number,
    readonly schedule: Schedule,
    { width = 64, layers = 3, seed = 1 } = {},
  ) {
    positiveInteger("The width", width);
    positiveInteger("The number of layers", layers);
    const initial = seededInitializers(seed);
    const input = tf.input({ shape: [dimension + FEATURES] });
    let h = input;
    for (let k = 0; k < layers; k++) {
      const affine = new Dense({ units: width, kernelInitializer: initial() });
      h = new SiLU({}).apply(affine.apply(h)) as tf.SymbolicTensor;
    }
    this.model = tf.model({
      inputs: input,
      outputs: new Dense({ units: dimension }).apply(h) as tf.SymbolicTensor,
    });
  }

  get variables(): tf.Variable[] {
    return this.model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  }

  /** Estimated noise of points [rows, dimension], one time a row, with a gradient. */
  noise(points: tf.Tensor2D, times: Float64Array): tf.Tensor2D {
    return tf.tidy(() => {
      const features = tf.tensor2d(this.features(times), [times.length, FEATURES]);
      return this.model.apply(tf.concat([points, features], 1)) as tf.Tensor2D;
    });
  }

  /** The denoised state D = (x - std noise) / mean of points (rows x dimension). */
  readonly denoise: Denoiser<Float64Array> = (points, t) => {
    const rows = points.length / this.dimension;
    const noise = tf.tidy(() =>
      this.noise(
        tf.tensor2d(Float32Array.from(points), [rows, this.dimension]),
        new Float64Array(rows).fill(t),
      ).dataSync(),
    );
    const [m, std] = [this.schedule.mean(t), this.schedule.std(t)];
    return points.map((x, i) => (x - std * noise[i]) / m);
  };

  /** The score -noise / std at points (rows x dimension). */
  readonly score: Denoiser<Float64Array> = (points, t) => {
    const [m, variance] = [this.schedule.mean(t), this.schedule.std(t) ** 2];
    return this.denoise(points, t).map((denoised, i) => (m * denoised - points[i]) / variance);
  };

  dispose(): void {
    this.model.dispose();
  }

  private features(times: Float64Array): Float32Array {
    const features = new Float32Array(times.length * FEATURES);
    times.forEach((t, row) => {
      const u = Math.log(this.schedule.noiseLevel(t)) / 4;
      features.set([u, Math.sin(2 * u), Math.cos(2 * u), Math.sin(4 * u), Math.cos(4 * u)], row * FEATURES);
    });
    return features;
  }
}

const FEATURES = 5;
