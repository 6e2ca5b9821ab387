/** The covariance of the fields as a function of the conditions, from a data set. */
import { conditionIndex, normaliseCondition, type Problem } from "../data/problem";
import type { ConditionalMoments } from "../data/standardisation";
import { InputError } from "../errors";
import { native, tf, typeAttribute } from "../tensorflow";

/** Nodes over [-1, 1] at which covariances are kept, and the width of their kernel average. */
const NODES = 33;
const SPACING = 2 / (NODES - 1);
const KERNEL_WIDTH = SPACING;
/** Modes whose share of the variance is smaller than this are left out. */
const SMALLEST_SHARE = 1e-8;

/**
 * Covariances of the responses (see Problem.responses) at nodes of the remaining condition, as low-rank factors:
 * Cov[R] = A A^T. For any values of the affine conditions, Cov[fields] = (W A) (W A)^T with W = (1, conditions).
 */
export class ConditionalCovariance {
  private constructor(
    private readonly problem: Problem,
    /** (responses, fields x cells): scale of each response, so that the factors are of order 1 */
    private readonly scale: Float64Array,
    /** (rank, responses, fields x cells) of each node, rank differs */
    private readonly factors: readonly Float32Array[],
  ) {}

  /**
   * Takes the covariances from what is left of a data set's responses when their means are taken off.
   *
   * Rows are averaged with a Gaussian kernel around each node, which keeps the covariance positive. Throws InputError
   * if the problem has not exactly one condition in which it is not affine, or the data had no latent field.
   */
  static fit(problem: Problem, { rows, residuals, positions }: ConditionalMoments): ConditionalCovariance {
    remainingCondition(problem);
    const [count, size] = [problem.affineIn.length + 1, problem.fields.length * problem.cells];
    const width = count * size;
    if (residuals.length !== rows * width) {
      throw new InputError(
        "The data have no latent field to take covariances from; train on data that generate made.",
      );
    }
    const scale = new Float64Array(width);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) scale[i] += residuals[row * width + i] ** 2 / rows;
    }
    for (let i = 0; i < width; i++) scale[i] = Math.fround(Math.sqrt(scale[i])); // as it is saved
    // What is fixed has a scale of round-off: relative to the response's largest.
    for (let k = 0; k < count; k++) {
      for (const f of problem.fields.keys()) {
        const start = k * size + f * problem.cells;
        const values = scale.subarray(start, start + problem.cells);
        const largest = values.reduce((most, value) => Math.max(most, value), 0);
        values.forEach((value, i) => {
          if (value < 1e-9 * largest) values[i] = 0;
        });
      }
    }
    const scaled = Float32Array.from(residuals, (value, i) => {
      const unit = scale[i % width];
      return unit > 0 ? value / unit : 0;
    });
    const factors = Array.from({ length: NODES }, (_, j) => {
      const distance = positions.map(([u]) => Math.abs(u - (-1 + j * SPACING)) / KERNEL_WIDTH);
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
      return tf.tidy(() => {
        const factor = tf.tensor2d(weighted, [near.length, width]);
        return lowRank(tf.matMul(factor, factor, true, false));
      });
    });
    return new ConditionalCovariance(problem, scale, factors);
  }

  /**
   * Eigenvalues [n, size] and eigenvectors [n, size, size] (in columns) of the covariance of the standardised fields
   * at n sets of conditions (n, conditions); size counts (cell, field), the field fastest, as the network's tensors do.
   *
   * std (n, fields x cells): by which the fields are standardised; where it is 0 the covariance is 0.
   */
  eigen(
    conditions: Float64Array,
    std: readonly Float64Array[],
  ): { values: tf.Tensor2D; vectors: tf.Tensor3D } {
    return tf.tidy(() => {
      const covariances = std.map((unit, row) =>
        tf.tidy(() => {
          const width = this.problem.conditions.length;
          const factor = this.factor(conditions.subarray(row * width, (row + 1) * width), unit);
          return tf.matMul(factor, factor, true, false);
        }),
      );
      const [values, vectors] = selfAdjointEigen(tf.stack(covariances) as tf.Tensor3D);
      return { values: values.maximum(0) as tf.Tensor2D, vectors };
    });
  }

  /** Factor B [rank, size] with B^T B the covariance of the standardised fields at one set of conditions. */
  private factor(conditions: Float64Array, std: Float64Array): tf.Tensor2D {
    const { problem, scale } = this;
    const { cells, fields, affineIn } = problem;
    const size = fields.length * cells;
    const coordinate = remainingCondition(problem);
    const u = normaliseCondition(problem.conditions[coordinate], conditions[coordinate]);
    const at = (Math.max(-1, Math.min(1, u)) + 1) / SPACING;
    const left = Math.min(NODES - 2, Math.floor(at));
    const weights = [1, ...affineIn.map((name) => conditions[conditionIndex(problem, name)])];
    // Weight of each response in each cell, in standard deviations of the field.
    const combine = weights.map((weight, k) =>
      Float64Array.from(std, (unit, i) => (unit > 0 ? (weight * scale[k * size + i]) / unit : 0)),
    );
    const rows: Float32Array[] = [];
    for (const [node, share] of [
      [left, left + 1 - at],
      [left + 1, at - left],
    ] as const) {
      const from = this.factors[node];
      for (let start = 0; start < from.length; start += weights.length * size) {
        const row = new Float32Array(size);
        for (let i = 0; i < size; i++) {
          let sum = 0;
          for (let k = 0; k < weights.length; k++) sum += combine[k][i] * from[start + k * size + i];
          row[(i % cells) * fields.length + Math.floor(i / cells)] = Math.sqrt(share) * sum;
        }
        rows.push(row);
      }
    }
    return tf.tensor2d(concatenated(rows), [rows.length, size]);
  }

  /** One block of little-endian float32: for each node its rank, then its factor; the scale comes first. */
  toBytes(): Buffer {
    const blocks: Float32Array[] = [Float32Array.from(this.scale)];
    for (const factor of this.factors)
      blocks.push(Float32Array.of(factor.length / this.scale.length), factor);
    return Buffer.from(concatenated(blocks).buffer);
  }

  /** Reads what {@link toBytes} wrote. Throws InputError if the bytes do not fit the problem. */
  static fromBytes(problem: Problem, bytes: Buffer): ConditionalCovariance {
    const damaged = new InputError("the covariance has another size than the problem's");
    const width = (problem.affineIn.length + 1) * problem.fields.length * problem.cells;
    if (bytes.length % 4 !== 0 || bytes.length < 4 * width) throw damaged;
    const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const values = new Float32Array(copy);
    if (!values.every(Number.isFinite)) throw damaged;
    const factors: Float32Array[] = [];
    let at = width;
    for (let node = 0; node < NODES; node++) {
      const end = at + 1 + values[at] * width;
      if (!(Number.isInteger(values[at]) && values[at] > 0 && end <= values.length)) throw damaged;
      factors.push(values.slice(at + 1, end));
      at = end;
    }
    if (at !== values.length) throw damaged;
    return new ConditionalCovariance(problem, Float64Array.from(values.slice(0, width)), factors);
  }
}

