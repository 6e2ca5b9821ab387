/** Two slow-fast systems whose averaged drift is known: a wave that a double-well process moves, and a tagged particle. */
import { InputError } from "../../backend/errors";
import { Random } from "../../random";
import {
  type Coefficients,
  gain,
  type Increments,
  linearPosterior,
  nonNegativeFit,
  type SlowPath,
} from "../pathLikelihood";

/**
 * dX = (-lambda X + amplitude cos(X Y)) dt + s dW,   dY = -(Y^3 - Y) / epsilon dt + sqrt(2 tau / epsilon) dB.
 *
 * For small epsilon, Y runs through its stationary law pi before X has moved, and X feels only the averaged drift
 * -lambda x + amplitude int cos(x y) pi(dy).
 */
export const wave = { lambda: 0.5, amplitude: 2, s: 1.5, epsilon: 0.002, tau: 0.3 };

/** Times of a simulation. */
export interface Times {
  readonly endTime: number;
  /** Between two observations of X; default 0.01. */
  readonly interval?: number;
  /** Steps of the simulation in an interval; default 100: for the wave a twentieth of epsilon. */
  readonly microSteps?: number;
}

function path({ endTime, interval = 0.01, microSteps = 100 }: Times) {
  const count = Math.round(endTime / interval);
  if (!(count >= 1 && Number.isFinite(count))) {
    throw new InputError(`The end time is ${endTime}; give at least one interval, ${interval}.`);
  }
  const [x, noise] = [new Float64Array(count + 1), new Float64Array(count)];
  return { interval, microSteps, h: interval / microSteps, x, noise };
}

/**
 * A path of the wave from X = 0, Y = 1: Heun's method for Y (weak order 2 for noise like this), Euler's for X, as one plain loop,
 * for a path has 20 million steps. Throws InputError for an end time below one interval.
 */
export function simulateWave(times: Times, seed: number): SlowPath {
  const { interval, microSteps, h, x, noise } = path(times);
  const random = new Random(seed, 0);
  const { lambda, amplitude, s, epsilon, tau } = wave;
  const [slow, fast, rate] = [s * Math.sqrt(h), Math.sqrt((2 * tau * h) / epsilon), h / epsilon];
  let [now, y] = [0, 1];
  for (let i = 0; i < noise.length; i++) {
    let sum = 0;
    for (let k = 0; k < microSteps; k++) {
      const own = slow * random.normal();
      const kick = fast * random.normal();
      const move = rate * (y - y * y * y);
      const ahead = y + move + kick;
      now += h * (amplitude * Math.cos(now * y) - lambda * now) + own;
      y += 0.5 * (move + rate * (ahead - ahead * ahead * ahead)) + kick;
      sum += own;
    }
    x[i + 1] = now;
    noise[i] = sum;
  }
  return { interval, x, noise };
}

/** Steps of the quadrature over y. */
const STEP = 1 / 200;
const places = Float64Array.from({ length: 1201 }, (_, k) => -3 + k * STEP);
const unscaled = (y: number) => Math.exp(-(y ** 4 / 4 - y ** 2 / 2) / wave.tau);
const total = STEP * places.reduce((sum, y) => sum + unscaled(y), 0);

/** The density of pi: exp(-(y^4/4 - y^2/2) / tau), scaled. */
export function fastDensity(y: number): number {
  return unscaled(y) / total;
}

const weights = places.map((y) => STEP * fastDensity(y));

/** int g(y) pi(dy) by the trapezoidal rule, which is exact to round-off for such a density. */
export function fastAverage(g: (y: number) => number): number {
  return places.reduce((sum, y, k) => sum + weights[k] * g(y), 0);
}

/** int cos(x y) pi(dy), through which alone X sees Y. */
export function waveAverage(x: number): number {
  return fastAverage((y) => Math.cos(x * y));
}

/** The wave's averaged drift. */
export function waveDrift(x: number): number {
  return wave.amplitude * waveAverage(x) - wave.lambda * x;
}

/** What the wave's averaged drift would be with a normal law of Y, of the mean and the variance of largest likelihood. */
export function gaussianFit(data: Increments, means: readonly number[]): Coefficients {
  const variances = Array.from({ length: 25 }, (_, k) => 0.02 * 1.2 ** k); // up to 1.6
  const fits = means.flatMap((mean) =>
    variances.map((variance) =>
      linearPosterior(data, (x) => [-x, Math.cos(x * mean) * Math.exp(-0.5 * variance * x * x)]),
    ),
  );
  return fits.reduce((a, b) => (gain(data, b.drift) > gain(data, a.drift) ? b : a));
}

/** The estimate over all laws of Y on a grid: y from 0 to 3 in steps of 0.05 (the sign of Y cannot be seen). */
export function gridFit(data: Increments): Pick<Coefficients, "mean" | "drift"> {
  const grid = Array.from({ length: 61 }, (_, k) => 0.05 * k);
  return nonNegativeFit(data, (x) => [-x, ...grid.map((y) => Math.cos(x * y))]);
}

/**
 * A tagged particle X on springs to N solvent particles Y_j, all potentials quadratic:
 *
 *     dX = -(trap X + spring sum_j (X - Y_j)) dt + s dW,   dY_j = -d_j V(Y) / epsilon dt + sqrt(2 tau / epsilon) dB_j,
 *
 * V(y) = 1/2 hold sum_j (y_j - centre)^2 + springs between the solvent particles. The averaged drift is
 * -(trap + N spring) x + N spring centre. Source of the kind of test: Saha & Ganguly 2026; the numbers are ours.
 */
export const particle = {
  solvents: 10,
  trap: 0.5,
  spring: 0.05,
  hold: 1,
  centre: 1.5,
  s: 1,
  epsilon: 0.002,
  tau: 0.3,
};

/** A path of the tagged particle from X = 0. Only the sum of the Y_j acts on it, which the springs between them leave alone. */
export function simulateParticle(times: Times, seed: number): SlowPath {
  const { interval, microSteps, h, x, noise } = path(times);
  const random = new Random(seed, 1);
  const { solvents, trap, spring, hold, centre, s, epsilon, tau } = particle;
  // The sum is an Ornstein-Uhlenbeck process, and its steps are exact.
  const keep = Math.exp((-hold * h) / epsilon);
  const [slow, fast] = [s * Math.sqrt(h), Math.sqrt(((solvents * tau) / hold) * (1 - keep * keep))];
  let [now, sum] = [0, solvents * centre];
  for (let i = 0; i < noise.length; i++) {
    let own = 0;
    for (let k = 0; k < microSteps; k++) {
      const kick = slow * random.normal();
      now += h * (spring * sum - (trap + solvents * spring) * now) + kick;
      sum = solvents * centre + keep * (sum - solvents * centre) + fast * random.normal();
      own += kick;
    }
    x[i + 1] = now;
    noise[i] = own;
  }
  return { interval, x, noise };
}

/** The tagged particle's averaged drift. */
export function particleDrift(x: number): number {
  const { solvents, trap, spring, centre } = particle;
  return solvents * spring * centre - (trap + solvents * spring) * x;
}
