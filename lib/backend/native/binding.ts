/** TensorFlow's C library as tfjs binds it to Node. */
// Loads the native package with its environment and what newer Node versions lack: scripts/tfjs-node/index.js.
require("@tensorflow/tfjs-node");
import * as tf from "@tensorflow/tfjs-node-gpu";

export { tf };

/** The part of TensorFlow's C API that tfjs binds and this project uses; tensors are numbers there. */
export interface Binding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_SHAPE: number;
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number;
  tensorDataSync(tensor: number): unknown;
  executeOp(name: string, attributes: Attribute[], tensors: number[], outputs: number): NativeOutput[];
  loadSavedModel(folder: string, tags: string): number;
  runSavedModel(model: number, tensors: number[], inputs: string, outputs: string): NativeOutput[];
  deleteSavedModel(model: number): void;
}

/** What an operation has returned. */
interface NativeOutput {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The part of the native backend that tfjs does not type. */
interface NativeBackend {
  binding: Binding;
  isUsingGpuDevice: boolean;
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: Attribute[],
    inputs: tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(output: NativeOutput): tf.Tensor;
}

/** An attribute of a native operation. */
export interface Attribute {
  name: string;
  type: number;
  value: number | boolean | string | number[];
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
    type: binding.TF_ATTR_TYPE,
    value: dtype === "float32" ? binding.TF_FLOAT : binding.TF_INT32,
  };
}
