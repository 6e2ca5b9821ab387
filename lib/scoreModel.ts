/** A score model: a network together with all that turns physical fields into its inputs and back. */
import { type CompiledFunction, Graphs } from "./backend/compiled";
import { tf } from "./backend/tensors";
import type {
  Conditioning,
  DenoiserInputs,
  Levels,
  Network,
  NoisyBatch,
  Preconditioner,
} from "./preconditioner";
import type { Problem, Ranges } from "./problem";
import type { Sampler } from "./samplers";
import { type Schedule, vpSchedule } from "./schedule";
import type { Standardisation } from "./standardisation";

/** What the noise is, and what the network is told of it. */
export interface ScoreSettings {
  readonly schedule: { readonly betaMin: number; readonly betaMax: number };
  /** What the network is told of the noise: the time t, or log(noise level) / 4. */
  readonly timeInput: "time" | "log-noise-level";
  /** Noise levels that the model is for; by default from 0.002 to the schedule's largest. */
  readonly noiseLevels?: { readonly smallest: number; readonly largest: number };
}

/** What a saved model tells of how it came about. */
export type History = Readonly<Record<string, string | number | boolean>>;

/**
 * A score model of a problem: the denoised mean E[x_0 | x_t] of standardised fields at given conditions, by a network and
 * what is known beside it.
 *
 * Tensors are [batch, cells, channels], float32, without unit; conditions (conditions) are in their units.
 * sampleFields draws fields in their units from it.
 */
export class ScoreModel<Settings extends ScoreSettings = ScoreSettings> {
  readonly schedule: Schedule;
  /** Smallest and largest noise level that the model is for. */
  readonly noiseLevels: { readonly smallest: number; readonly largest: number };
  /** Of the conditions that were denoised last, which mostly are the next ones, too. */
  private known: { readonly conditions: string; readonly conditioning: Conditioning } | undefined;
  private readonly graphs = new Graphs(() => this.weights);

  constructor(
    readonly problem: Problem,
    readonly settings: Settings,
    readonly standardisation: Standardisation,
    readonly preconditioner: Preconditioner,
    /** Of the preconditioner's shape. */
    readonly network: tf.LayersModel,
    /** The sampler that suits the model. */
    readonly sampler: Sampler,
    readonly history: History = {},
    /** Conditions that it was trained on, in the problem's order. */
    readonly trainedOn: Ranges = problem.conditions.map(({ min, max }) => [min, max]),
  ) {
    this.schedule = vpSchedule(settings.schedule);
    const largest = this.schedule.noiseLevel(this.schedule.endTime);
    this.noiseLevels = settings.noiseLevels ?? { smallest: 0.002, largest };
  }

  /** Numbers a cell of what is generated: the fields or, where the preconditioner says so, more. */
  get channels(): number {
    return this.preconditioner.shape.outputs;
  }

  /** The denoised mean E[x_0 | x_t] of x [batch, cells, channels] at time t, all at the same conditions (conditions). */
  denoise(x: tf.Tensor3D, t: number, conditions: Float64Array): tf.Tensor3D {
    const conditioning = this.conditioningOf(conditions);
    const denoiser = this.compiled("denoise", (given: DenoiserInputs) => ({
      denoised: this.preconditioner.denoise(this.apply, given),
    }));
    return tf.tidy(() => denoiser.run({ x, ...this.levels([t]), ...conditioning }).denoised);
  }

  /** The score (mean D - x) / std^2 (Tweedie's formula); arguments and shapes as {@link denoise}. */
  score(x: tf.Tensor3D, t: number, conditions: Float64Array): tf.Tensor3D {
    const [mean, variance] = [this.schedule.mean(t), this.schedule.std(t) ** 2];
    return tf.tidy(() => this.denoise(x, t, conditions).mul(mean).sub(x).div(variance) as tf.Tensor3D);
  }

  /** The loss of a batch, with a gradient. */
  loss(batch: NoisyBatch): tf.Scalar {
    return this.preconditioner.loss(this.apply, batch);
  }

  /** What is known of one set of conditions (conditions); it stays the model's, until it is asked for others. */
  conditioningOf(conditions: Float64Array): Conditioning {
    const key = conditions.join();
    if (this.known?.conditions !== key) {
      this.forget();
      const conditioning = this.preconditioner.conditioning(conditions);
      Object.values(conditioning).forEach((tensor) => tf.keep(tensor));
      this.known = { conditions: key, conditioning };
    }
    return this.known.conditioning;
  }

  /** Times as tensors. The caller disposes of them. */
  levels(times: ArrayLike<number>): Levels {
    const { schedule, settings } = this;
    const column = (value: (t: number) => number) =>
      tf.tensor3d(Float32Array.from(times, value), [times.length, 1, 1]);
    const told = (t: number) => (settings.timeInput === "time" ? t : Math.log(schedule.noiseLevel(t)) / 4);
    return {
      mean: column(schedule.mean),
      std: column(schedule.std),
      level: column(schedule.noiseLevel),
      input: tf.tensor2d(Float32Array.from(times, told), [times.length, 1]),
    };
  }

  /** The network itself. */
  readonly apply: Network = (x, inputs, time) => this.network.apply([x, inputs, time]) as tf.Tensor3D;

  /** A function of tensors and the network's weights as a graph, made at the first call of this name; it ends with the model. */
  compiled<In extends object, Out extends object>(
    name: string,
    body: (inputs: In) => Out,
  ): CompiledFunction<In, Out> {
    return this.graphs.named(name, body);
  }

  /** Trainable weights, in the network's order. */
  get variables(): tf.Variable[] {
    return this.network.trainableWeights.map(variableOf);
  }

  /** All weights: what a graph of the network has to be given. */
  get weights(): tf.Variable[] {
    return this.network.weights.map(variableOf);
  }

  private forget(): void {
    if (this.known) tf.dispose(Object.values(this.known.conditioning));
    this.known = undefined;
  }

  /** Frees the network's memory. */
  dispose(): void {
    this.forget();
    this.graphs.dispose();
    this.network.dispose();
  }
}

function variableOf(weight: tf.LayerVariable): tf.Variable {
  return (weight as unknown as { val: tf.Variable }).val;
}
