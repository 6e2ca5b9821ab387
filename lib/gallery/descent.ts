/** Minimises a function of one vector of weights, as the systems of the gallery train what they learn. */
import type * as tfTypes from "@tensorflow/tfjs";
import { CompiledFunction } from "../backend/compiled";
import { FlatAdam } from "../backend/flatAdam";
import { tf } from "../backend/tensors";

export interface DescentSettings {
  readonly steps: number;
  /** Rate of Adam in the first step; it falls to zero as a cosine. */
  readonly rate: number;
}

/**
 * Adam on the loss from `start`; yields the loss before each step and returns the last weights. A step runs as one graph, so the
 * loss may use no tensors but its arguments: the weights, the data, and what is drawn for this step (always of the same shapes),
 * which is freed after it. The data remain the caller's.
 */
export function* descent<Data extends object, Drawn extends object>(
  loss: (weights: tfTypes.Tensor1D, inputs: Data & Drawn) => tfTypes.Scalar,
  start: Float32Array,
  data: Data,
  draw: () => Drawn,
  { steps, rate }: DescentSettings,
): Generator<number, Float32Array> {
  const vector = tf.tidy(() => tf.variable(tf.tensor1d(start))); // else the tensor remains
  const adam = new FlatAdam([vector], { beta1: 0.9, beta2: 0.99, ema: 0, clip: 0 });
  const slope = new CompiledFunction(({ vector: w, ...rest }: Data & Drawn & { vector: tfTypes.Tensor }) => {
    const inputs = rest as unknown as Data & Drawn;
    const { value, grad } = tf.valueAndGrad((v) => loss(v as tfTypes.Tensor1D, inputs))(w);
    return { value, gradient: grad };
  });
  try {
    for (let step = 0; step < steps; step++) {
      const drawn = draw();
      const { value, gradient } = slope.run({ ...data, ...drawn, vector });
      const result = value.dataSync()[0];
      adam.step([gradient], 0.5 * rate * (1 + Math.cos((Math.PI * step) / steps)));
      tf.dispose([value, gradient, ...(Object.values(drawn) as tfTypes.Tensor[])]);
      yield result;
    }
    return vector.dataSync().slice() as Float32Array;
  } finally {
    slope.dispose();
    adam.dispose();
    vector.dispose();
  }
}
