import { positiveInteger } from "../backend/errors";
import { Dense, seededInitializers, SiLU } from "../backend/layers";
import { tf } from "../backend/tensors";
import { denoisingLoss } from "../loss";
import type { NoisyBatch } from "../preconditioner";
import type { Schedule } from "../schedule";
import type { Denoiser } from "../sde";

/** What is squared: the error of the noise, or of the score (the noise's, divided by std). */
export type SquaredError = "noise" | "score";

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

  /** What the network returns for points [rows, dimension] of noise levels, told as u [rows, 1], with a gradient. */
  output(points: tf.Tensor, u: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const waves = [2, 4].flatMap((factor) => [u.mul(factor).sin(), u.mul(factor).cos()]);
      return this.model.apply(tf.concat([points, u, ...waves], 1)) as tf.Tensor2D;
    });
  }

  /** The denoising loss, as lib/training.ts wants it; a point is a field of one cell: [rows, 1, dimension]. */
  loss({ fields: clean, noise, mean, std, input }: NoisyBatch, squared: SquaredError = "noise"): tf.Scalar {
    return tf.tidy(() => {
      const noisy = clean.mul(mean).add(noise.mul(std));
      const output = this.output(noisy.reshape([-1, this.dimension]), input).reshape(clean.shape);
      if (squared === "noise") return denoisingLoss("noise", output, { fields: clean, noise, mean, std });
      return denoisingLoss("noise", output.div(std), { fields: clean, noise: noise.div(std), mean, std });
    });
  }

  /** The denoised state D = (x - std noise) / mean of points (rows x dimension). */
  readonly denoise: Denoiser<Float64Array> = (points, t) => {
    const rows = points.length / this.dimension;
    const u = toldLevel(this.schedule, t);
    const noise = tf.tidy(() =>
      this.output(
        tf.tensor2d(Float32Array.from(points), [rows, this.dimension]),
        tf.fill([rows, 1], u),
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
}

/** What networks of points are told of the noise at time t: u = ln(noise level) / 4. */
export function toldLevel(schedule: Schedule, t: number): number {
  return Math.log(schedule.noiseLevel(t)) / 4;
}

/** u, and a sine and a cosine of 2u and of 4u. */
const FEATURES = 5;
