/** Drawing fields from a score model at given conditions. */
import { normal, tf } from "./backend/tensors";
import type { Drawing } from "./preconditioner";
import { type Sampler, type SamplingProgress, trajectory } from "./samplers";
import type { ScoreModel } from "./scoreModel";
import type { VectorSpace } from "./sde";
import { streams } from "./backend/streams";

/** States as tensors, with counter-based noise: draw k is the stream (seed, ...stream, k). */
export function tensorSpace(seed: number, ...stream: number[]): VectorSpace<tf.Tensor> {
  return {
    combine: (terms) => tf.tidy(() => tf.addN(terms.map(([coefficient, x]) => x.mul(coefficient)))),
    normal: (like, draw) => normal(like.shape, seed, ...stream, draw),
    // tf.tidy keeps the tensors that it finds in the body's result, whatever its shape.
    scope: <R>(body: () => R): R => tf.tidy(() => body() as unknown as tf.TensorContainer) as unknown as R,
    release: (x) => x.dispose(),
  };
}

/** Draws whose states are the standardised fields themselves and start as standard normal noise. */
export function plainDrawing(model: ScoreModel, conditions: Float64Array): Drawing {
  return {
    denoise: (x, t) => model.denoise(x as tf.Tensor3D, t, conditions),
    start: (noise) => noise.clone(),
    fields: (x) => x.clone() as tf.Tensor3D,
    dispose: () => undefined,
  };
}

/** A batch on its way from noise to fields: where the sampler stands, its state valid until the next step. */
export function* drawBatch(
  { schedule, problem, channels }: ScoreModel,
  drawing: Drawing,
  rows: number,
  sampler: Sampler,
  times: Float64Array,
  seed: number,
  index: number,
): Generator<SamplingProgress<tf.Tensor>, void, void> {
  const space = tensorSpace(seed, streams.sampling, index);
  const noise = normal([rows, problem.cells, channels], seed, streams.sampling, index, 0) as tf.Tensor3D;
  const start = drawing.start(noise, times[0]);
  try {
    yield* trajectory({ ...drawing, sampler, schedule, space, start, times });
  } finally {
    tf.dispose([noise, start]);
  }
}
