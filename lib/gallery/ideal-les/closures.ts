/** Closures: what the coarse equation lacks, as learned functions of the coarse vorticity. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../backend/tensors";
import type { Random } from "../../random";
import { concatenated, DenseNetwork } from "../couplingFlow";
import { LatentSde, type LatentSizes } from "./latentSde";

type Tensor = tfTypes.Tensor;
type Vector = tfTypes.Tensor1D;

/** A closure whose weights are one vector. */
export interface Closure {
  /** Number of weights. */
  readonly size: number;
  start(random: Random): Float32Array;
  /** Shape of the standard normal numbers that one evaluation needs, if any, for so many fields and paths. */
  noiseShape?(batch: number, paths: number): number[];
  /**
   * The closure of fields, and what its paths cost in nats, both as means over the paths.
   * v: [batch, n, n] in units of its deviation; closure: [batch, n, n] in units of its own; kl: [batch]
   */
  apply(weights: Vector, v: Tensor, noise?: Tensor): { closure: Tensor; kl?: Tensor };
}

/** Layers on a periodic grid: stencils of 5 x 5 points. */
class Stencil {
  readonly size: number;

  constructor(
    private readonly channels: number,
    private readonly out: number,
  ) {
    this.size = 25 * channels * out + out;
  }

  start(random: Random, scale = 1): Float32Array {
    const deviation = scale / Math.sqrt(25 * this.channels);
    const weights = this.size - this.out;
    return Float32Array.from({ length: this.size }, (_, k) =>
      k < weights ? deviation * random.normal() : 0,
    );
  }

  /** x [batch, n, n, channels] -> [batch, n, n, out] */
  apply(weights: Vector, x: Tensor): Tensor {
    const { channels, out, size } = this;
    const [kernel, bias] = tf.split(weights, [size - out, out]);
    const n = x.shape[1] as number;
    const wrapped = [1, 2].reduce((own, axis) => {
      const [before, , after] = tf.split(own, [2, n - 4, 2], axis);
      return tf.concat([after, own, before], axis);
    }, x);
    const filter = kernel.reshape([5, 5, channels, out]) as tfTypes.Tensor4D;
    return tf.conv2d(wrapped as tfTypes.Tensor4D, filter, 1, "valid").add(bias);
  }
}

/** Vectors of weights one after the other. */
function parts(weights: Vector, layers: readonly { readonly size: number }[]): Vector[] {
  return tf.split<Vector>(weights, layers.map(({ size }) => size)); // prettier-ignore
}

/** [batch, n, n, c] -> [batch n/2 n/2, 4 c]: the four points of each square of 2 x 2 in one row. */
function squares(x: Tensor): Tensor {
  const [batch, n, , c] = x.shape as number[];
  const cut = x.reshape([batch * (n / 2), 2, n / 2, 2 * c]);
  return tf.transpose(cut, [0, 2, 1, 3]).reshape([-1, 4 * c]);
}

/** The way back, to [batch, n, n, c]. */
function unsquared(rows: Tensor, n: number): Tensor {
  const c = (rows.shape[1] as number) / 4;
  return tf.transpose(rows.reshape([-1, n / 2, 2, 2 * c]), [0, 2, 1, 3]).reshape([-1, n, n, c]);
}

/** Convolutions with tanh between them: the same field gives the same closure. */
export class ConvolutionalClosure implements Closure {
  private readonly layers: readonly Stencil[];
  readonly size: number;

  constructor(widths: readonly number[]) {
    this.layers = widths.slice(1).map((width, k) => new Stencil(widths[k], width));
    this.size = this.layers.reduce((sum, { size }) => sum + size, 0);
  }

  start(random: Random): Float32Array {
    return concatenated(
      this.layers.map((layer, k) => layer.start(random, k < this.layers.length - 1 ? 1 : 0.1)),
    );
  }

