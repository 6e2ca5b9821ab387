import { type Attribute, type Binding, native, tf } from "./binding";
import { constantNode, inputNode, type Message, operationNode } from "./graphDef";

/** The operations that a function of tensors has called, as a graph. */
export interface Recording {
  readonly nodes: readonly Message[];
  /** Of the nodes whose values are given, in the order of the inputs: "node:0". */
  readonly inputs: readonly string[];
  /** Of what the function returned. */
  readonly outputs: readonly string[];
}

/**
 * Calls a function of tensors once and records the native operations that it calls.
 *
 * inputs: all tensors that the function uses and did not make itself; what it makes of numbers becomes a constant. Throws
 * Error for a function that uses others, reads values, or returns an input as it is.
 */
export function record(body: () => readonly tf.Tensor[], inputs: readonly tf.Tensor[]): Recording {
  const backend = native();
  const { binding } = backend;
  const nodes: Message[] = [];
  const known = new Map<number, Value>(); // by the number that the binding gives a tensor
  const typeOf = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, bool: binding.TF_BOOL };

  backend.getInputTensorIds(inputs).forEach((id, i) => {
    const dtype = typeOf[inputs[i].dtype as keyof typeof typeOf];
    nodes.push(inputNode(`input${i}`, dtype));
    known.set(id, { name: `input${i}`, dtype });
  });
  const recorder: Pick<Binding, "createTensor" | "executeOp" | "tensorDataSync"> = {
    createTensor(shape, dtype, values) {
      const id = binding.createTensor(shape, dtype, values);
      // A copy: the caller may change its array later.
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
      const name = `constant${nodes.length}`;
      nodes.push(constantNode(name, dtype, shape, bytes));
      known.set(id, { name, dtype });
      return id;
    },
    executeOp(operation, attributes, ids, count) {
      const outputs = binding.executeOp(operation, attributes, ids, count);
      const values = ids.map((id) => {
        const value = known.get(id);
        if (value) return value;
        throw new Error(
          `A function that is to be a graph calls ${operation} with a tensor that is no input.`,
        );
      });
      const name = `node${nodes.length}`;
      const names = values.map((value) => value.name);
      nodes.push(
        operationNode(name, operation, names, [...attributes, ...leftOut(operation, values, binding)]),
      );
      outputs.forEach(({ id, dtype }, i) => known.set(id, { name: i === 0 ? name : `${name}:${i}`, dtype }));
      return outputs;
    },
    tensorDataSync() {
      throw new Error("A function that is to be a graph reads the values of a tensor.");
    },
  };
  const outputs = tf.tidy(() => {
    backend.binding = Object.create(binding, Object.getOwnPropertyDescriptors(recorder)) as Binding;
    let results: readonly tf.Tensor[];
    try {
      results = body();
    } finally {
      backend.binding = binding;
    }
    return backend.getInputTensorIds(results).map((id) => {
      const name = known.get(id)?.name;
      if (name?.startsWith("node")) return slot(name);
      throw new Error("A function that is to be a graph returns something that it has not computed.");
    });
  });
  return { nodes, inputs: inputs.map((_, i) => slot(`input${i}`)), outputs };
}

/** An output of a node, and TensorFlow's number of its type. */
interface Value {
  readonly name: string;
  readonly dtype: number;
}

function slot(name: string): string {
  return name.includes(":") ? name : `${name}:0`;
}

/** Attributes that tfjs leaves to TensorFlow to find out, which it does not do in a graph. */
function leftOut(operation: string, inputs: readonly Value[], binding: Binding): Attribute[] {
  if (operation !== "ExpandDims") return [];
  const type = (name: string, value: number) => ({ name, type: binding.TF_ATTR_TYPE, value });
  return [type("T", inputs[0].dtype), type("Tdim", inputs[1].dtype)];
}
