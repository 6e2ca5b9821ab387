import { normal, tf } from "../backend/tensors";
import type { NetworkShape } from "../filmCnn";

/**
 * How much each output cell moves when the first input cell is changed: (cells), relative to the largest.
 *
 * Measured on a copy of the network with random weights, as layers that start at zero would hide every path.
 */
export function influenceOfFirstCell(model: tf.LayersModel, shape: NetworkShape, seed = 1): Float64Array {
  const before = model.getWeights().map((weight) => weight.clone());
  const random = before.map((weight, i) => normal(weight.shape, seed, i).mul(0.2) as tf.Tensor);
  try {
    model.setWeights(random);
    const difference = tf.tidy(() => {
      const [conditions, t] = [tf.zeros([1, shape.conditions]), tf.fill([1, 1], 0.3)];
      const x = normal([1, shape.cells, shape.fields], seed, before.length);
      const first = tf.oneHot(tf.tensor1d([0], "int32"), shape.cells).reshape([1, shape.cells, 1]);
      const moved = x.add(first) as tf.Tensor;
      const [a, b] = [x, moved].map((input) => model.apply([input, conditions, t]) as tf.Tensor3D);
      return a.sub(b).abs().max(2).dataSync();
    });
    const change = Float64Array.from(difference);
    const largest = change.reduce((most, value) => Math.max(most, value), 0);
    return change.map((value) => value / largest);
  } finally {
    model.setWeights(before);
    tf.dispose([...before, ...random]);
  }
}
