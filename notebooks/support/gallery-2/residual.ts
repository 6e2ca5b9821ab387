/** Another loss for the score of notebook 2 of the gallery: the residual of the equation that it obeys. */
import { tf } from "../../../lib/backend/tensors";
import { timeGrid } from "../../../lib/gallery/pathSmoothers";
import {
  type Smoother,
  tables,
  type Tables,
  type TrainingSettings,
} from "../../../lib/gallery/variational-smoothing/method";

/** Of the differences in x; s is smooth in it. */
const STEP = 0.05;

/**
 * The mean over paths and steps of (R + tau)^2 r^2, with the residual of the backward equation's gradient in one dimension,
 *
 *     r = s_t + d/dx (theta phi s + sigma^2 s^2 / 2 + sigma^2 s_x / 2),
 *
 * at the middle of the steps, tau the time to the next observation: an error r there moves s by about r (R + tau). It has no
 * terms of the jumps and of the end, which the guide and the network's factor impose. The start gets the mean square of
 * d/dx log q_0 - d/dx log p_0 - s(0, x). Derivatives are central differences; the network is differentiated in its weights alone.
 * The caller disposes of the inputs.
 */
export function residual(smoother: Smoother): Required<TrainingSettings>["objective"] {
  const { problem, settings } = smoother;
  const { observations, sigma, feature } = problem;
  const grid = timeGrid(observations, settings.perInterval);
  const h = 0.2 * Math.min(...grid.map(({ dt }) => dt));
  const moved = (by: number) => grid.map(({ t, dt }) => ({ t: t + dt / 2 + by, dt }));
  const middle = moved(0);
  const weights = middle.map(({ t }) => {
    return [[observations.variance + sigma ** 2 * (observations.times.find((time) => time > t)! - t)]];
  });
  return {
    inputs: tables(problem, [...middle, ...middle, ...middle, ...moved(h), ...moved(-h), { t: 0, dt: 0 }]),
    loss({ x: path, ...own }) {
      const [x] = tf.split(path, [grid.length, 1]);
      const [x0] = tf.split(x, [1, grid.length - 1]);
      const places = [x, x.add(STEP), x.sub(STEP), x, x, x0];
      const sizes = places.map(({ shape }) => shape[0]);
      const [s, right, left, later, earlier, s0] = tf.split(
        smoother.scoreAt(own as Tables, tf.concat(places, 0)),
        sizes,
      );
      const flow = (at: tf.Tensor, score: tf.Tensor) =>
        feature(at)
          .mul(smoother.theta)
          .mul(score)
          .add(score.square().mul(sigma ** 2 / 2));
      const along = flow(places[1], right).sub(flow(places[2], left)).div(2 * STEP); // prettier-ignore
      const bend = right
        .add(left)
        .sub(s.mul(2))
        .mul(sigma ** 2 / (2 * STEP ** 2));
      const r = later.sub(earlier).div(2 * h).add(along).add(bend); // prettier-ignore
      const [above, below] = [STEP, -STEP].map((by) =>
        smoother.logStart(x0.squeeze<tf.Tensor2D>([0]).add(by)),
      );
      const prior = feature(x0).mul((2 * smoother.theta) / sigma ** 2);
      const start = above.sub(below).div(2 * STEP).sub(prior.add(s0).flatten()); // prettier-ignore
      return r.mul(tf.tensor3d(weights)).square().mean().add(start.square().mean()) as tf.Scalar;
    },
  };
}
