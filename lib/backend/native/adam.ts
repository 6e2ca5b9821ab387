import { threadId } from "worker_threads";
import { type AdamState, type AdamStep, type AdamVector, adamVectors } from "../backend";
import { power } from "../power";
import { type Attribute, native, tf, typeAttribute } from "./binding";

/** Adam's vectors as TensorFlow's own variables, which its ApplyAdam changes in place, in one pass over all of them. */
export class NativeAdam implements AdamState {
  private readonly variables: Readonly<Record<AdamVector, NativeVariable>>;

  constructor(start: tf.Tensor) {
    const zeros = tf.zerosLike(start);
    this.variables = {
      weights: new NativeVariable(start),
      average: new NativeVariable(start),
      first: new NativeVariable(zeros),
      second: new NativeVariable(zeros),
    };
    zeros.dispose();
  }

  read(vector: AdamVector): tf.Tensor {
    return this.variables[vector].read();
  }

  assign(vector: AdamVector, value: tf.Tensor): void {
    this.variables[vector].assign(value);
  }

  step(gradient: tf.Tensor, { steps, rate, beta1, beta2, epsilon }: AdamStep): void {
    const { weights, first, second } = this.variables;
    // ApplyAdam folds the bias corrections of both moments into the rate and leaves epsilon as it is; what is meant
    // is epsilon beside the corrected root (Kingma & Ba, end of section 2).
    const powers = [power(beta1, steps), power(beta2, steps)];
    const numbers = [...powers, rate, beta1, beta2, epsilon * Math.sqrt(1 - powers[1])];
    tf.tidy(() => {
      const tensors = [...numbers.map((value) => tf.scalar(value)), gradient];
      weights.apply("ResourceApplyAdam", [first, second], tensors);
    });
  }

  followWeights(share: number): void {
    const { weights, average } = this.variables;
    tf.tidy(() => {
      const ahead = average.read().sub(weights.read());
      average.apply("ResourceApplyGradientDescent", [], [tf.scalar(share), ahead]);
    });
  }

  dispose(): void {
    for (const vector of adamVectors) this.variables[vector].dispose();
  }
}

/**
 * A variable of TensorFlow's own, which native operations change in place. tf.Variable has none: it takes another tensor
 * with each new value.
 */
class NativeVariable {
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
