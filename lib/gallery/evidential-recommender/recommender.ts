/** The model of method.ts, trained on a log and asked for what it expects. */
import type * as tfTypes from "@tensorflow/tfjs";
import { CompiledFunction } from "../../backend/compiled";
import { InputError } from "../../backend/errors";
import { FlatAdam } from "../../backend/flatAdam";
import { normal, tf } from "../../backend/tensors";
import { Random } from "../../random";
import { compressed, Model, sizes, UNIFORM_GAP, type Variant, type Visits } from "./method";
import type { RatingLog } from "./system";

type Tensor = tfTypes.Tensor;

export interface TrainingSettings {
  /** Passes through the log. */
  readonly epochs: number;
  /** Rate of Adam in the first step; it falls to zero as a cosine. */
  readonly rate: number;
  /** Visits through which a gradient runs. */
  readonly window: number;
  /** Paths of each user's state. */
  readonly paths: number;
}

/** Of the chapter's trainings. */
export const training: TrainingSettings = { epochs: 30, rate: 0.02, window: 10, paths: 2 };

/** What is said of all candidates before their ratings are seen: (users, tests.visits, count) each. */
export interface Expectation {
  /** gamma, mean over the paths. */
  readonly mean: Float64Array;
  /** Variance of a rating's noise. */
  readonly aleatoric: Float64Array;
  /** Variance of the rating's mean, by the evidence. */
  readonly epistemic: Float64Array;
  /** Variance of gamma from path to path. */
  readonly between: Float64Array;
}

/** eta: how much what is unsure is preferred in a ranking. */
const CURIOSITY = 0.01;

/** gamma and a little of the uncertainty: what candidates are ranked by. */
export function scoresOf({ mean, epistemic, between }: Expectation): Float64Array {
  return mean.map((value, k) => value + CURIOSITY * (epistemic[k] + between[k]));
}

/** What random numbers are drawn for; the log's own streams are others. */
const stream = { weights: 10, training: 11, forecast: 12 };

interface Step {
  readonly vector: Tensor;
  readonly state: Tensor;
  readonly noise: Tensor;
}

export class Recommender {
  readonly model: Model;
  private readonly vector: tfTypes.Variable;
  private readonly adam: FlatAdam;

  constructor(
    private readonly items: number,
    variant: Variant,
    private readonly seed: number,
  ) {
    this.model = new Model(items, variant);
    this.vector = tf.variable(tf.tensor1d(this.model.start(new Random(seed, stream.weights))));
    this.adam = new FlatAdam([this.vector], { beta1: 0.9, beta2: 0.99, ema: 0, clip: 1 });
  }

  /** Trains on the visits before the tests; yields each epoch's mean loss. Throws InputError for a window that does not fit. */
  *train(log: RatingLog, { epochs, rate, window, paths }: TrainingSettings): Generator<number, void> {
    const last = log.visits - log.tests.visits;
    if (!(Number.isInteger(window) && window >= 1 && last % window === 0)) {
      throw new InputError(
        `The window is ${window} visits; give a divisor of ${last}, the visits to train on.`,
      );
    }
    const [rows, d] = [paths * log.users, sizes.state];
    const all = log.ratings.reduce((sum, rating) => sum + Math.sign(rating), 0);
    const slope = new CompiledFunction(({ vector, state, noise, ...visits }: Step & Visits) => {
      const body = (v: Tensor) => {
        const { loss, state: after } = this.model.loss(v, state, visits, noise, all);
        return tf.concat([loss.reshape([1]), after.flatten()]);
      };
      // The state goes on into the next window; no gradient comes back from there.
      const lossAlone = tf.concat1d([tf.ones([1]), tf.zeros([rows * d])]);
      const { value, grad } = tf.valueAndGrad(body as never)(vector, lossAlone);
      return {
        loss: value.slice([0], [1]),
        state: value.slice([1], [rows * d]).reshape([rows, d]),
        gradient: grad,
      };
    });
    const count = last / window;
    const windows = Array.from({ length: count }, (_, k) => this.visits(log, k * window, (k + 1) * window));
    try {
      for (let step = 0; step < epochs * count;) {
        let state: Tensor = tf.zeros([rows, d]);
        let total = 0;
        for (const visits of windows) {
          const noise = normal([window * sizes.steps, rows, d], this.seed, stream.training, step);
          const found = slope.run({ vector: this.vector, state, noise, ...visits });
          total += found.loss.dataSync()[0] / count;
          this.adam.step(
            [found.gradient],
            0.5 * rate * (1 + Math.cos((Math.PI * step++) / (epochs * count))),
          );
          tf.dispose([state, noise, found.loss, found.gradient]);
          state = found.state;
        }
        state.dispose();
        yield total;
      }
    } finally {
      slope.dispose();
      windows.forEach((visits) => tf.dispose(Object.values(visits) as Tensor[]));
    }
  }

