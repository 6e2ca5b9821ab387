/** Training by denoising score matching: times and rates of the steps, one step, and the loop. */
import { CompiledFunction } from "./backend/compiled";
import { FlatAdam, flatGradient } from "./backend/flatAdam";
import { power } from "./backend/power";
import { tf } from "./backend/tensors";
import { stratifiedUniform } from "./loss";
import type { NoisyBatch } from "./preconditioner";
import type { Random } from "./random";
import { quadraticTime } from "./schedule";
import type { ScoreModel } from "./scoreModel";

/** How the weights are moved, and at which noise levels. */
export interface StepSettings {
  /** Adam's first and last learning rate, joined by a cosine. */
  readonly rate: number;
  readonly finalRate: number;
  /** Steps over which the rate rises from 0. */
  readonly warmUp: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Decay of the exponential moving average of the weights, or 0 for none. */
  readonly ema: number;
  /** Largest norm of the gradient, or 0 for no clipping. */
  readonly clip: number;
  /** How noise levels are drawn: the blog's quadratic time, or the logarithm of the noise level. */
  readonly noise: "quadratic-time" | "log-noise-level";
}

/** What the steps of a training are given, as functions of the step alone; to be disposed of (or called in tf.tidy). */
export interface Batches {
  /** Rows, times and noise of the step after so many steps. */
  batch(step: number): NoisyBatch;
  /** Rows that are held back, always with the same times and noise. */
  held(): NoisyBatch;
  /** What the loss of a batch does first, as a part of its graph: such as to pair its noise with the opposite. */
  prepare?(batch: NoisyBatch): NoisyBatch;
}

/** What a step was. */
export interface TrainingStep {
  readonly loss: number;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly rate: number;
}

/**
 * A model on its way down the loss: one gradient at a time, from the batch of its step, and the optimiser. Until the end
 * the model has the weights of the last validation: those of each step stay in the optimiser.
 */
export class Training {
  readonly optimiser: FlatAdam;
  /** Steps taken. */
  steps = 0;
  private readonly gradientOf: CompiledFunction<
    NoisyBatch & { readonly weights: tf.Tensor },
    Readonly<Record<"loss" | "gradient" | "halfSquare", tf.Tensor>>
  >;
  private readonly heldLoss: CompiledFunction<NoisyBatch, { readonly loss: tf.Tensor }>;

  constructor(
    model: Pick<ScoreModel, "variables" | "loss">,
    private readonly batches: Batches,
    settings: StepSettings,
  ) {
    const optimiser = new FlatAdam(model.variables, settings);
    this.optimiser = optimiser;
    this.gradientOf = new CompiledFunction(({ weights, ...batch }) => {
      optimiser.assign(weights);
      const loss = () => model.loss(batches.prepare?.(batch as NoisyBatch) ?? (batch as NoisyBatch));
      const { value, grads } = tf.variableGrads(loss, model.variables);
      return { loss: value, ...flatGradient(model.variables.map(({ name }) => grads[name])) };
    });
    this.heldLoss = new CompiledFunction(
      (batch) => ({ loss: model.loss(batch) }),
      () => model.variables,
    );
  }

  /** Takes the next step down the gradient of its batch, unless `accepts` says of its loss that it should not be followed. */
  step(
    rate: number,
    accepts: (loss: number, rate: number) => boolean = () => true,
  ): TrainingStep | undefined {
    const result = tf.tidy(() =>
      this.gradientOf.run({ ...this.batches.batch(this.steps), weights: this.optimiser.last() }),
    );
    try {
      const [loss, half] = [result.loss, result.halfSquare].map((tensor) => tensor.dataSync()[0]);
      if (!accepts(loss, rate)) return undefined;
      const gradientNorm = Math.sqrt(2 * half);
      this.optimiser.update(result.gradient, gradientNorm, rate);
      this.steps++;
      return { loss, gradientNorm, rate };
    } finally {
      tf.dispose(Object.values(result));
    }
  }

  /** Loss of the averaged weights on the rows that are held back; the model keeps these weights. */
  validate(): number {
    this.optimiser.useAverage();
    return tf.tidy(() => this.heldLoss.run(this.batches.held()).loss.dataSync()[0]);
  }

  /** Leaves the averaged weights in the model and frees everything else. */
  dispose(): void {
    this.optimiser.useAverage();
    for (const part of [this.optimiser, this.gradientOf, this.heldLoss]) part.dispose();
  }
}

/** What those who watch over a training may decide. */
export interface TrainingControl {
  /** Where the training is in its length: 0 .. 1; it ends at 1. */
  progress(steps: number): number;
  /** Factor of the rate; default 1. */
  rateFactor?(): number;
  /** False where the gradient of this loss should not be followed, which is then left out. */
  accepts?(loss: number, rate: number): boolean;
}

/** The loop: yields after every step. The caller disposes of the training. */
export function* train(
  training: Training,
  settings: StepSettings,
  { progress, rateFactor = () => 1, accepts }: TrainingControl,
): Generator<TrainingStep, void, void> {
  for (;;) {
    const done = progress(training.steps);
    if (!(done < 1) && training.steps > 0) return;
    const rate = rateAt(settings, done, training.steps) * rateFactor();
    const step = training.step(rate, accepts);
    if (step) yield step;
  }
}

/** The cosine from the first to the last rate, after a linear warm-up. progress: 0 .. 1. */
export function rateAt({ rate, finalRate, warmUp }: StepSettings, progress: number, step: number): number {
  const cosine = finalRate + 0.5 * (rate - finalRate) * (1 + Math.cos(Math.PI * Math.min(1, progress)));
  return step < warmUp ? (cosine * (step + 1)) / (warmUp + 1) : cosine;
}

/** Where most of the learning is to be had: of these noise levels the network sees more (60 % of the draws). */
const CENTRE = [0.07, 13] as const;
const CENTRE_SHARE = 0.6;
/** The middle of these. */
export const PREFERRED_LEVEL = Math.sqrt(CENTRE[0] * CENTRE[1]);

/** Times of a batch, stratified, in random order. preferred: middle of the noise levels that are drawn more often. */
export function drawTimes(
  { schedule, noiseLevels: { smallest, largest } }: Pick<ScoreModel, "schedule" | "noiseLevels">,
  noise: StepSettings["noise"],
  count: number,
  random: Random,
  preferred = PREFERRED_LEVEL,
): Float64Array {
  const [low, high] = CENTRE.map((level) => Math.min((level * preferred) / PREFERRED_LEVEL, largest));
  const between = (from: number, to: number, u: number) => from * power(to / from, u);
  const logLevel = (u: number) => {
    if (u < CENTRE_SHARE) return between(low, high, u / CENTRE_SHARE);
    // The rest is uniform in the logarithm over the whole range.
    return between(smallest, largest, (u - CENTRE_SHARE) / (1 - CENTRE_SHARE));
  };
  const times = stratifiedUniform(count, random).map((u) =>
    noise === "quadratic-time"
      ? quadraticTime(schedule, u)
      : Math.min(schedule.endTime, schedule.timeOf(logLevel(u))),
  );
  const order = random.permutation(count);
  return times.map((_, i) => times[order[i]]);
}
