/** Smoothing of paths without learning: Markov chains on them, and particles that carry their ancestors. */
import { arraySpace } from "../evaluation/forwardProcess";
import { Random } from "../random";
import { eulerMaruyamaStep } from "../sde";
import { effectiveNumber, normalised, systematic } from "../posterior/resampling";
import type { Observations } from "./kalman";

/** dX = theta phi(X) dt + sigma dW with independent, equal coordinates, seen at a few times. */
export interface ObservedSde {
  readonly dimension: number;
  readonly theta: number;
  readonly sigma: number;
  readonly observations: Observations;
  /** phi of any number of coordinates. */
  featureOf(x: Float64Array): Float64Array;
}

/** Times of the steps from 0 to the last observation: `perInterval` from one observation to the next, shorter before it. */
export function timeGrid({ times }: Observations, perInterval: number): { t: number; dt: number }[] {
  return times.flatMap((end, i) => {
    const length = end - (times[i - 1] ?? 0);
    // The time to the observation falls from 1 to 0 such that steps are proportional to it plus a half.
    const left = Array.from({ length: perInterval + 1 }, (_, k) => 0.5 * (3 ** (1 - k / perInterval) - 1));
    return left.slice(1).map((next, k) => ({ t: end - length * left[k], dt: length * (left[k] - next) }));
  });
}

/** Effective number of independent draws among draws of these weights. */
export function effectiveSamples(logWeights: ArrayLike<number>): number {
  return effectiveNumber(normalised(Float64Array.from(logWeights)));
}

/** As many draws by their weights; u: uniform in [0, 1). */
export function resampled(logWeights: ArrayLike<number>, u: number): Int32Array {
  return systematic(normalised(Float64Array.from(logWeights)), logWeights.length, u);
}

/**
 * Effective number of independent draws in a chain: length / (1 + 2 sum of autocorrelations), summed until two neighbours'
 * sum is no longer positive. Source: Geyer 1992.
 */
export function chainSamples(chain: Float64Array): number {
  const n = chain.length;
  const mean = chain.reduce((sum, value) => sum + value, 0) / n;
  const centred = chain.map((value) => value - mean);
  const covariance = (lag: number) => {
    let sum = 0;
    for (let i = 0; i + lag < n; i++) sum += centred[i] * centred[i + lag];
    return sum / n;
  };
  const variance = covariance(0);
  if (variance === 0) return 1; // it never moved
  let time = -1;
  for (let lag = 0; lag + 1 < n; lag += 2) {
    const pair = (covariance(lag) + covariance(lag + 1)) / variance;
    if (pair <= 0) break;
    time += 2 * pair;
  }
  return Math.min(n, n / time);
}

/** One coordinate's stationary normal distribution at time 0 has this deviation (Ornstein and Uhlenbeck's process). */
function startDeviation({ theta, sigma }: ObservedSde): number {
  return sigma / Math.sqrt(2 * theta);
}

/**
 * Preconditioned Crank-Nicolson: the noise of a whole path of Ornstein and Uhlenbeck's process is moved to
 * sqrt(1 - beta^2) z + beta z', z' new, and the move taken with the likelihoods' ratio. beta is set while the first fifth
 * runs, for an acceptance of about a quarter, and this part is dropped. Yields the chain of a coordinate's value at t = 1.5.
 * Source: Cotter, Roberts, Stuart & White 2013.
 */
export function crankNicolson(
  problem: ObservedSde,
  { iterations, perInterval, seed }: { iterations: number; perInterval: number; seed: number },
): { chain: Float64Array; mean: number; acceptance: number; beta: number } {
  const { dimension: d, sigma, theta, observations, featureOf } = problem;
  const grid = timeGrid(observations, perInterval);
  const space = arraySpace(seed);
  const random = new Random(seed, 0);
  const watched = perInterval + grid.slice(perInterval).findIndex(({ t, dt }) => t + dt / 2 >= 1.5) - 1;
  const size = (grid.length + 1) * d;
  const run = (z: Float64Array) => {
    let x: Float64Array = z.subarray(0, d).map((value) => startDeviation(problem) * value);
    let [fit, value] = [0, 0];
    grid.forEach(({ t, dt }, k) => {
      const noise = () => z.subarray((k + 1) * d, (k + 2) * d);
      const state = x;
      x = eulerMaruyamaStep(
        space,
        { drift: () => [[theta, featureOf(state)]], diffusion: () => sigma },
        state,
        t,
        dt,
        noise,
      );
      if (k === watched) value = x[0];
      if ((k + 1) % perInterval === 0) {
        const seen = observations.values[(k + 1) / perInterval - 1];
        for (let j = 0; j < d; j++) fit -= (seen[j] - x[j]) ** 2 / (2 * observations.variance);
      }
    });
    return { fit, value };
  };
  let z = random.fillNormal(new Float64Array(size));
  let at = run(z);
  let beta = 0.2;
  const warmUp = Math.floor(iterations / 5);
  const chain = new Float64Array(iterations - warmUp);
  let accepted = 0;
  for (let k = 0; k < iterations; k++) {
    const fresh = random.fillNormal(new Float64Array(size));
    const kept = Math.sqrt(1 - beta ** 2);
    const moved = z.map((value, i) => kept * value + beta * fresh[i]);
    const there = run(moved);
    const taken = Math.log(random.uniform()) < there.fit - at.fit;
    if (taken) [z, at] = [moved, there];
    if (k < warmUp) beta = Math.min(1, beta * (taken ? 1.03 : 0.99));
    else {
      chain[k - warmUp] = at.value;
      accepted += taken ? 1 : 0;
    }
  }
  const mean = chain.reduce((sum, value) => sum + value, 0) / chain.length;
  return { chain, mean, acceptance: accepted / chain.length, beta };
}

/**
 * A bootstrap particle smoother: particles follow the prior, and at each observation those that fit are multiplied (systematic
 * resampling). Returns how many different starts the particles at the end descend from. Source: Gordon, Salmond & Smith
 * 1993; the ancestors are Kitagawa's (1996) smoother.
 */
export function uniqueAncestors(
  problem: ObservedSde,
  { particles, perInterval, seed }: { particles: number; perInterval: number; seed: number },
): number {
  const { dimension: d, sigma, theta, observations, featureOf } = problem;
  const space = arraySpace(seed, 1);
  const random = new Random(seed, 0);
  let x: Float64Array = random
    .fillNormal(new Float64Array(particles * d))
    .map((z) => startDeviation(problem) * z);
  let ancestors: Int32Array = Int32Array.from({ length: particles }, (_, i) => i);
  timeGrid(observations, perInterval).forEach(({ t, dt }, k) => {
    const state = x;
    const sde = { drift: () => [[theta, featureOf(state)]] as const, diffusion: () => sigma };
    x = eulerMaruyamaStep(space, sde, state, t, dt, () => space.normal(state, k));
    if ((k + 1) % perInterval > 0) return;
    const seen = observations.values[(k + 1) / perInterval - 1];
    const fits = Array.from({ length: particles }, (_, i) =>
      seen.reduce((sum, y, j) => sum - (y - x[i * d + j]) ** 2 / (2 * observations.variance), 0),
    );
    const chosen = resampled(fits, random.uniform());
    const next = new Float64Array(x.length);
    chosen.forEach((from, i) => next.set(x.subarray(from * d, (from + 1) * d), i * d));
    x = next;
    ancestors = chosen.map((from) => ancestors[from]);
  });
  return new Set(ancestors).size;
}
