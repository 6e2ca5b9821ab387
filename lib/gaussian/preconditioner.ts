/**
 * The preconditioner whose Gaussian part is known in closed form: EDM's coefficients mode by mode of the conditional
 * covariance of what is generated, the responses of the problem (Problem.responses) instead of its fields.
 */
import { tf, turnedProduct } from "../backend/tensors";
import { fieldsOf, latentOf, responsesOf } from "../data/images";
import type { DataSet } from "../dataSet";
import { InputError } from "../backend/errors";
import {
  type Conditioning,
  type DenoiserInputs,
  type Levels,
  type Network,
  type NoisyBatch,
  type Preconditioner,
} from "../preconditioner";
import type { Problem } from "../problem";
import type { Sampler } from "../samplers";
import type { ScoreModel } from "../scoreModel";
import type { Standardisation } from "../standardisation";
import type { ConditionalStandardisation, ResponseMoments } from "./conditionalStandardisation";
import { type Covariance, type Modes, MOST_MODES } from "./covariance";
import { modalDrawing } from "./drawing";
import { positionOf, remainingConditions } from "./nodes";

/** EDM's coefficients mode by mode, see {@link gainsOf}. */
export type Gains = Readonly<Record<"total" | "linear" | "error", tf.Tensor3D>>;

/** What a denoised field in modes is made of, D = linear + error F; all [1, rows, modes], the error for one row. */
export interface DenoisedModes {
  /** F, what the network adds to the linear estimate, in units of its error */
  readonly residual: tf.Tensor3D;
  /** w, the whitened noisy field */
  readonly whitened: tf.Tensor3D;
  readonly linear: tf.Tensor3D;
  /** Standard deviation of the linear estimate's error. */
  readonly error: tf.Tensor3D;
}

/** Below it lies the round-off of single precision: modes of smaller variance are raised to this one. */
const SMALLEST_VARIANCE = 1e-10;
/** Decompositions at once: as many as keep the cores busy. */
const BLOCK = 16;
/** Modes of less variance than this (of standardised fields) hardly count in the loss: nobody sees them in a field. */
const WEAK_VARIANCE = 1e-4;

export class ModalPreconditioner implements Preconditioner {
  readonly shape;
  /** Indices of the conditions that the network sees: those that shape the responses. */
  private readonly seen: readonly number[];

  /** standardisation: per condition, with the moments of responses. */
  constructor(
    private readonly problem: Problem,
    private readonly standardisation: Standardisation &
      Partial<Pick<ConditionalStandardisation, "responses">>,
    readonly covariance: Covariance,
  ) {
    this.seen = remainingConditions(problem, problem.affineIn);
    const channels = (problem.affineIn.length + 1) * problem.fields.length;
    const { cells } = problem;
    this.shape = { cells, fields: 2 * channels, outputs: channels, conditions: this.seen.length };
  }

  moments(conditions: Float64Array): ResponseMoments {
    const moments = this.standardisation.responses?.(conditions);
    if (moments) return moments;
    throw new InputError('The target "residual" needs fields that are standardised per condition.');
  }

  generated(data: DataSet, row: number, image: boolean): readonly Float64Array[] {
    if (this.problem.affineIn.length > 0) return responsesOf(this.problem, latentOf(data, row, false), image);
    return [fieldsOf(data, row, image)];
  }

  conditioning(conditions: Float64Array): Conditioning {
    const { problem, seen, shape } = this;
    const width = problem.conditions.length;
    const n = conditions.length / width;
    const rows = Array.from({ length: n }, (_, i) => conditions.subarray(i * width, (i + 1) * width));
    const inputs = Float32Array.from(rows.flatMap((row) => positionOf(problem, seen, row)));
    const std = rows.map((row) => this.moments(row).std);
    const count = Math.min(MOST_MODES, shape.outputs * shape.cells);
    return tf.tidy(() => {
      const parts: Modes[] = [];
      for (let start = 0; start < n; start += BLOCK) {
        parts.push(
          this.covariance.modes(rows.slice(start, start + BLOCK), std.slice(start, start + BLOCK), count),
        );
      }
      return {
        inputs: tf.tensor2d(inputs, [n, seen.length]),
        variances: tf.concat2d(parts.map(({ variances }) => variances), 0).maximum(SMALLEST_VARIANCE), // prettier-ignore
        vectors: tf.concat3d(parts.map(({ vectors }) => vectors), 0), // prettier-ignore
      };
    });
  }

  /** The squared error of the residual in each mode, which is EDM's weight; weak modes weigh less. */
  loss(network: Network, { fields: clean, noise, ...known }: NoisyBatch): tf.Scalar {
    return tf.tidy(() => {
      const { variances, vectors } = modesOf(known);
      const n = variances.shape[0];
      const rows = clean.shape[0] / n;
      // y = x_0 + s z in modes, and what is left of x_0 when the linear estimate has been taken off.
      // Both in one product, as most of its time goes into reading the vectors.
      const both = [clean, noise.mul(known.level)].map((x) => x.reshape([n, rows, -1]));
      const [exact, blur] = tf.split(tf.matMul(tf.concat(both, 1) as tf.Tensor3D, vectors), 2, 1);
      const z = exact.add(blur) as tf.Tensor3D;
      const gains = gainsOf(variances, known, rows);
      const left = exact.sub(z.mul(gains.linear)).div(gains.error);
      const error = this.residual(network, z, known, gains).sub(left);
      return error.square().mul(weightsOf(variances)).mean() as tf.Scalar;
    });
  }

