/** Samplers as one step each, the two of the post, and the loop that runs any of them. */
import { InputError, positiveInteger } from "./backend/errors";
import { quadraticTime, type Schedule } from "./schedule";
import { type Denoiser, eulerMaruyamaStep, reverseSde, type VectorSpace } from "./sde";

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

/** The times a sampler visits: steps + 1 values, strictly falling; within noise levels where it is a grid of these. */
export type TimeGrid = (
  schedule: Schedule,
  steps: number,
  noiseLevels?: { readonly smallest: number; readonly largest: number },
) => Float64Array;

/** The blog's times, u falling evenly from 1 to 0: (steps + 1), finer towards the data. */
export function quadraticGrid(schedule: Schedule, steps: number, smallestTime = 1e-4): Float64Array {
  checkGrid(schedule, steps, smallestTime);
  return Float64Array.from({ length: steps + 1 }, (_, i) =>
    quadraticTime(schedule, 1 - i / steps, smallestTime),
  );
}

/** Throws InputError unless there are so many steps, and a time to end at. */
export function checkGrid(schedule: Schedule, steps: number, smallestTime: number): void {
  positiveInteger("The number of steps", steps);
  if (!(smallestTime >= 0 && smallestTime < schedule.endTime)) {
    throw new InputError(`The smallest time is ${smallestTime}; give one in [0, ${schedule.endTime}).`);
  }
}

/** Euler-Maruyama on the reverse SDE: see {@link eulerMaruyamaStep}; weak order 1. */
export const eulerMaruyama: Sampler = {
  name: "euler-maruyama",
  networkCallsPerStep: 1,
  defaultSteps: 1000,
  grid: (schedule, steps) => quadraticGrid(schedule, steps),
  step({ schedule, space, denoise }, { x, t }, next, noise) {
    return { t: next, x: eulerMaruyamaStep(space, reverseSde(schedule, denoise), x, t, t - next, noise) };
  },
};

/**
 * Heun's method on the drift of the reverse SDE, the same noise in predictor and corrector; weak order 2. The post's own.
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
  grid: (schedule, steps) => quadraticGrid(schedule, steps),
  step({ schedule, space, denoise }, { x, t }, next, noise) {
    const h = t - next;
    const { drift } = reverseSde(schedule, denoise);
    const [[onState], [onDenoised, denoised]] = drift(x, t);
    const w = [Math.sqrt(schedule.alpha(t) - schedule.alpha(next)), noise()] as const;
    const predicted = space.combine([[1 + h * onState, x], [h * onDenoised, denoised], w]);
    if (next === 0) return { t: next, x: predicted };
    const [[onPredicted], [onDenoisedNext, denoisedNext]] = drift(predicted, next);
    return {
      t: next,
      x: space.combine([
        [1 + 0.5 * h * onState, x],
        [0.5 * h * onDenoised, denoised],
        [0.5 * h * onPredicted, predicted],
        [0.5 * h * onDenoisedNext, denoisedNext],
        w,
      ]),
    };
  },
};

/** What to sample, from where and over which times. */
export interface SamplingOptions<X> extends ReverseProcess<X> {
  readonly sampler: Sampler;
  /** State at the first time; at the end time space.normal(like, 0). It stays the caller's. */
  readonly start: X;
  /** Default: the sampler's own. Not read when times are given. */
  readonly steps?: number;
  /** Strictly falling times; default: the sampler's grid from the schedule's end time. */
  readonly times?: Float64Array;
}

/** Where a run of a sampler stands: x is the state at time t after `step` of `steps` steps. */
export interface SamplingProgress<X> {
  readonly step: number;
  readonly steps: number;
  readonly t: number;
  readonly x: X;
}

/**
 * Runs a sampler one step at a time, yielding the start (step 0) and the state after each step.
 *
 * Step k takes draw number k of the space's noise. A yielded state may be freed when the generator is resumed or
 * ended: read it in the loop's body, and to keep it take the copy space.combine([[1, x]]). At any moment the
 * generator itself owns at most the current state, a multistep sampler's memory and the step's intermediates.
 * Throws InputError when the times do not fall strictly within the schedule.
 */
export function* trajectory<X>(options: SamplingOptions<X>): Generator<SamplingProgress<X>, void, void> {
  const { sampler, schedule, space, start } = options;
  const times = options.times ?? sampler.grid(schedule, options.steps ?? sampler.defaultSteps);
  const falling = times.every((t, i) => t >= 0 && (i === 0 ? t <= schedule.endTime : t < times[i - 1]));
  if (times.length < 2 || !falling) {
    throw new InputError(
      `The sampling times are not usable; give at least two that fall strictly within [0, ${schedule.endTime}].`,
    );
  }
  const steps = times.length - 1;
  const scope = <T>(body: () => T): T => (space.scope ? space.scope(body) : body());
  const release = (state: SamplerState<X>) => {
    if (state.x !== start) space.release?.(state.x);
    if (state.previous) space.release?.(state.previous.kept);
  };

  let state: SamplerState<X> = { x: start, t: times[0] };
  try {
    yield { step: 0, steps, t: state.t, x: state.x };
    for (let step = 1; step <= steps; step++) {
      const current = state;
      state = scope(() => sampler.step(options, current, times[step], () => space.normal(current.x, step)));
      release(current);
      yield { step, steps, t: state.t, x: state.x };
    }
  } finally {
    release(state);
  }
}

/**
 * Runs a trajectory to its end and returns the last state, in the shape of `start`, which is then the caller's.
 * Errors as {@link trajectory}.
 */
export function sample<X>(options: SamplingOptions<X>): X {
  for (const { step, steps, x } of trajectory(options)) {
    if (step === steps) return options.space.combine([[1, x]]);
  }
  throw new InputError("The sampling times are not usable; give at least two.");
}
