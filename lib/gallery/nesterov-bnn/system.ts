/** What the chapter learns from: a problem whose evidence is known, a curve, two rings of points, and small pictures. */
import { Random } from "../../random";

/**
 * An Ornstein-Uhlenbeck process from 0, dz = -rate z dt + sigma dB, whose end is seen twice with Cauchy's errors of
 * scale 1, at 5 and at -5: its posterior is broad, with two shoulders.
 */
export const cauchyProblem = { rate: 0.1, sigma: Math.SQRT2, endTime: 3, seen: [5, -5] } as const;

/** log p(y | z) of the problem's observations. */
export function cauchyLogLikelihood(z: number): number {
  return cauchyProblem.seen.reduce((sum, y) => sum - Math.log(Math.PI * (1 + (y - z) ** 2)), 0);
}

/**
 * The exact answer: log p(y), E|z| and the deviation of z at the end, and the posterior's density on a grid. The trapezoidal rule,
 * which is exact to round-off for a smooth density that vanishes at both ends.
 */
export function cauchyPosterior() {
  const { rate, sigma, endTime } = cauchyProblem;
  const variance = (sigma ** 2 * (1 - Math.exp(-2 * rate * endTime))) / (2 * rate);
  const h = 0.01;
  const z = Float64Array.from({ length: 3001 }, (_, k) => (k - 1500) * h);
  const joint = z.map(
    (x) => Math.exp(cauchyLogLikelihood(x) - x ** 2 / (2 * variance)) / Math.sqrt(2 * Math.PI * variance),
  );
  const evidence = joint.reduce((sum, p) => sum + p * h, 0);
  const density = joint.map((p) => p / evidence);
  const mean = (of: (x: number) => number) => density.reduce((sum, p, k) => sum + p * of(z[k]) * h, 0);
  const prior = z.map((x) => Math.exp(-(x ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance));
  return {
    logEvidence: Math.log(evidence),
    /** The lower bound that the prior itself gives, as a posterior. */
    priorBound: prior.reduce((sum, p, k) => sum + p * cauchyLogLikelihood(z[k]) * h, 0),
    size: mean(Math.abs),
    deviation: Math.sqrt(mean((x) => x * x)),
    z,
    density,
  };
}

/** Inputs and what belongs to them: a value, or the number of a class. */
export interface Examples {
  /** Numbers an example. */
  readonly inputs: number;
  /** (count, inputs) */
  readonly x: Float64Array;
  /** (count) */
  readonly y: Float64Array;
}

const stream = { curve: 30, rings: 31, shapes: 32 };

/** Noise of the curve's values. */
export const curveNoise = 0.1;

/** The curve's input as the network sees it, from x in [0, 8]. */
export const scaledInput = (x: number): number => (x - 4) / 4;

/** y = cos x + 0.1 noise at 20 places in [0, 2] and 20 in [6, 8]; between them is nothing. Source: Xu et al. 2022, their code. */
export function curve(seed: number): Examples {
  const random = new Random(seed, stream.curve);
  const places = Array.from({ length: 40 }, (_, k) => (k < 20 ? 0 : 6) + 2 * random.uniform());
  const y = Float64Array.from(places, (x) => Math.cos(x) + curveNoise * random.normal());
  return { inputs: 1, x: Float64Array.from(places, scaledInput), y };
}

/** Points within radius 0.5 (class 0) and, twice as many, in the ring from 0.85 to 1 (class 1), uniform in area. */
export function rings(seed: number, inner = 40): Examples {
  const random = new Random(seed, stream.rings);
  const y = Float64Array.from({ length: 3 * inner }, (_, k) => (k < inner ? 0 : 1));
  const x = new Float64Array(2 * y.length);
  y.forEach((label, k) => {
    const [from, to] = label === 0 ? [0, 0.5] : [0.85, 1];
    const radius = Math.sqrt(from ** 2 + (to ** 2 - from ** 2) * random.uniform());
    const angle = 2 * Math.PI * random.uniform();
    x.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * k);
  });
  return { inputs: 2, x, y };
}

/** Side of the generated pictures, and the names of their classes. */
export const shapeSide = 12;
export const shapeNames = ["disk", "ring", "square", "cross"] as const;

/** Pictures of 12 x 12: a shape of some size at some place, with noise of deviation 0.2; as many of each of the four classes. */
export function shapes(seed: number, count: number): Examples {
  const random = new Random(seed, stream.shapes);
  const pixels = shapeSide ** 2;
  const y = Float64Array.from({ length: count }, (_, k) => k % shapeNames.length);
  const x = new Float64Array(count * pixels);
  y.forEach((label, k) => {
    const [cx, cy] = [5.5 + 2 * (random.uniform() - 0.5), 5.5 + 2 * (random.uniform() - 0.5)];
    const size = 3.5 + random.uniform();
    for (let i = 0; i < pixels; i++) {
      const [dx, dy] = [Math.abs((i % shapeSide) - cx), Math.abs(Math.floor(i / shapeSide) - cy)];
      const r = Math.hypot(dx, dy);
      const inside = [
        r <= size,
        r <= size && r >= size - 1.5,
        Math.max(dx, dy) <= size,
        Math.max(dx, dy) <= size && Math.min(dx, dy) <= 0.8,
      ][label];
      x[k * pixels + i] = (inside ? 1 : 0) + 0.2 * random.normal();
    }
  });
  return { inputs: pixels, x, y };
}

/** Some of the examples. */
export function chosen({ inputs, x, y }: Examples, rows: ArrayLike<number>): Examples {
  const own = new Float64Array(rows.length * inputs);
  Array.from(rows).forEach((row, k) => own.set(x.subarray(row * inputs, (row + 1) * inputs), k * inputs));
  return { inputs, x: own, y: Float64Array.from(rows, (row) => y[row]) };
}
