/** Reverse diffusions of Gaussian data in one dimension, whose law is known without drawing a single number. */
import { Random } from "../../../lib/random";
import type { Schedule } from "../../../lib/schedule";

/** Variance of x_t when x_0 is normal with mean 0 and standard deviation dataStd. */
export function marginalVariance(schedule: Schedule, dataStd: number, t: number): number {
  return (schedule.mean(t) * dataStd) ** 2 + schedule.std(t) ** 2;
}

/** A reverse SDE dY = beta (Y/2 + factor score) ds + sqrt(beta) dB, its score exact; factor 1 is the right one. */
export interface ScaledReverse {
  readonly schedule: Schedule;
  readonly dataStd: number;
  readonly factor: number;
}

/**
 * Variances of Y at falling times, started from the right marginal: (times).
 *
 * With score -y / V(t) the SDE is linear, dv/ds = beta (2 r v + 1), r = 1/2 - factor / V(t). Over a step of alpha the
 * rate is taken constant and the step done exactly, second order in it: give times that lie close.
 */
export function scaledReverseVariances(
  { schedule, dataStd, factor }: ScaledReverse,
  times: Float64Array,
): Float64Array {
  const variances = new Float64Array(times.length);
  variances[0] = marginalVariance(schedule, dataStd, times[0]);
  for (let k = 1; k < times.length; k++) {
    const step = schedule.alpha(times[k - 1]) - schedule.alpha(times[k]);
    const middle = (times[k - 1] + times[k]) / 2;
    const twice = 1 - (2 * factor) / marginalVariance(schedule, dataStd, middle);
    const growth = Math.exp(twice * step);
    // expm1(0) / 0 is 1: a rate of zero only adds noise.
    variances[k] = growth * variances[k - 1] + (twice === 0 ? step : Math.expm1(twice * step) / twice);
  }
  return variances;
}

/** The same variances of `particles` simulated by Euler-Maruyama: (times). Their sampling error is sqrt(2 / particles). */
export function simulatedReverseVariances(
  { schedule, dataStd, factor }: ScaledReverse,
  times: Float64Array,
  particles: number,
  random: Random,
): Float64Array {
  const start = Math.sqrt(marginalVariance(schedule, dataStd, times[0]));
  const y = random.fillNormal(new Float64Array(particles)).map((z) => start * z);
  const noise = new Float64Array(particles);
  const variance = () => y.reduce((sum, value) => sum + value * value, 0) / particles;
  const variances = Float64Array.of(variance(), ...new Float64Array(times.length - 1));
  for (let k = 1; k < times.length; k++) {
    const step = schedule.beta(times[k - 1]) * (times[k - 1] - times[k]);
    const rate = 0.5 - factor / marginalVariance(schedule, dataStd, times[k - 1]);
    random.fillNormal(noise);
    for (let i = 0; i < particles; i++) y[i] += step * rate * y[i] + Math.sqrt(step) * noise[i];
    variances[k] = variance();
  }
  return variances;
}

/**
 * Smallest value that the loss E|target - s(x_t, t)|^2 of score matching can have at one time, for Gaussian data.
 *
 * The target -z / std has the variance 1 / std^2 and the exact score -x / V explains 1 / V of it, so that
 * 1 / std^2 - 1 / V is left: it grows like 1 / std^2 towards t = 0, whatever the network.
 */
export function smallestScoreLoss(schedule: Schedule, dataStd: number, t: number): number {
  return 1 / schedule.std(t) ** 2 - 1 / marginalVariance(schedule, dataStd, t);
}
