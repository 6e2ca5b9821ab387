/** TensorFlow's C library as the backend, by tfjs's binding to Node. A browser gets plain.ts instead (see package.json). */
import type { Backend } from "./backend";
import { native, tf, typeAttribute } from "./native/binding";
import { compile } from "./native/graph";
import { NativeAdam } from "./native/adam";
import { normalKey } from "./normalNumbers";

export { tf };

export const backend = {
  describeBackend() {
    const { binding, isUsingGpuDevice } = native();
    return `TensorFlow ${binding.TF_Version} (${isUsingGpuDevice ? "GPU" : "CPU"})`;
  },

  /** One native operation: tf.matMul reshapes both sides and the result. */
  product(a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false): tf.Tensor2D {
    const { binding } = native();
    const flag = (name: string, value: boolean) => ({ name, type: binding.TF_ATTR_BOOL, value });
    const attributes = [flag("adj_x", transposeA), flag("adj_y", transposeB), typeAttribute("T", "float32")];
    return native().executeSingleOutput("BatchMatMulV2", attributes, [a, b]) as tf.Tensor2D;
  },

  turnedProduct: (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a as tf.Tensor3D, b as tf.Tensor3D, false, true),

  neighbours(x: tf.Tensor3D, kernelSize: number, dilation: number, direction: 1 | -1) {
    const [batch, cells, channels] = x.shape;
    const from = Array.from({ length: cells * kernelSize }, (_, i) => {
      const tap = (i % kernelSize) - (kernelSize - 1) / 2;
      const cell = Math.floor(i / kernelSize) + direction * dilation * tap;
      return cell >= 0 && cell < cells ? cell : cells; // behind the last one is a cell of zeros
    });
    const ends: [number, number][] = [
      [0, 0],
      [0, 1],
      [0, 0],
    ];
    return tf.tidy(() => {
      const gathered = tf.gather(tf.pad(x, ends), tf.tensor1d(from, "int32"), 1);
      return gathered.reshape([batch * cells, kernelSize * channels]) as tf.Tensor2D;
    });
  },

  siluGrad(x: tf.Tensor, sigmoid: tf.Tensor) {
    const attributes = [typeAttribute("T", "float32")];
    return tf.tidy(() => sigmoid.add(native().executeSingleOutput("SigmoidGrad", attributes, [sigmoid, x])));
  },

  halfSquare: (x: tf.Tensor) => native().executeSingleOutput("L2Loss", [typeAttribute("T", "float32")], [x]),

  selfAdjointEigen(matrices: tf.Tensor3D): [tf.Tensor2D, tf.Tensor3D] {
    const { binding } = native();
    const attributes = [
      { name: "compute_v", type: binding.TF_ATTR_BOOL, value: true },
      typeAttribute("T", "float32"),
    ];
    const [values, vectors] = native().executeMultipleOutputs("SelfAdjointEigV2", attributes, [matrices], 2);
    return [values as tf.Tensor2D, vectors as tf.Tensor3D];
  },

  /** TensorFlow's counter-based StatelessRandomNormal (Philox), keyed by the project's own generator. */
  normal(shape: number[], seed: number, ...stream: number[]) {
    const attributes = [
      typeAttribute("dtype", "float32"),
      typeAttribute("T", "int32"),
      typeAttribute("Tseed", "int32"),
    ];
    return tf.tidy(() => {
      const inputs = [tf.tensor1d(shape, "int32"), tf.tensor1d(normalKey(seed, stream), "int32")];
      return native().executeSingleOutput("StatelessRandomNormal", attributes, inputs);
    });
  },

  adam: (start: tf.Tensor) => new NativeAdam(start),

  compiler: () => (native().isUsingGpuDevice ? undefined : compile),
} satisfies Backend;
