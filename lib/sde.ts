/** The stochastic differential equations of the forward and the reverse process, and one Euler-Maruyama step for all. */
import type { Schedule } from "./schedule";

/** A coefficient and the state that it multiplies. */
export type Term<X> = readonly [number, X];

/**
 * What simulations need to know of their states: a step is a linear combination of states, denoised states and noise.
 *
 * combine and normal return new states and never change or return one of their arguments. A space whose states
 * hold memory that is not garbage-collected (tensors) also implements scope and release, both or neither.
 * A state can be kept beyond its life by a copy, combine([[1, x]]).
 */
export interface VectorSpace<X> {
  /** Sum of coefficient times state over the terms; at least one term, all states of one shape. */
  combine(terms: readonly Term<X>[]): X;
  /** Standard normal noise in the shape of `like`; the same draw number gives the same noise. */
  normal(like: X, draw: number): X;
  /** Runs the body, then frees all states made in it except those in its result (as tf.tidy does). */
  scope?<T>(body: () => T): T;
  /** Frees one state that will not be read again. */
  release?(state: X): void;
}

/** E[x_0 | x_t]: the mean of the clean data given the noisy state x at time t > 0; a new state in the shape of x. */
export type Denoiser<X> = (x: X, t: number) => X;

/** dX = f(X, t) dt + g(t) dB. */
export interface Sde<X> {
  /** f as a linear combination of states, x itself among them. */
  drift(x: X, t: number): readonly Term<X>[];
  /** g */
  diffusion(t: number): number;
}

/** The forward process, dX = -beta/2 X dt + sqrt(beta) dB: data become noise. Source: the post's equation (4). */
export function forwardSde<X>({ beta }: Schedule): Sde<X> {
  return { drift: (x, t) => [[-0.5 * beta(t), x]], diffusion: (t) => Math.sqrt(beta(t)) };
}

/** Coefficients of dY = beta (onState Y + onScore score) ds + noise sqrt(beta) dB, s running from noise to data. */
export interface ReverseForm {
  readonly onState: number;
  readonly onScore: number;
  readonly noise: number;
}

/**
 * The reverse process, dY = beta (Y/2 + score) ds + sqrt(beta) dB in s = T - t: noise becomes data.
 *
 * The score is (mean D - x) / std^2 with the denoiser D (Tweedie's formula). Other forms have the same marginals where
 * onScore = (1 + noise^2) / 2; without noise it is the probability-flow ODE.
 * Source: Anderson 1982; Song et al. 2021, equations (6) and (13).
 */
export function reverseSde<X>(
  { beta, mean, std }: Schedule,
  denoise: Denoiser<X>,
  { onState, onScore, noise }: ReverseForm = { onState: 0.5, onScore: 1, noise: 1 },
): Sde<X> {
  return {
    drift: (x, t) => {
      const variance = std(t) ** 2;
      return [
        [beta(t) * (onState - onScore / variance), x],
        [(beta(t) * onScore * mean(t)) / variance, denoise(x, t)],
      ];
    },
    diffusion: (t) => noise * Math.sqrt(beta(t)),
  };
}

/**
 * One Euler-Maruyama step of size h > 0 from x at time t: x + h f(x, t) + g(t) sqrt(h) z; weak order 1.
 *
 * noise: the standard normal z, not drawn where g is 0. Source: Maruyama 1955; Kloeden & Platen 1992, section 10.2.
 */
export function eulerMaruyamaStep<X>(
  space: Pick<VectorSpace<X>, "combine">,
  sde: Sde<X>,
  x: X,
  t: number,
  h: number,
  noise: () => X,
): X {
  let onState = 1;
  const terms: Term<X>[] = [];
  for (const [coefficient, state] of sde.drift(x, t)) {
    if (state === x) onState += h * coefficient;
    else terms.push([h * coefficient, state]);
  }
  const g = sde.diffusion(t);
  return space.combine([[onState, x], ...terms, ...(g === 0 ? [] : [[g * Math.sqrt(h), noise()] as const])]);
}
