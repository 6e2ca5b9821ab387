/** The latent SDE of neural ideal LES: what is not resolved, given what is, as paths of a learned equation. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../backend/tensors";
import type { Random } from "../../random";
import { concatenated, DenseNetwork } from "../couplingFlow";

type Tensor = tfTypes.Tensor;
type Vector = tfTypes.Tensor1D;
type Rows = tfTypes.Tensor2D;

export interface LatentSizes {
  /** d, numbers of a latent state. */
  readonly latent: number;
  /** Hidden units of each drift. */
  readonly hidden: number;
  /** Euler-Maruyama steps from 0 to 1, the latent time. */
  readonly steps: number;
}

/** Before training, noise has the rate sigmoid of this, squared. */
const QUIET = -1;

/**
 * dZ = h_phi(Z, t) dt + g(Z) dW from Z_0 ~ q = N(mean, deviation^2), t from 0 to 1, and the prior, whose drift is h_theta and
 * whose start is N(0, I), with the same g: g_i = sigmoid(a_i Z_i + b_i). Rows are states that do not see each other.
 */
export class LatentSde {
  private readonly posterior: DenseNetwork;
  private readonly prior: DenseNetwork;
  /** Number of weights. */
  readonly size: number;

  constructor(private readonly sizes: LatentSizes) {
    const { latent, hidden } = sizes;
    this.posterior = new DenseNetwork([latent + 1, hidden, latent]);
    this.prior = new DenseNetwork([latent + 1, hidden, latent]);
    this.size = this.posterior.size + this.prior.size + 2 * latent;
  }

  start(random: Random): Float32Array {
    const { latent } = this.sizes;
    const noise = Float32Array.from({ length: 2 * latent }, (_, k) => (k < latent ? 0 : QUIET));
    return concatenated([this.posterior.start(random, 0.1), this.prior.start(random, 0.1), noise]);
  }

  /** g of some states [rows, d]. */
  noise(weights: Vector, z: Tensor): Tensor {
    const [, , noise] = tf.split<Vector>(weights, [
      this.posterior.size,
      this.prior.size,
      2 * this.sizes.latent,
    ]);
    const [slope, place] = tf.split(noise, 2);
    return tf.sigmoid(z.mul(slope).add(place));
  }

  /**
   * Ends of paths and KL(path law, prior's path law) of each, in nats: KL(q, N(0, I)) + 1/2 int |(h_phi - h_theta) / g|^2 dt.
   * mean, logDeviation: [rows, d]; noise: standard normal, `steps + 1` tensors [rows, d]
   */
  paths(
    weights: Vector,
    mean: Tensor,
    logDeviation: Tensor,
    noise: readonly Tensor[],
  ): { z: Tensor; kl: Tensor } {
    const { latent, steps } = this.sizes;
    const [phi, theta] = tf.split<Vector>(weights, [this.posterior.size, this.prior.size, 2 * latent]);
    const h = 1 / steps;
    let kl = mean.square().add(tf.exp(logDeviation.mul(2))).sub(logDeviation.mul(2)).sub(1).mul(0.5); // prettier-ignore
    let z = mean.add(tf.exp(logDeviation).mul(noise[0]));
    for (let k = 0; k < steps; k++) {
      const input = tf.concat([z, tf.fill([z.shape[0], 1], k * h)], 1) as Rows;
      const own = this.posterior.apply(phi, input);
      const g = this.noise(weights, z);
      kl = kl.add(
        own
          .sub(this.prior.apply(theta, input))
          .div(g)
          .square()
          .mul(h / 2),
      );
      z = z.add(own.mul(h)).add(g.mul(noise[k + 1]).mul(Math.sqrt(h)));
    }
    return { z, kl: kl.sum(1) };
  }
}
