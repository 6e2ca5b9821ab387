import { karrasGrid, quadraticGrid, type TimeGrid } from "./grids";
import type { Schedule } from "./schedule";
import type { VectorSpace } from "./vectorSpace";

/** E[x_0 | x_t]: the mean of the clean data given the noisy state x at time t > 0; a new state in the shape of x. */
export type Denoiser<X> = (x: X, t: number) => X;

/**
 * Linear combination whose coefficients differ from mode to mode of the data's covariance: with orthonormal modes V and
 * their variances, sum_k V f_k(variance) V^T x_k.
 */
export type ModalCombination<X> = (terms: ReadonlyArray<readonly [(variance: number) => number, X]>) => X;

/** Everything that defines the reverse process; the score is (mean D - x) / std^2 (Tweedie's formula). */
export interface ReverseProcess<X> {
  readonly schedule: Schedule;
  readonly space: VectorSpace<X>;
  readonly denoise: Denoiser<X>;
  /** Where the covariance of the data is known; without it they are taken to have variance 1. */
  readonly combineModes?: ModalCombination<X>;
}

/** A state at time t and, for multistep samplers, what the step before found at its time. */
export interface SamplerState<X> {
  readonly x: X;
  readonly t: number;
  readonly previous?: { readonly t: number; readonly kept: X };
}

/** One way to go from time t to an earlier one, with the grid and the number of steps that suit it. */
export interface Sampler {
  readonly name: string;
  readonly networkCallsPerStep: number;
  readonly defaultSteps: number;
  readonly grid: TimeGrid;
  /** Goes from state.t to the time `next` < state.t; noise() is standard normal and the same at each call. */
  step<X>(process: ReverseProcess<X>, state: SamplerState<X>, next: number, noise: () => X): SamplerState<X>;
}

/**
 * Euler-Maruyama on the reverse SDE; weak order 1.
 *
 * x' = x + h f(x, t) + sqrt(beta(t) h) z with h = t - t' and f = beta (x/2 + score).
 * Source: Anderson 1982; Song et al. 2021, equation (6). Without noise and with half the score it is Euler's method
 * on the probability-flow ODE.
 */
export const eulerMaruyama: Sampler = {
  name: "euler-maruyama",
  networkCallsPerStep: 1,
  defaultSteps: 1000,
  grid: quadraticGrid,
  step({ schedule, space, denoise }, { x, t }, next, noise) {
    const h = t - next;
    const [onState, onDenoised] = reverseDrift(schedule, t);
    return {
      t: next,
      x: space.combine([
        [1 + h * onState, x],
        [h * onDenoised, denoise(x, t)],
        [Math.sqrt(schedule.beta(t) * h), noise()],
      ]),
    };
  },
};

/**
 * Heun's method on the drift of the reverse SDE, the same noise in predictor and corrector; weak order 2.
 *
 * w  = sqrt(alpha(t) - alpha(t')) z, the exact variance of the noise over the step
 * x~ = x + h f(x, t) + w
 * x' = x + h/2 (f(x, t) + f(x~, t')) + w with h = t - t' and f = beta (x/2 + score).
 * The noise is additive, so the Ito and Stratonovich readings agree. A step to t' = 0, where the score of x~ is not
 * defined, is left at the predictor. Without noise and with half the score it is Heun's method on the
 * probability-flow ODE in t.
 * Source: Kloeden & Platen 1992, section 15.1 (explicit order 2.0 weak scheme, additive noise).
 */
export const stochasticHeun: Sampler = {
  name: "stochastic-heun",
  networkCallsPerStep: 2,
  defaultSteps: 1000,
  grid: quadraticGrid,
  step({ schedule, space, denoise }, { x, t }, next, noise) {
    const h = t - next;
    const [onState, onDenoised] = reverseDrift(schedule, t);
    const denoised = denoise(x, t);
    const z = noise();
    const noiseStd = Math.sqrt(schedule.alpha(t) - schedule.alpha(next));
    const predicted = space.combine([
      [1 + h * onState, x],
      [h * onDenoised, denoised],
      [noiseStd, z],
    ]);
    if (next === 0) return { t: next, x: predicted };
    const [onPredicted, onDenoisedNext] = reverseDrift(schedule, next);
    return {
      t: next,
      x: space.combine([
        [1 + 0.5 * h * onState, x],
        [0.5 * h * onDenoised, denoised],
        [0.5 * h * onPredicted, predicted],
        [0.5 * h * onDenoisedNext, denoise(predicted, next)],
        [noiseStd, z],
      ]),
    };
  },
};

/**
 * Heun's method on the probability-flow ODE in the noise level; order 2, no noise.
 *
 * With y = x / mean(t), s = noiseLevel(t) and slope d = (y - D) / s = dy/ds:
 * y~ = y + (s' - s) d,   y' = y + (s' - s)/2 (d + d~).
 * A step to s' = 0 is left at y~, which is D. Source: Karras et al. 2022 (EDM), algorithm 1 with sigma = s.
 * Its predictor alone is DDIM (Song, Meng & Ermon 2021, eta = 0).
 */
