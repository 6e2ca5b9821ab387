/** The chapter's table and targets, for the command line. */
import { finish } from "../../backend/interrupt";
import type { GallerySystem, Target } from "../system";
import { plainCell, type Variant, whole } from "./method";
import { type Expectation, Recommender, scoresOf, training } from "./recommender";
import { byGap, type ByGap, ndcg, precision, rankCorrelation, testGaps } from "./ranking";
import { generateLog, type GeneratedLog, latentRatings, ratingMoments, taste, tasteFilter } from "./system";

const budgets = {
  smoke: { log: { users: 20, items: 60, visits: 14, testVisits: 4, count: 20 }, epochs: 2, forecastPaths: 2 },
  lesson: { log: {}, epochs: 30, forecastPaths: 4 },
  full: { log: {}, epochs: 30, forecastPaths: 4 },
};

/** Ablations of the chapter, each with one thing changed. */
export const ablations: { readonly [name: string]: Variant } = {
  "no noise (an ODE)": { ...whole, motion: "ode" },
  "no SDE": { ...whole, motion: "none" },
  "no evidential head": { ...whole, evidential: false },
  "no ranking loss": { ...whole, ranking: 0 },
  "evidence free in the gap": { ...whole, monotone: false },
};

/** Trains a variant on a log and says what it expects at the tests. */
export function expectation(
  log: GeneratedLog,
  variant: Variant,
  { epochs, forecastPaths, seed }: { epochs: number; forecastPaths: number; seed: number },
): Expectation {
  const recommender = new Recommender(log.items, variant, seed);
  finish(recommender.train(log, { ...training, epochs }));
  const found = recommender.forecast(log, forecastPaths);
  recommender.dispose();
  return found;
}

/** Quality of a ranking of all tests by these scores. */
export function quality(
  log: GeneratedLog,
  scores: Float64Array,
): { ndcg: ByGap; precision: ByGap; error: ByGap } {
  const { ratings } = log.tests;
  const latent = latentRatings(log);
  const part = (from: number, to: number) => [scores.subarray(from, to), ratings.subarray(from, to)] as const;
  return {
    ndcg: byGap(log, (from, to) => ndcg(...part(from, to))),
    precision: byGap(log, (from, to) => precision(...part(from, to))),
    error: byGap(log, (from, to) => average(from, to, (k) => (scores[k] - latent[k]) ** 2)),
  };
}

/** Variance of a candidate's rating, as it is forecast and as it is known from the exact filter, by gap. */
export function calibration(log: GeneratedLog, { aleatoric, epistemic, between }: Expectation) {
  const exact = tasteFilter(log);
  const noise = taste.noise ** 2;
  const known = exact.mean.map((mean, k) => ratingMoments(mean, exact.variance[k] + noise).variance);
  const of = (value: (k: number) => number) => byGap(log, (from, to) => average(from, to, value));
  return {
    total: of((k) => aleatoric[k] + epistemic[k] + between[k]),
    exact: of((k) => known[k]),
    aleatoric: of((k) => aleatoric[k]),
    epistemic: of((k) => epistemic[k] + between[k]),
    between: of((k) => between[k]),
    taste: of((k) => exact.variance[k]),
  };
}

/** Rank correlation of the gap with the mean over a visit's candidates of some variance. */
export function gapCorrelation(log: GeneratedLog, variance: (k: number) => number): number {
  const { count } = log.tests;
  const gaps = testGaps(log);
  return rankCorrelation(
    gaps,
    gaps.map((_, k) => average(k * count, (k + 1) * count, variance)),
  );
}

function average(from: number, to: number, value: (k: number) => number): number {
  let sum = 0;
  for (let k = from; k < to; k++) sum += value(k);
  return sum / (to - from);
}

/** From the shortest gaps to the longest. */
export function loss({ bins }: ByGap): number {
  return bins[0] - bins[bins.length - 1];
}

export const evidentialRecommender: GallerySystem = {
  name: "evidential-recommender",
  title: "An evidential neural SDE for recommendation",
  paper:
    "Neupane et al. 2024, Evidential Stochastic Differential Equations for Time-Aware Sequential Recommendation",
  async run({ budget, seed, progress }) {
    const { log: sizes, ...options } = budgets[budget];
    const log = generateLog(seed, sizes);
    const learned = (name: string, variant: Variant) => {
      progress(`training: ${name}`);
      return expectation(log, variant, { ...options, seed });
    };
    const ours = learned("evidential neural SDE", whole);
    const cell = learned("recurrent cell without gaps", plainCell);
    const exact = tasteFilter(log);
    const others = budget === "full" ? ablations : {};
    const scores: Record<string, Float64Array> = {
      "true taste": latentRatings(log),
      "exact filter": exact.mean,
      "exact filter, all gaps 5 days": tasteFilter(log, taste.rate, () => 5).mean,
      "ridge, taste at rest": tasteFilter(log, 0).mean,
      "evidential neural SDE": scoresOf(ours),
      "recurrent cell without gaps": scoresOf(cell),
      ...Object.fromEntries(
        Object.entries(others).map(([name, variant]) => [name, scoresOf(learned(name, variant))]),
      ),
    };
    const found = Object.entries(scores).map(([name, own]) => ({ name, ...quality(log, own) }));
    const of = (name: string) => found.find((row) => row.name === name)!;
    const { total, exact: known } = calibration(log, ours);
    const off = total.bins.map((value, k) => Math.abs(value / known.bins[k] - 1)).filter((value) => !Number.isNaN(value)); // prettier-ignore
    const correlation = gapCorrelation(log, (k) => ours.epistemic[k] + ours.between[k]);
    const most = (what: string, value: number, limit: number): Target => ({ what, value, at: "most", limit });
    const least = (what: string, value: number, limit: number): Target => ({
      what,
      value,
      at: "least",
      limit,
    });
    return {
      columns: ["nDCG@5", "P@5", "error", "nDCG, < 0.5 d", "nDCG, > 20 d", "loss"],
      rows: found.map(({ name, ndcg: n, precision: p, error }) => ({
        name,
        values: [n.all, p.all, error.all, n.bins[0], n.bins[n.bins.length - 1], loss(n)],
      })),
      targets: [
        least("nDCG@5", of("evidential neural SDE").ndcg.all, 0.715),
        least(
          "nDCG@5, share of the way from ridge to the exact filter",
          share("evidential neural SDE"),
          1 / 3,
        ),
        least("rank correlation of gap and epistemic variance", correlation, 0.9),
        least(
          "the same, less the exact filter's",
          correlation - gapCorrelation(log, (k) => exact.variance[k]),
          0,
        ),
        most("variance of a rating by gap, largest relative error", Math.max(...off), 0.3),
        most("loss of nDCG@5 with the gap, less the cell's", loss(of("evidential neural SDE").ndcg) - loss(of("recurrent cell without gaps").ndcg), 0), // prettier-ignore
      ],
    };

    function share(name: string): number {
      const [low, high] = ["ridge, taste at rest", "exact filter"].map((own) => of(own).ndcg.all);
      return (of(name).ndcg.all - low) / (high - low);
    }
  },
};
