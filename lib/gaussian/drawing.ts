/** How a model of Gaussian and residual draws: the bias of its network is measured and taken off. */
import { normal, selfAdjointEigen, tf } from "../backend/tensors";
import type { Conditioning, DenoiserInputs, Drawing } from "../preconditioner";
import { type ModalCombination, type Sampler, trajectory } from "../samplers";
import { tensorSpace } from "../sampling";
import type { ScoreModel } from "../scoreModel";
import { streams } from "../backend/streams";
import { gaussianExact } from "./exactSampler";
import { gainsOf, type ModalPreconditioner, toCells, toModes } from "./preconditioner";

/** Mean of what the network returns in each mode, and its slope in the whitened field; both (modes). */
type Bias<Numbers = tf.Tensor> = Readonly<Record<"offset" | "slope", Numbers>>;

/** Members of the ensemble on which the bias is measured, as many as are drawn side by side: one graph serves both. */
const ENSEMBLE = 250;
/** The strongest modes, in which its noise is whitened; fewer than it has pairs of members. */
const WHITENED = 96;
/** Seed and first stream number of its noise. */
const ENSEMBLE_NOISE = [1, streams.ensemble] as const;

/** The biases along a sampler's way, by time. */
export type Biases = ReadonlyMap<number, Bias<Float32Array>>;

/** Of each model the biases that were measured last: sampling goes on at the same conditions more often than not. */
const measured = new WeakMap<ScoreModel, { readonly key: string; readonly biases: Biases }>();

/** The biases that were measured last, if any: what another process or a browser need not measure again. */
export const biasesOf = (model: ScoreModel): Biases | undefined => measured.get(model)?.biases;

/** Gives a model biases that were measured elsewhere, for these conditions and this way. */
export function setBiases(
  model: ScoreModel,
  conditions: Float64Array,
  sampler: Sampler,
  times: Float64Array,
  biases: Biases,
): void {
  measured.set(model, { key: biasKey(model, model.conditioningOf(conditions), sampler, times), biases });
}

/** What biases belong to: the weights, as a training may go on in between, what the network is told, and the way. */
function biasKey(model: ScoreModel, { inputs }: Conditioning, sampler: Sampler, times: Float64Array): string {
  const weights = tf.tidy(() => tf.addN(model.variables.map((variable) => variable.sum())).dataSync()[0]);
  return JSON.stringify([weights, [...inputs.dataSync()], sampler.name, [...times]]);
}

/** What a sampler's states are: fields, or fields in modes. */
interface States {
  toModes(x: tf.Tensor): tf.Tensor3D;
  fromModes(z: tf.Tensor): tf.Tensor;
  /** A state as fields, a new tensor. */
  fields(x: tf.Tensor): tf.Tensor3D;
}

/**
 * Draws by a model at one set of conditions. The exact sampler's states are kept in modes, where its steps are products
 * number by number; those of the others are fields.
 *
 * In each mode the true residual, which the network approximates, has mean zero and no covariance with the whitened field,
 * as the linear estimate is the best linear one. The network's own mean and slope are errors, and push the mean and the
 * spread of samples off: measured along the sampler's way, on an ensemble of its own, they are taken off. They are the
 * same for all batches, so that fields stay independent of one another. With keepBias they stay in.
 */
