/**
 * A small FiLM-conditioned convolutional network whose receptive field is the whole domain: a field is patchified into
 * tokens of a few cells each, and of a block's two convolutions one combines neighbours, the other tokens further apart,
 * so that a handful of narrow convolutions carries information from one end to the other.
 */
import { tf } from "../backend/tensors";
import { InputError } from "../backend/errors";
import { Dense, seededInitializers, SiLU } from "../backend/layers";
import { FiLM } from "../backend/filmLayers";
import { Append, PositionBias, TokenConv1D } from "./patchLayers";
import { NetworkShape } from "../filmCnn";

/** Options of {@link patchNetwork}. */
export interface PatchNetworkOptions {
  /** Patch size, the cells of a token; the number of cells must be a multiple; 4. */
  stride: number;
  /** Channels; 96. */
  width: number;
  /** Residual blocks of two convolutions; 6. */
  blocks: number;
  /** Kernel size in tokens; 3. */
  kernel: number;
  /** Distance in tokens of the values that a block's first and second convolution combine; [1, 5]. */
  dilations: readonly [number, number];
  /** Width of the one FiLM trunk; 192. */
  filmWidth: number;
  /**
   * How conditions and noise level enter: "film" modulates every convolution's input; "concatenation" appends them to
   * the values of each token, and there are no FiLM layers; "film" where it is not given.
   */
  conditioning?: "film" | "concatenation";
}

export const patchNetworkOptions: PatchNetworkOptions = {
  stride: 4,
  width: 96,
  blocks: 6,
  kernel: 3,
  dilations: [1, 5],
  filmWidth: 192,
};

/**
 * Builds the network: inputs x [batch, cells, fields], conditions [batch, conditions] and t [batch, 1] (any scalar
 * that tells the noise level, of order 1), output [batch, cells, fields].
 *
 * One block: h + conv(silu(film(conv(silu(film(h)))))), film being the identity with "concatenation". The second
 * convolution of a block and the last layer start at zero, so that the untrained network is zero: the prior of its
 * preconditioner (Karras et al. 2022, app. C).
 */
export function patchNetwork(
  shape: NetworkShape,
  options: Partial<PatchNetworkOptions> = {},
  seed = 1,
): tf.LayersModel {
  const o = { ...patchNetworkOptions, ...options };
  const { stride: patchSize } = o;
  if (shape.cells % patchSize !== 0) {
    throw new InputError(
      `A stride of ${patchSize} does not divide ${shape.cells} cells: choose one that does.`,
    );
  }
  const initial = seededInitializers(seed);
  const zeros = tf.initializers.zeros();
  const x = tf.input({ shape: [shape.cells, shape.fields], name: "x" });
  const conditions = tf.input({ shape: [shape.conditions], name: "conditions" });
  const t = tf.input({ shape: [1], name: "t" });
  const silu = (name: string) => new SiLU({ name });

  const tokens = shape.cells / patchSize;
  let film = tf.layers
    .concatenate({ name: "condition_and_time" })
    .apply([conditions, t]) as tf.SymbolicTensor;
  const given = film;
  const modulated = o.conditioning !== "concatenation";
  for (let layer = 1; modulated && layer <= 2; layer++) {
    const trunk = new Dense({ units: o.filmWidth, kernelInitializer: initial(), name: `film${layer}` });
    film = silu(`film${layer}_activation`).apply(trunk.apply(film)) as tf.SymbolicTensor;
  }
  // A convolution with kernel = stride = patch size is a dense layer on the token's values.
  const patchify = tf.layers.reshape({ targetShape: [tokens, patchSize * shape.fields], name: "patchify" });
  let patches = patchify.apply(x) as tf.SymbolicTensor;
  if (!modulated) patches = new Append({ name: "append" }).apply([patches, given]) as tf.SymbolicTensor;
  const lift = new Dense({ units: o.width, kernelInitializer: initial(), name: "lift" }).apply(patches);
  let h = new PositionBias({ name: "position" }).apply(lift as tf.SymbolicTensor) as tf.SymbolicTensor;
  for (let block = 1; block <= o.blocks; block++) {
    let y = h;
    for (let layer = 1; layer <= 2; layer++) {
      const name = (part: string) => `block${block}_${part}${layer}`;
      if (modulated) {
        const modulation = new Dense({
          units: 2 * o.width,
          kernelInitializer: initial(),
          name: name("film"),
        });
        y = new FiLM({ activation: "swish", name: name("modulate") }).apply([
          y,
          modulation.apply(film) as tf.SymbolicTensor,
        ]) as tf.SymbolicTensor;
      } else y = silu(name("activation")).apply(y) as tf.SymbolicTensor;
      const convolution = {
        filters: o.width,
        kernelSize: o.kernel,
        dilation: o.dilations[layer - 1],
        kernelInitializer: layer === 1 ? initial() : zeros,
        name: name("conv"),
      };
      y = new TokenConv1D(convolution).apply(y) as tf.SymbolicTensor;
    }
    h = tf.layers.add({ name: `block${block}_add` }).apply([h, y]) as tf.SymbolicTensor;
  }
  const outputs = shape.outputs ?? shape.fields;
  const last = new Dense({ units: patchSize * outputs, kernelInitializer: zeros, name: "project" });
  const y = last.apply(silu("last_activation").apply(h)) as tf.SymbolicTensor;
  const unpatchify = tf.layers.reshape({ targetShape: [shape.cells, outputs], name: "unpatchify" });
  return tf.model({
    inputs: [x, conditions, t],
    outputs: unpatchify.apply(y) as tf.SymbolicTensor,
    name: "token_network",
  });
}
