/** Nodes of a TensorFlow graph and a graph as a SavedModel, made of the messages that tfjs's Node package brings along. */
import { type Attribute, native } from "./binding";

/** A message of a protocol buffer, in the part that is used here: its setters return it. */
export type Message = { readonly [setter: `set${string}`]: (value: unknown) => Message } & {
  getAttrMap(): { set(name: string, value: Message): void };
  serializeBinary(): Uint8Array;
};
type MessageClass = new () => Message;

// The package has no types for its messages. Their fields are those of graph.proto, node_def.proto, attr_value.proto,
// tensor.proto, meta_graph.proto and saved_model.proto.
const messages = require("@tensorflow/tfjs-node-gpu/dist/proto/api_pb") as {
  readonly AttrValue: MessageClass & { readonly ListValue: MessageClass };
  readonly GraphDef: MessageClass;
  readonly MetaGraphDef: MessageClass & { readonly MetaInfoDef: MessageClass };
  readonly NodeDef: MessageClass;
  readonly SavedModel: MessageClass;
  readonly Tensor: MessageClass;
  readonly TensorShape: MessageClass & { readonly Dim: MessageClass };
  readonly VersionDef: MessageClass;
};

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
): Message {
  const node = new messages.NodeDef().setName(name).setOp(operation).setInputList(inputs);
  for (const attribute of attributes) node.getAttrMap().set(attribute.name, attributeValue(attribute));
  return node;
}

/** A node whose value is given at each run. */
export function inputNode(name: string, dtype: number): Message {
  const node = new messages.NodeDef().setName(name).setOp("Placeholder");
  node.getAttrMap().set("dtype", new messages.AttrValue().setType(dtype));
  return node;
}

/** A node of one value; bytes: its numbers, the last index fastest. */
export function constantNode(
  name: string,
  dtype: number,
  shape: readonly number[],
  bytes: Uint8Array,
): Message {
  const dimensions = shape.map((size) => new messages.TensorShape.Dim().setSize(size));
  const value = new messages.Tensor()
    .setDtype(dtype)
    .setTensorShape(new messages.TensorShape().setDimList(dimensions))
    .setTensorContent(bytes);
  const node = new messages.NodeDef().setName(name).setOp("Const");
  node.getAttrMap().set("dtype", new messages.AttrValue().setType(dtype));
  node.getAttrMap().set("value", new messages.AttrValue().setTensor(value));
  return node;
}

/** A SavedModel of these nodes: what belongs into saved_model.pb. */
export function savedModel(nodes: readonly Message[]): Uint8Array {
  const versions = new messages.VersionDef().setProducer(PRODUCER);
  const graph = new messages.MetaGraphDef()
    .setMetaInfoDef(new messages.MetaGraphDef.MetaInfoDef().setTagsList([TAG]))
    .setGraphDef(new messages.GraphDef().setNodeList(nodes).setVersions(versions));
  return new messages.SavedModel().setSavedModelSchemaVersion(1).setMetaGraphsList([graph]).serializeBinary();
}

function attributeValue({ name, type, value }: Attribute): Message {
  const { binding } = native();
  const attribute = new messages.AttrValue();
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return attribute.setType(value);
    case binding.TF_ATTR_BOOL:
      return attribute.setB(value);
    case binding.TF_ATTR_FLOAT:
      return attribute.setF(value);
    case binding.TF_ATTR_STRING:
      return attribute.setS(Buffer.from(value as string));
    case binding.TF_ATTR_INT:
      if (!Array.isArray(value)) return attribute.setI(value);
      return attribute.setList(new messages.AttrValue.ListValue().setIList(value));
    default:
      throw new Error(`The attribute ${name} is of a type that graphs do not have here.`);
  }
}
