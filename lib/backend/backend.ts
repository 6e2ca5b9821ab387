import type * as tf from "@tensorflow/tfjs";

/**
 * What the library asks of a backend beside tfjs: operations that tfjs lacks or is slow at. native.ts has them from
 * TensorFlow's C library, plain.ts from tfjs itself, which also runs in a browser.
 */
export interface Backend {
  /** For people: library, version and device, such as "TensorFlow 2.21.0 (CPU)". */
  describeBackend(): string;

  /** The product of two matrices, either of them transposed on request. */
  product(a: tf.Tensor, b: tf.Tensor, transposeA?: boolean, transposeB?: boolean): tf.Tensor2D;

  /** Products a b^T of n pairs of matrices, [n, rows, k] and [n, columns, k]: [n, rows, columns]. */
  turnedProduct(a: tf.Tensor, b: tf.Tensor): tf.Tensor3D;

  /**
   * What a convolution combines, laid side by side: x [batch, cells, channels] -> [batch cells, kernelSize channels], of the
   * cells at distances dilation (tap - (kernelSize - 1) / 2), with zeros outside. direction -1: at the opposite distances.
   */
  neighbours(x: tf.Tensor3D, kernelSize: number, dilation: number, direction: 1 | -1): tf.Tensor2D;

  /** The derivative of x s(x), s(x) = 1 / (1 + exp(-x)), given x and s(x): s + x s (1 - s). */
  siluGrad(x: tf.Tensor, sigmoid: tf.Tensor): tf.Tensor;

  /** Half the sum of all squares, a scalar. */
  halfSquare(x: tf.Tensor): tf.Tensor;

  /** Of symmetric matrices [n, d, d] the rising eigenvalues [n, d] and the eigenvectors [n, d, d] in columns. */
  selfAdjointEigen(matrices: tf.Tensor3D): [tf.Tensor2D, tf.Tensor3D];

  /**
   * Standard normal numbers, a function of (seed, stream, shape) alone and equal on all backends but for rounding.
   *
   * @param shape shape of the result (float32)
   * @param seed seed of the run, 0 .. 2^53 - 1
   * @param stream further integers that tell draws of one run apart, such as the step
   */
  normal(shape: number[], seed: number, ...stream: number[]): tf.Tensor;

  /** The state of Adam for weights that start at this vector. */
  adam(start: tf.Tensor): AdamState;

  /** What makes a graph of a function; undefined where functions are called as they are. */
  compiler(): Compiler | undefined;
}

/** The vectors of {@link AdamState}: weights, their moving average, and both moments of the gradient. */
export const adamVectors = ["weights", "average", "first", "second"] as const;
export type AdamVector = (typeof adamVectors)[number];

/** The numbers of one step of Adam (Kingma & Ba 2015, algorithm 1). */
export interface AdamStep {
  /** Steps taken, this one included: on them depend the corrections of the moments' bias. */
  readonly steps: number;
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Beside the root of the corrected second moment. */
  readonly epsilon: number;
}

/** Vectors that an optimiser changes in place. */
export interface AdamState {
  /** A vector's value: a tensor that keeps it when the vector changes. The caller disposes of it. */
  read(vector: AdamVector): tf.Tensor;
  assign(vector: AdamVector, value: tf.Tensor): void;
  /** Moves both moments, and the weights by them. */
  step(gradient: tf.Tensor, numbers: AdamStep): void;
  /** Moves the average towards the weights by this share of their distance. */
  followWeights(share: number): void;
  dispose(): void;
}

/**
 * Calls a function of tensors once and makes a graph of what it has computed. inputs: all tensors that the function uses
 * and did not make itself. Throws Error for a function that uses others, reads values, or returns an input as it is, and
 * InputError where the graph cannot be stored.
 */
export type Compiler = (body: () => readonly tf.Tensor[], inputs: readonly tf.Tensor[]) => Graph;

/** A function as a graph, for inputs of the shapes and types that it was made with. */
export interface Graph {
  run(inputs: readonly tf.Tensor[]): tf.Tensor[];
  dispose(): void;
}
