/** MovieLens-100K as logs for the recommender, in the paper's protocol. The text is the user's own copy: its terms forbid passing it on. */
import { InputError } from "../../backend/errors";
import { finish } from "../../backend/interrupt";
import { Random } from "../../random";
import { plainCell, type Variant, whole } from "./method";
import { Recommender, scoresOf, training, type TrainingSettings } from "./recommender";
import type { RatingLog } from "./system";

/** Where `npm run gallery-data` leaves the ratings. */
export const movieLensFile = "build/gallery-data/ml-100k.inter";

export interface MovieLensOptions {
  readonly seed: number;
  /** Visits of each user that are kept, the last ones; where there are fewer, visits without a rating stand before them. */
  readonly visits?: number;
  /** Last visits of a test user, each of which is ranked among as many sampled negatives. */
  readonly testVisits?: number;
  readonly candidates?: number;
  /** Items beside each rated one from which the ranking loss tells it. */
  readonly negatives?: number;
  /** Whether the items of a user are put into a random order; the times stay. */
  readonly shuffled?: boolean;
}

interface Rating {
  readonly item: number;
  readonly rating: number;
  readonly time: number;
}

const stream = { split: 20, users: 21 };

/** 70 % of the users to train on, the others to test. Throws InputError for a text that is no such file. */
export function movieLens(
  text: string,
  { seed, visits = 60, testVisits = 10, candidates = 100, negatives = 4, shuffled = false }: MovieLensOptions,
): { items: number; train: RatingLog; test: RatingLog; popularity: Float64Array } {
  const histories = read(text);
  const items = 1 + Math.max(...histories.flatMap((history) => history.map(({ item }) => item)));
  const order = new Random(seed, stream.split).permutation(histories.length);
  const first = Math.round(0.7 * histories.length);
  const part = (users: Int32Array, tests: number): RatingLog => {
    const perVisit = 1 + negatives;
    const all = users.length * visits;
    const log = {
      users: users.length,
      items,
      visits,
      perVisit,
      gaps: new Float64Array(all),
      rated: new Int32Array(all * perVisit),
      ratings: new Float64Array(all * perVisit),
      gain: Math.sign,
      tests: {
        visits: tests,
        count: 1 + candidates,
        candidates: new Int32Array(users.length * tests * (1 + candidates)),
        ratings: new Float64Array(users.length * tests * (1 + candidates)),
      },
    };
    users.forEach((user, row) => {
      const random = new Random(seed, stream.users, user);
      const history = histories[user];
      const known = new Set(history.map(({ item }) => item));
      const unknown = () => {
        for (;;) {
          const item = Math.floor(items * random.uniform());
          if (!known.has(item)) return item;
        }
      };
      const places = shuffled ? random.permutation(history.length) : history.map((_, k) => k);
      const kept = Math.min(visits, history.length);
      for (let k = 0; k < kept; k++) {
        const now = history.length - kept + k;
        const { item, rating } = history[places[now]];
        const at = row * visits + visits - kept + k;
        log.gaps[at] = now === 0 ? 0 : (history[now].time - history[now - 1].time) / 86400;
        log.rated[at * perVisit] = item;
        log.ratings[at * perVisit] = rating;
        for (let j = 1; j < perVisit; j++) log.rated[at * perVisit + j] = unknown();
        const test = k - (kept - tests);
        if (test < 0) continue;
        const from = (row * tests + test) * (1 + candidates);
        log.tests.candidates[from] = item;
        log.tests.ratings[from] = 1;
        for (let j = 1; j <= candidates; j++) log.tests.candidates[from + j] = unknown();
      }
    });
    return log;
  };
  const popularity = new Float64Array(items);
  order.subarray(0, first).forEach((user) => histories[user].forEach(({ item }) => popularity[item]++));
  return {
    items,
    train: part(order.subarray(0, first), 0),
    test: part(order.subarray(first), testVisits),
    popularity,
  };
}

/** Histories of all users, each in the order of time. */
function read(text: string): Rating[][] {
  const lines = text.trim().split("\n");
  if (!lines[0].startsWith("user_id")) {
    throw new InputError(
      `The file begins with ${JSON.stringify(lines[0].slice(0, 40))}; give ml-100k.inter of the package recbole.`,
    );
  }
  const [users, items] = [0, 0].map(() => new Map<string, number>());
  const number = (names: Map<string, number>, name: string) =>
    names.get(name) ?? (names.set(name, names.size), names.size - 1);
  const histories: Rating[][] = [];
  for (const line of lines.slice(1)) {
    const [user, item, rating, time] = line.split("\t");
    const at = number(users, user);
    (histories[at] ??= []).push({ item: number(items, item), rating: Number(rating), time: Number(time) });
  }
  return histories.map((history) => history.sort((a, b) => a.time - b.time));
}

/** With one item to be found: the share of tests in which it is among the first five, which the paper calls P@5, and nDCG@5. */
export function found({ tests }: RatingLog, scores: ArrayLike<number>): { hits: number; ndcg: number } {
  const all = tests.ratings.length / tests.count;
  let [hits, ndcg] = [0, 0];
  for (let from = 0; from < tests.ratings.length; from += tests.count) {
    let rank = 0;
    for (let k = from + 1; k < from + tests.count; k++) if (scores[k] >= scores[from]) rank++; // a tie is no find
    if (rank >= 5) continue;
    hits++;
    ndcg += 1 / Math.log2(rank + 2);
  }
  return { hits: hits / all, ndcg: ndcg / all };
}

/** Of the trainings on MovieLens: what is ranked is whether an item was seen at all, so that the ranking loss leads. */
export const movieLensTraining: TrainingSettings & { ranking: number } = {
  ...training,
  epochs: 20,
  ranking: 1,
};

/** What was published for this data set: the paper's table. */
export const published = {
  "E-NSDE, as published": { hits: 0.471, ndcg: 0.411 },
  "BERT4Rec, as published": { hits: 0.415, ndcg: 0.378 },
} as const;

/** Our model, its controls and popularity on the same tests. progress: a line of text now and then. */
export function movieLensResults(
  text: string,
  {
    seed,
    epochs = movieLensTraining.epochs,
    progress,
  }: { seed: number; epochs?: number; progress: (text: string) => void },
): Record<string, { hits: number; ndcg: number }> {
  const data = movieLens(text, { seed });
  const learned = (name: string, variant: Variant, { items, train, test } = data) => {
    progress(`training: ${name}`);
    const recommender = new Recommender(items, { ...variant, ranking: movieLensTraining.ranking }, seed);
    finish(recommender.train(train, { ...movieLensTraining, epochs }));
    const expected = recommender.forecast(test, 2);
    recommender.dispose();
    return found(test, scoresOf(expected));
  };
  const { tests } = data.test;
  return {
    chance: {
      hits: 5 / tests.count,
      ndcg: [0, 1, 2, 3, 4].reduce((sum, rank) => sum + 1 / Math.log2(rank + 2), 0) / tests.count,
    },
    popularity: found(
      data.test,
      Float64Array.from(tests.candidates, (item) => data.popularity[item]),
    ),
    "evidential neural SDE": learned("evidential neural SDE", whole),
    "the same, items of a user in random order": learned(
      "random order",
      whole,
      movieLens(text, { seed, shuffled: true }),
    ),
    "recurrent cell without gaps": learned("recurrent cell without gaps", plainCell),
  };
}
