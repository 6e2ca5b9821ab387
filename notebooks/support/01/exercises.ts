/** Exercises of notebook 1. */
import { CholeskyDecomposition } from "ml-matrix";
import {
  POROSITY_MAX,
  POROSITY_MIN,
  squaredExponential,
  squashToPorosity,
} from "../../../lib/gaussianProcess";
import { Random } from "../../../lib/random";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

const CORRELATION_LENGTH = 10; // µm

/** Distance in µm at which two values of the process with l = 10 µm have the correlation 1/2. */
export const halfCorrelation: Exercise<number> = {
  number: "1.1",
  fault(answer) {
    const correlation = (d: number) =>
      squaredExponential(Float64Array.of(0, d), CORRELATION_LENGTH, 0).get(0, 1);
    const distance = rootOf((d) => correlation(d) - 0.5, 0, 10 * CORRELATION_LENGTH);
    return numberFault(answer, distance, 0.005, [
      [distance * 1e-6, "That is the distance in metres; asked are micrometres."],
      [distance / CORRELATION_LENGTH, "That is the distance in correlation lengths; asked are micrometres."],
      [
        distance / Math.SQRT2,
        "There exp(-d²/l²) is 1/2; the exponent of the covariance is divided by 2 l², not by l².",
      ],
      [
        rootOf((d) => correlation(d) - Math.exp(-1), 0, 10 * CORRELATION_LENGTH),
        "There the correlation is 1/e; asked is where it is 1/2.",
      ],
    ]);
  },
};

/** Draws a porosity: (factor R, n x n, lower triangle; z, n standard normals) -> porosity (n). */
export type DrawPorosity = (factor: number[][], z: number[]) => ArrayLike<number>;

/** A function that turns a Cholesky factor and normal numbers into a porosity field. */
export const drawFromFactor: Exercise<DrawPorosity> = {
  number: "1.2",
  fault(answer) {
    const n = 20;
    const points = Float64Array.from({ length: n }, (_, i) => i);
    const lower = new CholeskyDecomposition(squaredExponential(points, 3)).lowerTriangularMatrix;
    const factor = lower.to2DArray();
    const z = new Random(3).fillNormal(new Float64Array(n));
    const product = (entry: (i: number, j: number) => number) =>
      Float64Array.from({ length: n }, (_, i) => z.reduce((sum, value, j) => sum + entry(i, j) * value, 0));
    const g = product((i, j) => factor[i][j]);
    const expected = squashToPorosity(g.slice());
    const given = answer(
      factor.map((row) => row.slice()),
      Array.from(z),
    );
    if (given === undefined || given === null || typeof given.length !== "number")
      return "The function returns no list of numbers.";
    if (given.length !== n) return `The field has ${given.length} values; it needs ${n}, one for each cell.`;
    const is = (values: Float64Array) => values.every((value, i) => Math.abs(value - given[i]) < 1e-9);
    if (is(expected)) return undefined;
    if (is(g)) return "That is the Gaussian draw R z; the sigmoid is missing.";
    if (is(g.map((value) => 1 / (1 + Math.exp(-value)))))
      return `The sigmoid lies between 0 and 1; scale it to ${POROSITY_MIN} … ${POROSITY_MAX}.`;
    if (is(squashToPorosity(product((i, j) => factor[j][i]))))
      return "R is transposed: value i is the sum over j of R[i][j] z[j].";
    if (is(squashToPorosity(Float64Array.from(z))))
      return "The z are squashed as they are; multiply them by R first, or neighbours are independent.";
    const wrong = expected.findIndex((value, i) => !(Math.abs(value - given[i]) < 1e-9));
    return `Value ${wrong} is ${String(given[wrong])}, not ${expected[wrong].toPrecision(6)}.`;
  },
};

/** Share of an electrode where the porosity is above 0.45, on average over electrodes. */
export const shareAbove: Exercise<number> = {
  number: "1.3",
  fault(answer) {
    // The sigmoid is 5/6 at g = ln 5; Simpson's rule over the normal density from there on.
    const level = (0.45 - POROSITY_MIN) / (POROSITY_MAX - POROSITY_MIN);
    const start = Math.log(level / (1 - level));
    const density = (g: number) => Math.exp(-0.5 * g * g) / Math.sqrt(2 * Math.PI);
    const steps = 2000;
    const width = 10 / steps;
    let share = 0;
    for (let k = 0; k <= steps; k++) {
      const weight = k === 0 || k === steps ? 1 : k % 2 === 1 ? 4 : 2;
      share += (weight * density(start + k * width) * width) / 3;
    }
    // A count over 1000 fields is good to some 5 %.
    return numberFault(answer, share, 0.1, [
      [100 * share, "That is in per cent; asked is the share, a number from 0 to 1."],
      [1 - share, "That is the share below 0.45."],
      [
        1 - level,
        "So it would be if all values from 0.2 to 0.5 were as likely; the sigmoid of a normal number is not.",
      ],
      [2 * share, "That counts both tails, below 0.25 and above 0.45."],
    ]);
  },
};

/** The map from a number g of the process to a porosity, and back. */
export interface PorosityMaps {
  readonly porosity: (g: number) => number;
  readonly process: (eps: number) => number;
}

/** 1.6: the sigmoid that bounds the porosity, and its inverse. */
export const sigmoidAndInverse: Exercise<PorosityMaps> = {
  number: "1.6",
  fault({ porosity, process }) {
    const [low, width] = [POROSITY_MIN, POROSITY_MAX - POROSITY_MIN];
    const plain = (g: number) => 1 / (1 + Math.exp(-g));
    for (const g of [0.7, -1.3, 2.5]) {
      const [expected] = squashToPorosity(Float64Array.of(g));
      const fault = numberFault(porosity(g), expected, 1e-9, [
        [plain(g), `That is the plain sigmoid, from 0 to 1; scale it to ${low} … ${POROSITY_MAX}.`],
        [low + width * plain(-g), "The exponent has the wrong sign: a large g must give a large porosity."],
        [width * plain(g), `The values start at 0; add the smallest porosity, ${low}.`],
        [
          low + POROSITY_MAX * plain(g),
          "The factor of the sigmoid is the width of the interval, 0.3, not its upper end.",
        ],
        [low + (width * (Math.tanh(g) + 1)) / 2, "That is tanh(g), which is the sigmoid of 2 g."],
      ]);
      if (fault) return `porosity(${g}): ${fault}`;
      const share = (expected - low) / width;
      const wrong = numberFault(process(expected), g, 1e-9, [
        [-g, "The fraction stands upside down: g grows with the porosity."],
        [
          Math.log(expected / (1 - expected)),
          "The porosity itself is no sigmoid; scale it to 0 … 1 before the logarithm.",
        ],
        [Math.log(share), "The denominator is missing: the inverse is ln(y / (1 − y))."],
        [share / (1 - share), "The logarithm is missing."],
        [1 / expected, "That is 1 / ε; asked is the inverse function."],
        [g / Math.LN10, "That is the logarithm to base 10; the exponential has base e."],
      ]);
      if (wrong) return `process(${expected.toPrecision(5)}), which should be ${g}: ${wrong}`;
    }
    return undefined;
  },
};

/** Where a function that falls through zero between low and high has its root, by bisection. */
function rootOf(f: (x: number) => number, low: number, high: number): number {
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (f(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
