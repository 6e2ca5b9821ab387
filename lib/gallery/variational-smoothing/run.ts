/** The chapter's table and targets, for the command line. */
import { gridMoments, gridSmoother } from "../gridSmoother";
import { kalmanFilter, kalmanSmoother, likeliestTheta } from "../kalman";
import type { GallerySystem, Target } from "../system";
import { secondsOf } from "../timing";
import { chainSamples, crankNicolson, effectiveSamples, resampled, uniqueAncestors } from "../pathSmoothers";
import { evidence, meanAndDeviation, Smoother } from "./method";
import { doubleWell, ornsteinUhlenbeck, scalarSde } from "./system";

const budgets = {
  smoke: { paths: 64, steps: 10, wellSteps: 10, count: 1, fine: 20, rounds: 2, dimensions: [1, 2], chain: 200 },
  lesson: { paths: 128, steps: 150, wellSteps: 1000, count: 16, fine: 100, rounds: 8, dimensions: [1, 8], chain: 4000 },
  full: { paths: 192, steps: 300, wellSteps: 1200, count: 16, fine: 100, rounds: 10, dimensions: [1, 2, 4, 8], chain: 10_000 },
}; // prettier-ignore

/** Settings of the chapter's trainings. */
export const training = { perInterval: 20, width: 32, rate: 0.01, reuse: 4 };
/** The double well's drift is steep: steps from one observation to the next, in training and after. */
export const wellIntervals = { training: 40, sampling: 200 };

/** What samples and their ancestors cost in some dimension: the learned score, a Markov chain and particles, in one run. */
export function scaling(
  dimension: number,
  { paths, steps, chain, seed }: { paths: number; steps: number; chain: number; seed: number },
) {
  const problem = ornsteinUhlenbeck(dimension);
  const { perInterval, width } = training;
  const smoother = new Smoother(problem, { paths, perInterval, width, seed });
  const trainingTime = secondsOf(() => {
    for (const step of smoother.train({ ...training, steps, seed })) void step;
  });
  const options = { count: 4, perInterval, seed: seed + 1 };
  let { logWeights } = smoother.sample([], options); // once before the clock starts
  const seconds = secondsOf(() => ({ logWeights } = smoother.sample([], options)));
  smoother.dispose();
  let markov = crankNicolson(problem, { iterations: 10, perInterval, seed });
  const chainSeconds = secondsOf(() => {
    markov = crankNicolson(problem, { iterations: chain, perInterval, seed });
  });
  const own = effectiveSamples(logWeights);
  const particles = logWeights.length;
  return {
    dimension,
    training: trainingTime,
    share: own / particles,
    rate: own / seconds,
    chainRate: chainSamples(markov.chain) / chainSeconds,
    particles,
    unique: new Set(resampled(logWeights, 0.5)).size,
    ancestors: uniqueAncestors(problem, { particles, perInterval, seed }),
  };
}

