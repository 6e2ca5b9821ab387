/** Drawing fields from a score model at given conditions. */
import { normal, tf } from "./backend/tensors";
import type { DataSet } from "./dataSet";
import { InputError } from "./errors";
import type { Drawing } from "./preconditioner";
import { type Sampler, type SamplingProgress, trajectory } from "./samplers";
import type { ScoreModel } from "./scoreModel";
import type { VectorSpace } from "./sde";

/** First number of the streams of noise. */
const STREAM = 20;

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
  const space = tensorSpace(seed, STREAM, index);
  const noise = normal([rows, problem.cells, channels], seed, STREAM, index, 0) as tf.Tensor3D;
  const start = drawing.start(noise, times[0]);
  try {
    yield* trajectory({ ...drawing, sampler, schedule, space, start, times });
  } finally {
    tf.dispose([noise, start]);
  }
}

/** Standardised fields x [rows, cells, channels], which are freed, in their units. Throws InputError if one is not finite. */
export function toDataSet(
  { problem, preconditioner }: ScoreModel,
  conditions: Float64Array,
  x: tf.Tensor3D,
  seed?: number,
): DataSet {
  const values = x.dataSync() as Float32Array;
  x.dispose();
  if (!values.every(Number.isFinite)) {
    throw new InputError("The sampled fields are not finite; take more steps or train the model for longer.");
  }
  const [rows] = x.shape;
  const repeated = Float64Array.from(
    { length: rows * conditions.length },
    (_, i) => conditions[i % conditions.length],
  );
  return { problem, rows, conditions: repeated, fields: preconditioner.toFields(conditions, values), seed };
}
