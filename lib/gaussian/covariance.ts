/** The covariance of the responses as a function of the conditions. */
import { selfAdjointEigen, tf } from "../backend/tensors";
import { InputError } from "../backend/errors";
import type { Problem } from "../problem";
import type { Standardisation } from "../standardisation";
import { withoutRoundOff } from "./conditionalStandardisation";
import { around, positionOf, remainingConditions } from "./nodes";

/** Modes that are kept, the strongest ones. */
export const MOST_MODES = 256;
/** Of a node's modes those are left out whose variance is a smaller share of the largest than this. */
const SMALLEST_SHARE = 1e-9;
/** A response's cell whose spread is this much smaller than the response's largest is fixed up to round-off. */
const SMALLEST_SPREAD = 1e-9;

/** The strongest modes of what is generated at n conditions; size = cells x channels, the channel fastest. */
export interface Modes {
  /** [n, modes] variances, rising */
  readonly variances: tf.Tensor2D;
  /** [n, size, modes] orthonormal modes in columns */
  readonly vectors: tf.Tensor3D;
}

/** What a model is told of the covariance; see {@link ConditionalCovariance}. */
export type Covariance = Pick<ConditionalCovariance, "modes" | "toBytes">;

/** What a model of Gaussian and residual needs of the data: moments of the responses as functions of the conditions. */
export interface Moments {
  readonly standardisation: Standardisation;
  readonly covariance: ConditionalCovariance;
}

/** Covariance of the responses at one node: deviations times correlations. */
export interface NodeCovariance {
  /** (responses, fields x cells): standard deviations, 0 where the response is fixed */
  readonly deviation: Float64Array;
  /** (rank, responses, fields x cells): low-rank factor of the correlations, see lowRank */
  readonly factor: Float32Array;
}

/**
 * Covariances of the responses (see Problem.responses) at nodes of the remaining condition, as low-rank factors:
 * Cov[R] = A A^T. The variances of single cells are kept a second time, by ConditionalStandardisation: single precision
 * and the modes that are left out take up to 5e-6 of a standard deviation off these factors.
 */
export class ConditionalCovariance {
  private constructor(
    private readonly problem: Problem,
    /** (responses, fields x cells): scale of each response, so that the factors are of order 1 */
    private readonly scale: Float64Array,
    /** (rank, responses, fields x cells) at each of some nodes evenly over [-1, 1]; the rank differs */
    private readonly factors: readonly Float32Array[],
  ) {}

  /** From covariances at nodes that lie evenly over [-1, 1]. */
  static fromNodes(problem: Problem, nodes: readonly NodeCovariance[]): ConditionalCovariance {
    const scale = nodes[0].deviation.map((_, i) =>
      Math.fround(Math.sqrt(nodes.reduce((sum, { deviation }) => sum + deviation[i] ** 2, 0) / nodes.length)),
    );
    const factors = nodes.map(({ deviation, factor }) => {
      const relative = scale.map((unit, i) => (unit > 0 ? deviation[i] / unit : 0));
      return factor.map((value, i) => value * relative[i % relative.length]);
    });
    return new ConditionalCovariance(problem, scale, factors);
  }

  /**
   * The strongest modes of the standardised responses at n sets of conditions, `count` of them, in the order of the
   * network's tensors: cell, response, field, the field fastest.
   *
   * conditions (n): each (conditions); std (n): by which the responses are standardised (responses, fields, cells); where
   * it is 0 the covariance is 0.
   */
  modes(conditions: readonly Float64Array[], std: readonly Float64Array[], count: number): Modes {
    return tf.tidy(() => {
      const factors = conditions.map((row, i) => this.factor(row, std[i]));
      const kept = strongestModes(factors, count);
      // Products of single precision leave eigenvalues an error of 1e-7 of the largest; sums of squares have none.
      const variances = factors.map((factor, row) =>
        tf
          .matMul(factor, kept.slice([row], [1]).squeeze([0]) as tf.Tensor2D)
          .square()
          .sum(0),
      );
      return { variances: tf.stack(variances) as tf.Tensor2D, vectors: kept };
    });
  }

  /** Factor B [rank, size] with B^T B the covariance of the standardised responses at one set of conditions. */
  private factor(conditions: Float64Array, std: Float64Array): tf.Tensor2D {
    const { problem, scale } = this;
    const { cells } = problem;
    const [position] = positionOf(problem, remainingConditions(problem, problem.affineIn), conditions);
    const unit = scale.map((value, i) => (std[i] > 0 ? value / std[i] : 0));
    const channels = scale.length / cells;
    const to = Int32Array.from(scale, (_, i) => (i % cells) * channels + Math.floor(i / cells));
    const rows: Float32Array[] = [];
    for (const [node, share] of around(position, this.factors.length)) {
      const from = this.factors[node];
      for (let start = 0; start < from.length; start += scale.length) {
        const row = new Float32Array(scale.length);
        for (let i = 0; i < row.length; i++) row[to[i]] = Math.sqrt(share) * unit[i] * from[start + i];
        rows.push(row);
      }
    }
    return tf.tensor2d(concatenated(rows), [rows.length, scale.length]);
  }

