/** Weights that move by an SDE: the prior's paths, the learned posterior's, and what lies between the two. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../backend/tensors";
import type { Random } from "../../random";
import { tensorSpace } from "../../sampling";
import { eulerMaruyamaStep, type Sde } from "../../sde";
import { DenseNetwork } from "../couplingFlow";

type Tensor = tfTypes.Tensor;

export interface WeightOptions {
  /** Number of weights. */
  readonly size: number;
  /** Of the prior dw = -rate w dt + sigma dB. */
  readonly rate: number;
  readonly sigma: number;
  readonly endTime: number;
  /** Hidden units of the control's network. */
  readonly hidden: number;
}

/** Paths of the weights under the posterior. */
export interface WeightPaths {
  /** At the beginning of each step, and at the end: (paths, size) each. */
  readonly states: readonly Tensor[];
  /** 1/2 int |u|^2 dt, whose mean is the distance KL(posterior | prior): (paths) */
  readonly kl: Tensor;
  /** log of prior over posterior density of each path, -1/2 int |u|^2 dt - int u dB: (paths) */
  readonly logRatio: Tensor;
}

/**
 * The posterior dw = (-rate w + sigma u(t, w)) dt + sigma dB with a network u, the control; the prior is u = 0. Both have the
 * same noise, so that the distance between them is finite: KL = 1/2 E int |u|^2 dt (Girsanov). Source: Xu et al. 2022.
 */
export class WeightProcess {
  private readonly control: DenseNetwork;
  /** Length of the control's vector. */
  readonly parameters: number;

  constructor(readonly options: WeightOptions) {
    const { size, hidden } = options;
    this.control = new DenseNetwork([size + 1, hidden, size]);
    this.parameters = this.control.size;
  }

  /** Before training the posterior is the prior: the control's last layer is 0. */
  start(random: Random): Float32Array {
    return this.control.start(random, 0);
  }

  /** Euler-Maruyama paths from w0 (size) by normal draws (steps, paths, size). */
  paths(vector: tfTypes.Tensor1D, w0: Tensor, noise: Tensor): WeightPaths {
    const { size, rate, sigma, endTime } = this.options;
    const [steps, paths] = noise.shape;
    const dt = endTime / steps;
    const space = tensorSpace(0); // combines; the draws are given
    let u: Tensor = w0;
    const sde: Sde<Tensor> = {
      drift: (w, t) => {
        const clock = tf.fill([paths, 1], t / endTime);
        u = this.control.apply(vector, tf.concat([w, clock], 1) as tfTypes.Tensor2D);
        return [
          [-rate, w],
          [sigma, u],
        ];
      },
      diffusion: () => sigma,
    };
    const states: Tensor[] = [tf.tile(w0.reshape([1, size]), [paths, 1])];
    const [squares, sums]: Tensor[][] = [[], []];
    tf.unstack(noise).forEach((z, k) => {
      states.push(eulerMaruyamaStep(space, sde, states[k], k * dt, dt, () => z));
      squares.push(u.square().sum(1));
      sums.push(u.mul(z).sum(1));
    });
    const kl = tf.addN(squares).mul(0.5 * dt);
    return { states, kl, logRatio: tf.neg(kl).sub(tf.addN(sums).mul(Math.sqrt(dt))) };
  }
}
