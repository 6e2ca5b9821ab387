/** A score model: a network together with all that turns physical fields into its inputs and back. */
import { normaliseConditions, type Problem } from "./problem";
import { problemByName } from "./presets/problems";
import {
  remainingConditions,
  type ResponseMoments,
  standardisationFrom,
  type Standardisation,
  type StandardisationData,
} from "./standardisation";
import { targetCoefficients } from "./loss";
import { type Schedule, vpSchedule } from "./schedule";
import { InputError } from "./errors";
import { CompiledFunction } from "./backend/compiled";
import { tf } from "./backend/tensors";
import { ConditionalCovariance } from "./gaussian/covariance";
import { filmNetwork } from "./filmCnn";
import "./layers"; // registers them, so that a saved network loads
import { ModelFolder, writeModelFolder } from "./storage/modelFolder";
import type { ModelSettings } from "./presets/presets";
import { tokenNetwork } from "./presets/patchNetwork";

/** What a saved model tells of how it came about. */
export type History = Readonly<Record<string, string | number | boolean>>;

/** The strongest modes of what is generated at n conditions; size = cells x channels, the channel fastest. */
export interface Modes {
  /** [n, modes] variances, at least {@link SMALLEST_VARIANCE} */
  readonly variances: tf.Tensor2D;
  /** [n, size, modes] orthonormal modes in columns */
  readonly vectors: tf.Tensor3D;
}

/** What a model knows of conditions: its network's inputs and, for the target "rest", the modes. */
export interface Context {
  /** [n, inputs] */
  readonly inputs: tf.Tensor2D;
  readonly modes?: Modes;
}

/** Times as tensors: one a row or, where no gradient is asked for, one for all rows. */
export interface Levels {
  /** [n, 1, 1] mean(t), the factor of the clean fields */
  readonly mean: tf.Tensor3D;
  /** [n, 1, 1] standard deviation of the noise in x */
  readonly std: tf.Tensor3D;
  /** [n, 1, 1] noise level s = std / mean */
  readonly level: tf.Tensor3D;
  /** [n, 1] what the network is told */
  readonly input: tf.Tensor2D;
}

/** Mean of what the network returns in each mode, and its slope in the whitened field; both (modes). */
export interface Drift {
  readonly offset: Float32Array;
  readonly slope: Float32Array;
}

/** EDM's coefficients mode by mode, see {@link ScoreModel.gains}. */
export type Gains = Readonly<Record<"total" | "linear" | "error", tf.Tensor3D>>;

/** Frees a context. */
export function disposeContext({ inputs, modes }: Context): void {
  tf.dispose([inputs, ...(modes ? [modes.variances, modes.vectors] : [])]);
}

/** Below it lies the round-off of single precision; modes of less variance are taken to have this one. */
export const SMALLEST_VARIANCE = 1e-10;
/** Modes that are kept, the strongest ones. */
const MOST_MODES = 256;

/**
 * A score model of a problem: the denoised mean E[x_0 | x_t] of standardised fields at given conditions, by a network and
 * what is known beside it; score = (mean D - x) / std^2.
 *
 * Tensors are [batch, cells, fields], float32, without unit (field - mean) / std; conditions (conditions) in their units.
 * sampleFields draws fields in their units from it.
 */
export class ScoreModel {
  readonly schedule: Schedule;
  /** Smallest and largest noise level that the model is for. */
  readonly noiseLevels: { readonly smallest: number; readonly largest: number };
  /** Numbers a cell of what is generated: the fields or, for the target "rest", their responses, the field fastest. */
  readonly channels: number;

  constructor(
    readonly problem: Problem,
    readonly settings: ModelSettings,
    readonly standardisation: Standardisation,
    readonly network: tf.LayersModel,
    readonly history: History = {},
    readonly covariance?: ConditionalCovariance,
  ) {
    this.schedule = vpSchedule(settings.schedule);
    this.channels = channelsOf(problem, settings);
    const largest = this.schedule.noiseLevel(this.schedule.endTime);
    this.noiseLevels = settings.noiseLevels ?? { smallest: 0.002, largest };
  }

  /** An untrained model; see createModel, which takes the moments from data. seed: of its first weights. */
  static create(
    problem: Problem,
    settings: ModelSettings,
    standardisation: Standardisation,
    seed = 1,
    covariance?: ConditionalCovariance,
  ): ScoreModel {
    const network = buildNetwork(problem, settings, seed);
    return new ScoreModel(problem, settings, standardisation, network, {}, covariance);
  }