export function* modalDrawing(
  model: ScoreModel,
  preconditioner: ModalPreconditioner,
  conditions: Float64Array,
  sampler: Sampler,
  times: Float64Array,
  keepBias = false,
): Generator<void, Drawing, void> {
  // Clones, which outlive the model's own: it may be asked for other conditions in between.
  const conditioning = tf.tidy(() =>
    Object.fromEntries(
      Object.entries(model.conditioningOf(conditions)).map(([name, tensor]) => [name, tensor.clone()]),
    ),
  ) as Conditioning;
  const { variances, vectors } = conditioning;
  const { cells, outputs } = preconditioner.shape;
  const fields = (z: tf.Tensor) => toCells(z, vectors, [z.shape[1]!, cells, outputs]);
  const states: States =
    sampler === gaussianExact
      ? { toModes: (x) => x as tf.Tensor3D, fromModes: (z) => z, fields }
      : { toModes: (x) => toModes(x, vectors), fromModes: fields, fields: (x) => x.clone() as tf.Tensor3D };
  const combineModes = modalCombination(variances, states);
  const marginal = (z: tf.Tensor, t: number) => {
    const { total } = gainsOf(variances as tf.Tensor2D, model.levels([t]), 1);
    return states.fromModes(z.mul(total).mul(model.schedule.mean(t)));
  };
  const denoise = (x: tf.Tensor, t: number, biasOf: (residual: tf.Tensor, whitened: tf.Tensor) => Bias) =>
    tf.tidy(() =>
      states.fromModes(
        denoisedInModes(
          model,
          preconditioner,
          { x: states.toModes(x), ...model.levels([t]), ...conditioning },
          biasOf,
        ),
      ),
    );

  /** Runs the ensemble down the sampler's times and keeps what it finds at each. */
  function* measure(): Generator<void, Biases, void> {
    const key = biasKey(model, conditioning, sampler, times);
    const known = measured.get(model);
    if (known?.key === key) return known.biases;
    const biases = new Map<number, Bias<Float32Array>>();
    const measuring = (x: tf.Tensor, t: number) =>
      denoise(x, t, (...parts) => {
        const bias = biasFrom(...parts);
        const read = (tensor: tf.Tensor) => tensor.dataSync().slice() as Float32Array;
        // Of a sampler that comes to a time twice the later state counts, which is the better one.
        biases.set(t, { offset: read(bias.offset), slope: read(bias.slope) });
        return bias;
      });
    const noise = (draw: number) => normal([ENSEMBLE / 2, cells, outputs], ...ENSEMBLE_NOISE, draw);
    const space = {
      ...tensorSpace(...ENSEMBLE_NOISE),
      normal: (_: tf.Tensor, draw: number) => tf.tidy(() => withOpposites(noise(draw), 0)),
    };
    const start = tf.tidy(() => {
      const half = whitened(toModes(noise(0), vectors), WHITENED);
      return marginal(withOpposites(half, 1), times[0]);
    });
    try {
      const { schedule } = model;
      const way = trajectory({ sampler, schedule, space, denoise: measuring, combineModes, start, times });
      while (!way.next().done) yield;
    } finally {
      start.dispose();
    }
    measured.set(model, { key, biases });
    return biases;
  }

  let ready = false;
  try {
    const biases = keepBias ? undefined : yield* measure();
    ready = true;
    return {
      combineModes,
      denoise: (x, t) =>
        denoise(x, t, () => {
          if (!biases) return { offset: tf.scalar(0), slope: tf.scalar(0) };
          const { offset, slope } = biases.get(t)!; // the ensemble has been at all times of the sampler
          return { offset: tf.tensor1d(offset), slope: tf.tensor1d(slope) };
        }),
      // To the modes and back: their signs and their order within equal variances must not matter.
      start: (noise, t) => tf.tidy(() => marginal(toModes(noise, vectors), t)),
      fields: (x) => tf.tidy(() => states.fields(x)),
      dispose: () => tf.dispose(Object.values(conditioning)),
    };
  } finally {
    if (!ready) tf.dispose(Object.values(conditioning));
  }
}

/**
 * The denoised mean in modes of states in modes given.x [1, rows, modes], less the bias of the network. What costs time
 * is a graph.
 */
export function denoisedInModes(
  model: ScoreModel,
  preconditioner: ModalPreconditioner,
  given: DenoiserInputs,
  biasOf: (residual: tf.Tensor, whitened: tf.Tensor) => Bias,
): tf.Tensor3D {
  return tf.tidy(() => {
    const parts = model.compiled("modes", (inputs: DenoiserInputs) =>
      preconditioner.inModes(model.apply, inputs.x, inputs),
    );
    const { residual, whitened: w, linear, error } = parts.run(given);
    const { offset, slope } = biasOf(residual, w);
    return linear.add(error.mul(residual.sub(offset).sub(w.mul(slope)))) as tf.Tensor3D;
  });
}

/** The bias of residuals over rows with these whitened fields, all [1, rows, modes]. */
export function biasFrom(residual: tf.Tensor, whitened: tf.Tensor): Bias {
  const offset = residual.mean(1, true);
  const centred = whitened.sub(whitened.mean(1, true));
  const slope = residual.sub(offset).mul(centred).mean(1).div(centred.square().mean(1));
  return { offset, slope };
}

/** Combinations in the modes of one set of conditions, whose variances these are. */
export function modalCombination(
  variances: tf.Tensor,
  { toModes, fromModes }: Pick<States, "toModes" | "fromModes">,
): ModalCombination<tf.Tensor> {
  const values = variances.dataSync();
  return (terms) =>
    tf.tidy(() => {
      const scaled = terms.map(([coefficient, x]) =>
        toModes(x).mul(tf.tensor1d(Float32Array.from(values, coefficient))),
      );
      return fromModes(tf.addN(scaled));
    });
}

/**
 * Noise in modes [1, rows, modes] made to have second moments of exactly one and no covariance, not only in expectation, in
 * this many of the strongest modes, which are the last ones. Takes more rows than that.
 *
 * Together with its opposites, whose mean is zero, the mean of what is quadratic in it, as the leading part of a network's
 * bias is, then has no sampling error. 125 rows with their opposites find the bias as well as 512 without.
 */
export function whitened(noise: tf.Tensor3D, strongest: number): tf.Tensor3D {
  return tf.tidy(() => {
    const [, rows, modes] = noise.shape;
    const count = Math.min(strongest, modes);
    const [weak, strong] = tf.split(noise.squeeze([0]) as tf.Tensor2D, [modes - count, count], 1);
    const covariance = tf.matMul(strong, strong, true).div(rows).expandDims(0);
    const [variances, axes] = selfAdjointEigen(covariance as tf.Tensor3D).map((part) => part.squeeze([0]));
    const root = tf.matMul(axes.div(variances.sqrt()) as tf.Tensor2D, axes as tf.Tensor2D, false, true);
    return tf.concat([weak, tf.matMul(strong, root)], 1).expandDims(0) as tf.Tensor3D;
  });
}

function withOpposites(x: tf.Tensor, axis: number): tf.Tensor {
  return tf.concat([x, x.neg()], axis);
}