/** Index of the one condition in which the problem is not affine. */
function remainingCondition(problem: Problem): number {
  const left = problem.conditions.flatMap(({ name }, k) => (problem.affineIn.includes(name) ? [] : [k]));
  if (left.length === 1) return left[0];
  throw new InputError(
    `The problem has ${left.length} conditions in which it is not affine; covariances over conditions need exactly one.`,
  );
}

/** Rows sqrt(lambda) v^T (rank, width) of a covariance [width, width], smallest modes left out. */
function lowRank(covariance: tf.Tensor2D): Float32Array {
  const [values, vectors] = selfAdjointEigen(covariance.expandDims(0) as tf.Tensor3D);
  const lambda = values.dataSync();
  const largest = lambda[lambda.length - 1];
  const first = lambda.findIndex((value) => value > SMALLEST_SHARE * largest);
  const kept = lambda.length - first;
  const rows = tf.transpose(vectors.squeeze([0]) as tf.Tensor2D).slice([first, 0], [kept, lambda.length]);
  return rows.mul(tf.tensor2d(lambda.slice(first).map(Math.sqrt), [kept, 1])).dataSync() as Float32Array;
}

/** TensorFlow's SelfAdjointEigV2: rising eigenvalues [n, d] and eigenvectors [n, d, d] in columns. */
function selfAdjointEigen(matrices: tf.Tensor3D): [tf.Tensor2D, tf.Tensor3D] {
  const { binding } = native();
  const attributes = [
    { name: "compute_v", type: binding["TF_ATTR_BOOL"], value: true },
    typeAttribute("T", "float32"),
  ];
  const [values, vectors] = native().executeMultipleOutputs("SelfAdjointEigV2", attributes, [matrices], 2);
  return [values as tf.Tensor2D, vectors as tf.Tensor3D];
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
