import { InputError, oneOf } from "./errors";
import {
  dpmSolver2M,
  eulerMaruyama,
  gaussianExact,
  pfOdeHeun,
  stochasticHeun,
  type ReverseProcess,
  type Sampler,
  type SamplerState,
} from "./samplerSteps";

export type { Denoiser, ModalCombination, ReverseProcess, Sampler, SamplerState } from "./samplerSteps";

/** All samplers, the blog's own two first: each a name, a time grid and a step from one time to the next. */
export const samplers: readonly Sampler[] = [
  eulerMaruyama,
  stochasticHeun,
  pfOdeHeun,
  dpmSolver2M,
  gaussianExact,
];

/** The sampler of this name; throws InputError with the list of names when there is none. */
export function samplerByName(name: string): Sampler {
  const names = samplers.map((sampler) => sampler.name);
  return samplers[names.indexOf(oneOf("The sampler", name, names))];
}

/** What to sample, from where and over which times. */
export interface SamplingOptions<X> extends ReverseProcess<X> {
  readonly sampler: Sampler;
  /** State at the first time; at the end time space.normal(like, 0). It stays the caller's. */
  readonly start: X;
  /** Default: the sampler's own. Not read when times are given. */
  readonly steps?: number;
  /** Strictly falling times; default: the sampler's grid from the schedule's end time. */
  readonly times?: Float64Array;
  /** Replace the last state by its denoised mean (one more network call); default false. */
  readonly endWithDenoised?: boolean;
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
  const { sampler, schedule, space, denoise, start, endWithDenoised = false } = options;
  const times = options.times ?? sampler.grid(schedule, options.steps ?? sampler.defaultSteps);
  checkTimes(times, schedule.endTime);
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
      state = scope(() => {
        const next = sampler.step(options, current, times[step], () => space.normal(current.x, step));
        if (!endWithDenoised || step < steps || next.t === 0) return next;
        return { x: denoise(next.x, next.t), t: 0 };
      });
      release(current);
      yield { step, steps, t: state.t, x: state.x };
    }
  } finally {
    release(state);
  }
}

/**
 * Runs a trajectory to its end and returns the last state, in the shape of `start`, which is then the caller's.
 *
 * Denoiser and states are in standardised units. Errors as {@link trajectory}.
 */
export function sample<X>(options: SamplingOptions<X>): X {
  for (const { step, steps, x } of trajectory(options)) {
    if (step === steps) return options.space.combine([[1, x]]);
  }
  throw new InputError("The sampling times are not usable; give at least two.");
}

function checkTimes(times: Float64Array, endTime: number): void {
  const falling = times.every((t, i) => t >= 0 && (i === 0 ? t <= endTime : t < times[i - 1]));
  if (times.length >= 2 && falling) return;
  throw new InputError(
    `The sampling times are not usable; give at least two that fall strictly within [0, ${endTime}].`,
  );
}