  apply(weights: Vector, v: Tensor): { closure: Tensor } {
    const own = parts(weights, this.layers);
    const last = this.layers.length - 1;
    const x = this.layers.reduce(
      (h, layer, k) => (k < last ? tf.tanh(layer.apply(own[k], h)) : layer.apply(own[k], h)),
      tf.expandDims(v, 3),
    );
    return { closure: tf.squeeze(x, [3]) };
  }
}

/** Channels of the first and of the last layer. */
export interface FieldSizes extends LatentSizes {
  readonly encoder: number;
  readonly decoder: number;
}

/**
 * Neural ideal LES: a stencil and a dense layer encode v into the law of a latent state for each square of 2 x 2 points, the
 * latent SDE moves it, a dense layer and a stencil decode its end. The closure is the mean over paths, an estimate of E[. | v].
 */
export class IdealClosure implements Closure {
  private readonly encoder: Stencil;
  private readonly towards: DenseNetwork;
  private readonly sde: LatentSde;
  private readonly back: DenseNetwork;
  private readonly decoder: Stencil;
  private readonly layers: readonly (Stencil | DenseNetwork | LatentSde)[];
  readonly size: number;

  constructor(
    private readonly n: number,
    private readonly sizes: FieldSizes,
  ) {
    const { encoder, decoder, latent } = sizes;
    this.encoder = new Stencil(1, encoder);
    this.towards = new DenseNetwork([4 * encoder, 2 * latent]);
    this.sde = new LatentSde(sizes);
    this.back = new DenseNetwork([latent, 4 * decoder]);
    this.decoder = new Stencil(decoder, 1);
    this.layers = [this.encoder, this.towards, this.sde, this.back, this.decoder];
    this.size = this.layers.reduce((sum, { size }) => sum + size, 0);
  }

  start(random: Random): Float32Array {
    return concatenated([
      this.encoder.start(random),
      this.towards.start(random),
      this.sde.start(random),
      this.back.start(random),
      this.decoder.start(random, 0.1),
    ]);
  }

  noiseShape(batch: number, paths: number): number[] {
    return [this.sizes.steps + 1, paths * batch * (this.n / 2) ** 2, this.sizes.latent];
  }

  /** Beside closure and KL: g at the ends of the paths, [paths batch (n/2)^2, latent]. */
  apply(weights: Vector, v: Tensor, noise: Tensor): { closure: Tensor; kl: Tensor; g: Tensor } {
    const { n } = this;
    const batch = v.shape[0] as number;
    const own = parts(weights, this.layers);
    const paths = (noise.shape[1] as number) / (batch * (n / 2) ** 2);
    const seen = tf.tanh(this.encoder.apply(own[0], tf.expandDims(v, 3)));
    const law = this.towards.apply(own[1], squares(seen) as tfTypes.Tensor2D);
    const [mean, logDeviation] = tf.split(tf.tile(law, [paths, 1]), 2, 1);
    const { z, kl } = this.sde.paths(own[2], mean, logDeviation, tf.unstack(noise));
    const decoded = tf.tanh(unsquared(this.back.apply(own[3], z as tfTypes.Tensor2D), n));
    const channels = decoded.shape[3] as number;
    const average = decoded.reshape([paths, batch, n, n, channels]).mean(0); // the last layer is linear
    return {
      closure: tf.squeeze(this.decoder.apply(own[4], average), [3]),
      kl: kl.reshape([paths, batch, -1]).sum(2).mean(0),
      g: this.sde.noise(own[2], z),
    };
  }
}

/** The same network as a function of v alone: one path that starts at its mean and has no noise. It is trained without KL. */
export function withoutNoise(ideal: IdealClosure): Closure {
  return {
    size: ideal.size,
    start: (random) => ideal.start(random),
    apply(weights, v) {
      const still = tf.zeros(ideal.noiseShape(v.shape[0] as number, 1));
      return { closure: ideal.apply(weights, v, still).closure };
    },
  };
}
