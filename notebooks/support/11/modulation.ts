import { normal, tf } from "../../../lib/backend/tensors";
import { filmNetwork } from "../../../lib/filmCnn";

/** One feature map of a network before and after its FiLM layer, and what modulated it. */
export interface Modulation {
  /** (cells, channels) */
  readonly before: Float64Array;
  /** (cells, channels) */
  readonly after: Float64Array;
  readonly channels: number;
  /** Numbers that a FiLM network returns for one condition: gamma and beta together. */
  readonly numbers: number;
}

/**
 * The first feature map of a network like the blog's, with random weights, on random fields at one set of conditions.
 *
 * Zero padding, which keeps FiLM and activation apart; conditions: (conditions), normalised.
 */
export function firstModulation(cells: number, conditions: readonly number[], seed = 1): Modulation {
  const shape = { cells, fields: 2, conditions: conditions.length };
  const network = filmNetwork(shape, { blocks: 1, padding: "zero" }, seed);
  const film = network.getLayer("block1_film4").output as tf.SymbolicTensor;
  const outputs = ["block1_conv1", "block1_modulate1"].map((name) => network.getLayer(name).output);
  const probe = tf.model({ inputs: network.inputs, outputs: outputs as tf.SymbolicTensor[] });
  const inputs = [normal([1, cells, 2], seed, 0), tf.tensor2d([[...conditions]]), tf.fill([1, 1], 0.3)];
  const maps = tf.tidy(() => probe.apply(inputs) as tf.Tensor[]);
  const [before, after] = maps.map((value) => Float64Array.from(value.dataSync()));
  tf.dispose([...inputs, ...maps]);
  network.dispose();
  return { before, after, channels: before.length / cells, numbers: film.shape[1] as number };
}
