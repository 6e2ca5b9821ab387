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
