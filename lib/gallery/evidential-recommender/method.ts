/**
 * The evidential neural SDE of a recommender, as functions of tensors: a user's state moves by an SDE from one visit to the
 * next, a recurrent cell takes in the ratings of a visit, and an evidential head says of a rating what is expected and how surely.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../backend/tensors";
import { Random } from "../../random";
import { concatenated, DenseNetwork } from "../couplingFlow";
import { type Evidence, evidentialLoss, variances } from "./evidence";

type Tensor = tfTypes.Tensor;
type Rows = tfTypes.Tensor2D;

/** What is on and off: the whole method, its ablations and its baselines. */
export interface Variant {
  /** Whether the model sees the time between visits; else all gaps are taken for the same. */
  readonly gaps: boolean;
  /** How a state moves from one visit to the next: with noise, without, or not at all. */
  readonly motion: "sde" | "ode" | "none";
  /** A normal-inverse-gamma law of each rating, or a normal one whose variance is the same for all. */
  readonly evidential: boolean;
  /** Whether the evidence may only fall with the gap. */
  readonly monotone: boolean;
  /** Weight of the ranking loss, zeta. */
  readonly ranking: number;
}

/** The whole method. */
export const whole: Variant = { gaps: true, motion: "sde", evidential: true, monotone: true, ranking: 0.1 };

/** A recurrent cell that takes all gaps for the same, and a squared error. */
export const plainCell: Variant = {
  gaps: false,
  motion: "none",
  evidential: false,
  monotone: true,
  ranking: 0.1,
};

/** Sizes of the networks, and weights of the losses. */
export const sizes = {
  /** Of a user's state. */
  state: 24,
  /** Of an item's factors. */
  factors: 8,
  /** Hidden units of the SDE's network, and of the head. */
  hidden: 32,
  head: 16,
  /** Sigmoids of which the evidence's fall is made. */
  sigmoids: 6,
  /** Euler-Maruyama steps from one visit to the next. */
  steps: 4,
  /** lambda, weight of the evidence's regulariser. */
  regulariser: 0.001,
  /** Precisions of the normal priors of the items' factors and of all networks' weights. */
  factorPrecision: 10,
  weightPrecision: 30,
};

/** Before training, noise is added to a state at the rate softplus of this, squared. */
const QUIET = -3;

/** A gap in days as the model sees it. */
export const compressed = (days: number): number => Math.log1p(days);

/** What a model that does not see gaps takes all of them for: of constants, the best for the exact filter. */
export const UNIFORM_GAP = 5;

/** Visits as the model reads them. */
export interface Visits {
  /** int32 [visits, users, n] */
  readonly items: Tensor;
  /** 1 to 5, or 0 where there is none: [visits, users, n] */
  readonly ratings: Tensor;
  /** What the items are worth in a ranking: [visits, users, n] */
  readonly gains: Tensor;
  /** Compressed gaps: [visits, users] */
  readonly time: Tensor;
}

/** Weights of a model by their names. */
interface Weights {
  readonly [name: string]: Tensor;
}

/** What is known of some items: factors [visits, users, n, f], and the rating by which all differ, [visits, users, n]. */
interface Items {
  readonly factors: Tensor;
  readonly bias: Tensor;
}

/** The model of a number of items; its weights are one vector. */
export class Model {
  private readonly networks: { readonly [name: string]: DenseNetwork };
  private readonly shapes: { readonly [name: string]: readonly number[] };

  constructor(
    items: number,
    readonly variant: Variant,
  ) {
    const { state: d, factors: f, hidden, head, sigmoids } = sizes;
    const input = 2 * f + 1 + d;
    this.networks = {
      motion: new DenseNetwork([d + 1, hidden, 2 * d]),
      gates: new DenseNetwork([input, 2 * d]),
      fresh: new DenseNetwork([input, d]),
      head: new DenseNetwork([d + f, head, 3 + sigmoids]),
    };
    const own = Object.entries(this.networks).map(([name, { size }]) => [name, [size]] as const);
    this.shapes = {
      items: [items, f + 1], // factors, and a bias
      centre: [1],
      read: [d, f],
      slopes: [sigmoids],
      places: [sigmoids],
      ...Object.fromEntries(own),
    };
  }

  /**
   * First weights. The state's first coordinates are what items are multiplied with, and the cell moves them down the
   * gradient of the squared error, so that the cell need not find out what its input is for.
   */
  start(random: Random): Float32Array {
    const { state: d, factors: f } = sizes;
    const draws = (length: number, scale: number) =>
      Float32Array.from({ length }, () => scale * random.normal());
    const given: Record<string, () => Float32Array> = {
      items: () => draws(size(this.shapes["items"]), 0.3).map((z, k) => (k % (f + 1) === f ? 0 : z)),
      centre: () => Float32Array.of(3.5),
      read: () => withUnit(draws(d * f, 0.3 / Math.sqrt(d)), f, f),
      slopes: () => new Float32Array(sizes.sigmoids),
      places: () => Float32Array.from({ length: sizes.sigmoids }, (_, k) => -k),
      motion: () => this.networks["motion"].start(random, 0.1),
      gates: () => this.networks["gates"].start(random),
      fresh: () => withUnit(this.networks["fresh"].start(random, 0.3), d, f),
      head: () => this.networks["head"].start(random, 0.3),
    };
    return concatenated(Object.keys(this.shapes).map((name) => given[name]()));
  }

