/** The covariance of the fields as a function of the conditions, from a data set. */
import { normaliseCondition, type Problem } from "../problem";
import type { ConditionalMoments } from "./conditionalMoments";
import { remainingConditions, withoutRoundOff } from "./conditionalStandardisation";
import { InputError } from "../errors";
import { selfAdjointEigen, tf } from "../backend/tensors";

/** Nodes over [-1, 1] at which covariances are taken from data, and the width of their kernel average. */
const NODES = 33;
const SPACING = 2 / (NODES - 1);
const KERNEL_WIDTH = SPACING;
/** Of a node's modes this many are kept, without those whose variance is a smaller share of the largest than this. */
const MOST_MODES = 256;
const SMALLEST_SHARE = 1e-9;
/** A response's cell whose spread is this much smaller than the response's largest is fixed up to round-off. */
const SMALLEST_SPREAD = 1e-9;

/**
 * Covariances of the responses (see Problem.responses) at nodes of the remaining condition, as low-rank factors:
 * Cov[R] = A A^T.
 */
export class ConditionalCovariance {
  private constructor(
    private readonly problem: Problem,
    /** (responses, fields x cells): scale of each response, so that the factors are of order 1 */
    private readonly scale: Float64Array,
    /** (rank, responses, fields x cells) at each of some nodes evenly over [-1, 1]; the rank differs */
    private readonly factors: readonly Float32Array[],
  ) {}

  /**
   * Takes the covariances from what is left of a data set's responses when their means are taken off.
   *
   * With one condition in which the problem is not affine, rows are averaged with a Gaussian kernel around each node,
   * which keeps the covariance positive; with several, the one covariance of all rows has to do. Throws InputError for
   * too few rows.
   */
  static fit(problem: Problem, { rows, residuals, positions }: ConditionalMoments): ConditionalCovariance {
    const [count, size] = [problem.affineIn.length + 1, problem.fields.length * problem.cells];
    const width = count * size;
    if (residuals.length !== rows * width) {
      throw new InputError(
        "The data have no latent field to take covariances from; train on data that generate made.",
      );
    }
    const nodes = remainingCondition(problem) === undefined ? 1 : NODES;
    const squares = new Float64Array(width);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) squares[i] += residuals[row * width + i] ** 2 / rows;
    }
    const rounded = squares.map((value) => Math.fround(Math.sqrt(value))); // as it is saved
    const scale = withoutRoundOff(rounded, problem.cells, SMALLEST_SPREAD);
    const scaled = Float32Array.from(residuals, (value, i) => {
      const unit = scale[i % width];
      return unit > 0 ? value / unit : 0;
    });
    const factors = Array.from({ length: nodes }, (_, j) => {
      const distance = positions.map(([u]) =>
        nodes === 1 ? 0 : Math.abs(u - (-1 + j * SPACING)) / KERNEL_WIDTH,
      );
      const near = [...distance.keys()].filter((row) => distance[row] < 3.5);
      const weights = near.map((row) => Math.exp(-0.5 * distance[row] ** 2));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      if (!(total > 5)) {
        throw new InputError(
          `The data have too few rows (${rows}) to take covariances from; generate more conditions.`,
        );
      }
      const weighted = new Float32Array(near.length * width);
      near.forEach((row, i) => {
        const root = Math.sqrt(weights[i] / total);
        for (let x = 0; x < width; x++) weighted[i * width + x] = root * scaled[row * width + x];
      });
      return lowRank(weighted, width);
    });
    return new ConditionalCovariance(problem, scale, factors);
  }

  /**
   * From covariances at the nodes that were taken elsewhere.
   *
   * deviations (nodes): standard deviation of each response in each cell (responses, fields x cells), 0 where it is
   * fixed; factors (nodes): low-rank factors of the correlations, see lowRank.
   */
  static fromNodes(
    problem: Problem,
    deviations: readonly Float64Array[],
    factors: readonly Float32Array[],
  ): ConditionalCovariance {
    const scale = deviations[0].map((_, i) =>
      Math.fround(Math.sqrt(deviations.reduce((sum, std) => sum + std[i] ** 2, 0) / deviations.length)),
    );
    const scaled = factors.map((factor, j) => {
      const relative = scale.map((unit, i) => (unit > 0 ? deviations[j][i] / unit : 0));
      return factor.map((value, i) => value * relative[i % relative.length]);
    });
    return new ConditionalCovariance(problem, scale, scaled);
  }

  /**
   * The strongest modes of the standardised responses at n sets of conditions (n, conditions): variances [n, count],
   * rising, and orthonormal modes [n, size, count] in columns; size counts (cell, response, field), the field fastest, as
   * the network's tensors do.
   *
   * std (n): by which the responses are standardised (responses, fields, cells); where it is 0 the covariance is 0.
   */
  modes(
    conditions: Float64Array,
    std: readonly Float64Array[],
    count: number,
  ): { variances: tf.Tensor2D; vectors: tf.Tensor3D } {
    return tf.tidy(() => {
      const width = this.problem.conditions.length;
      const factors = std.map((unit, row) =>
        this.factor(conditions.subarray(row * width, (row + 1) * width), unit),
      );
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
    const coordinate = remainingCondition(problem);
    const u =
      coordinate === undefined
        ? -1
        : normaliseCondition(problem.conditions[coordinate], conditions[coordinate]);
    const last = this.factors.length - 1;
    const at = ((Math.max(-1, Math.min(1, u)) + 1) * last) / 2;
    const left = Math.min(Math.max(0, last - 1), Math.floor(at));
    const unit = scale.map((value, i) => (std[i] > 0 ? value / std[i] : 0));
    const channels = scale.length / cells;
    const to = Int32Array.from(scale, (_, i) => (i % cells) * channels + Math.floor(i / cells));
    const rows: Float32Array[] = [];
    for (const [node, share] of [
      [left, left + 1 - at],
      [left + 1, at - left],
    ] as const) {
      if (share === 0) continue;
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
    const width = (problem.affineIn.length + 1) * problem.fields.length * problem.cells;
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

/** Index of the one condition in which the problem is not affine; undefined where there are several or none. */
export function remainingCondition(problem: Problem): number | undefined {
  const left = remainingConditions(problem, problem.affineIn);
  return left.length === 1 ? left[0] : undefined;
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
