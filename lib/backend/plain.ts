/**
 * tfjs alone as the backend, on whatever it computes with: WebGL in a browser, JavaScript. package.json tells bundlers to
 * take this file where native.ts is imported.
 */
import * as tf from "@tensorflow/tfjs";
import { EigenvalueDecomposition } from "ml-matrix";
import { type AdamState, type AdamStep, type AdamVector, adamVectors, type Backend } from "./backend";
import { normalKey, normalNumbers } from "./normalNumbers";
import { power } from "./power";

export { tf };

export const backend = {
  describeBackend: () => `TensorFlow.js ${tf.version.tfjs} (${tf.getBackend()})`,

  /** Turned first: WebAssembly's products of turned matrices are ten times slower. */
  product(a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false) {
    const turned = (x: tf.Tensor, yes: boolean) => (yes ? tf.transpose(x) : x) as tf.Tensor2D;
    return tf.tidy(() => tf.matMul(turned(a, transposeA), turned(b, transposeB)));
  },

  turnedProduct: (a: tf.Tensor, b: tf.Tensor) =>
    tf.tidy(() => tf.matMul(a as tf.Tensor3D, tf.transpose(b, [0, 2, 1]) as tf.Tensor3D)),

  /** Slices, which are copies of whole blocks. */
  neighbours(x: tf.Tensor3D, kernelSize: number, dilation: number, direction: 1 | -1) {
    const [batch, cells, channels] = x.shape;
    const reach = (dilation * (kernelSize - 1)) / 2;
    return tf.tidy(() => {
      const padded = tf.pad3d(x, [
        [0, 0],
        [reach, reach],
        [0, 0],
      ]);
      const taps = Array.from({ length: kernelSize }, (_, tap) =>
        padded.slice(
          [0, dilation * (direction === 1 ? tap : kernelSize - 1 - tap), 0],
          [batch, cells, channels],
        ),
      );
      return tf.concat3d(taps, 2).reshape([batch * cells, kernelSize * channels]) as tf.Tensor2D;
    });
  },

  siluGrad: (x: tf.Tensor, sigmoid: tf.Tensor) =>
    tf.tidy(() => sigmoid.add(x.mul(sigmoid).mul(tf.sub(1, sigmoid)))),

  halfSquare: (x: tf.Tensor) => tf.tidy(() => x.square().sum().div(2)),

  /** In double precision, on the processor. */
  selfAdjointEigen(matrices: tf.Tensor3D): [tf.Tensor2D, tf.Tensor3D] {
    const [n, size] = matrices.shape;
    const values = new Float32Array(n * size);
    const vectors = new Float32Array(n * size * size);
    const all = matrices.dataSync();
    for (let k = 0; k < n; k++) {
      const rows = Array.from({ length: size }, (_, i) => {
        const start = (k * size + i) * size;
        return all.subarray(start, start + size);
      });
      const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(rows, {
        assumeSymmetric: true,
      });
      values.set(realEigenvalues, k * size);
      for (let i = 0; i < size; i++) vectors.set(eigenvectorMatrix.getRow(i), (k * size + i) * size);
    }
    return [tf.tensor2d(values, [n, size]), tf.tensor3d(vectors, [n, size, size])];
  },

  normal: (shape: number[], seed: number, ...stream: number[]) =>
    tf.tensor(normalNumbers(tf.util.sizeFromShape(shape), normalKey(seed, stream)), shape),

  adam: (start: tf.Tensor) => new PlainAdam(start),

  compiler: () => undefined,
} satisfies Backend;

/** Adam's vectors as variables of tfjs, which take another tensor with each new value. */
class PlainAdam implements AdamState {
  private readonly variables: Readonly<Record<AdamVector, tf.Variable>>;

  constructor(start: tf.Tensor) {
    const zeros = tf.zerosLike(start);
    this.variables = {
      weights: tf.variable(start, false),
      average: tf.variable(start, false),
      first: tf.variable(zeros, false),
      second: tf.variable(zeros, false),
    };
    zeros.dispose();
  }

  read(vector: AdamVector): tf.Tensor {
    return this.variables[vector].clone();
  }

  assign(vector: AdamVector, value: tf.Tensor): void {
    this.variables[vector].assign(value);
  }

  step(gradient: tf.Tensor, { steps, rate, beta1, beta2, epsilon }: AdamStep): void {
    const { weights, first, second } = this.variables;
    tf.tidy(() => {
      const square = gradient.square();
      first.assign(first.add(gradient.sub(first).mul(1 - beta1)));
      second.assign(second.add(square.sub(second).mul(1 - beta2)));
      const root = second.div(1 - power(beta2, steps)).sqrt();
      const direction = first.div(1 - power(beta1, steps)).div(root.add(epsilon));
      weights.assign(weights.sub(direction.mul(rate)));
    });
  }

  followWeights(share: number): void {
    const { weights, average } = this.variables;
    tf.tidy(() => average.assign(average.add(weights.sub(average).mul(share))));
  }

  dispose(): void {
    for (const vector of adamVectors) this.variables[vector].dispose();
  }
}
