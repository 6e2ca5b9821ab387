/** Exercises of notebook 06: denoising score matching. */
import { gaussian, GaussianMixture } from "../../../lib/evaluation/gaussianMixture";
import { noiseLossFloor } from "./lossFloor";
import { vpSchedule } from "../../../lib/schedule";
import { twoPeaks } from "../../../lib/evaluation/toys";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

const schedule = vpSchedule();

/** The score from the denoised state, with m and v of the time. */
export const scoreFromDenoised: Exercise<(denoised: number, x: number, m: number, v: number) => number> = {
  number: "6.1",
  fault(answer) {
    const mixture = twoPeaks();
    for (const t of [0.1, 0.4]) {
      const [m, v] = [schedule.mean(t), schedule.std(t) ** 2];
      for (const x of [-1.5, 0.2, 1]) {
        const [denoised] = mixture.denoiser(schedule)(Float64Array.of(x), t);
        const [score] = mixture.marginal(schedule, t).score(Float64Array.of(x));
        const fault = numberFault(answer(denoised, x, m, v), score, 1e-6, [
          [(denoised - x) / v, "x_t lies around m x₀, not around x₀."],
          [(m * denoised - x) / Math.sqrt(v), "Divide by v, not by its root: that is (minus) the noise."],
          [(m * denoised - x) / v ** 2, "v is the variance already: divide by it once."],
        ]);
        if (fault) return `At x = ${x}, t = ${t}: ${fault}`;
      }
    }
    return undefined;
  },
};

/** The floor of the noise loss for Gaussian data of variance lambda at noise level s. */
export const gaussianFloor: Exercise<(lambda: number, s: number) => number> = {
  number: "6.2",
  fault(answer) {
    for (const lambda of [1, 0.1]) {
      const data = new GaussianMixture([gaussian(1, [0], [[lambda]])]);
      for (const s of [0.1, 0.5, 3]) {
        const floor = noiseLossFloor(data, schedule, schedule.timeOf(s));
        const fault = numberFault(answer(lambda, s), floor, 1e-4, [
          [1 - floor, "That is the part of the noise's variance that x_t does tell."],
          [lambda / (lambda + s), "Variances add up: s² beside λ, not s."],
          [floor * s * s, "That is the floor of the error of x₀, s² times as large."],
          [0, "The loss has a floor: x_t does not tell the noise in it."],
        ]);
        if (fault) return `For λ = ${lambda}, s = ${s}: ${fault}`;
      }
    }
    return undefined;
  },
};

/** The weight on the squared error of the score that makes it the squared error of the denoised state, by m and v. */
export const denoisedErrorWeight: Exercise<(m: number, v: number) => number> = {
  number: "6.3",
  fault(answer) {
    for (const t of [0.05, 0.2, 0.6]) {
      const [m, v] = [schedule.mean(t), schedule.std(t) ** 2];
      // An error of 1 in D is one of m / v in the score (m D - x) / v.
      const score = (denoised: number) => (m * denoised - 0.3) / v;
      const weight = 1 / (score(1) - score(0)) ** 2;
      const fault = numberFault(answer(m, v), weight, 1e-6, [
        [v, "That makes it the squared error of the noise."],
        [v / m, "That is the ratio of the errors; asked is that of their squares."],
        [(m / v) ** 2, "That is the other way round: the weight on the error of D that gives the score's."],
        [v / m ** 2, "The score is (m D − x) / v: its denominator is v, squared v²."],
      ]);
      if (fault) return `For m = ${m.toFixed(3)}, v = ${v.toFixed(3)}: ${fault}`;
    }
    return undefined;
  },
};

/** Guesses the noise in noisy numbers x, each at its own time. */
export type NoiseGuess = (x: Float64Array, t: Float64Array) => Float64Array;

/** The denoising loss of a batch: clean numbers, noise and times, one each a row. */
export type DenoisingLoss = (x0: Float64Array, z: Float64Array, t: Float64Array, guess: NoiseGuess) => number;

/** The denoising loss written out by the reader; the schedule is the library's. */
export const denoisingLossOfBatch: Exercise<DenoisingLoss> = {
  number: "6.4",
  fault(answer) {
    const x0 = Float64Array.of(-0.9, 1.2, -1.1, 0.8, 1.4);
    const z = Float64Array.of(0.4, -1.3, 0.9, 1.7, -0.2);
    const t = Float64Array.of(0.02, 0.1, 0.25, 0.5, 0.9);
    const guess: NoiseGuess = (x, at) =>
      x.map((value, i) => 0.6 * value * schedule.std(at[i]) + 0.1 * value ** 2);
    const [m, std] = [t.map(schedule.mean), t.map(schedule.std)];
    const mix = (a: Float64Array, b: Float64Array) => x0.map((x, i) => a[i] * x + b[i] * z[i]);
    const noisy = mix(m, std);
    const mean = (of: (guessed: number, i: number) => number, given = noisy) =>
      guess(given, t).reduce((sum, value, i) => sum + of(value, i), 0) / t.length;
    const square = (guessed: number, i: number) => (guessed - z[i]) ** 2;
    const right = mean(square);
    return numberFault(
      answer(x0.slice(), z.slice(), t.slice(), (x, at) => guess(x, at)),
      right,
      1e-6,
      [
        [right * t.length, "That is the sum over the batch; asked is the mean."],
        [Math.sqrt(right), "That is the root of the loss."],
        [right / 2, "There is a factor ½ too many."],
        [mean((guessed, i) => Math.abs(guessed - z[i])), "The error is squared, not its magnitude taken."],
        [
          mean((guessed, i) => (guessed - x0[i]) ** 2),
          "The network guesses the noise z, and is compared with x₀.",
        ],
        [mean((guessed, i) => (guessed - std[i] * z[i]) ** 2), "Compare with z itself, not with √v z."],
        [
          mean((guessed, i) => (guessed + z[i] / std[i]) ** 2),
          "That compares with the score's −z/√v; the network guesses z.",
        ],
        [
          mean((guessed, i) => square(guessed, i) / std[i] ** 2),
          "That is the squared error of the score, 1/v times as large.",
        ],
        [mean(square, x0), "The network is given the clean numbers; it must see the noisy ones."],
        [
          mean(
            square,
            mix(
              m,
              std.map((value) => value ** 2),
            ),
          ),
          "The noise has the factor v; v is a variance, its root is the factor.",
        ],
        [
          mean(
            square,
            mix(
              t.map(() => 1),
              std,
            ),
          ),
          "The clean numbers are not shrunk by m.",
        ],
      ],
    );
  },
};