  /** Parts of the vector of weights. */
  private named(vector: Tensor): Weights {
    const shapes = Object.entries(this.shapes);
    const parts = tf.split(vector, shapes.map(([, shape]) => size(shape))); // prettier-ignore
    return Object.fromEntries(shapes.map(([name, shape], k) => [name, parts[k].reshape([...shape])]));
  }

  private apply(name: string, w: Weights, x: Tensor): Rows {
    return this.networks[name].apply(w[name] as tfTypes.Tensor1D, x as Rows);
  }

  /** Euler-Maruyama from one visit to the next: state [rows, d], time [rows, 1], noise: `steps` tensors [rows, d]. */
  private advance(w: Weights, state: Tensor, time: Tensor, noise: readonly Tensor[]): Tensor {
    const { motion } = this.variant;
    if (motion === "none") return state;
    const h = time.div(sizes.steps);
    return noise.reduce((u, z, k) => {
      const [drift, raw] = tf.split<Tensor>(this.apply("motion", w, tf.concat([u, h.mul(k)], 1)), 2, 1);
      const moved = u.add(drift.mul(h));
      return motion === "ode" ? moved : moved.add(tf.softplus(raw.add(QUIET)).mul(h.sqrt()).mul(z));
    }, state);
  }

  /**
   * States [visits, paths, users, d] before the ratings of each visit are seen, and the last one after, from state
   * [paths users, d]. noise: [visits steps, paths users, d]
   */
  private through(w: Weights, state: Tensor, { items, ratings, time }: Visits, known: Items, noise: Tensor) {
    const [visits, users, n] = items.shape as number[];
    const { state: d, factors: f, steps } = sizes;
    const paths = state.shape[0] / users;
    const factors = tf.unstack(known.factors.reshape([visits, 1, users, n, f]));
    const biases = tf.unstack(known.bias.reshape([visits, 1, users, n]));
    const times = tf.unstack(
      tf.tile(time.reshape([visits, 1, users]), [1, paths, 1]).reshape([visits, -1, 1]),
    );
    const given = tf.unstack(ratings.reshape([visits, 1, users, n]));
    const noises = tf.unstack(noise);
    const states: Tensor[] = [];
    let u = state;
    for (let k = 0; k < visits; k++) {
      u = this.advance(w, u, times[k], noises.slice(k * steps, (k + 1) * steps));
      states.push(u);
      const read = tf.matMul(u as Rows, w["read"] as Rows).reshape([paths, users, 1, f]);
      const gamma = read.mul(factors[k]).sum(3).add(biases[k]);
      const rated = tf.step(given[k]);
      const surprise = given[k].sub(gamma).mul(rated).reshape([paths, users, n, 1]);
      const push = factors[k].mul(surprise).sum(2).reshape([-1, f]);
      const about = factors[k].mul(rated.reshape([1, users, n, 1])).sum(2);
      const input = [push, tf.tile(about.reshape([users, f]) as Rows, [paths, 1]), times[k]];
      const gates = tf.sigmoid(this.apply("gates", w, tf.concat([...input, u], 1)));
      const [update, reset] = tf.split(gates, 2, 1);
      const fresh = tf.tanh(this.apply("fresh", w, tf.concat([...input, u.mul(reset)], 1)));
      const any = tf.tile(rated.reshape([users, n]).max(1, true) as Rows, [paths, 1]);
      u = u.add(update.mul(any).mul(fresh.sub(u)));
    }
    return { states: tf.stack(states).reshape([visits, paths, users, d]), last: u };
  }

