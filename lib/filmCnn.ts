/**
 * The score network of the blog post: residual blocks of convolutions at full resolution, each block modulated
 * by a FiLM network of its own. With the defaults it has 1,116,626 parameters.
 */
import { tf } from "./backend/tensors";
import { InputError } from "./backend/errors";
import { FieldScale, FiLM, FourierFeatures } from "./backend/filmLayers";
import { Dense, DilatedConv1D, ReplicatePad, seededInitializers, SiLU } from "./backend/layers";

/** What a network must know of a problem: numbers of cells, fields and conditions. */
export interface NetworkShape {
  /** Fields returned; default: as many as go in. */
  readonly outputs?: number;
  readonly cells: number;
  readonly fields: number;
  readonly conditions: number;
}

/** Options of {@link filmNetwork}: the blog's. */
export const blogNetworkOptions = {
  /** Residual blocks of two convolutions. */
  blocks: 10,
  /** Channels. */
  width: 64,
  /** Kernel size in cells, odd. */
  kernel: 7,
  /** Distance of a kernel's cells. */
  dilation: 1,
  /** How an edge is continued. */
  padding: "replicate" as "replicate" | "zero",
  /** "swish" (SiLU), or another activation of tfjs. */
  activation: "swish" as "swish" | "relu" | "gelu" | "tanh",
  /** Width of the FiLM networks. */
  filmWidth: 128,
  /** Octaves of the time embedding. */
  octaves: 16,
};
export type FilmNetworkOptions = typeof blogNetworkOptions;

/**
 * Builds the network: inputs x [batch, cells, fields], conditions [batch, conditions] and t [batch, 1], output
 * [batch, cells, fields].
 *
 * One block: h + silu(film(conv(silu(film(conv(h)))))), both films with the block's own (gamma, beta).
 * The outputs get a gain and a bias per field, linear in conditions and time embedding.
 */
export function filmNetwork(
  shape: NetworkShape,
  options: Partial<FilmNetworkOptions> = {},
  seed = 1,
): tf.LayersModel {
  const o = { ...blogNetworkOptions, ...options };
  if (!Number.isInteger(o.kernel) || o.kernel < 1 || o.kernel % 2 === 0) {
    throw new InputError(`The kernel is ${o.kernel} cells; give an odd number, so that it has a middle.`);
  }
  const initial = seededInitializers(seed);
  const x = tf.input({ shape: [shape.cells, shape.fields], name: "x" });
  const conditions = tf.input({ shape: [shape.conditions], name: "conditions" });
  const t = tf.input({ shape: [1], name: "t" });
  const activation = (name: string) =>
    o.activation === "swish"
      ? new SiLU({ name })
      : tf.layers.activation({ activation: o.activation as never, name });
  const dense = (units: number, name: string) => new Dense({ units, kernelInitializer: initial(), name });
  const conv = (filters: number, kernelSize: number, name: string, padding: "valid" | "same" = "valid") => {
    const dilation = kernelSize === 1 ? 1 : o.dilation;
    const config = { filters, kernelSize, dilation, padding, kernelInitializer: initial(), name };
    return dilation === 1 ? tf.layers.conv1d(config) : new DilatedConv1D(config);
  };

  const time = new FourierFeatures({ octaves: o.octaves, name: "time" }).apply(t) as tf.SymbolicTensor;
  const inputs = tf.layers
    .concatenate({ name: "condition_and_time" })
    .apply([conditions, time]) as tf.SymbolicTensor;
  let h = conv(o.width, 1, "lift").apply(x) as tf.SymbolicTensor;
  for (let block = 1; block <= o.blocks; block++) {
    const name = (part: string) => `block${block}_${part}`;
    let film = inputs;
    for (let layer = 1; layer <= 3; layer++) {
      film = dense(o.filmWidth, name(`film${layer}`)).apply(film) as tf.SymbolicTensor;
      film = activation(name(`film${layer}_activation`)).apply(film) as tf.SymbolicTensor;
    }
    film = dense(2 * o.width, name("film4")).apply(film) as tf.SymbolicTensor;
    let y = h;
    for (let layer = 1; layer <= 2; layer++) {
      if (o.padding === "replicate") {
        const cells = (o.dilation * (o.kernel - 1)) / 2;
        y = new ReplicatePad({ cells, name: name(`pad${layer}`) }).apply(y) as tf.SymbolicTensor;
      }
      const padding = o.padding === "replicate" ? "valid" : "same";
      y = conv(o.width, o.kernel, name(`conv${layer}`), padding).apply(y) as tf.SymbolicTensor;
      // FiLM has this activation itself. With zero padding one layer less would change the order of a model's weights.
      const swish = o.activation === "swish" && o.padding === "replicate" ? o.activation : undefined;
      y = new FiLM({ activation: swish, name: name(`modulate${layer}`) }).apply([
        y,
        film,
      ]) as tf.SymbolicTensor;
      if (!swish) y = activation(name(`activation${layer}`)).apply(y) as tf.SymbolicTensor;
    }
    h = tf.layers.add({ name: name("add") }).apply([h, y]) as tf.SymbolicTensor;
  }
  const outputs = shape.outputs ?? shape.fields;
  const y = conv(outputs, 1, "project").apply(h) as tf.SymbolicTensor;
  const scale = dense(2 * outputs, "field_scale").apply(inputs) as tf.SymbolicTensor;
  const output = new FieldScale({ name: "score" }).apply([y, scale]) as tf.SymbolicTensor;
  return tf.model({ inputs: [x, conditions, t], outputs: output, name: "film_network" });
}