export const variationalSmoothing: GallerySystem = {
  name: "variational-smoothing",
  title: "Variational smoothing by a backward score",
  paper: "Variational Smoothing and Inference for SDEs from Sparse Data with Dynamic Neural Flows, arXiv 2605.05606, 2026", // prettier-ignore
  async run({ budget, seed, progress }) {
    const own = budgets[budget];
    const { paths, steps, count, fine: perInterval } = own;
    const { perInterval: coarse, width } = training;
    const settings = { paths, perInterval: coarse, width, seed };
    const rows: { name: string; values: number[] }[] = [];
    progress("a score for Ornstein and Uhlenbeck's process");
    const linear = ornsteinUhlenbeck();
    const smoother = new Smoother(linear, settings);
    for (const step of smoother.train({ ...training, steps, seed })) void step;
    const seen = smoother.sample([0.5, 1.5, 2.5], { count, perInterval, seed: seed + 1 });
    const found = evidence(seen.logWeights);
    const exact = kalmanFilter(linear, linear.observations).logEvidence;
    let [meanError, deviationError] = [0, 0];
    seen.times.forEach((t, i) => {
      const { mean, deviation } = meanAndDeviation(seen.states[i]);
      const { mean: m, variance } = kalmanSmoother(linear, linear.observations, t);
      rows.push({ name: `OU, t = ${t.toFixed(2)}`, values: [mean, m, deviation, Math.sqrt(variance)] });
      meanError = Math.max(meanError, Math.abs(mean - m));
      deviationError = Math.max(deviationError, Math.abs(deviation / Math.sqrt(variance) - 1));
    });
    progress("EM for its theta");
    let theta = NaN;
    const em = {
      ...training,
      steps: Math.ceil(steps / 6),
      rate: 0.003,
      rounds: own.rounds,
      draws: count,
      perInterval,
      seed,
    };
    for (const round of smoother.em(em)) theta = round.theta;
    smoother.dispose();
    progress("a score for the double well");
    const well = doubleWell();
    const double = new Smoother(well, { ...settings, perInterval: wellIntervals.training });
    for (const step of double.train({ ...training, steps: own.wellSteps, seed })) void step;
    const inWell = double.sample([1.5, 2.5], {
      count,
      perInterval: budget === "smoke" ? perInterval : wellIntervals.sampling,
      seed: seed + 1,
    });
    double.dispose();
    const bound = evidence(inWell.logWeights);
    const grid = gridSmoother(scalarSde(well), well.observations, { reach: 2.5, cells: 401, dt: 0.01 });
    inWell.times.forEach((t, i) => {
      const { mean, deviation } = meanAndDeviation(inWell.states[i]);
      const reference = gridMoments(grid.centres, grid.density(t));
      rows.push({ name: `double well, t = ${t.toFixed(2)}`, values: [mean, reference.mean, deviation, reference.deviation] }); // prettier-ignore
    });
    // Largest difference of the distribution functions at t = 1.5, which the grid shows to have one broad peak.
    const density = grid.density(inWell.times[0]);
    let [reached, distance] = [0, 0];
    grid.centres.forEach((x, k) => {
      reached += density[k] * (grid.centres[1] - grid.centres[0]);
      const below = inWell.states[0].filter(
        (value) => value < x + (grid.centres[1] - grid.centres[0]) / 2,
      ).length;
      distance = Math.max(distance, Math.abs(reached - below / inWell.states[0].length));
    });
    const scaled = own.dimensions.map((d) => {
      progress(`samples beside Markov chains and particles, ${d} dimensions`);
      return scaling(d, { paths, steps, chain: own.chain, seed });
    });
    // In the highest dimension, the others beside it.
    const more = (what: string, value: (own: ReturnType<typeof scaling>) => number): Target => {
      const all = scaled.map((own) => [`d = ${own.dimension}`, value(own)] as const);
      const [name, widest] = all[all.length - 1];
      return {
        what: `${name}: ${what}`,
        value: widest,
        at: "least",
        limit: 1,
        beside: Object.fromEntries(all.slice(0, -1)),
      };
    };
    const most = (what: string, value: number, limit: number, beside: Target["beside"] = {}): Target => {
      return { what, value, at: "most", limit, beside };
    };
    return {
      columns: ["mean", "exact", "deviation", "exact "],
      rows,
      targets: [
        most("OU: largest error of a mean", meanError, 0.03),
        most("OU: largest relative error of a deviation", deviationError, 0.1),
        most("OU: bound below the evidence by (nat)", Math.abs(exact - found.bound), 0.05, {
          "by weights": Math.abs(exact - found.weighted),
        }),
        most("double well: bound below the evidence by (nat)", Math.abs(grid.logEvidence - bound.bound), 0.15, { "by weights": Math.abs(grid.logEvidence - bound.weighted) }), // prettier-ignore
        most("double well at t = 1.5: distance of the distribution functions", distance, 0.05),
        most("EM: relative error of theta", Math.abs(theta / likeliestTheta(linear) - 1), 0.05, {
          "exact theta": likeliestTheta(linear),
          "by EM": theta,
        }),
        more("effective samples a second, over a Markov chain's", (own) => own.rate / own.chainRate),
        more("different paths, over the particles' ancestors", (own) => own.unique / own.ancestors),
      ],
    };
  },
};