  denoise(network: Network, given: DenoiserInputs): tf.Tensor3D {
    return tf.tidy(() => {
      const { residual, linear, error } = this.inModes(network, toModes(given.x, given.vectors), given);
      return toCells(linear.add(residual.mul(error)), given.vectors, given.x.shape);
    });
  }

  /**
   * The denoised field of a noisy one x in modes [1, rows, modes] at one time: the linear estimate, which is exact for a
   * Gaussian, and what the network adds.
   */
  inModes(network: Network, x: tf.Tensor3D, given: Levels & Conditioning): DenoisedModes {
    const z = x.div(given.mean) as tf.Tensor3D;
    const gains = gainsOf(modesOf(given).variances, given, 1);
    const { total, linear, error } = gains;
    return {
      residual: this.residual(network, z, given, gains),
      whitened: z.div(total),
      linear: z.mul(linear) as tf.Tensor3D,
      error,
    };
  }

  /**
   * The part of the denoised field that is not linear, in modes and of order 1: [n, rows, modes].
   *
   * z [n, rows, modes]: noisy fields y = x / mean(t) in modes; times of n rows or, for n = 1 and where no gradient is asked
   * for, one for all rows; gains of the variances at these times.
   * The network sees, in cells, the whitened field (variance + s^2)^-1/2 z and the linear estimate; its output is
   * turned into modes. Where noise hides all but the strongest mode, of gain g, what is not linear vanishes as g (the
   * leading term of an Edgeworth expansion): with the factor g the network need not learn zero there.
   */
  private residual(
    network: Network,
    z: tf.Tensor3D,
    { input, inputs, vectors }: Pick<Levels, "input"> & Conditioning,
    { total, linear }: Gains,
  ): tf.Tensor3D {
    const { cells, outputs } = this.shape;
    const [n, rows] = z.shape;
    // Both in one product, as most of its time goes into reading the vectors.
    const modal = tf.concat([z.div(total), z.mul(linear)], 1) as tf.Tensor3D;
    const inCells = tf.split(turnedProduct(modal, vectors), 2, 1);
    const fields = tf.concat(inCells.map((x) => x.reshape([n * rows, cells, outputs])), 2); // prettier-ignore
    const each = input.shape[0] / n;
    const conditions = tf.tile(inputs.expandDims(1), [1, each, 1]).reshape([n * each, inputs.shape[1]]);
    const output = network(fields, conditions, input).reshape([n, rows, -1]) as tf.Tensor3D;
    return tf.matMul(output, vectors as tf.Tensor3D).mul(linear.max(2, true)) as tf.Tensor3D;
  }

  drawing(
    model: ScoreModel,
    conditions: Float64Array,
    sampler: Sampler,
    times: Float64Array,
    keepBias?: boolean,
  ): ReturnType<typeof modalDrawing> {
    return modalDrawing(model, this, conditions, sampler, times, keepBias);
  }

  toFields(conditions: Float64Array, values: Float32Array): Float64Array {
    const { cells, outputs } = this.shape;
    const count = this.problem.fields.length;
    const width = cells * count;
    const rows = values.length / (cells * outputs);
    const mean = this.standardisation.mean(conditions);
    const fixed = this.standardisation.std(conditions).map((value) => (value > 0 ? 0 : 1));
    const { weights, std } = this.moments(conditions);
    return Float64Array.from({ length: rows * width }, (_, i) => {
      const [row, at] = [Math.floor(i / width), i % width];
      let value = mean[at];
      if (fixed[at]) return value;
      const from = (row * cells + (at % cells)) * outputs + Math.floor(at / cells);
      weights.forEach((weight, k) => (value += weight * std[k * width + at] * values[from + k * count]));
      return value;
    });
  }

  toBytes(): Uint8Array {
    return this.covariance.toBytes();
  }
}

/**
 * EDM's coefficients mode by mode, each [n, rows, modes]: for a mode of variance l at noise level s the standard
 * deviation sqrt(l + s^2) of y, the linear estimator's gain l / (l + s^2), and its error's standard deviation
 * s sqrt(l / (l + s^2)).
 */
export function gainsOf(variances: tf.Tensor2D, { level }: Pick<Levels, "level">, rows: number): Gains {
  return tf.tidy(() => {
    const s = level.reshape([level.size / rows, rows, 1]) as tf.Tensor3D;
    const l = variances.expandDims(1) as tf.Tensor3D;
    const total = l.add(s.square()).sqrt() as tf.Tensor3D;
    const linear = l.div(total.square()) as tf.Tensor3D;
    return { total, linear, error: s.mul(linear.sqrt()) as tf.Tensor3D };
  });
}

/** Fields [rows, cells, channels] of one set of conditions in its modes: [1, rows, modes]. */
export function toModes(x: tf.Tensor, vectors: tf.Tensor): tf.Tensor3D {
  return tf.matMul(x.reshape([1, x.shape[0], -1]) as tf.Tensor3D, vectors as tf.Tensor3D);
}

/** Modes [1, rows, modes] as fields [rows, cells, channels]. */
export function toCells(z: tf.Tensor, vectors: tf.Tensor, shape: number[]): tf.Tensor3D {
  return turnedProduct(z, vectors).reshape(shape) as tf.Tensor3D;
}

function modesOf({ variances, vectors }: Readonly<Record<string, tf.Tensor>>): Modes {
  return { variances: variances as tf.Tensor2D, vectors: vectors as tf.Tensor3D };
}

/** Weights of the modes' squared errors, [n, 1, modes], with mean 1. */
function weightsOf(variances: tf.Tensor2D): tf.Tensor3D {
  const seen = variances.div(variances.add(WEAK_VARIANCE));
  return seen.div(seen.mean(1, true)).expandDims(1) as tf.Tensor3D;
}
