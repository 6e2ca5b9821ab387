/** A generated log of ratings whose tastes drift, and what is best known of them, in closed form. */
import { Random } from "../../random";

/** Visits of users, one after the other; at each, a user rates some items. Arrays are row by row in the order named. */
export interface RatingLog {
  readonly users: number;
  readonly items: number;
  /** Visits of each user. */
  readonly visits: number;
  /** Items rated at one visit. */
  readonly perVisit: number;
  /** Days since the user's last visit: (users, visits) */
  readonly gaps: Float64Array;
  /** (users, visits, perVisit) */
  readonly rated: Int32Array;
  /** 1 to 5, or 0 for an item that was not rated: (users, visits, perVisit) */
  readonly ratings: Float64Array;
  /** What an item of this rating, or of none, is worth in a ranking. */
  readonly gain: (rating: number) => number;
  /** The last visits of each user, at which a method ranks `count` candidates before it sees the ratings. */
  readonly tests: {
    readonly visits: number;
    readonly count: number;
    /** (users, tests.visits, count) */
    readonly candidates: Int32Array;
    /** What the user would have rated them: (users, tests.visits, count) */
    readonly ratings: Float64Array;
  };
}

/** A generated log, with what a real one would not tell. */
export interface GeneratedLog extends RatingLog {
  /** q: (items, factors) */
  readonly factors: Float64Array;
  /** u, the taste: (users, visits, factors) */
  readonly tastes: Float64Array;
}

/**
 * A rating is round(centre + q.u + noise z), clipped to 1..5. The taste u is a personal mean plus a deviation, which is
 * Ornstein and Uhlenbeck's process of variance 1: it forgets at `rate` a day.
 */
export const taste = {
  factors: 4,
  factorVariance: 0.25,
  meanVariance: 0.25,
  rate: 0.05,
  centre: 3.5,
  noise: 0.5,
};

/** Days between visits: log-uniform from the first to the last; the bins by which all is reported. */
export const gapBins: readonly number[] = [0.05, 0.5, 2, 8, 20, 60];

const stream = { factors: 0, users: 1, candidates: 2 };

/** A log with the sizes given; every user has an own stream of random numbers. */
export function generateLog(
  seed: number,
  { users = 200, items = 300, visits = 60, testVisits = 10, count = 100 } = {},
): GeneratedLog {
  const { factors: d, factorVariance, meanVariance, rate, centre, noise } = taste;
  const perVisit = 3;
  const scale = Math.sqrt(factorVariance);
  const factors = new Random(seed, stream.factors)
    .fillNormal(new Float64Array(items * d))
    .map((z) => scale * z);
  const gaps = new Float64Array(users * visits);
  const tastes = new Float64Array(users * visits * d);
  const rated = new Int32Array(users * visits * perVisit);
  const ratings = new Float64Array(users * visits * perVisit);
  const candidates = new Int32Array(users * testVisits * count);
  const truth = new Float64Array(users * testVisits * count);
  const [low, high] = [gapBins[0], gapBins[gapBins.length - 1]];
  for (let user = 0; user < users; user++) {
    const [random, choice] = [
      new Random(seed, stream.users, user),
      new Random(seed, stream.candidates, user),
    ];
    const rate1 = (item: number, at: number, source: Random) => {
      let value = centre + noise * source.normal();
      for (let k = 0; k < d; k++) value += factors[item * d + k] * tastes[at * d + k];
      return Math.min(5, Math.max(1, Math.round(value)));
    };
    const mean = Array.from({ length: d }, () => Math.sqrt(meanVariance) * random.normal());
    const deviation = Array.from({ length: d }, () => random.normal());
    for (let visit = 0; visit < visits; visit++) {
      const at = user * visits + visit;
      gaps[at] = low * (high / low) ** random.uniform();
      const kept = Math.exp(-rate * gaps[at]);
      for (let k = 0; k < d; k++) {
        deviation[k] = kept * deviation[k] + Math.sqrt(1 - kept ** 2) * random.normal();
        tastes[at * d + k] = mean[k] + deviation[k];
      }
      chosen(items, perVisit, random).forEach((item, j) => {
        rated[at * perVisit + j] = item;
        ratings[at * perVisit + j] = rate1(item, at, random);
      });
      const test = visit - (visits - testVisits);
      if (test < 0) continue;
      chosen(items, count, choice).forEach((item, j) => {
        candidates[(user * testVisits + test) * count + j] = item;
        truth[(user * testVisits + test) * count + j] = rate1(item, at, choice);
      });
    }
  }
  const tests = { visits: testVisits, count, candidates, ratings: truth };
  const gain = (rating: number) => (2 ** rating - 1) / 31;
  return { users, items, visits, perVisit, gaps, rated, ratings, gain, tests, factors, tastes };
}