export const pfOdeHeun: Sampler = {
  name: "pf-ode-heun",
  networkCallsPerStep: 2,
  defaultSteps: 80,
  grid: karrasGrid,
  step({ schedule, space, denoise }, { x, t }, next) {
    const [s, sNext] = [schedule.noiseLevel(t), schedule.noiseLevel(next)];
    const [scale, unscale] = [schedule.mean(next), 1 / schedule.mean(t)];
    const denoised = denoise(x, t);
    const predicted = space.combine([
      [(scale * unscale * sNext) / s, x],
      [scale * (1 - sNext / s), denoised],
    ]);
    if (next === 0) return { t: next, x: predicted };
    const half = 0.5 * (sNext - s);
    return {
      t: next,
      x: space.combine([
        [scale * unscale * (1 + half / s), x],
        [(-scale * half) / s, denoised],
        [half / sNext, predicted],
        [(-scale * half) / sNext, denoise(predicted, next)],
      ]),
    };
  },
};

/**
 * DPM-Solver++(2M): exponential integrator of the probability-flow ODE, denoised states extrapolated; order 2.
 *
 * With lambda = -log noiseLevel, h = lambda' - lambda, r = (last h) / h:
 * D~ = (1 + 1/(2r)) D - 1/(2r) D_last,   x' = std'/std x + mean' (1 - exp(-h)) D~.
 * The first step and a step to noise level 0 take D~ = D, which is DDIM. Gaussian data of standard deviation 0.06
 * to 1 come out 0.3 to 0.5 % too wide in 80 steps, 1.1 to 2.4 % in 40.
 * Source: Lu et al. 2022, "DPM-Solver++", algorithm 2.
 */
export const dpmSolver2M: Sampler = {
  name: "dpm-solver++2m",
  networkCallsPerStep: 1,
  defaultSteps: 80,
  grid: karrasGrid,
  step({ schedule, space, denoise }, { x, t, previous }, next) {
    const denoised = denoise(x, t);
    const decay = schedule.noiseLevel(next) / schedule.noiseLevel(t); // exp(-h)
    const onDenoised = schedule.mean(next) * (1 - decay);
    const terms: [number, typeof x][] = [[schedule.std(next) / schedule.std(t), x]];
    if (previous === undefined || next === 0) {
      terms.push([onDenoised, denoised]);
    } else {
      const lastStep = Math.log(schedule.noiseLevel(previous.t) / schedule.noiseLevel(t));
      const extrapolation = -Math.log(decay) / (2 * lastStep); // 1 / (2r)
      terms.push([onDenoised * (1 + extrapolation), denoised], [-onDenoised * extrapolation, previous.kept]);
    }
    return { t: next, x: space.combine(terms), previous: { t, kept: denoised } };
  },
};

/**
 * The probability-flow ODE with its Gaussian part solved exactly and Adams-Bashforth of order 2 for the rest; one network
 * call a step. For Gaussian data of the process's covariance any number of steps is exact.
 *
 * In a mode of variance l let w = y / sqrt(l + s^2) be the whitened y = x / mean(t), theta = atan(s / sqrt(l)), and
 * F = (D - l / (l + s^2) y) sqrt(l + s^2) / (s sqrt(l)): what a network returns under EDM's preconditioning of that
 * mode. Then dy/ds = (y - D) / s reads dw/dtheta = -F, and
 * w' = w + (theta - theta') F~ with F~ = F + (F - F_last) (theta - theta') / (2 (theta_last - theta)).
 * The first step and a step to noise level 0 take F~ = F. Derived from EDM's equations (1) and (7), Karras et al. 2022;
 * for l = 1 theta is the angle of Salimans & Ho 2022, appendix D, and F their v.
 */
export const gaussianExact: Sampler = {
  name: "gaussian-exact-2m",
  networkCallsPerStep: 1,
  defaultSteps: 16,
  grid: karrasGrid,
  step({ schedule, space, denoise, combineModes }, { x, t, previous }, next) {
    const combine =
      combineModes ??
      ((terms) => space.combine(terms.map(([coefficient, term]) => [coefficient(1), term] as const)));
    const [s, sNext] = [schedule.noiseLevel(t), schedule.noiseLevel(next)];
    const error = (l: number) => s * Math.sqrt(l / (l + s * s));
    const rest = combine([
      [(l) => 1 / error(l), denoise(x, t)],
      [(l) => -l / ((l + s * s) * schedule.mean(t) * error(l)), x],
    ]);
    const turn = (from: number, to: number) => (l: number) =>
      Math.atan2(from, Math.sqrt(l)) - Math.atan2(to, Math.sqrt(l));
    const angle = turn(s, sNext);
    const total = (l: number) => schedule.mean(next) * Math.sqrt(l + sNext * sNext);
    const last = previous && next > 0 ? turn(schedule.noiseLevel(previous.t), s) : undefined;
    const ahead = (l: number) => (last ? angle(l) / (2 * last(l)) : 0);
    const terms: [(l: number) => number, typeof x][] = [
      [(l) => total(l) / (schedule.mean(t) * Math.sqrt(l + s * s)), x],
      [(l) => total(l) * angle(l) * (1 + ahead(l)), rest],
    ];
    if (previous && last) terms.push([(l) => -total(l) * angle(l) * ahead(l), previous.kept]);
    return { t: next, x: combine(terms), previous: { t, kept: rest } };
  },
};

/** Coefficients on the state and on the denoised state of f = beta (x/2 + score), the drift backwards in time. */
function reverseDrift(schedule: Schedule, t: number): [number, number] {
  const [beta, variance] = [schedule.beta(t), schedule.std(t) ** 2];
  return [beta * (0.5 - 1 / variance), (beta * schedule.mean(t)) / variance];
}
