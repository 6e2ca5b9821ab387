/** Exercises of notebook 05: scores and the reverse process. */
import { gaussian, GaussianMixture } from "../../../lib/evaluation/gaussianMixture";
import { reverseVariances, uniformGrid } from "../../../lib/evaluation/reverseForms";
import { twoPeaks } from "../../../lib/evaluation/toys";
import { vpSchedule } from "../../../lib/schedule";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

/** The score of N(mean, std^2) as a function written by the reader. */
export const normalScore: Exercise<(x: number, mean: number, std: number) => number> = {
  number: "5.1",
  fault(answer) {
    const cases = [
      [0.5, 0, 1],
      [2, 0.5, 0.7],
      [-1, 1, 2],
    ];
    for (const [x, mean, std] of cases) {
      const density = (at: number) =>
        Math.exp(-0.5 * ((at - mean) / std) ** 2) / (std * Math.sqrt(2 * Math.PI));
      const h = 1e-4;
      const slope = (density(x + h) - density(x - h)) / (2 * h); // right to h^2
      const fault = numberFault(answer(x, mean, std), slope / density(x), 1e-5, [
        [slope, "That is the slope of the density; asked is the slope of its logarithm."],
        [-(x - mean) / std, "Divide by the variance, not by the standard deviation."],
        [-x / std ** 2, "The distance counts from the mean, not from 0."],
        [
          -0.5 * ((x - mean) / std) ** 2,
          "That is the logarithm of the density (up to a constant); take its slope.",
        ],
      ]);
      if (fault) return `At x = ${x} for mean ${mean} and standard deviation ${std}: ${fault}`;
    }
    return undefined;
  },
};

/** The factor on the score that goes with noise of size n, judged by what it does to the variance of Gaussian data. */
export const factorOnScore: Exercise<(noise: number) => number> = {
  number: "5.2",
  fault(answer) {
    const variance = 0.25;
    const schedule = vpSchedule();
    const times = uniformGrid(schedule, 2000);
    const data = { mean: 0, variance };
    for (const noise of [1, 0, 0.5, 2]) {
      const onScore = answer(noise);
      if (typeof onScore !== "number" || !Number.isFinite(onScore))
        return `For n = ${noise} the factor is ${String(onScore)}, not a finite number.`;
      const end = reverseVariances({ onState: 0.5, onScore, noise }, data, schedule, times).at(-1)!;
      const fault = numberFault(end, variance, 0.01); // the integrator's own error is below 0.001
      if (fault) {
        return `With n = ${noise} and a factor of ${onScore}, data of variance ${variance} come back with ${Number(end.toPrecision(3))}.`;
      }
    }
    return undefined;
  },
};

/** The score of x_t in one dimension for the mixture of the notebook, from the score of each Gaussian. */
export const mixtureScore: Exercise<
  (x: number, weights: number[], means: number[], variances: number[]) => number
> = {
  number: "5.3",
  fault(answer) {
    const schedule = vpSchedule();
    for (const t of [0.05, 0.3]) {
      const { components } = twoPeaks().marginal(schedule, t);
      const weights = components.map(({ weight }) => weight);
      const means = components.map(({ mean }) => mean[0]);
      const variances = components.map((component) => component.variances[0]);
      for (const x of [-1, 0.1, 0.6]) {
        const own = components.map((_, k) => (means[k] - x) / variances[k]);
        const law = new GaussianMixture(weights.map((w, k) => gaussian(w, [means[k]], [[variances[k]]])));
        const byWeight = own.reduce((sum, score, k) => sum + weights[k] * score, 0);
        const fault = numberFault(
          answer(x, weights, means, variances),
          law.score(Float64Array.of(x))[0],
          1e-6,
          [
            [
              byWeight,
              "The Gaussians' scores count by how probable each is at x, not by their weights alone.",
            ],
          ],
        );
        if (fault) return `At x = ${x}, t = ${t}: ${fault}`;
      }
    }
    return undefined;
  },
};
