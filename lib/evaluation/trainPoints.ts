import { oneOf, positiveInteger } from "../backend/errors";
import { InterruptWatch } from "../backend/interrupt";
import { tf } from "../backend/tensors";
import { stratifiedUniform } from "../loss";
import type { NoisyBatch } from "../preconditioner";
import { Random } from "../random";
import type { Schedule } from "../schedule";
import type { ScoreModel } from "../scoreModel";
import { train, Training, type TrainingStep } from "../training";
import { type PointNetwork, type SquaredError, toldLevel } from "./pointNetwork";

/** How a batch's times are drawn: uniformly, or evenly in the logarithm of the noise level; both stratified. */
export const timeDraws = ["uniform-time", "log-noise-level"] as const;
export type TimeDraw = (typeof timeDraws)[number];

export const squaredErrors = ["noise", "score"] as const satisfies readonly SquaredError[];

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

/** Points of the data, noise (both rows x d) and times (rows) of one step. */
export function drawPoints(
  points: Float64Array,
  d: number,
  schedule: Schedule,
  { batch, times: draw }: Pick<PointTraining, "batch" | "times">,
  random: Random,
): { readonly clean: Float64Array; readonly noise: Float64Array; readonly times: Float64Array } {
  const times = stratifiedUniform(batch, random).map((u) => pointTime(schedule, draw, u));
  const noise = random.fillNormal(new Float64Array(batch * d));
  // Times are in order, rows are not.
  const rows = Array.from(times, () => Math.floor((random.uniform() * points.length) / d));
  const clean = Float64Array.from(rows.flatMap((row) => [...points.subarray(row * d, (row + 1) * d)]));
  return { clean, noise, times };
}

/** The same as tensors, as lib/training.ts wants them: a point is a field of one cell. */
export function pointBatch(
  { clean, noise, times }: ReturnType<typeof drawPoints>,
  d: number,
  schedule: Schedule,
): NoisyBatch {
  const points = (values: Float64Array) => tf.tensor3d(Float32Array.from(values), [times.length, 1, d]);
  const column = (of: (t: number) => number) =>
    tf.tensor3d(Float32Array.from(times, of), [times.length, 1, 1]);
  return {
    fields: points(clean),
    noise: points(noise),
    mean: column(schedule.mean),
    std: column(schedule.std),
    level: column(schedule.noiseLevel),
    input: column((t) => toldLevel(schedule, t)).reshape([times.length, 1]) as tf.Tensor2D,
    inputs: tf.zeros([times.length, 1]),
  };
}

/**
 * Trains by the loop of lib/training.ts; yields step and loss after every step.
 *
 * model: weights and the loss of a batch; batch: the tensors of a step, counted from 1. Adam with a rate that falls along
 * a cosine to 0, gradients clipped at norm 1; at the end the weights are averaged ones. Throws InputError for steps that
 * are no positive whole number, and Interrupted within one step.
 */
export async function* trainSteps(
  model: Pick<ScoreModel, "variables" | "loss">,
  batch: (step: number) => NoisyBatch,
  { steps, rate = 3e-3 }: { readonly steps: number; readonly rate?: number },
): AsyncGenerator<{ step: number; loss: number }, void, void> {
  positiveInteger("The number of steps", steps);
  const watch = new InterruptWatch("The training");
  const adam = { rate, finalRate: 0, warmUp: 0, beta1: 0.9, beta2: 0.99, ema: 0.99, clip: 1 };
  const settings = { ...adam, noise: "log-noise-level" } as const; // batches draw the times themselves
  const batches = { batch: (done: number) => batch(done + 1), held: () => batch(0) };
  const training = new Training(model, batches, settings);
  const loop = train(training, settings, { progress: (done) => done / steps });
  try {
    for (;;) {
      await watch.check(`the network keeps the weights of ${training.steps} steps.`);
      const next = loop.next();
      if (next.done) return;
      yield { step: training.steps, loss: (next.value as TrainingStep).loss };
    }
  } finally {
    watch.close();
    training.dispose();
  }
}

/**
 * Trains a network on points (rows x dimension) by denoising score matching, as {@link trainSteps} does.
 *
 * The loss is that of lib/loss.ts: the mean over batch and dimensions of the squared error of the noise, or of the score.
 * Throws InputError for settings out of range. Source: Vincent 2011; Ho et al. 2020, equation (14).
 */
export function trainPoints(
  network: PointNetwork,
  points: Float64Array,
  { steps, batch, times, error, rate, seed = 1 }: PointTraining,
): ReturnType<typeof trainSteps> {
  positiveInteger("The number of draws", batch);
  oneOf("The draw of times", times, timeDraws);
  const squared = oneOf("The squared error", error, squaredErrors);
  const { schedule, dimension: d, variables } = network;
  const draw = (step: number) =>
    pointBatch(drawPoints(points, d, schedule, { batch, times }, new Random(seed, step)), d, schedule);
  return trainSteps({ variables, loss: (given) => network.loss(given, squared) }, draw, { steps, rate });
}
