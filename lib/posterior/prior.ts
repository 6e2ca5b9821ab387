/** The prior that a posterior is made from: a denoiser of states in modes, and the variances of these. */
import { tf } from "../backend/tensors";
import { InputError } from "../backend/errors";
import { gaussianExact } from "../gaussian/exactSampler";
import { ModalPreconditioner } from "../gaussian/preconditioner";
import type { Conditioning, DenoiserInputs } from "../preconditioner";
import type { ModalCombination } from "../samplers";
import type { Schedule } from "../schedule";
import type { ScoreModel } from "../scoreModel";
import type { Denoiser } from "../sde";
import type { LinearObservation } from "./observation";

/** States x = mean(t) y [1, rows, modes], y = x_0 + s z. */
export interface ModalPrior {
  readonly schedule: Schedule;
  readonly denoise: Denoiser<tf.Tensor>;
  /** Of the modes of x_0. */
  readonly variances: Float64Array;
  readonly combineModes: ModalCombination<tf.Tensor>;
  /** Products dD/dy^T v with the Jacobian of the denoised mean D, for directions v [n, modes]: [n, rows, modes]. */
  pull(x: tf.Tensor, t: number, directions: tf.Tensor2D): tf.Tensor3D;
}

/** A model at one set of conditions. */
export interface ModelPrior extends ModalPrior {
  /** An observation of fields as one of modes. */
  inModes(observation: LinearObservation): LinearObservation;
  /** Fields (rows, fields, cells) in their units of states [1, rows, modes] at time 0. */
  fields(x: tf.Tensor): Float64Array;
  dispose(): void;
}

/**
 * A model's prior at one set of conditions (conditions), for denoising at the given times. Yields while the bias of the
 * network is measured. Throws InputError for a model without modes.
 */
export function* modelPrior(
  model: ScoreModel,
  conditions: Float64Array,
  times: Float64Array,
): Generator<void, ModelPrior, void> {
  const { preconditioner, schedule } = model;
  if (!(preconditioner instanceof ModalPreconditioner)) {
    throw new InputError(
      "The model does not know the covariance of its fields, which sensors need; give one of the presets fast and best.",
    );
  }
  const drawing = yield* preconditioner.drawing(model, conditions, gaussianExact, times);
  const conditioning = tf.tidy(() =>
    Object.fromEntries(
      Object.entries(model.conditioningOf(conditions)).map(([name, tensor]) => [name, tensor.clone()]),
    ),
  ) as Conditioning;
  const variances = Float64Array.from(conditioning.variances.dataSync());
  const fields = (x: tf.Tensor) => {
    const cells = tf.tidy(() => drawing.fields(x));
    const values = cells.dataSync() as Float32Array;
    cells.dispose();
    return preconditioner.toFields(conditions, values);
  };
  return {
    schedule,
    variances,
    denoise: drawing.denoise,
    combineModes: drawing.combineModes!,
    fields,
    pull: (x, t, directions) => pullBack(model, preconditioner, conditioning, x, t, directions),
    inModes(observation) {
      const modes = variances.length;
      const unit = tf.tidy(() => tf.concat([tf.zeros([1, modes]), tf.eye(modes)]).expandDims(0));
      const columns = fields(unit);
      unit.dispose();
      return throughAffine(observation, columns, modes);
    },
    dispose() {
      drawing.dispose();
      tf.dispose(Object.values(conditioning));
    },
  };
}

/** An observation of u = u_0 + B z as one of z. columns (1 + modes, size): u_0, then u_0 + each column of B. */
function throughAffine(
  { matrix, values, size }: LinearObservation,
  columns: Float64Array,
  modes: number,
): LinearObservation {
  const own = new Float64Array(values.length * modes);
  const left = values.map((value, j) => {
    let rest = value;
    for (let i = 0; i < size; i++) {
      const weight = matrix[j * size + i];
      if (weight === 0) continue;
      rest -= weight * columns[i];
      for (let k = 0; k < modes; k++) {
        own[j * modes + k] += weight * (columns[(k + 1) * size + i] - columns[i]);
      }
    }
    return rest;
  });
  return { matrix: own, values: left, size: modes };
}

/** See {@link ModalPrior.pull}; of the network as it is, without the bias that drawing takes off. */
function pullBack(
  model: ScoreModel,
  preconditioner: ModalPreconditioner,
  conditioning: Conditioning,
  x: tf.Tensor,
  t: number,
  directions: tf.Tensor2D,
): tf.Tensor3D {
  const product = model.compiled("pull", (given: DenoiserInputs & { readonly direction: tf.Tensor }) => {
    const { direction, ...inputs } = given;
    const denoised = (state: tf.Tensor): tf.Tensor => {
      const { linear, residual, error } = preconditioner.inModes(model.apply, state as tf.Tensor3D, inputs as DenoiserInputs); // prettier-ignore
      return linear.add(residual.mul(error));
    };
    return { pulled: tf.grad(denoised)(inputs.x, direction) };
  });
  return tf.tidy(() => {
    const levels = model.levels([t]);
    const rows = x.shape[1]!;
    const pulled = tf.unstack(directions).map((direction) => {
      const repeated = tf.tile(direction.reshape([1, 1, -1]), [1, rows, 1]);
      const given = { x: x as tf.Tensor3D, direction: repeated, ...levels, ...conditioning };
      return product.run(given).pulled.squeeze([0]);
    });
    return tf.stack(pulled).mul(model.schedule.mean(t)) as tf.Tensor3D;
  });
}
