/** Right and wrong forms of the reverse process, and what each makes of Gaussian data. */
import { checkGrid, quadraticGrid, type Sampler } from "../samplers";
import { eulerMaruyamaStep, type ReverseForm, reverseSde } from "../sde";
import type { Schedule } from "../schedule";
import { type Gaussian, marginalGaussian } from "./gaussianSampling";

/**
 * Right and wrong forms of the reverse process.
 *
 * Right are sde (Anderson 1982) and ode, the probability-flow ODE (Song et al. 2021, equation (13)); any noise n with
 * onScore = (1 + n^2) / 2 is. The blog prints the others: wrongSign is its equation (2) with ds put where it is
 * missing and the rate beta of its equation (4); halfScore is its modified equation with s for the score itself.
 */
export const reverseForms = {
  sde: { onState: 0.5, onScore: 1, noise: 1 },
  ode: { onState: 0.5, onScore: 0.5, noise: 0 },
  wrongSign: { onState: 0.5, onScore: -1, noise: 1 },
  halfScore: { onState: 0.5, onScore: 0.5, noise: 1 },
} as const satisfies Record<string, ReverseForm>;

/** Equal steps from the end time down to smallestTime: (steps + 1), falling. */
export function uniformGrid(schedule: Schedule, steps: number, smallestTime = 1e-3): Float64Array {
  checkGrid(schedule, steps, smallestTime);
  const span = schedule.endTime - smallestTime;
  return Float64Array.from({ length: steps + 1 }, (_, i) => smallestTime + span * (1 - i / steps));
}

/** Euler-Maruyama on a form of the reverse process; with reverseForms.sde it is the sampler euler-maruyama. */
export function reverseSampler(form: ReverseForm): Sampler {
  const { onState, onScore, noise } = form;
  return {
    name: `euler(${onState}, ${onScore}, ${noise})`,
    networkCallsPerStep: 1,
    defaultSteps: 500,
    grid: (schedule, steps) => quadraticGrid(schedule, steps),
    step: ({ schedule, space, denoise }, { x, t }, next, draw) => ({
      t: next,
      x: eulerMaruyamaStep(space, reverseSde(schedule, denoise, form), x, t, t - next, draw),
    }),
  };
}

/**
 * Variances of Y at falling times when the data are Gaussian and Y starts from the right marginal: (times).
 *
 * With the score -y / V(t) the SDE is linear, dv/ds = beta (2 r v + noise^2) with r = onState - onScore / V(t). Over a step
 * of alpha the rate is taken constant and the step done exactly, second order in it: give times that lie close.
 */
export function reverseVariances(
  { onState, onScore, noise }: ReverseForm,
  data: Gaussian,
  schedule: Schedule,
  times: Float64Array,
): Float64Array {
  const variances = new Float64Array(times.length);
  variances[0] = marginalGaussian(data, schedule, times[0]).variance;
  for (let k = 1; k < times.length; k++) {
    const step = schedule.alpha(times[k - 1]) - schedule.alpha(times[k]);
    const middle = marginalGaussian(data, schedule, (times[k - 1] + times[k]) / 2);
    const rate = 2 * (onState - onScore / middle.variance);
    // expm1(0) / 0 is 1: a rate of zero only adds noise.
    const added = rate === 0 ? step : Math.expm1(rate * step) / rate;
    variances[k] = Math.exp(rate * step) * variances[k - 1] + noise ** 2 * added;
  }
  return variances;
}