  /** What the model expects at the tests. Every visit is seen, but not before its forecast. */
  forecast(log: RatingLog, paths: number): Expectation {
    const { users, visits, tests } = log;
    const [rows, d] = [paths * users, sizes.state];
    const names = ["mean", "aleatoric", "epistemic", "between"] as const;
    const [mean, aleatoric, epistemic, between] = names.map(() => new Float64Array(tests.candidates.length));
    const out = { mean, aleatoric, epistemic, between };
    const look = new CompiledFunction(
      ({ vector, state, noise, candidates, ...seen }: Step & Visits & { candidates?: Tensor }) =>
        this.model.look(vector, state, seen, noise, candidates),
    );
    let state: Tensor = tf.zeros([rows, d]);
    for (let visit = 0; visit < visits; visit++) {
      const test = visit - (visits - tests.visits);
      const at = (user: number) => (user * tests.visits + test) * tests.count;
      const candidates = test < 0 ? undefined : this.candidates(log, at);
      const seen = this.visits(log, visit, visit + 1);
      const noise = normal([sizes.steps, rows, d], this.seed, stream.forecast, visit);
      const found = look.run({ vector: this.vector, state, noise, candidates, ...seen });
      for (const name of test < 0 ? [] : names) {
        const values = found[name].dataSync();
        for (let user = 0; user < users; user++)
          out[name].set(values.subarray(user * tests.count, (user + 1) * tests.count), at(user));
        found[name].dispose();
      }
      tf.dispose([state, noise, ...(Object.values(seen) as Tensor[]), ...(candidates ? [candidates] : [])]);
      state = found["state"];
    }
    state.dispose();
    look.dispose();
    return out;
  }

  dispose(): void {
    this.adam.dispose();
    this.vector.dispose();
  }

  private candidates({ users, tests }: RatingLog, at: (user: number) => number): Tensor {
    const { candidates, count } = tests;
    const ids = Int32Array.from(
      { length: users * count },
      (_, k) => candidates[at(Math.floor(k / count)) + (k % count)],
    );
    return tf.tensor3d(ids, [1, users, count], "int32");
  }

  /** Visits `from` to before `to` of all users. Throws InputError for an item that the model does not know. */
  private visits(
    { users, visits, perVisit, rated, ratings, gaps, gain }: RatingLog,
    from: number,
    to: number,
  ): Visits {
    const shape: [number, number, number] = [to - from, users, perVisit];
    const places = Int32Array.from({ length: (to - from) * users * perVisit }, (_, k) => {
      const [visit, user] = [from + Math.floor(k / (users * perVisit)), Math.floor(k / perVisit) % users];
      return (user * visits + visit) * perVisit + (k % perVisit);
    });
    const items = places.map((at) => rated[at]);
    const unknown = items.find((item) => !(item >= 0 && item < this.items));
    if (unknown !== undefined)
      throw new InputError(`An item is ${unknown}; give numbers from 0 to ${this.items - 1}.`);
    const firsts = places.filter((_, k) => k % perVisit === 0);
    const gap = (at: number) => (this.model.variant.gaps ? gaps[at / perVisit] : UNIFORM_GAP);
    return {
      items: tf.tensor3d(items, shape, "int32"),
      ratings: tf.tensor3d(
        Float32Array.from(places, (at) => ratings[at]),
        shape,
      ),
      gains: tf.tensor3d(
        Float32Array.from(places, (at) => gain(ratings[at])),
        shape,
      ),
      time: tf.tensor2d(
        Float32Array.from(firsts, (at) => compressed(gap(at))),
        [to - from, users],
      ),
    };
  }
}
