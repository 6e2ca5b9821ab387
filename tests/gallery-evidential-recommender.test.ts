import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "../lib/backend/tensors";
import { digamma, logGamma, logGammaOf } from "../lib/gallery/gammaFunctions";
import { evidentialLoss } from "../lib/gallery/evidential-recommender/evidence";
import { Model, sizes, whole } from "../lib/gallery/evidential-recommender/method";
import * as ranking from "../lib/gallery/evidential-recommender/ranking";
import { Recommender } from "../lib/gallery/evidential-recommender/recommender";
import * as system from "../lib/gallery/evidential-recommender/system";
import { found, movieLens } from "../lib/gallery/evidential-recommender/movieLens";
import { sameDensity, twoVariances } from "../notebooks/support/gallery-6/exercises";
import { Random } from "../lib/random";

const near = (found: number, expected: number, tolerance: number, what = "") =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${what} ${found} and not ${expected}`);

const small = { users: 12, items: 30, visits: 12, testVisits: 2, count: 10 };

test("log Gamma and digamma: factorials, halves, Euler's constant, recurrence, derivative", () => {
  let factorial = 1;
  for (let n = 1; n < 20; n++) {
    near(logGamma(n), Math.log(factorial), 1e-12 * Math.max(1, Math.log(factorial)));
    factorial *= n;
  }
  near(logGamma(0.5), 0.5 * Math.log(Math.PI), 1e-13);
  near(digamma(1), -0.5772156649015329, 1e-13);
  near(digamma(0.5), -0.5772156649015329 - 2 * Math.log(2), 1e-13);
  for (const x of [0.01, 0.3, 1.7, 5, 60, 3000]) {
    near(digamma(x + 1), digamma(x) + 1 / x, 1e-11 / x);
    const h = 1e-4 * x;
    near((logGamma(x + h) - logGamma(x - h)) / (2 * h), digamma(x), 1e-6 * (1 + 1 / x));
  }
  for (const bad of [0, -1, NaN]) assert.ok(Number.isNaN(logGamma(bad)) && Number.isNaN(digamma(bad)));
});

test("the same of tensors, with its gradient", () => {
  const x = [0.02, 0.5, 1, 1.5, 3.3, 20, 1000];
  const { value, grad } = tf.valueAndGrad((t) => logGammaOf(t).sum())(tf.tensor1d(x));
  near(
    value.dataSync()[0],
    x.reduce((sum, v) => sum + logGamma(v), 0),
    1e-3,
  );
  grad
    .dataSync()
    .forEach((slope, k) => near(slope, digamma(x[k]), 1e-5 * Math.max(1, Math.abs(digamma(x[k])))));
});

test("the evidential loss is minus the log of a density, that of Student's law, and its gradient is right", () => {
  const [gamma, nu, alpha, beta] = [0.4, 0.7, 2.3, 0.9];
  const grid = Array.from({ length: 40_001 }, (_, k) => -200 + k / 100);
  const scalars = [gamma, nu, alpha, beta].map((v) => tf.scalar(v));
  const of = ([g, n, a, b]: typeof scalars) => ({ gamma: g, nu: n, alpha: a, beta: b });
  const densities = Array.from(evidentialLoss(tf.tensor1d(grid), of(scalars)).neg().exp().dataSync());
  near(
    densities.reduce((sum, p) => sum + p / 100, 0),
    1,
    1e-3,
    "mass",
  );
  const variance = densities.reduce((sum, p, k) => sum + (p * (grid[k] - gamma) ** 2) / 100, 0);
  // Noise and ignorance add up: beta / (alpha - 1) (1 + 1 / nu); the tail beyond the grid costs a little.
  near(variance, (beta / (alpha - 1)) * (1 + 1 / nu), 0.02, "variance");
  const loss = (...parameters: (typeof scalars)[number][]) =>
    evidentialLoss(tf.scalar(1.7), of(parameters)).asScalar();
  const slopes = tf
    .grads(loss as never)(scalars)
    .map((t) => t.dataSync()[0]);
  slopes.forEach((slope, k) => {
    const at = (step: number) =>
      loss(...scalars.map((t, i) => (i === k ? t.add(step) : t) as (typeof scalars)[number])).dataSync()[0];
    near(slope, (at(0.02) - at(-0.02)) / 0.04, 2e-3, `parameter ${k}`);
  });
});

test("what evidence says of a rating does not tell noise from ignorance", () => {
  // beta (1 + nu) / nu is all that the density depends on, beside alpha and gamma.
  const law = (nu: number) => ({
    gamma: tf.scalar(0.2),
    nu: tf.scalar(nu),
    alpha: tf.scalar(3),
    beta: tf.scalar((2 * nu) / (1 + nu)),
  });
  const y = tf.tensor1d([-2, 0, 0.5, 4]);
  const [a, b] = [0.1, 10].map((nu) => evidentialLoss(y, law(nu)).dataSync());
  a.forEach((value, k) => near(value, b[k], 1e-4));
});

test("the generated log is what it is said to be", () => {
  const log = system.generateLog(3, { ...small, users: 400, visits: 30 });
  const { factors: d, rate } = system.taste;
  let [variance, pairs, product, expected] = [0, 0, 0, 0];
  for (let user = 0; user < log.users; user++) {
    for (let visit = 1; visit < log.visits; visit++) {
      const at = user * log.visits + visit;
      const kept = Math.exp(-rate * log.gaps[at]);
      for (let k = 0; k < d; k++) {
        variance += log.tastes[at * d + k] ** 2;
        product += log.tastes[at * d + k] * log.tastes[(at - 1) * d + k];
        expected += 0.25 + kept;
        pairs++;
      }
    }
  }
  near(variance / pairs, 1.25, 0.06);
  near(product / pairs, expected / pairs, 0.06);
  assert.ok(log.gaps.every((gap) => gap >= 0.05 && gap <= 60));
  assert.ok(log.ratings.every((rating) => Number.isInteger(rating) && rating >= 1 && rating <= 5));
  assert.deepEqual(system.generateLog(3, small).ratings, system.generateLog(3, small).ratings);
  // A user's numbers do not depend on how many there are.
  assert.deepEqual(
    system.generateLog(3, { ...small, users: 5 }).gaps,
    system.generateLog(3, small).gaps.slice(0, 60),
  );
});

test("the exact filter's variance is that of its errors, and it is better than one that ignores time", () => {
  const log = system.generateLog(5, { ...small, users: 300, items: 100, visits: 40, testVisits: 10 });
  const latent = system.latentRatings(log);
  const errors = ({ mean, variance }: system.Forecast) => {
    const all = latent.reduce((sum, value, k) => sum + (value - mean[k]) ** 2, 0) / latent.length;
    return [all, variance.reduce((sum, value) => sum + value, 0) / latent.length];
  };
  const [[error, expected], [still]] = [system.tasteFilter(log), system.tasteFilter(log, 0)].map(errors);
  near(error / expected, 1, 0.1); // clipped ratings are not quite what the filter takes them for
  const fixed = errors(system.tasteFilter(log, system.taste.rate, () => 5))[0];
  assert.ok(error < 0.95 * fixed && fixed < 0.95 * still, `${error}, ${fixed}, ${still}`);
});

test("a rating's moments are those of draws", () => {
  const random = new Random(1);
  const draws = Array.from({ length: 100_000 }, () =>
    Math.min(5, Math.max(1, Math.round(3.9 + 1.1 * random.normal()))),
  );
  const mean = draws.reduce((sum, r) => sum + r, 0) / draws.length;
  const variance = draws.reduce((sum, r) => sum + (r - mean) ** 2, 0) / draws.length;
  const exact = system.ratingMoments(3.9, 1.21);
  near(mean, exact.mean, 0.015);
  near(variance, exact.variance, 0.02);
});

test("rankings are judged as by hand", () => {
  const ratings = [1, 5, 4, 2, 3, 1];
  near(ranking.ndcg([0, 5, 4, 2, 3, 0], ratings), 1, 1e-12);
  const dcg = (order: number[]) => order.reduce((sum, r, k) => sum + (2 ** r - 1) / Math.log2(k + 2), 0);
  near(ranking.ndcg([5, 4, 3, 2, 1, 0], ratings), dcg([1, 5, 4, 2, 3]) / dcg([5, 4, 3, 2, 1]), 1e-12);
  near(ranking.precision([5, 4, 3, 2, 1, 0], ratings), 2 / 5, 1e-12);
  near(ranking.rankCorrelation([1, 2, 3, 4], [10, 20, 400, 30]), 0.8, 1e-12);
  near(ranking.rankCorrelation([1, 1, 2, 2], [5, 5, 7, 7]), 1, 1e-12);
});

test("uncertainty rises with the gap by construction, whatever the weights", () => {
  for (const seed of [1, 2, 3]) {
    const model = new Model(4, whole);
    const random = new Random(seed);
    const weights = tf.tensor1d(model.start(random).map((w) => w + 0.5 * random.normal()));
    const days = [0, 0.1, 1, 5, 20, 100, 1000];
    const one = [1, days.length, 1] as [number, number, number];
    const state = tf.tensor2d(
      Array.from({ length: sizes.state }, () => random.normal()),
      [1, sizes.state],
    );
    const visits = {
      items: tf.zeros(one, "int32"),
      ratings: tf.zeros(one),
      gains: tf.zeros(one),
      time: tf.tensor2d(days.map(Math.log1p), [1, days.length]),
    };
    // Without motion, so that all have the same state.
    const still = new Model(4, { ...whole, motion: "none" });
    const states = tf.tile(state, [days.length, 1]);
    const found = still.look(weights, states, visits, tf.zeros([sizes.steps, days.length, sizes.state]), tf.zeros(one, "int32")); // prettier-ignore
    const epistemic = found["epistemic"].dataSync();
    const steps = Array.from(epistemic.subarray(1), (value, k) => value - epistemic[k]);
    assert.ok(steps.every((step) => step >= 0) && epistemic[6] > epistemic[0], epistemic.join());
  }
});

test("a state moves as its equation says: four Euler-Maruyama steps, and no step where nothing is rated", () => {
  const model = new Model(3, whole);
  const weights = model.start(new Random(2));
  const rows = 2000;
  const time = Math.log1p(10);
  const visits = {
    items: tf.zeros([1, rows, 1], "int32"),
    ratings: tf.zeros([1, rows, 1]),
    gains: tf.zeros([1, rows, 1]),
    time: tf.fill([1, rows], time),
  };
  const random = new Random(4);
  const z = tf.tensor3d(Float32Array.from({ length: sizes.steps * rows * sizes.state }, () => random.normal()), [sizes.steps, rows, sizes.state]); // prettier-ignore
  const { state } = model.look(tf.tensor1d(weights), tf.zeros([rows, sizes.state]), visits, z);
  const { variance, mean } = tf.moments(state.slice([0, 5], [rows, 1]));
  // Before training the drift is small and the noise almost the same everywhere: variance g^2 t.
  const g = Math.log1p(Math.exp(-3));
  near(variance.dataSync()[0] / (g ** 2 * time), 1, 0.4, "variance over g^2 t");
  assert.ok(Math.abs(mean.dataSync()[0]) < 0.5);
});

test("training finds what is in a log, repeats, and refuses a window that does not fit", () => {
  const log = system.generateLog(2, { users: 60, items: 40, visits: 24, testVisits: 4, count: 20 });
  const settings = { epochs: 12, rate: 0.02, window: 10, paths: 2 };
  const run = () => {
    const recommender = new Recommender(log.items, whole, 3);
    const losses = [...recommender.train(log, settings)];
    const found = recommender.forecast(log, 2);
    recommender.dispose();
    return { losses, found };
  };
  const { losses, found } = run();
  assert.ok(losses[11] < losses[0] - 0.1, losses.join());
  const value = (scores: Float64Array) => ranking.byGap(log, (a, b) => ranking.ndcg(scores.subarray(a, b), log.tests.ratings.subarray(a, b))).all; // prettier-ignore
  assert.ok(
    value(found.mean) > value(found.mean.map((_, k) => -k % 7)) + 0.05,
    "better than an arbitrary order",
  );
  const again = run();
  near(again.losses[11], losses[11], 1e-3);
  const recommender = new Recommender(log.items, whole, 3);
  assert.throws(() => [...recommender.train(log, { ...settings, window: 7 })], /window is 7 visits; give a divisor of 20/); // prettier-ignore
  assert.throws(
    () => recommender.forecast({ ...log, rated: log.rated.map((item) => item + 1) }, 1),
    /An item is 40; give numbers from 0 to 39/,
  );
  recommender.dispose();
});

test("MovieLens's ratings become logs: split, order, gaps, padding, negatives that were never rated", () => {
  const random = new Random(1);
  const lines = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"];
  const seen = new Map<string, Set<string>>();
  for (let user = 1; user <= 10; user++) {
    const own = random.permutation(40).subarray(0, 4 + user);
    seen.set(String(user), new Set(Array.from(own, String)));
    own.forEach((item, k) =>
      lines.push([user, item, 1 + (item % 5), 86400 * (own.length - k) ** 2].join("\t")),
    );
  }
  const options = { seed: 3, visits: 8, testVisits: 2, candidates: 10, negatives: 2 };
  const { items, train, test: held, popularity } = movieLens(`${lines.join("\n")}\n`, options);
  assert.deepEqual([train.users, held.users, train.tests.visits, held.tests.visits], [7, 3, 0, 2]);
  assert.equal(popularity.length, items);
  for (const log of [train, held]) {
    for (let user = 0; user < log.users; user++) {
      const at = Array.from({ length: 8 }, (_, k) => user * 8 + k);
      const kept = at.filter((k) => log.ratings[3 * k] > 0);
      assert.deepEqual(kept, at.slice(8 - kept.length), "visits without a rating come first");
      // Squares of days: gaps 3, 5, 7, ... from the second rating on.
      const gaps = kept.map((k) => log.gaps[k]);
      gaps.slice(1).forEach((gap, k) => assert.equal(gap - gaps[k], gaps[k] === 0 ? 3 : 2));
      const mine = new Set(kept.map((k) => log.rated[3 * k]));
      kept.forEach((k) =>
        [1, 2].forEach((j) => assert.ok(!mine.has(log.rated[3 * k + j]) && log.ratings[3 * k + j] === 0)),
      );
    }
  }
  // The first candidate is the item rated at that visit.
  assert.equal(held.tests.candidates[11], held.rated[3 * 7]);
  const perfect = Float64Array.from(held.tests.ratings);
  assert.deepEqual(found(held, perfect), { hits: 1, ndcg: 1 });
  assert.deepEqual(found(held, perfect.map(() => 0)), { hits: 0, ndcg: 0 }); // prettier-ignore
  const second = perfect.map((value, k) => (k % 11 === 4 ? 2 : value));
  near(found(held, second).ndcg, 1 / Math.log2(3), 1e-12);
  const shuffled = movieLens(lines.join("\n"), { ...options, shuffled: true }).test;
  assert.notDeepEqual(shuffled.rated, held.rated);
  assert.deepEqual(shuffled.gaps, held.gaps);
  assert.throws(() => movieLens("a,b\n1,2", options), /begins with "a,b"; give ml-100k.inter/);
});

test("exercises are judged right, and their usual slips are told", () => {
  const variances = (
    noise: (n: number, a: number, b: number) => number,
    mean: (n: number, a: number, b: number) => number,
  ) => String(twoVariances.fault((n, a, b) => [noise(n, a, b), mean(n, a, b)]));
  const noise = (_: number, a: number, b: number) => b / (a - 1);
  assert.equal(
    variances(noise, (n, a, b) => noise(n, a, b) / n),
    "undefined",
  );
  assert.match(
    variances((_, a, b) => b / a, noise),
    /inverse gamma/,
  );
  assert.match(variances(noise, noise), /the noise again/);
  assert.match(
    variances(noise, (n, a, b) => noise(n, a, b) * n),
    /divide by it/,
  );
  assert.equal(
    sameDensity.fault((nu, beta, other) => (beta * (1 + 1 / nu)) / (1 + 1 / other)),
    undefined,
  );
  assert.match(String(sameDensity.fault((_, beta) => beta)), /changes with/);
  assert.match(String(sameDensity.fault((nu, beta, other) => (beta * other) / nu)), /ignorance alone/);
});
