import type { DataSet } from "../../../lib/dataSet";
import { streams } from "../../../lib/backend/streams";
import { InputError } from "../../../lib/backend/errors";
import { recordLayer } from "./recordLayer";
import type { ScoreModel } from "../../../lib/scoreModel";
import { normal, tf } from "../../../lib/backend/tensors";
import { disposeSet, tensorSet } from "../../../lib/storage/batches";

/** Where a FiLM layer is looked at. */
export interface FilmMove {
  /** (conditions) in their units */
  readonly conditions: Float64Array;
  readonly noiseLevel: number;
}

/** What a FiLM layer does to one feature map: h -> (1 + gamma) h + beta. */
export interface FilmState extends FilmMove {
  readonly positions: number;
  readonly channels: number;
  /** h (positions, channels) */
  readonly features: Float32Array;
  /** (channels) */
  readonly gamma: Float32Array;
  /** (channels) */
  readonly beta: Float32Array;
}

/**
 * What a FiLM layer of a model does while conditions and noise level move and the network's other input stands still.
 *
 * field: one row, whose noisy version at `noiseLevel` is turned into the network's input once; layer: name of the FiLM
 * layer. Throws InputError for more than one row.
 */
export function filmStates(
  model: ScoreModel,
  field: DataSet,
  { layer, noiseLevel, seed = 1 }: { layer: string; noiseLevel: number; seed?: number },
  moves: readonly FilmMove[],
): FilmState[] {
  if (field.rows !== 1) throw new InputError(`There are ${field.rows} fields; give one.`);
  const { schedule, network } = model;
  const set = tensorSet(model, field);
  const first = network.layers.find(({ name }) => name === "patchify" || name === "lift")!.name;
  const t = schedule.timeOf(noiseLevel);
  const seen = recordLayer(network, first, () => {
    const noise = normal(set.fields.shape, seed, streams.filmStates);
    const x = set.fields.mul(schedule.mean(t)).add(noise.mul(schedule.std(t))) as tf.Tensor3D;
    model.denoise(x, t, field.conditions);
  }).inputs[0];
  disposeSet(set);
  return moves.map((move) => {
    const conditioning = model.preconditioner.conditioning(move.conditions);
    const { inputs } = recordLayer(network, layer, () => {
      const x = tf.tensor3d(seen.values, seen.shape as [number, number, number]);
      model.apply(x, conditioning.inputs, model.levels([schedule.timeOf(move.noiseLevel)]).input);
    });
    tf.dispose(Object.values(conditioning));
    const [features, modulation] = inputs;
    const [positions, channels] = features.shape.slice(-2);
    const [gamma, beta] = [0, channels].map((start) => modulation.values.slice(start, start + channels));
    return { ...move, positions, channels, features: features.values, gamma, beta };
  });
}