/** Some different numbers of 0 .. items - 1. */
function chosen(items: number, count: number, random: Random): Int32Array {
  return random.permutation(items).subarray(0, count);
}

/** What a method says of the candidates of all tests before it sees their ratings. */
export interface Forecast {
  /** Expected rating: (users, tests.visits, count) */
  readonly mean: Float64Array;
  /** Variance of what is to be known of a user's taste for the item, without the noise of a rating: the same shape. */
  readonly variance: Float64Array;
}

/** Ratings are rounded, which adds a uniform error to their noise. */
export const ratingVariance = taste.noise ** 2 + 1 / 12;

/**
 * Kalman's filter of every user's taste, with the items' factors, the two variances and the rate known: the best linear forecast,
 * but for clipping. With rate 0 the taste stands still and it is ridge regression on all that the user has rated.
 * gap: by what the filter takes the gaps for, such as a constant. Source: Kalman 1960.
 */
export function tasteFilter(log: GeneratedLog, rate = taste.rate, gap = (days: number) => days): Forecast {
  const { users, visits, perVisit, gaps, rated, ratings, factors, tests } = log;
  const d = taste.factors;
  const n = 2 * d; // personal mean, then deviation
  const [mean, variance] = [0, 1].map(() => new Float64Array(tests.candidates.length));
  const first = visits - tests.visits;
  for (let user = 0; user < users; user++) {
    const x = new Float64Array(n);
    const P = new Float64Array(n * n);
    for (let i = 0; i < n; i++) P[i * (n + 1)] = i < d ? taste.meanVariance : 1;
    /** P h and h.P h for the item's h = (q, q), and h.x */
    const seen = (item: number) => {
      const h = (i: number) => factors[item * d + (i % d)];
      const Ph = new Float64Array(n);
      let [forecast, spread] = [0, 0];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) Ph[i] += P[i * n + j] * h(j);
        forecast += h(i) * x[i];
        spread += h(i) * Ph[i];
      }
      return { Ph, forecast, spread };
    };
    for (let visit = 0; visit < visits; visit++) {
      const at = user * visits + visit;
      const kept = Math.exp(-rate * gap(gaps[at]));
      for (let i = 0; i < n; i++) {
        if (i >= d) x[i] *= kept;
        for (let j = 0; j < n; j++) P[i * n + j] *= (i >= d ? kept : 1) * (j >= d ? kept : 1);
        if (i >= d) P[i * (n + 1)] += 1 - kept ** 2;
      }
      const test = (user * tests.visits + visit - first) * tests.count;
      for (let j = 0; visit >= first && j < tests.count; j++) {
        const { forecast, spread } = seen(tests.candidates[test + j]);
        mean[test + j] = taste.centre + forecast;
        variance[test + j] = spread;
      }
      for (let k = at * perVisit; k < (at + 1) * perVisit; k++) {
        const { Ph, forecast, spread } = seen(rated[k]);
        const gain = 1 / (spread + ratingVariance);
        const surprise = ratings[k] - taste.centre - forecast;
        for (let i = 0; i < n; i++) x[i] += gain * Ph[i] * surprise;
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) P[i * n + j] -= gain * Ph[i] * Ph[j];
      }
    }
  }
  return { mean, variance };
}

/** Mean and variance of a clipped, rounded rating whose value before has this normal law. */
export function ratingMoments(mean: number, variance: number): { mean: number; variance: number } {
  const below = (edge: number) => normalDistribution((edge - mean) / Math.sqrt(variance));
  let [first, second, reached] = [0, 0, 0];
  for (let rating = 1; rating <= 5; rating++) {
    const next = rating === 5 ? 1 : below(rating + 0.5);
    first += rating * (next - reached);
    second += rating ** 2 * (next - reached);
    reached = next;
  }
  return { mean: first, variance: second - first ** 2 };
}

/** Distribution function of the standard normal law, to 1e-7. Source: Abramowitz & Stegun 1964, 26.2.17. */
function normalDistribution(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = (tail * Math.exp(-0.5 * z ** 2)) / Math.sqrt(2 * Math.PI);
  return z < 0 ? upper : 1 - upper;
}

/** q.u of every candidate, which no method can know. */
export function latentRatings(log: GeneratedLog): Float64Array {
  const { visits, factors, tastes, tests } = log;
  const d = taste.factors;
  const latent = new Float64Array(tests.candidates.length).fill(taste.centre);
  for (let k = 0; k < latent.length; k++) {
    const [user, test] = [
      Math.floor(k / (tests.count * tests.visits)),
      Math.floor(k / tests.count) % tests.visits,
    ];
    const at = user * visits + visits - tests.visits + test;
    for (let i = 0; i < d; i++) latent[k] += factors[tests.candidates[k] * d + i] * tastes[at * d + i];
  }
  return latent;
}
