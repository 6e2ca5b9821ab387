/** What stands between a network and the denoised field. */
import { tf } from "./backend/tensors";
import type { DataSet } from "./dataSet";
import type { NetworkShape } from "./filmCnn";
import { denoisedFrom, denoisingLoss, type Target } from "./loss";
import { normaliseConditions, type Problem } from "./problem";
import type { ReverseProcess, Sampler } from "./samplers";
import type { ScoreModel } from "./scoreModel";
import type { Standardisation } from "./standardisation";

/** Times as tensors: one a row or, where no gradient is asked for, one for all rows. */
export interface Levels {
  /** [n, 1, 1] mean(t), the factor of the clean fields */
  readonly mean: tf.Tensor3D;
  /** [n, 1, 1] standard deviation of the noise in x */
  readonly std: tf.Tensor3D;
  /** [n, 1, 1] noise level s = std / mean */
  readonly level: tf.Tensor3D;
  /** [n, 1] what the network is told */
  readonly input: tf.Tensor2D;
}

/** What is known of n conditions, as tensors whose first axis counts them; `inputs` [n, inputs] is what the network is told. */
export type Conditioning = Readonly<Record<string, tf.Tensor>> & { readonly inputs: tf.Tensor2D };

/** Clean fields [conditions x rows, cells, channels], standardised, with noise, times and the conditioning of n conditions. */
export type NoisyBatch = Levels & Conditioning & Readonly<Record<"fields" | "noise", tf.Tensor3D>>;

/** x [batch, cells, channels], its conditioning and time: what a denoiser is given. */
export type DenoiserInputs = Levels & Conditioning & { readonly x: tf.Tensor3D };

/** A network as a function of x [batch, cells, channels], inputs [batch, inputs] and what it is told of the time [batch, 1]. */
export type Network = (x: tf.Tensor, inputs: tf.Tensor, time: tf.Tensor) => tf.Tensor3D;

/** How fields are drawn at one set of conditions: the reverse process, and states as fields. */
export interface Drawing extends Omit<ReverseProcess<tf.Tensor>, "space" | "schedule"> {
  /** Standard normal noise [rows, cells, channels] as a state of the marginal at time t. */
  start(noise: tf.Tensor3D, t: number): tf.Tensor;
  /** A state as standardised fields [rows, cells, channels], a new tensor. */
  fields(x: tf.Tensor): tf.Tensor3D;
  dispose(): void;
}

/**
 * How what is generated is scaled, what the network sees of it and what its output means (Karras et al. 2022, section 5).
 * Functions of tensors leave their results to the caller.
 */
export interface Preconditioner {
  /** Of the network that it is for; its outputs are the channels of what is generated. */
  readonly shape: Required<NetworkShape>;
  /** Mean and standard deviation of what is generated (channels, cells) at conditions (conditions); std 0: it is fixed. */
  moments(conditions: Float64Array): { readonly mean: Float64Array; readonly std: Float64Array };
  /**
   * One row, or its mirror image (Problem.mirror), of what is generated: parts that join to (channels, cells).
   * Default: its fields.
   */
  generated?(data: DataSet, row: number, image: boolean): readonly Float64Array[];
  /** conditions (n, conditions) in their units. */
  conditioning(conditions: Float64Array): Conditioning;
  /** The loss of a batch. */
  loss(network: Network, batch: NoisyBatch): tf.Scalar;
  /** The denoised mean E[x_0 | x_t] of rows at one time and one set of conditions. */
  denoise(network: Network, given: DenoiserInputs): tf.Tensor3D;
  /** Draws by a model at one set of conditions; yields while it prepares. Default: {@link plainDrawing}. */
  drawing?(
    model: ScoreModel,
    conditions: Float64Array,
    sampler: Sampler,
    times: Float64Array,
    keepBias?: boolean,
  ): Generator<void, Drawing, void>;
  /** Fields (rows, fields, cells) in their units from standardised values (rows, cells, channels). */
  toFields(conditions: Float64Array, values: Float32Array): Float64Array;
  /** What is to be kept beside scaling and weights, if anything. */
  toBytes?(): Uint8Array;
}

/** Fields scaled by their mean and standard deviation, and a network that returns the score, the noise, x_0 or v. */
export function plainPreconditioner(
  problem: Problem,
  target: Target,
  scaling: Standardisation,
): Preconditioner {
  const { cells, fields } = problem;
  const size = cells * fields.length;
  return {
    shape: { cells, fields: fields.length, outputs: fields.length, conditions: problem.conditions.length },
    moments: (conditions) => ({ mean: scaling.mean(conditions), std: scaling.std(conditions) }),
    conditioning(conditions) {
      const width = problem.conditions.length;
      const inputs = Float32Array.from(normaliseConditions(problem, conditions));
      return { inputs: tf.tensor2d(inputs, [inputs.length / width, width]) };
    },
    loss: (network, batch) =>
      tf.tidy(() => {
        const { fields: clean, noise, mean, std, input, inputs } = batch;
        const noisy = clean.mul(mean).add(noise.mul(std));
        const rows = clean.shape[0] / inputs.shape[0];
        const told = rows === 1 ? inputs : tf.tile(inputs.expandDims(1), [1, rows, 1]);
        const output = network(noisy, told.reshape([clean.shape[0], -1]), input);
        return denoisingLoss(target, output, batch);
      }),
    denoise: (network, { x, mean, std, input, inputs }) =>
      tf.tidy(() => denoisedFrom(target, network(x, inputs, input), x, mean, std)),
    toFields(conditions, values) {
      const [mean, std] = [scaling.mean(conditions), scaling.std(conditions)];
      return Float64Array.from({ length: values.length }, (_, i) => {
        const [start, at] = [i - (i % size), i % size];
        if (std[at] === 0) return mean[at];
        return mean[at] + std[at] * values[start + (at % cells) * fields.length + Math.floor(at / cells)];
      });
    },
  };
}
