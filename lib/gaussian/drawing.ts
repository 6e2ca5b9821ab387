/** How a model of Gaussian and residual draws: the bias of its network is measured and taken off. */
import type { CompiledFunction } from "../backend/compiled";
import { normal, selfAdjointEigen, tf } from "../backend/tensors";
import type { Conditioning, DenoiserInputs, Drawing } from "../preconditioner";
import { type ModalCombination, type Sampler, trajectory } from "../samplers";
import { tensorSpace } from "../sampling";
import type { ScoreModel } from "../scoreModel";
import { gaussianExact } from "./exactSampler";
import { gainsOf, type ModalPreconditioner, toCells, toModes } from "./preconditioner";

/** Mean of what the network returns in each mode, and its slope in the whitened field; both (modes). */
export interface Bias {
  readonly offset: Float32Array;
  readonly slope: Float32Array;
}

/** Members of the ensemble on which the bias is measured; more than there are modes, so that it can be whitened. */
const ENSEMBLE = 512;
/** Seed and first stream number of its noise. */
const ENSEMBLE_NOISE = [1, 21] as const;

/** Of each model the biases that were measured last: sampling goes on at the same conditions more often than not. */
const measured = new WeakMap<
  ScoreModel,
  { readonly key: string; readonly biases: ReadonlyMap<number, Bias> }
>();

/**
 * Draws by a model at one set of conditions. The exact sampler's states are kept in modes, where its steps are products
 * number by number; those of the others are fields.
 *
 * In each mode the true residual, which the network approximates, has mean zero and no covariance with the whitened field,
 * as the linear estimate is the best linear one. The network's own mean and slope are errors, and push the mean and the
 * spread of samples off: measured along the sampler's way, on an ensemble of its own, they are taken off. They are the
 * same for all batches, so that fields stay independent of one another.
 */
export function* modalDrawing(
  model: ScoreModel,
  preconditioner: ModalPreconditioner,
  conditions: Float64Array,
  sampler: Sampler,
  times: Float64Array,
): Generator<void, Drawing, void> {
  const conditioning = preconditioner.conditioning(conditions);
  const { variances, vectors } = conditioning;
  const inModes = sampler === gaussianExact;
  const { cells, outputs } = preconditioner.shape;
  const state = (z: tf.Tensor) => (inModes ? z : toCells(z, vectors, [z.shape[1]!, cells, outputs]));
  const marginal = (z: tf.Tensor, t: number) => {
    const { total } = gainsOf(variances as tf.Tensor2D, model.levels([t]), 1);
    return state(z.mul(total).mul(model.schedule.mean(t)));
  };
  const combineModes = modalCombination(conditioning, inModes);
  const given = (x: tf.Tensor, t: number) => ({ x: x as tf.Tensor3D, ...model.levels([t]), ...conditioning });
  const space = tensorSpace(...ENSEMBLE_NOISE);

  /** Runs the ensemble down the sampler's times and keeps what it finds at each. */
  function* measure(): Generator<void, ReadonlyMap<number, Bias>, void> {
    const weights = tf.tidy(() => tf.addN(model.variables.map((variable) => variable.sum())).dataSync()[0]);
    const key = JSON.stringify([weights, [...conditions], sampler.name, [...times]]); // a training may go on in between
    const known = measured.get(model);
    if (known?.key === key) return known.biases;
    const biases = new Map<number, Bias>();
    const denoise = (x: tf.Tensor, t: number) => {
      const { denoised, bias } = denoiseEnsemble(model, preconditioner, given(x, t), inModes);
      biases.set(t, bias); // of a sampler that comes to a time twice the later state, which is the better one
      return denoised as tf.Tensor;
    };
    const start = tf.tidy(() => {
      const noise = normal([ENSEMBLE, cells, outputs], ...ENSEMBLE_NOISE, 0);
      return marginal(whitened(toModes(noise, vectors)), times[0]);
    });
    try {
      const way = { sampler, schedule: model.schedule, space, denoise, combineModes, start, times };
      for (const { step } of trajectory<tf.Tensor>(way)) if (step >= 0) yield;
    } finally {
      start.dispose();
    }
    measured.set(model, { key, biases });
    return biases;
  }

  let ready = false;
  try {
    const biases = yield* measure();
    ready = true;
    const denoise = denoiser(model, preconditioner, inModes);
    return {
      combineModes,
      denoise: (x, t) =>
        tf.tidy(() => {
          const bias = biases.get(t);
          return denoise.run({ ...given(x, t), ...(bias && tensorsOf(bias)) }).denoised;
        }),
      // To the modes and back: their signs and their order within equal variances must not matter.
      start: (noise, t) => tf.tidy(() => marginal(toModes(noise, vectors), t)),
      fields: (x) =>
        tf.tidy(() =>
          inModes ? toCells(x, vectors, [x.shape[1]!, cells, outputs]) : (x.clone() as tf.Tensor3D),
        ),
      dispose: () => tf.dispose(Object.values(conditioning)),
    };
  } finally {
    if (!ready) tf.dispose(Object.values(conditioning));
  }
}

