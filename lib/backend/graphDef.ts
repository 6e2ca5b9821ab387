/**
 * Nodes of a TensorFlow graph, and a graph as a SavedModel, as bytes. The numbers of fields are those of graph.proto,
 * node_def.proto, attr_value.proto, tensor.proto, meta_graph.proto and saved_model.proto.
 */
import { type Attribute, native } from "./native";
import { bytesField, floatField, integerField, messageField } from "./protobuf";

/** Version of the graph's format for which its operations are meant: TensorFlow refuses graphs that are too old for it. */
const PRODUCER = 1882;
/** The name under which a SavedModel's one graph is asked for. */
export const TAG = "serve";

/** A node that computes, from the named outputs of others ("node" or "node:1"). */
export function operationNode(
  name: string,
  operation: string,
  inputs: readonly string[],
  attributes: readonly Attribute[],
): Buffer {
  return node(
    name,
    operation,
    inputs,
    attributes.map((attribute) => [attribute.name, attributeValue(attribute)]),
  );
}

/** A node whose value is given at each run. */
export function inputNode(name: string, dtype: number): Buffer {
  return node(name, "Placeholder", [], [["dtype", integerField(6, dtype)]]);
}

/** A node of one value; bytes: its numbers, the last index fastest. */
export function constantNode(
  name: string,
  dtype: number,
  shape: readonly number[],
  bytes: Uint8Array,
): Buffer {
  const value = [
    integerField(1, dtype),
    messageField(2, ...shape.map((size) => messageField(2, integerField(1, size)))),
    bytesField(4, bytes),
  ];
  return node(
    name,
    "Const",
    [],
    [
      ["dtype", integerField(6, dtype)],
      ["value", messageField(8, ...value)],
    ],
  );
}

/** A SavedModel of these nodes: what belongs into saved_model.pb. */
export function savedModel(nodes: readonly Buffer[]): Buffer {
  const graph = [...nodes, messageField(4, integerField(1, PRODUCER))];
  return Buffer.concat([
    integerField(1, 1),
    messageField(2, messageField(1, bytesField(4, TAG)), messageField(2, ...graph)),
  ]);
}

function node(
  name: string,
  operation: string,
  inputs: readonly string[],
  attributes: readonly (readonly [string, Buffer])[],
): Buffer {
  return messageField(
    1,
    bytesField(1, name),
    bytesField(2, operation),
    ...inputs.map((input) => bytesField(3, input)),
    ...attributes.map(([key, value]) => messageField(5, bytesField(1, key), bytesField(2, value))),
  );
}

function attributeValue({ name, type, value }: Attribute): Buffer {
  const { binding } = native();
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return integerField(6, value as number);
    case binding.TF_ATTR_BOOL:
      return integerField(5, value as boolean);
    case binding.TF_ATTR_FLOAT:
      return floatField(4, value as number);
    case binding.TF_ATTR_STRING:
      return bytesField(2, value as string);
    case binding.TF_ATTR_INT:
      if (!Array.isArray(value)) return integerField(3, value as number);
      return messageField(1, ...value.map((part) => integerField(3, part)));
    default:
      throw new Error(`The attribute ${name} is of a type that graphs do not have here.`);
  }
}
