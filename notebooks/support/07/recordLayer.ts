import { InputError, shown } from "../../../lib/backend/errors";
import { eagerly } from "../../../lib/backend/compiled";
import { tf } from "../../../lib/backend/tensors";

/** Numbers inside a network, copied out of TensorFlow's memory. */
export interface Activation {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What a layer was given and what it returned. */
export interface Recording {
  readonly inputs: readonly Activation[];
  readonly output: Activation;
}

/**
 * Runs `body` and returns what one layer of the network was given and returned in its last call meanwhile.
 *
 * body: anything that calls the network, such as () => model.denoise(x, t, context); its tensors are freed. Throws
 * InputError if the network has no layer of this name, or if body does not call it.
 */
export function recordLayer(network: tf.LayersModel, name: string, body: () => void): Recording {
  const layer = network.layers.find((candidate) => candidate.name === name) as CallableLayer | undefined;
  if (!layer) {
    throw new InputError(
      `The network has no layer ${shown(name)}; give one of ${network.layers.map((each) => each.name).join(", ")}.`,
    );
  }
  let recording: Recording | undefined;
  const original = layer.call;
  layer.call = (inputs, options) => {
    const output = original.call(layer, inputs, options);
    recording = { inputs: [inputs].flat().map(copied), output: copied([output].flat()[0]) };
    return output;
  };
  try {
    tf.tidy(() => eagerly(body)); // a graph would not call the layer
  } finally {
    layer.call = original;
  }
  if (!recording) throw new InputError(`The layer ${shown(name)} was not called; call the network.`);
  return recording;
}

interface CallableLayer {
  call(inputs: tf.Tensor | tf.Tensor[], options: object): tf.Tensor | tf.Tensor[];
}

function copied(tensor: tf.Tensor): Activation {
  return { shape: tensor.shape, values: (tensor.dataSync() as Float32Array).slice() };
}