/** The denoised mean of states in modes or of fields, less a bias if `offset` and `slope` are among its inputs. */
export function denoiser(
  model: ScoreModel,
  preconditioner: ModalPreconditioner,
  inModes: boolean,
): CompiledFunction<DenoiserInputs, { denoised: tf.Tensor3D }> {
  return model.compiled(`denoiser ${inModes}`, (inputs) => {
    const { x, offset, slope } = inputs;
    const z = inModes ? x : toModes(x, inputs.vectors);
    const { residual, whitened: w, denoised } = preconditioner.inModes(model.apply, z, inputs);
    const d = denoised(offset && slope ? residual.sub(offset).sub(w.mul(slope)) : residual);
    return { denoised: inModes ? d : toCells(d, inputs.vectors, x.shape) };
  });
}

/** A bias as the inputs of {@link denoiser}. */
export function tensorsOf({ offset, slope }: Bias): Readonly<Record<keyof Bias, tf.Tensor>> {
  return { offset: tf.tensor1d(offset), slope: tf.tensor1d(slope) };
}

/** The denoised ensemble less the bias that it has, and that bias; x: states in modes or fields. */
export function denoiseEnsemble(
  model: ScoreModel,
  preconditioner: ModalPreconditioner,
  given: DenoiserInputs,
  inModes: boolean,
): { readonly denoised: tf.Tensor3D; readonly bias: Bias } {
  const compiled = model.compiled(`ensemble ${inModes}`, (inputs: DenoiserInputs) => {
    const z = inModes ? inputs.x : toModes(inputs.x, inputs.vectors);
    const { residual, whitened: w, denoised } = preconditioner.inModes(model.apply, z, inputs);
    const offset = residual.mean(1, true);
    const [f, centred] = [residual.sub(offset), w.sub(w.mean(1, true))];
    const slope = f.mul(centred).mean(1).div(centred.square().mean(1));
    const d = denoised(f.sub(w.mul(slope)));
    return { denoised: inModes ? d : toCells(d, inputs.vectors, inputs.x.shape), offset, slope };
  });
  const { denoised, offset, slope } = tf.tidy(() => compiled.run(given));
  const read = (tensor: tf.Tensor) => tensor.dataSync().slice() as Float32Array;
  const bias = { offset: read(offset), slope: read(slope) };
  tf.dispose([offset, slope]);
  return { denoised: denoised as tf.Tensor3D, bias };
}

/** Combinations in the modes of one set of conditions, of states in modes [1, rows, modes] or of fields. */
export function modalCombination(
  { variances, vectors }: Conditioning,
  inModes: boolean,
): ModalCombination<tf.Tensor> {
  const values = variances.dataSync();
  return (terms) =>
    tf.tidy(() => {
      const scaled = terms.map(([coefficient, x]) =>
        (inModes ? x : toModes(x, vectors)).mul(tf.tensor1d(Float32Array.from(values, coefficient))),
      );
      const sum = tf.addN(scaled);
      return inModes ? sum : toCells(sum, vectors, terms[0][1].shape);
    });
}

/**
 * Noise in modes [1, rows, modes] made to have mean zero and covariance one exactly, not only in expectation.
 *
 * The mean of what is quadratic in it, as the leading part of a network's bias is, then has no sampling error: a
 * tenth of the rows do. Takes more rows than modes.
 */
export function whitened(noise: tf.Tensor3D): tf.Tensor3D {
  return tf.tidy(() => {
    const z = noise.squeeze([0]) as tf.Tensor2D;
    const centred = z.sub(z.mean(0)) as tf.Tensor2D;
    const covariance = tf.matMul(centred, centred, true).div(z.shape[0]).expandDims(0);
    const [variances, axes] = selfAdjointEigen(covariance as tf.Tensor3D).map((part) => part.squeeze([0]));
    const root = tf.matMul(axes.div(variances.sqrt()) as tf.Tensor2D, axes as tf.Tensor2D, false, true);
    return tf.matMul(centred, root).expandDims(0) as tf.Tensor3D;
  });
}
