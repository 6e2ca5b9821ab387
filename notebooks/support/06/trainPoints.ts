import { stratifiedUniform } from "../../../lib/loss";
import type { Schedule } from "../../../lib/schedule";
import { oneOf, positiveInteger } from "../../../lib/backend/errors";
import { InterruptWatch } from "../../../lib/backend/interrupt";
import type { PointNetwork } from "./pointNetwork";
import { Random } from "../../../lib/random";
import { tf } from "../../../lib/backend/tensors";
import { FlatAdam } from "../../../lib/backend/flatAdam";

/** How a batch's times are drawn: uniformly, or evenly in the logarithm of the noise level; both stratified. */
export const timeDraws = ["uniform-time", "log-noise-level"] as const;
export type TimeDraw = (typeof timeDraws)[number];

/** What is squared: the error of the noise, or of the score (the noise's, divided by std). */
export const squaredErrors = ["noise", "score"] as const;
export type SquaredError = (typeof squaredErrors)[number];

export interface PointTraining {
  readonly steps: number;
  readonly batch: number;
  readonly times: TimeDraw;
  readonly error: SquaredError;
  readonly rate?: number;
  readonly seed?: number;
}

/** Noise levels trained on: below, points of the toys stand still; above, nothing is left of them. */
export const trainedLevels = { smallest: 0.01, largest: 150 } as const;

/** One time for each u in [0, 1): see TimeDraw. */
export function pointTime(schedule: Schedule, draw: TimeDraw, u: number): number {
  const { smallest, largest } = trainedLevels;
  const [first, last] = [schedule.timeOf(smallest), Math.min(schedule.endTime, schedule.timeOf(largest))];
  if (oneOf("The draw of times", draw, timeDraws) === "uniform-time") return first + (last - first) * u;
  return Math.min(last, schedule.timeOf(smallest * (schedule.noiseLevel(last) / smallest) ** u));
}

/**
 * Trains a network on points (rows x dimension) by denoising score matching; yields step and loss after every step.
 *
 * The loss is a mean over the batch of the squared error of the noise, or of the score. Adam with a rate that falls
 * along a cosine to 0, gradients clipped at norm 1; at the end the network has the averaged weights. Throws InputError
 * for settings out of range, and Interrupted within one step. Source: Vincent 2011; Ho et al. 2020, equation (14).
 */
export async function* trainPoints(
  network: PointNetwork,
  points: Float64Array,
  { steps, batch, times: draw, error, rate = 3e-3, seed = 1 }: PointTraining,
): AsyncGenerator<{ step: number; loss: number }, void, void> {
  positiveInteger("The number of steps", steps);
  const squared = oneOf("The squared error", error, squaredErrors);
  const { schedule, dimension: d, variables } = network;
  const watch = new InterruptWatch("The training");
  const adam = new FlatAdam(variables, { beta1: 0.9, beta2: 0.99, ema: 0.99, clip: 1 });
  try {
    for (let step = 1; step <= steps; step++) {
      await watch.check(`the network keeps the weights of ${step - 1} steps.`);
      const random = new Random(seed, step);
      const times = stratifiedUniform(batch, random).map((u) => pointTime(schedule, draw, u));
      const noise = Float32Array.from(random.fillNormal(new Float64Array(batch * d)));
      const noisy = new Float32Array(batch * d);
      for (let row = 0; row < batch; row++) {
        const from = Math.floor((random.uniform() * points.length) / d); // times are in order, rows are not
        const [m, std] = [schedule.mean(times[row]), schedule.std(times[row])];
        for (let j = 0; j < d; j++) noisy[row * d + j] = m * points[from * d + j] + std * noise[row * d + j];
      }
      const { value, grads } = tf.tidy(() => {
        const weights = times.map((t) => (squared === "noise" ? 1 : 1 / schedule.std(t) ** 2));
        const loss = (): tf.Scalar => {
          const estimate = network.noise(tf.tensor2d(noisy, [batch, d]), times);
          const square = estimate
            .sub(tf.tensor2d(noise, [batch, d]))
            .square()
            .sum(1);
          return square.mul(tf.tensor1d([...weights])).mean();
        };
        return tf.variableGrads(loss, variables);
      });
      const loss = value.dataSync()[0];
      adam.step(
        variables.map(({ name }) => grads[name]),
        0.5 * rate * (1 + Math.cos((Math.PI * (step - 1)) / steps)),
      );
      tf.dispose([value, grads]);
      yield { step, loss };
    }
  } finally {
    watch.close();
    adam.useAverage();
    adam.dispose();
  }
}
