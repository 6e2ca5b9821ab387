/** TensorFlow's C library as the backend: operations that tfjs itself does not offer, by its Node binding. */
import { threadId } from "worker_threads";
// Loads the native package with its environment and what newer Node versions lack: scripts/tfjs-node/index.js.
require("@tensorflow/tfjs-node");
import * as tf from "@tensorflow/tfjs-node-gpu";
import { Random } from "../random";

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

/**
 * The product of two matrices, either of them transposed on request, as one native operation: tf.matMul reshapes both
 * sides and the result.
 */
export function product(a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false): tf.Tensor2D {
  const { binding } = native();
  const flag = (name: string, value: boolean) => ({ name, type: binding.TF_ATTR_BOOL, value });
  const attributes = [flag("adj_x", transposeA), flag("adj_y", transposeB), typeAttribute("T", "float32")];
  return native().executeSingleOutput("BatchMatMulV2", attributes, [a, b]) as tf.Tensor2D;
}

/**
 * A variable of TensorFlow's own, which native operations change in place. tf.Variable has none: it takes another tensor
 * with each new value.
 */
export class NativeVariable {
  private static count = 0;
  private readonly handle: tf.Tensor;

  constructor(value: tf.Tensor) {
    const { binding } = native();
    const text = (name: string, value: string) => ({ name, type: binding.TF_ATTR_STRING, value });
    const attributes = [
      typeAttribute("dtype", "float32"),
      { name: "shape", type: binding.TF_ATTR_SHAPE, value: value.shape },
      text("container", ""),
      text("shared_name", `porous-sgm-${process.pid}-${threadId}-${NativeVariable.count++}`), // variables of a name are one
    ];
    this.handle = tf.keep(native().executeSingleOutput("VarHandleOp", attributes, []));
    this.assign(value);
  }

  /** Its value: a tensor that keeps it when the variable changes. */
  read(): tf.Tensor {
    return native().executeSingleOutput("ReadVariableOp", [typeAttribute("dtype", "float32")], [this.handle]);
  }

  assign(value: tf.Tensor): void {
    this.run("AssignVariableOp", [typeAttribute("dtype", "float32")], [value]);
  }

  /** Applies an optimiser's operation to this variable, others that the operation keeps beside it, and tensors. */
  apply(operation: string, others: readonly NativeVariable[], tensors: readonly tf.Tensor[]): void {
    const handles = others.map(({ handle }) => handle);
    this.run(operation, [typeAttribute("T", "float32")], [...handles, ...tensors]);
  }

  dispose(): void {
    this.run("DestroyResourceOp", [], []);
    this.handle.dispose();
  }

  private run(operation: string, attributes: Attribute[], inputs: tf.Tensor[]): void {
    native().executeMultipleOutputs(operation, attributes, [this.handle, ...inputs], 0);
  }
}

/** For people: version and device, such as "TensorFlow 2.21.0 (CPU)". */
export function describeBackend(): string {
  const { binding, isUsingGpuDevice } = native();
  return `TensorFlow ${binding.TF_Version} (${isUsingGpuDevice ? "GPU" : "CPU"})`;
}

/** The derivative of x s(x), s(x) = 1 / (1 + exp(-x)), given x and s(x): s + x s (1 - s). */
export function siluGrad(x: tf.Tensor, sigmoid: tf.Tensor): tf.Tensor {
  return sigmoid.add(
    native().executeSingleOutput("SigmoidGrad", [typeAttribute("T", "float32")], [sigmoid, x]),
  );
}

/** TensorFlow's SelfAdjointEigV2: rising eigenvalues [n, d] and eigenvectors [n, d, d] in columns. */
export function selfAdjointEigen(matrices: tf.Tensor3D): [tf.Tensor2D, tf.Tensor3D] {
  const { binding } = native();
  const attributes = [
    { name: "compute_v", type: binding.TF_ATTR_BOOL, value: true },
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