  /**
   * What the network itself returns for all targets but "rest".
   *
   * x [batch, cells, fields] noisy standardised fields; levels of one time a row; inputs [batch, inputs] of
   * {@link context}; returns [batch, cells, fields]. Where no gradient is asked for, one time and one row of inputs serve
   * all rows.
   */
  target(x: tf.Tensor3D, { input }: Pick<Levels, "input">, inputs: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => this.network.apply([x, inputs, input]) as tf.Tensor3D);
  }

  /**
   * The part of the denoised field that is not linear, for the target "rest", in modes and of order 1.
   *
   * z [n, rows, modes]: noisy fields y = x / mean(t) in modes; levels of n rows times or, for n = 1 and where no gradient
   * is asked for, one for all rows; gains of the variances at these times; returns [n, rows, modes].
   * The network sees, in cells, the whitened field (variance + s^2)^-1/2 z and the linear estimate; its output is
   * turned into modes. Where noise hides all but the strongest mode, of gain g, what is not linear vanishes as g (the
   * leading term of an Edgeworth expansion): the factor g spares the network to learn zero there.
   */
  rest(
    z: tf.Tensor3D,
    { input }: Pick<Levels, "input">,
    { inputs, modes }: Context,
    { total, linear }: Pick<Gains, "total" | "linear">,
  ): tf.Tensor3D {
    return tf.tidy(() => {
      const { vectors } = known(modes);
      const [n, rows] = z.shape;
      const shape = [n * rows, this.problem.cells, this.channels];
      // Both in one product, as most of its time goes into reading the vectors.
      const modal = tf.concat([z.div(total), z.mul(linear)], 1) as tf.Tensor3D;
      const inCells = tf.split(tf.matMul(modal, vectors, false, true), 2, 1);
      const seen = tf.concat(inCells.map((x) => x.reshape(shape)), 2); // prettier-ignore
      const each = input.shape[0] / n;
      const repeated = tf.tile(inputs.expandDims(1), [1, each, 1]).reshape([n * each, inputs.shape[1]]);
      const output = this.network.apply([seen, repeated, input]) as tf.Tensor3D;
      const inModes = tf.matMul(output.reshape([n, rows, -1]) as tf.Tensor3D, vectors);
      return inModes.mul(linear.max(2, true)) as tf.Tensor3D;
    });
  }

  /**
   * EDM's coefficients mode by mode, each [n, rows, modes]: for a mode of variance l at noise level s the standard
   * deviation sqrt(l + s^2) of y, the linear estimator's gain l / (l + s^2), and its error's standard deviation
   * s sqrt(l / (l + s^2)).
   */
  gains(variances: tf.Tensor2D, { level }: Pick<Levels, "level">, rows: number): Gains {
    return tf.tidy(() => {
      const s = level.reshape([level.size / rows, rows, 1]) as tf.Tensor3D;
      const l = variances.expandDims(1) as tf.Tensor3D;
      const total = l.add(s.square()).sqrt() as tf.Tensor3D;
      const linear = l.div(total.square()) as tf.Tensor3D;
      return { total, linear, error: s.mul(linear.sqrt()) as tf.Tensor3D };
    });
  }

  /**
   * The denoised mean E[x_0 | x_t]: x [batch, cells, fields] standardised and noisy at one time t; context of one
   * condition for all rows; returns [batch, cells, fields].
   *
   * For the target v this is EDM's preconditioned denoiser: c_skip = mean, c_out = std, as the data have variance 1
   * (Karras et al. 2022, table 1). For "rest" the same in each mode of the conditional covariance: the linear estimate,
   * which is exact for a Gaussian, plus its error's standard deviation times what the network returns, less its drift.
   */
  denoise(x: tf.Tensor3D, t: number, context: Context, drift?: Drift): tf.Tensor3D {
    return tf.tidy(() => {
      const { target } = this.settings;
      if (target === "rest") {
        const [offset, slope] = drift ? [tf.tensor1d(drift.offset), tf.tensor1d(drift.slope)] : [];
        return this.denoiser.run({ x, ...this.levels([t]), ...flatContext(context), offset, slope }).denoised;
      }
      const { onState, onDenoised } = targetCoefficients(target, this.schedule, t);
      const coefficients = { onState: tf.scalar(onState), onDenoised: tf.scalar(onDenoised) };
      return this.targetDenoiser.run({ x, ...this.levels([t]), ...flatContext(context), ...coefficients })
        .denoised;
    });
  }

  /**
   * The denoised mean of an ensemble x [rows, cells, fields] at time t, whose drift is measured and taken off; for the
   * target "rest".
   *
   * In each mode the true F, which the network approximates, has mean zero and no covariance with the whitened w, as the
   * linear estimate is the best linear one. The network's own mean and slope are errors, and push the mean and the
   * spread of samples off: measured on an ensemble they can be taken off.
   */
  denoiseEnsemble(x: tf.Tensor3D, t: number, context: Context): { denoised: tf.Tensor3D; drift: Drift } {
    const tensors = tf.tidy(() =>
      this.ensembleDenoiser.run({ x, ...this.levels([t]), ...flatContext(context) }),
    );
    const { denoised, offset, slope } = tensors;
    const read = (tensor: tf.Tensor) => tensor.dataSync().slice() as Float32Array;
    const drift = { offset: read(offset), slope: read(slope) };
    tf.dispose([offset, slope]);
    return { denoised, drift };
  }

  private readonly targetDenoiser = new CompiledFunction<DenoiserInputs, { denoised: tf.Tensor3D }>(
    ({ x, input, inputs, onState, onDenoised }) => {
      const output = this.target(x, { input }, inputs);
      return { denoised: output.sub(x.mul(onState!)).div(onDenoised!) as tf.Tensor3D };
    },
    () => this.weights,
  );

  private readonly denoiser = new CompiledFunction<DenoiserInputs, { denoised: tf.Tensor3D }>(
    (inputs) => {
      const { rest, whitened, denoised } = this.inModes(inputs);
      const { offset, slope } = inputs;
      return { denoised: denoised(offset && slope ? rest.sub(offset).sub(whitened.mul(slope)) : rest) };
    },
    () => this.weights,
  );

  private readonly ensembleDenoiser = new CompiledFunction<
    DenoiserInputs,
    { denoised: tf.Tensor3D; offset: tf.Tensor; slope: tf.Tensor }
  >(
    (inputs) => {
      const { rest, whitened, denoised } = this.inModes(inputs);
      const offset = rest.mean(1, true);
      const [f, w] = [rest.sub(offset), whitened.sub(whitened.mean(1, true))];
      const slope = f.mul(w).mean(1).div(w.square().mean(1));
      return { denoised: denoised(f.sub(whitened.mul(slope))), offset, slope };
    },
    () => this.weights,
  );

  /** What the network returns in the modes, for x of the whitened field, and how it makes a denoised field. */
  private inModes({ x, mean, level, input, inputs, variances, vectors }: DenoiserInputs): {
    readonly rest: tf.Tensor3D;
    readonly whitened: tf.Tensor3D;
    readonly denoised: (rest: tf.Tensor) => tf.Tensor3D;
  } {
    const modes = known(variances && vectors && { variances, vectors });
    const [rows, cells, fields] = x.shape;
    const y = x.div(mean).reshape([1, rows, cells * fields]) as tf.Tensor3D;
    const z = tf.matMul(y, modes.vectors) as tf.Tensor3D;
    const gains = this.gains(modes.variances, { level }, 1);
    const { total, linear, error } = gains;
    return {
      rest: this.rest(z, { input }, { inputs, modes }, gains),
      whitened: z.div(total),
      denoised: (rest) => {
        const sum = z.mul(linear).add(rest.mul(error)) as tf.Tensor3D;
        return tf.matMul(sum, modes.vectors, false, true).reshape([rows, cells, fields]) as tf.Tensor3D;
      },
    };
  }

  /**
   * Draws the marginal at time t as if the fields were Gaussian: noise [rows, cells, fields] standard normal, the same
   * shape returned. Exact where the noise hides all but mean and covariance, which is where sampling starts.
   */
  gaussianMarginal(noise: tf.Tensor3D, t: number, { modes }: Context): tf.Tensor3D {
    if (!modes) return noise.clone();
    return tf.tidy(() => {
      const [rows, cells, fields] = noise.shape;
      const { total } = this.gains(modes.variances, this.levels([t]), 1);
      // To the modes and back: their signs and their order within equal variances must not matter.
      const z = tf.matMul(noise.reshape([1, rows, cells * fields]) as tf.Tensor3D, modes.vectors);
      const scaled = z.mul(total).mul(this.schedule.mean(t)) as tf.Tensor3D;
      return tf.matMul(scaled, modes.vectors, false, true).reshape([rows, cells, fields]) as tf.Tensor3D;
    });
  }

  /** What the model knows of n conditions: conditions (n, conditions) in their units. The caller disposes of it. */
  context(conditions: Float64Array): Context {
    const width = this.problem.conditions.length;
    const n = conditions.length / width;
    const used = conditionsSeen(this.problem, this.settings);
    const normalised = normaliseConditions(this.problem, conditions);
    const inputs = Float32Array.from(
      { length: n * used.length },
      (_, i) => normalised[Math.floor(i / used.length) * width + used[i % used.length]],
    );
    const tensor = tf.tensor2d(inputs, [n, used.length]);
    if (this.settings.target !== "rest") return { inputs: tensor };
    if (!this.covariance) throw new InputError("The model has no covariance, which its target needs.");
    const count = Math.min(MOST_MODES, this.channels * this.problem.cells);
    const parts: Modes[] = [];
    const block = 16; // as many decompositions at once as keep the cores busy
    for (let start = 0; start < n; start += block) {
      const part = conditions.subarray(start * width, Math.min(n, start + block) * width);
      const std = Array.from(
        { length: part.length / width },
        (_, i) => this.responses(part.subarray(i * width, (i + 1) * width)).std,
      );
      const { variances, vectors } = this.covariance.modes(part, std, count);
      parts.push({ variances: tf.tidy(() => variances.maximum(SMALLEST_VARIANCE) as tf.Tensor2D), vectors });
      variances.dispose();
    }
    const modes = {
      variances: tf.concat2d(parts.map(({ variances }) => variances), 0), // prettier-ignore
      vectors: tf.concat3d(parts.map(({ vectors }) => vectors), 0), // prettier-ignore
    };
    for (const { variances, vectors } of parts) tf.dispose([variances, vectors]);
    return { inputs: tensor, modes };
  }

  /** Moments of the responses at conditions (conditions) in their units, which the target "rest" is about. */
  responses(conditions: Float64Array): ResponseMoments {
    const moments = this.standardisation.responses?.(conditions);
    if (moments) return moments;
    throw new InputError('The target "rest" needs fields that are standardised per condition.');
  }

  /** Times as tensors. The caller disposes of them. */
  levels(times: ArrayLike<number>): Levels {
    const { schedule, settings } = this;
    const column = (value: (t: number) => number) =>
      tf.tensor3d(Float32Array.from(times, value), [times.length, 1, 1]);
    const told = (t: number) => (settings.timeInput === "time" ? t : Math.log(schedule.noiseLevel(t)) / 4);
    return {
      mean: column(schedule.mean),
      std: column(schedule.std),
      level: column(schedule.noiseLevel),
      input: tf.tensor2d(Float32Array.from(times, told), [times.length, 1]),
    };
  }

  /** Trainable weights, in the network's order. */
  get variables(): tf.Variable[] {
    return this.network.trainableWeights.map(variableOf);
  }

  /** All weights: what a graph of the network has to be given. */
  private get weights(): tf.Variable[] {
    return this.network.weights.map(variableOf);
  }

  /**
   * Saves the model as a folder: network.json and network.bin (readable by tf.loadLayersModel), model.json and, where it
   * has one, covariance.bin. history: what the file is to tell of how it came about.
   *
   * The folder appears whole or not at all; a model that is there is replaced. Throws InputError if it cannot be written.
   */
  async save(folder: string, history: History = this.history): Promise<void> {
    const { problem, settings, standardisation, covariance } = this;
    const description: ModelFile = {
      format: FORMAT,
      problem: { name: problem.name, version: problem.version, settings: problem.settings },
      settings,
      history,
      standardisation: standardisation.toJSON(),
    };
    let network: Partial<Record<"network.json" | "network.bin", string | Uint8Array>> = {};
    await this.network.save({
      save: async ({ modelTopology, weightSpecs, weightData }) => {
        const weightsManifest = [{ paths: ["network.bin"], weights: weightSpecs }];
        network = {
          "network.bin": Buffer.from(
            Array.isArray(weightData) ? tf.io.concatenateArrayBuffers(weightData) : weightData!,
          ),
          "network.json": JSON.stringify({ format: "layers-model", modelTopology, weightsManifest }),
        };
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
      },
    });
    writeModelFolder(folder, {
      ...network,
      ...(covariance && { "covariance.bin": covariance.toBytes() }),
      "model.json": JSON.stringify(description),
    });
  }

  /**
   * Loads a saved model from a folder, such as data/models/figures: its problem with units, its scaling (field - mean) /
   * std and its network [batch, cells, fields] -> [batch, cells, fields].
   *
   * Throws InputError, with the reason, if the folder holds none or a damaged one.
   */
  static async load(folder: string): Promise<ScoreModel> {
    const files = new ModelFolder(folder);
    const file = files.json("model.json") as ModelFile;
    if (file?.format !== FORMAT) throw files.damaged(`model.json is not of the format ${FORMAT}`);
    const moments = file.settings?.target === "rest" ? files.bytes("covariance.bin") : undefined;
    let model: ScoreModel;
    try {
      const problem = problemByName(file.problem.name, file.problem.settings);
      if (file.problem.version !== problem.version) {
        throw new InputError(`it was made for another version of the problem ${problem.name}`);
      }
      const standardisation = standardisationFrom(problem, file.standardisation);
      const covariance = moments && ConditionalCovariance.fromBytes(problem, moments);
      const network = buildNetwork(problem, file.settings, 1);
      model = new ScoreModel(problem, file.settings, standardisation, network, file.history, covariance);
    } catch (error) {
      throw files.damaged(
        error instanceof InputError ? error.message.replace(/[.;]$/, "") : "its settings are incomplete",
      );
    }
    try {
      model.readWeights(files);
    } catch (error) {
      model.dispose();
      throw error;
    }
    return model;
  }

  /** Reads network.bin, whose layout network.json tells. */
  private readWeights(files: ModelFolder): void {
    const network = files.json("network.json") as {
      weightsManifest?: [{ weights?: ({ shape?: number[]; dtype?: string } | null)[] }];
    } | null;
    const specs = network?.weightsManifest?.[0]?.weights;
    const expected = this.network.weights;
    const floats = expected.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);
    const fits =
      Array.isArray(specs) &&
      specs.length === expected.length &&
      specs.every((spec, i) => spec?.dtype === "float32" && String(spec.shape) === String(expected[i].shape));
    if (!fits) throw files.damaged("its weights have other shapes than its settings");
    const bytes = files.bytes("network.bin");
    if (bytes.length !== 4 * floats)
      throw files.damaged(`network.bin has ${bytes.length} bytes instead of ${4 * floats}`);
    let offset = 0;
    const tensors = expected.map(({ shape }) => {
      const size = tf.util.sizeFromShape(shape as number[]);
      const values = new Float32Array(
        bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + 4 * size),
      );
      offset += 4 * size;
      return tf.tensor(values, shape as number[]);
    });
    this.network.setWeights(tensors);
    tf.dispose(tensors);
  }

  /** Frees the network's memory. */
  dispose(): void {
    for (const graph of [this.denoiser, this.ensembleDenoiser, this.targetDenoiser]) graph.dispose();
    this.network.dispose();
  }
}

