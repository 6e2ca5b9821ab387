/** Smoothing of the Ornstein-Uhlenbeck process from sparse observations in closed form: all is Gaussian. */

/** Values of a process at some times, each with independent normal noise. */
export interface Observations {
  /** When, rising, from above 0. */
  readonly times: readonly number[];
  /** What was seen of each coordinate: (times, dimension) */
  readonly values: readonly (readonly number[])[];
  /** Variance of the noise. */
  readonly variance: number;
}

/** dX = -theta X dt + sigma dW, which starts with mean 0 and its stationary variance, sigma^2 / (2 theta). */
export interface LinearSde {
  readonly theta: number;
  readonly sigma: number;
}

/** A scalar normal distribution. */
export interface Normal {
  readonly mean: number;
  readonly variance: number;
}

/** log h(x) = -precision x^2 / 2 + shift x + constant: what observations say about a state, as a function of it. */
export interface Information {
  readonly precision: number;
  readonly shift: number;
}

/** Factor of the mean and added variance of the exact transition over a time. */
function transition({ theta, sigma }: LinearSde, time: number): { factor: number; added: number } {
  const factor = Math.exp(-theta * time);
  return { factor, added: ((1 - factor ** 2) * sigma ** 2) / (2 * theta) };
}

/**
 * Filters one coordinate through the observations at or before time t (all of them, unless given): the state's distribution
 * at t given these, and the logarithm of their density. Source: Kalman 1960.
 */
export function kalmanFilter(
  sde: LinearSde,
  { times, values, variance: noise }: Observations,
  { coordinate = 0, t = times[times.length - 1] }: { coordinate?: number; t?: number } = {},
): Normal & { logEvidence: number } {
  let [mean, variance, now, logEvidence] = [0, sde.sigma ** 2 / (2 * sde.theta), 0, 0];
  const move = (to: number) => {
    const { factor, added } = transition(sde, to - now);
    [mean, variance, now] = [factor * mean, factor ** 2 * variance + added, to];
  };
  times.forEach((time, i) => {
    if (time > t) return;
    move(time);
    const [surprise, spread] = [values[i][coordinate] - mean, variance + noise];
    logEvidence -= 0.5 * (Math.log(2 * Math.PI * spread) + surprise ** 2 / spread);
    mean += (variance / spread) * surprise;
    variance *= noise / spread;
  });
  move(t);
  return { mean, variance, logEvidence };
}

/**
 * What the observations after time t say of one coordinate at t: backward Riccati. The exact score d log h / dx is
 * shift - precision x. Source: Mayne 1966; Fraser & Potter 1969.
 */
export function backwardInformation(
  sde: LinearSde,
  { times, values, variance: noise }: Observations,
  t: number,
  coordinate = 0,
): Information {
  let [precision, shift] = [0, 0];
  for (let i = times.length - 1; i >= 0 && times[i] > t; i--) {
    precision += 1 / noise;
    shift += values[i][coordinate] / noise;
    const { factor, added } = transition(sde, times[i] - Math.max(t, times[i - 1] ?? t));
    const shrunk = 1 + added * precision;
    [precision, shift] = [(factor ** 2 * precision) / shrunk, (factor * shift) / shrunk];
  }
  return { precision, shift };
}

/** One coordinate at time t given all observations: the filter's distribution times what comes after. */
export function kalmanSmoother(
  sde: LinearSde,
  observations: Observations,
  t: number,
  coordinate = 0,
): Normal {
  const { mean, variance } = kalmanFilter(sde, observations, { coordinate, t });
  const { precision, shift } = backwardInformation(sde, observations, t, coordinate);
  const smoothed = 1 / (1 / variance + precision);
  return { mean: smoothed * (mean / variance + shift), variance: smoothed };
}

/** The theta of the largest evidence, sigma being known, by golden sections. */
export function likeliestTheta({
  sigma,
  observations,
}: {
  sigma: number;
  observations: Observations;
}): number {
  const value = (theta: number) => kalmanFilter({ theta, sigma }, observations).logEvidence;
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [0.1, 4];
  while (high - low > 1e-6) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (value(a) > value(b)) high = b;
    else low = a;
  }
  return (low + high) / 2;
}
