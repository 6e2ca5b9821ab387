/**
 * The one place where TensorFlow enters the library, with the native operations that tfjs itself does not offer.
 * Everything else imports `tf` from here.
 */
// Loads the native package with its environment and what newer Node versions lack: scripts/tfjs-node/index.js.
require("@tensorflow/tfjs-node");
import * as tf from "@tensorflow/tfjs-node-gpu";
import { Random } from "./random";

export { tf };

/** The part of the native backend that tfjs does not type. */
interface NativeBackend {
  binding: Record<string, number> & { TF_Version: string };
  isUsingGpuDevice: boolean;
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: Attribute[],
    inputs: tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

interface Attribute {
  name: string;
  type: number;
  value: number | boolean | number[];
}

/** The native backend (its binding is TensorFlow's C API). */
export function native(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}

/** An attribute of a native operation that holds a data type. */
export function typeAttribute(name: string, dtype: "float32" | "int32"): Attribute {
  const { binding } = native();
  return {
    name,
    type: binding["TF_ATTR_TYPE"],
    value: dtype === "float32" ? binding["TF_FLOAT"] : binding["TF_INT32"],
  };
}

/** For people: version and device, such as "TensorFlow 2.21.0 (CPU)". */
export function describeBackend(): string {
  const { binding, isUsingGpuDevice } = native();
  return `TensorFlow ${binding.TF_Version} (${isUsingGpuDevice ? "GPU" : "CPU"})`;
}

/** TensorFlow's SelfAdjointEigV2: rising eigenvalues [n, d] and eigenvectors [n, d, d] in columns. */
export function selfAdjointEigen(matrices: tf.Tensor3D): [tf.Tensor2D, tf.Tensor3D] {
  const { binding } = native();
  const attributes = [
    { name: "compute_v", type: binding["TF_ATTR_BOOL"], value: true },
    typeAttribute("T", "float32"),
  ];
  const [values, vectors] = native().executeMultipleOutputs("SelfAdjointEigV2", attributes, [matrices], 2);
  return [values as tf.Tensor2D, vectors as tf.Tensor3D];
}

/**
 * Standard normal numbers, a function of (seed, stream, shape) alone: TensorFlow's counter-based
 * StatelessRandomNormal (Philox), keyed by the project's own generator.
 *
 * @param shape shape of the result (float32)
 * @param seed seed of the run, 0 .. 2^53 - 1
 * @param stream further integers that tell draws of one run apart, such as the step
 */
export function normal(shape: number[], seed: number, ...stream: number[]): tf.Tensor {
  return tf.tidy(() =>
    native().executeSingleOutput(...statelessCall("StatelessRandomNormal", shape, seed, stream)),
  );
}

function statelessCall(
  name: string,
  shape: number[],
  seed: number,
  stream: number[],
): [string, Attribute[], tf.Tensor[]] {
  const random = new Random(seed, ...stream);
  const key = [random.uniform(), random.uniform()].map((u) => Math.floor(u * 2 ** 32) | 0);
  const attributes = [
    typeAttribute("dtype", "float32"),
    typeAttribute("T", "int32"),
    typeAttribute("Tseed", "int32"),
  ];
  return [name, attributes, [tf.tensor1d(shape, "int32"), tf.tensor1d(key, "int32")]];
}
