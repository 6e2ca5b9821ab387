/** Exercises of notebook 05: scores and the reverse process. */
import { gaussian, GaussianMixture } from "../../../lib/evaluation/gaussianMixture";
import { marginalGaussian, sampledGaussian } from "../../../lib/evaluation/gaussianSampling";
import {
  reverseForms,
  reverseSampler,
  reverseVariances,
  uniformGrid,
} from "../../../lib/evaluation/reverseForms";
import { twoPeaks } from "../../../lib/evaluation/toys";
import { InputError } from "../../../lib/backend/errors";
import { Random } from "../../../lib/random";
import { vpSchedule } from "../../../lib/schedule";
import { type Exercise, listFault, numberFault } from "../../../lib/notebook/check";

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

/** Scores of points at time t, one number a point. */
export type ScoreOf = (x: Float64Array, t: number) => Float64Array;

/** Takes points from times[0] to the last of the falling times; normal() is a new standard normal number at each call. */
export type ReverseRun = (
  start: Float64Array,
  score: ScoreOf,
  beta: (t: number) => number,
  times: Float64Array,
  normal: () => number,
) => Float64Array;

/** A run whose step adds beta h (onState x + onScore score) and, to each point, size(beta, h) times a normal number. */
function runOf(
  onState: number,
  onScore: number,
  size: (beta: number, h: number) => number,
  later = false,
): ReverseRun {
  return (start, score, beta, times, normal) => {
    let x = start;
    for (let k = 1; k < times.length; k++) {
      const h = times[k - 1] - times[k];
      const slope = score(x, times[k - 1]);
      const rate = beta(later ? times[0] - times[k - 1] : times[k - 1]);
      x = x.map((y, i) => y + rate * h * (onState * y + onScore * slope[i]) + size(rate, h) * normal());
    }
    return x;
  };
}

/** Euler-Maruyama of the reverse SDE, judged by mean and variance of what it makes of Gaussian data. */
export const eulerMaruyamaRun: Exercise<ReverseRun> = {
  number: "5.4",
  fault(answer) {
    const schedule = vpSchedule();
    const data = { mean: 0.5, variance: 0.25 };
    const [points, steps] = [10000, 200];
    const times = uniformGrid(schedule, steps);
    const score: ScoreOf = (x, t) => {
      const { mean, variance } = marginalGaussian(data, schedule, t);
      return x.map((value) => (mean - value) / variance);
    };
    const start = new Random(54).fillNormal(new Float64Array(points));
    const moments = (run: ReverseRun) => {
      const random = new Random(54, 1);
      let drawn = 0;
      const end = run(start.slice(), score, schedule.beta, times, () => (drawn++, random.normal()));
      if (end?.length !== points)
        throw new InputError(`The run returns ${end?.length ?? "no"} points of ${points}.`);
      const mean = end.reduce((sum, value) => sum + value, 0) / points;
      const variance = end.reduce((sum, value) => sum + (value - mean) ** 2, 0) / points;
      return { mean, variance, drawn };
    };
    const { mean, variance, drawn } = moments(answer);
    const root = (beta: number, h: number) => Math.sqrt(beta * h);
    const mistakes: [ReverseRun, string][] = [
      [runOf(0.5, -1, root), "The score has the wrong sign: points flee from the data."],
      [runOf(-0.5, 1, root), "The drift ½ x has the wrong sign: backwards, the state grows."],
      [runOf(0.5, 0.5, root), "With noise the score counts fully: ½ is for the ODE, which has no noise."],
      [runOf(0, 1, root), "The drift ½ x is missing."],
      [runOf(0.5, 1, () => 0), "There is no noise: that is not yet the SDE."],
      [runOf(0.5, 1, (beta, h) => Math.sqrt(beta) * h), "The noise of a step has the factor √h, not h."],
      [runOf(0.5, 1, (beta, h) => beta * h), "The noise of a step has the factor √(β h), not β h."],
      [runOf(0.5, 1, (_, h) => Math.sqrt(h)), "The noise lacks its √β."],
      [runOf(0.5, 1, root, true), "β belongs to the diffusion time t, which falls from 1."],
    ];
    if (drawn === steps)
      return "All points get the same noise: draw a new normal number for each point in each step.";
    const near = (value: number, target: number, tolerance: number) =>
      Math.abs(value - target) <= tolerance * Math.abs(target);
    const known = mistakes
      .map(([run, sentence]) => ({ ...moments(run), sentence }))
      .find((wrong) => near(variance, wrong.variance, 0.05) && Math.abs(mean - wrong.mean) < 0.05);
    const exact = sampledGaussian(reverseSampler(reverseForms.sde), schedule, times, data);
    if (near(variance, exact.variance, 0.06) && Math.abs(mean - exact.mean) < 0.03) {
      return drawn === 0
        ? "The variance is right without any noise: that is the ODE, not the SDE."
        : undefined;
    }
    const found = `Data of mean ${data.mean} and variance ${data.variance} come back with mean ${Number(mean.toPrecision(3))} and variance ${Number(variance.toPrecision(3))}.`;
    return known ? `${found} ${known.sentence}` : found;
  },
};

/** One step of the probability-flow ODE from time t to the earlier time next. */
export type FlowStep = (
  x: Float64Array,
  score: ScoreOf,
  beta: (t: number) => number,
  t: number,
  next: number,
) => Float64Array;

/** Heun's step on the probability-flow ODE. */
export const flowStep: Exercise<FlowStep> = {
  number: "5.5",
  fault(answer) {
    const schedule = vpSchedule();
    const [t, next] = [0.4, 0.3];
    const law = twoPeaks();
    const score: ScoreOf = (x, at) => law.marginal(schedule, at).score(x);
    const x = Float64Array.of(-1.2, -0.3, 0.4, 1.5);
    const rise = (y: Float64Array, at: number, onScore = 0.5) =>
      score(y, at).map((value, i) => schedule.beta(at) * (0.5 * y[i] + onScore * value));
    const h = t - next;
    const go = (...slopes: Float64Array[]) =>
      x.map((value, i) => value + (h * slopes.reduce((sum, slope) => sum + slope[i], 0)) / slopes.length);
    const heun = (onScore = 0.5) => {
      const first = rise(x, t, onScore);
      return go(first, rise(go(first), next, onScore));
    };
    const first = rise(x, t);
    const forward = x.map((value, i) => 2 * value - heun()[i]);
    const doubled = heun().map((value, i) => 2 * value - x[i]);
    return listFault(answer(x.slice(), score, schedule.beta, t, next), heun(), 1e-6, [
      [go(first), "That is Euler's step. Heun's goes on: a second slope at its end, and the mean of both."],
      [heun(1), "Without noise the score counts half: ½ β (x + score)."],
      [go(first, rise(go(first), t)), "The second slope belongs to the time `next`."],
      [go(first, rise(x, next)), "The second slope belongs to the predicted points, not to x."],
      [go(rise(go(first), next)), "Take the mean of both slopes, not the second alone."],
      [doubled, "Both slopes are added: take their mean."],
      [forward, "That goes forward, to more noise: backwards the sign of the step changes."],
    ]);
  },
};