  /** What is said of items [visits, users, n] in states [visits, paths, users, d]: [visits, paths, users, n] each. */
  private judge(w: Weights, states: Tensor, known: Items, time: Tensor): Evidence {
    const [visits, users, n] = known.bias.shape as number[];
    const [, paths, , d] = states.shape as number[];
    const { factors: f, sigmoids } = sizes;
    const shape = [visits, paths, users, n];
    const factors = tf.tile(known.factors.reshape([visits, 1, users, n * f]), [1, paths, 1, 1]);
    const read = tf.matMul(states.reshape([-1, d]) as Rows, w["read"] as Rows);
    const product = tf.matMul(factors.reshape([-1, n, f]), read.reshape([-1, f, 1])).reshape(shape);
    const gamma = product.add(known.bias.reshape([visits, 1, users, n]));
    const user = tf.tile(states.reshape([-1, 1, d]), [1, n, 1]);
    const out = this.apply("head", w, tf.concat([user.reshape([-1, d]), factors.reshape([-1, f])], 1));
    const [a, b, floor, heights] = tf.split(out as Tensor, [1, 1, 1, sigmoids], 1);
    const one = tf.ones(shape);
    if (!this.variant.evidential) {
      // So large an alpha makes Student's law a normal one.
      const variance = tf.softplus(w["places"].slice([0], [1]));
      return { gamma, nu: one.mul(1e4), alpha: one.mul(1e3), beta: one.mul(1e3).mul(variance) };
    }
    const { monotone } = this.variant;
    const positive = (x: Tensor) => (monotone ? tf.softplus(x) : x);
    const at = time.reshape([-1, 1]).mul(positive(w["slopes"])).add(w["places"]);
    const rise = tf.sigmoid(at).reshape([visits, 1, users, 1, sigmoids]);
    const sum = positive(heights)
      .reshape([...shape, sigmoids])
      .mul(rise)
      .sum(4);
    const unsure = monotone ? tf.softplus(floor).reshape(shape).add(sum) : tf.softplus(floor.reshape(shape).add(sum)); // prettier-ignore
    return {
      gamma,
      nu: unsure.add(1e-3).reciprocal(),
      alpha: tf.softplus(a).add(1.01).reshape(shape),
      beta: tf.softplus(b).add(1e-3).reshape(shape),
    };
  }

  /** The loss of a window of visits, and the state after it. */
  loss(vector: Tensor, state: Tensor, visits: Visits, noise: Tensor, ratingsOfAll: number) {
    const w = this.named(vector);
    const known = picked(w, visits.items);
    const { states, last } = this.through(w, state, visits, known, noise);
    const found = this.judge(w, states, known, visits.time);
    const paths = states.shape[1] as number;
    const wide = (x: Tensor) => tf.expandDims(x, 1);
    const rated = wide(tf.step(visits.ratings));
    const mean = (x: Tensor) => x.mul(rated).sum().div(rated.sum()).div(paths);
    // Ratings of one visit share their path: their joint density is the mean over paths of products.
    const joint = tf.neg(evidentialLoss(wide(visits.ratings), found).mul(rated).sum(3));
    let loss: Tensor = tf
      .neg(tf.logSumExp(joint, 1))
      .add(Math.log(paths))
      .mul(rated.max([1, 3]))
      .sum()
      .div(rated.sum());
    if (this.variant.evidential) {
      const { epistemic } = variances(found);
      const wrong = wide(visits.ratings).sub(found.gamma).abs().div(epistemic);
      loss = loss.add(mean(wrong).mul(sizes.regulariser));
    }
    if (this.variant.ranking > 0) {
      const pairs = (x: Tensor) => tf.expandDims(x, 4).sub(tf.expandDims(x, 3));
      const better = tf.relu(pairs(wide(visits.gains)));
      const wrong = better.mul(tf.softplus(tf.neg(pairs(found.gamma)))).sum();
      loss = loss.add(wrong.div(rated.sum()).div(paths).mul(this.variant.ranking));
    }
    const squares = (names: readonly string[]) => tf.addN(names.map((name) => w[name].square().sum()));
    const prior = squares(["items"]).mul(sizes.factorPrecision).add(squares(["read", ...Object.keys(this.networks)]).mul(sizes.weightPrecision)); // prettier-ignore
    return { loss: loss.add(prior.mul(0.5 / ratingsOfAll)) as tfTypes.Scalar, state: last };
  }

  /** The state after some visits and, if there are candidates [visits, users, n], what is said of them: [visits, users, n] each. */
  look(
    vector: Tensor,
    state: Tensor,
    visits: Visits,
    noise: Tensor,
    candidates?: Tensor,
  ): Record<string, Tensor> {
    const w = this.named(vector);
    const { states, last } = this.through(w, state, visits, picked(w, visits.items), noise);
    if (!candidates) return { state: last.mul(1) }; // a graph returns nothing as it was given
    const found = this.judge(w, states, picked(w, candidates), visits.time);
    const { aleatoric, epistemic } = variances(found);
    const mean = found.gamma.mean(1, true);
    const between = found.gamma.sub(mean).square().mean(1);
    return {
      state: last.mul(1),
      mean: mean.squeeze([1]),
      aleatoric: aleatoric.mean(1),
      epistemic: epistemic.mean(1),
      between,
    };
  }
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Adds 1 to the diagonal's first entries of a matrix with so many columns at the beginning of a vector. */
function withUnit(values: Float32Array, columns: number, count: number): Float32Array {
  for (let k = 0; k < count; k++) values[k * (columns + 1)] += 1;
  return values;
}

/** Factors and biases of items [visits, users, n]: a product, as tfjs's own operation reads the numbers, which a graph cannot. */
function picked({ items: table, centre }: Weights, items: Tensor): Items {
  const [count, columns] = table.shape as number[];
  const rows = tf.matMul(tf.oneHot(items.flatten().toInt(), count).toFloat() as Rows, table as Rows);
  const [factors, bias] = tf.split(rows, [columns - 1, 1], 1);
  return {
    factors: factors.reshape([...items.shape, columns - 1]),
    bias: bias.reshape(items.shape).add(centre),
  };
}