  /** One block of little-endian float32: for each node its rank, then its factor; the scale comes first. */
  toBytes(): Uint8Array {
    const blocks: Float32Array[] = [Float32Array.from(this.scale)];
    for (const factor of this.factors)
      blocks.push(Float32Array.of(factor.length / this.scale.length), factor);
    return new Uint8Array(concatenated(blocks).buffer);
  }

  /** Reads what {@link toBytes} wrote. Throws InputError if the bytes do not fit the problem. */
  static fromBytes(problem: Problem, bytes: Uint8Array): ConditionalCovariance {
    const damaged = new InputError("the covariance has another size than the problem's");
    const width = widthOf(problem);
    if (bytes.length % 4 !== 0 || bytes.length < 4 * width) throw damaged;
    const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const values = new Float32Array(copy);
    if (!values.every(Number.isFinite)) throw damaged;
    const factors: Float32Array[] = [];
    let at = width;
    while (at < values.length) {
      const end = at + 1 + values[at] * width;
      if (!(Number.isInteger(values[at]) && values[at] > 0 && end <= values.length)) throw damaged;
      factors.push(values.slice(at + 1, end));
      at = end;
    }
    if (factors.length < 1) throw damaged;
    return new ConditionalCovariance(problem, Float64Array.from(values.slice(0, width)), factors);
  }
}

/** Responses x fields x cells. */
function widthOf({ affineIn, fields, cells }: Problem): number {
  return (affineIn.length + 1) * fields.length * cells;
}

/** Covariance of centred responses (rows, responses, fields x cells), averaged with the weights (rows). */
export function covarianceOf(problem: Problem, rows: Float64Array, weights: Float64Array): NodeCovariance {
  const width = widthOf(problem);
  const near = [...weights.keys()].filter((row) => weights[row] > 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const squares = new Float64Array(width);
  for (const row of near) {
    for (let i = 0; i < width; i++) squares[i] += weights[row] * rows[row * width + i] ** 2;
  }
  const spread = squares.map((square) => Math.sqrt(square / total));
  const deviation = withoutRoundOff(spread, problem.cells, SMALLEST_SPREAD);
  const unit = deviation.map((value) => (value > 0 ? 1 / (value * Math.sqrt(total)) : 0));
  const scaled = new Float32Array(near.length * width);
  near.forEach((row, n) => {
    const root = Math.sqrt(weights[row]);
    for (let i = 0; i < width; i++) scaled[n * width + i] = root * rows[row * width + i] * unit[i];
  });
  return { deviation, factor: lowRank(scaled, width) };
}

/** Modes that are found first: weaker ones than these drown in the round-off of the strongest. */
const LEADING = 16;

/**
 * The strongest modes, in columns and rising, of the covariances F^T F of n factors [rank, size]: [n, size, count].
 *
 * Single precision gives a covariance an error of 1e-7 of its largest eigenvalue, while responses as smooth as these have
 * modes that are weaker than that and yet smoother than the error: fields made of it would be rough. So the leading modes
 * are taken off the factors before the others are looked for.
 */
function strongestModes(factors: readonly tf.Tensor2D[], count: number): tf.Tensor3D {
  const strongest = (covariances: readonly tf.Tensor[], most: number) => {
    const vectors = selfAdjointEigen(tf.stack([...covariances]) as tf.Tensor3D)[1];
    const size = vectors.shape[1];
    return vectors.slice([0, 0, size - most], [factors.length, size, most]);
  };
  const squared = (factor: tf.Tensor2D) => tf.matMul(factor, factor, true);
  const leading = strongest(factors.map(squared), Math.min(LEADING, count));
  if (count <= LEADING) return leading;
  const left = factors.map((factor, row) => {
    const modes = leading.slice([row], [1]).squeeze([0]) as tf.Tensor2D;
    const rest = squared(without(factor, modes));
    // Without a variance they would be found again among other modes that have none: a negative one sets them apart.
    return rest.sub(tf.matMul(modes, modes, false, true).mul(rest.max()));
  });
  return tf.concat3d([strongest(left, count - LEADING), leading], 2);
}

/** Rows [rows, size] less their part in modes [size, count]. */
function without(rows: tf.Tensor2D, modes: tf.Tensor2D): tf.Tensor2D {
  return rows.sub(tf.matMul(tf.matMul(rows, modes), modes, false, true)) as tf.Tensor2D;
}

/** Rows sqrt(lambda) v^T (rank, size) of the covariance X^T X of X (rows, size), the weakest modes left out. */
export function lowRank(values: Float32Array, size: number): Float32Array {
  const factor = tf.tidy(() => {
    const rows = tf.tensor2d(values, [values.length / size, size]);
    const modes = strongestModes([rows], Math.min(MOST_MODES, size)).squeeze([0]) as tf.Tensor2D;
    const variances = tf.matMul(rows, modes).square().sum(0).dataSync() as Float32Array;
    const largest = variances.reduce((most, value) => Math.max(most, value), 0);
    const kept = [...variances.keys()].filter((k) => variances[k] > SMALLEST_SHARE * largest);
    const roots = tf.tensor2d(Float32Array.from(kept, (k) => Math.sqrt(variances[k])), [kept.length, 1]); // prettier-ignore
    return tf.gather(modes.transpose(), kept).mul(roots);
  });
  const result = factor.dataSync() as Float32Array; // not inside of tidy, which looks for tensors at every index
  factor.dispose();
  return result;
}

function concatenated(parts: readonly Float32Array[]) {
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