function variableOf(weight: tf.LayerVariable): tf.Variable {
  return (weight as unknown as { val: tf.Variable }).val;
}

/** What denoising computes with; the last ones for some targets only. */
type DenoiserInputs = Levels &
  DenoiserContext & {
    readonly x: tf.Tensor3D;
    readonly offset?: tf.Tensor1D;
    readonly slope?: tf.Tensor1D;
    readonly onState?: tf.Scalar;
    readonly onDenoised?: tf.Scalar;
  };

/** A context as tensors by name, which is what a graph is given. */
export type DenoiserContext = Pick<Context, "inputs"> & Partial<Modes>;

/** See {@link DenoiserContext}. */
export function flatContext({ inputs, modes }: Context): DenoiserContext {
  return { inputs, ...modes };
}

const FORMAT = "porous-sgm score model 1";

interface ModelFile {
  readonly format: typeof FORMAT;
  readonly problem: Pick<Problem, "name" | "version" | "settings">;
  readonly settings: ModelSettings;
  readonly history: History;
  readonly standardisation: StandardisationData;
}

function known(modes: Modes | undefined): Modes {
  if (modes) return modes;
  throw new Error("The context has no modes.");
}

/** Indices of the conditions that the network sees: of responses only those that shape them. */
function conditionsSeen(problem: Problem, { target }: ModelSettings): number[] {
  return remainingConditions(problem, target === "rest" ? problem.affineIn : []);
}

/** Numbers a cell of what is generated: fields or, for the target "rest", all responses of all fields. */
function channelsOf({ fields, affineIn }: Problem, { target }: ModelSettings): number {
  return target === "rest" ? (affineIn.length + 1) * fields.length : fields.length;
}

function buildNetwork(problem: Problem, settings: ModelSettings, seed: number): tf.LayersModel {
  const channels = channelsOf(problem, settings);
  const shape = {
    cells: problem.cells,
    fields: settings.target === "rest" ? 2 * channels : channels,
    outputs: channels,
    conditions: conditionsSeen(problem, settings).length,
  };
  const { network } = settings;
  return network.kind === "film" ? filmNetwork(shape, network, seed) : tokenNetwork(shape, network, seed);
}
