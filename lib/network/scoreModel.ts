/** A score model: a network together with all that turns physical fields into its inputs and back. */
import fs from "fs";
import path from "path";
import { fileError } from "../data/atomicFile";
import { normaliseConditions, type Problem } from "../data/problem";
import { problemByName } from "../data/problems";
import { standardisationFrom, type Standardisation, type StandardisationData } from "../data/standardisation";
import { targetCoefficients } from "../diffusion/loss";
import { type Schedule, vpSchedule } from "../diffusion/schedule";
import { InputError, shown } from "../errors";
import { tf } from "../tensorflow";
import { ConditionalCovariance } from "./covariance";
import { filmNetwork } from "./filmNetwork";
import "./layers"; // registers them, so that a saved network loads
import type { ModelSettings } from "./presets";
import { tokenNetwork } from "./tokenNetwork";

/** What a saved model tells of how it came about. */
export type History = Readonly<Record<string, string | number | boolean>>;

/** Modes of the standardised fields at n conditions; size = cells x fields, the field fastest. */
export interface Modes {
  /** [n, size] variances, at least {@link SMALLEST_VARIANCE} */
  readonly variances: tf.Tensor2D;
  /** [n, size, size] orthonormal modes in columns */
  readonly vectors: tf.Tensor3D;
}

/** What a model knows of conditions: its network's inputs and, for the target "rest", the modes. */
export interface Context {
  /** [n, inputs] */
  readonly inputs: tf.Tensor2D;
  readonly modes?: Modes;
}

/** Frees a context. */
export function disposeContext({ inputs, modes }: Context): void {
  tf.dispose([inputs, ...(modes ? [modes.variances, modes.vectors] : [])]);
}

/** Below it lies the round-off of single precision; modes of less variance are taken to have this one. */
export const SMALLEST_VARIANCE = 1e-6;

export class ScoreModel {
  readonly schedule: Schedule;
  /** Smallest and largest noise level that the model is for. */
  readonly noiseLevels: { readonly smallest: number; readonly largest: number };

  constructor(
    readonly problem: Problem,
    readonly settings: ModelSettings,
    readonly standardisation: Standardisation,
    readonly network: tf.LayersModel,
    readonly history: History = {},
    readonly covariance?: ConditionalCovariance,
  ) {
    this.schedule = vpSchedule(settings.schedule);
    const largest = this.schedule.noiseLevel(this.schedule.endTime);
    this.noiseLevels = settings.noiseLevels ?? { smallest: 0.002, largest };
  }

  /** An untrained model. seed: of its first weights. */
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
   * What the network itself returns for the targets "score" and "v".
   *
   * x [batch, cells, fields] noisy standardised fields; times (batch): one a row; inputs [batch, inputs] of
   * {@link context}; returns [batch, cells, fields].
   */
  target(x: tf.Tensor3D, times: ArrayLike<number>, inputs: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => this.network.apply([x, inputs, this.timeTensor(times)]) as tf.Tensor3D);
  }

  /**
   * The part of the denoised field that is not linear, for the target "rest", in modes and of order 1.
   *
   * z [n, rows, size]: noisy fields y = x / mean(t) in modes; times (n rows); returns [n, rows, size].
   * The network sees, in cells, the whitened field (variance + s^2)^-1/2 z and the linear estimate; its output is
   * turned into modes.
   */
  rest(z: tf.Tensor3D, times: ArrayLike<number>, { inputs, modes }: Context): tf.Tensor3D {
    return tf.tidy(() => {
      const { variances, vectors } = known(modes);
      const { cells, fields } = this.problem;
      const [n, rows, size] = z.shape;
      const { total, linear } = this.gains(variances, times, rows);
      const inCells = (modal: tf.Tensor) =>
        tf.matMul(modal as tf.Tensor3D, vectors, false, true).reshape([n * rows, cells, fields.length]);
      const seen = tf.concat([inCells(z.div(total)), inCells(z.mul(linear))], 2);
      const repeated = tf.tile(inputs.expandDims(1), [1, rows, 1]).reshape([n * rows, inputs.shape[1]]);
      const output = this.network.apply([seen, repeated, this.timeTensor(times)]) as tf.Tensor3D;
      return tf.matMul(output.reshape([n, rows, size]) as tf.Tensor3D, vectors);
    });
  }

  /**
   * EDM's coefficients mode by mode, each [n, rows, size]: for a mode of variance l at noise level s the standard
   * deviation sqrt(l + s^2) of y, the linear estimator's gain l / (l + s^2), and its error's standard deviation
   * s sqrt(l / (l + s^2)).
   */
  gains(
    variances: tf.Tensor2D,
    times: ArrayLike<number>,
    rows: number,
  ): Record<"total" | "linear" | "error", tf.Tensor3D> {
    return tf.tidy(() => {
      const levels = Float32Array.from(times, (t) => this.schedule.noiseLevel(t));
      const s = tf.tensor3d(levels, [levels.length / rows, rows, 1]);
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
   * which is exact for a Gaussian, plus its error's standard deviation times what the network returns.
   */
  denoise(x: tf.Tensor3D, t: number, context: Context): tf.Tensor3D {
    return tf.tidy(() => {
      const [rows, cells, fields] = x.shape;
      const times = new Float64Array(rows).fill(t);
      if (this.settings.target !== "rest") {
        const { onState, onDenoised } = targetCoefficients(this.settings.target, this.schedule, t);
        const inputs = tf.tile(context.inputs, [rows, 1]);
        return this.target(x, times, inputs as tf.Tensor2D)
          .sub(x.mul(onState))
          .div(onDenoised) as tf.Tensor3D;
      }
      const { variances, vectors } = known(context.modes);
      const y = x.div(this.schedule.mean(t)).reshape([1, rows, cells * fields]) as tf.Tensor3D;
      const z = tf.matMul(y, vectors);
      const { linear, error } = this.gains(variances, times, rows);
      const denoised = z
        .mul(linear)
        .add(this.rest(z as tf.Tensor3D, times, context).mul(error)) as tf.Tensor3D;
      return tf.matMul(denoised, vectors, false, true).reshape([rows, cells, fields]) as tf.Tensor3D;
    });
  }

  /**
   * Draws the marginal at time t as if the fields were Gaussian: noise [rows, cells, fields] standard normal, the same
   * shape returned. Exact where the noise hides all but mean and covariance, which is where sampling starts.
   */
  gaussianMarginal(noise: tf.Tensor3D, t: number, { modes }: Context): tf.Tensor3D {
    if (!modes) return noise.clone();
    return tf.tidy(() => {
      const [rows, cells, fields] = noise.shape;
      const { total } = this.gains(modes.variances, [t], 1);
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
    const row = (i: number) => conditions.subarray(i * width, (i + 1) * width);
    const inputs: number[][] = [];
    const std = Array.from({ length: n }, (_, i) => this.standardisation.std(row(i)));
    for (let i = 0; i < n; i++) {
      const normalised = Array.from(normaliseConditions(this.problem, row(i)));
      inputs.push(this.settings.target === "rest" ? [...normalised, ...this.spread(std[i])] : normalised);
    }
    const tensor = tf.tensor2d(inputs, [n, inputs[0].length]);
    if (this.settings.target !== "rest") return { inputs: tensor };
    if (!this.covariance) throw new InputError("The model has no covariance, which its target needs.");
    const parts: Modes[] = [];
    const block = 32; // as many decompositions at once as keep the cores busy
    for (let start = 0; start < n; start += block) {
      const end = Math.min(n, start + block);
      const { values, vectors } = this.covariance.eigen(
        conditions.subarray(start * width, end * width),
        std.slice(start, end),
      );
      parts.push({ variances: tf.tidy(() => values.maximum(SMALLEST_VARIANCE) as tf.Tensor2D), vectors });
      values.dispose();
    }
    const modes = {
      variances: tf.concat2d(parts.map(({ variances }) => variances), 0), // prettier-ignore
      vectors: tf.concat3d(parts.map(({ vectors }) => vectors), 0), // prettier-ignore
    };
    for (const { variances, vectors } of parts) tf.dispose([variances, vectors]);
    return { inputs: tensor, modes };
  }

  /**
   * Logarithm of each field's spread relative to the middle of all ranges, of order 1: near the end of a range the
   * distribution can change with the logarithm of the condition, which the condition itself does not show.
   */
  private spread(std: Float64Array): number[] {
    const { conditions, fields, cells } = this.problem;
    const middle = this.standardisation.std(
      Float64Array.from(conditions, ({ min, max, scale }) =>
        scale === "log" ? Math.sqrt(min * max) : (min + max) / 2,
      ),
    );
    return fields.map((_, f) => {
      const square = (values: Float64Array) =>
        values.subarray(f * cells, (f + 1) * cells).reduce((sum, value) => sum + value * value, 1e-300);
      return Math.log(square(std) / square(middle)) / 6;
    });
  }

  private timeTensor(times: ArrayLike<number>): tf.Tensor2D {
    const input = Array.from(times, (t) =>
      this.settings.timeInput === "time" ? t : Math.log(this.schedule.noiseLevel(t)) / 4,
    );
    return tf.tensor2d(input, [input.length, 1]);
  }

  /** Trainable weights, in the network's order. */
  get variables(): tf.Variable[] {
    return this.network.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);
  }

  /**
   * Saves the model as a folder: network.json and network.bin (readable by tf.loadLayersModel) and model.json.
   *
   * The folder appears whole or not at all; a model that is there is replaced. Throws InputError if it cannot be written.
   */
  async save(folder: string, history: History = this.history): Promise<void> {
    const target = path.resolve(folder);
    const partial = `${target}.${process.pid}.partial`;
    let created: string | undefined; // the first folder made, which may be one above
    const abandon = () => {
      if (created) fs.rmSync(created, { recursive: true, force: true });
    };
    process.once("exit", abandon); // a signal may end the process meanwhile
    try {
      checkReplaceable(target);
      created = makeFolder(partial);
      await this.network.save({
        save: async ({ modelTopology, weightSpecs, weightData }) => {
          const bytes = Buffer.from(
            Array.isArray(weightData) ? tf.io.concatenateArrayBuffers(weightData) : weightData!,
          );
          const weightsManifest = [{ paths: ["network.bin"], weights: weightSpecs }];
          write(path.join(partial, "network.bin"), bytes);
          write(
            path.join(partial, "network.json"),
            JSON.stringify({ format: "layers-model", modelTopology, weightsManifest }),
          );
          return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
        },
      });
      const { problem, settings, standardisation } = this;
      const description: ModelFile = {
        format: FORMAT,
        problem: { name: problem.name, version: problem.version, settings: problem.settings },
        settings,
        history,
        standardisation: standardisation.toJSON(),
      };
      if (this.covariance) write(path.join(partial, COVARIANCE), this.covariance.toBytes());
      write(path.join(partial, "model.json"), JSON.stringify(description));
      // A folder cannot be renamed over a full one: the old one steps aside until the new one has its name.
      const old = `${target}.${process.pid}.old`;
      if (fs.existsSync(target)) fs.renameSync(target, old);
      try {
        fs.renameSync(partial, target);
      } catch (error) {
        if (fs.existsSync(old)) fs.renameSync(old, target);
        throw error;
      }
      fs.rmSync(old, { recursive: true, force: true });
    } catch (error) {
      abandon();
      throw fileError("write", folder, error);
    } finally {
      process.removeListener("exit", abandon);
    }
  }

  /** Loads a saved model. Throws InputError, with the reason, if the folder holds none or a damaged one. */
  static async load(folder: string): Promise<ScoreModel> {
    const damaged = (reason: string) =>
      new InputError(
        `Cannot load a model from ${shown(folder)}: ${reason}; give a folder that train has written.`,
      );
    const readJson = (name: string): unknown => {
      const file = path.join(folder, name);
      let text: string;
      try {
        text = fs.readFileSync(file, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") throw damaged(`it has no ${name}`);
        throw fileError("read", file, error);
      }
      try {
        return JSON.parse(text);
      } catch {
        throw damaged(`${name} is not JSON`);
      }
    };
    const file = readJson("model.json") as ModelFile;
    if (file?.format !== FORMAT) throw damaged(`model.json is not of the format ${FORMAT}`);
    let model: ScoreModel;
    try {
      const problem = problemByName(file.problem.name, file.problem.settings);
      if (file.problem.version !== problem.version) {
        throw new InputError(`it was made for another version of the problem ${problem.name}`);
      }
      const standardisation = standardisationFrom(problem, file.standardisation);
      let covariance: ConditionalCovariance | undefined;
      if (file.settings.target === "rest") {
        const bytes = path.join(folder, COVARIANCE);
        if (!fs.existsSync(bytes)) throw new InputError(`it has no ${COVARIANCE}`);
        covariance = ConditionalCovariance.fromBytes(problem, fs.readFileSync(bytes));
      }
      const network = buildNetwork(problem, file.settings, 1);
      model = new ScoreModel(problem, file.settings, standardisation, network, file.history, covariance);
    } catch (error) {
      throw damaged(
        error instanceof InputError ? error.message.replace(/[.;]$/, "") : "its settings are incomplete",
      );
    }
    try {
      model.readWeights(folder, readJson("network.json"), damaged);
    } catch (error) {
      model.dispose();
      throw error;
    }
    return model;
  }

  /** Reads network.bin, whose layout the parsed network.json tells. */
  private readWeights(folder: string, topology: unknown, damaged: (reason: string) => InputError): void {
    const network = topology as {
      weightsManifest?: [{ weights?: ({ shape?: number[]; dtype?: string } | null)[] }];
    } | null;
    const specs = network?.weightsManifest?.[0]?.weights;
    const bin = path.join(folder, "network.bin");
    const expected = this.network.weights;
    const floats = expected.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);
    const fits =
      Array.isArray(specs) &&
      specs.length === expected.length &&
      specs.every((spec, i) => spec?.dtype === "float32" && String(spec.shape) === String(expected[i].shape));
    if (!fits) throw damaged("its weights have other shapes than its settings");
    let bytes: Buffer;
    try {
      bytes = fs.readFileSync(bin);
    } catch (error) {
      throw fileError("read", bin, error);
    }
    if (bytes.length !== 4 * floats)
      throw damaged(`network.bin has ${bytes.length} bytes instead of ${4 * floats}`);
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
    this.network.dispose();
  }
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

function buildNetwork(problem: Problem, settings: ModelSettings, seed: number): tf.LayersModel {
  const fields = problem.fields.length;
  const rest = settings.target === "rest";
  const shape = {
    cells: problem.cells,
    fields: rest ? 2 * fields : fields,
    outputs: fields,
    conditions: problem.conditions.length + (rest ? fields : 0),
  };
  const { network } = settings;
  return network.kind === "film" ? filmNetwork(shape, network, seed) : tokenNetwork(shape, network, seed);
}

/**
 * Throws InputError if a model could not be saved as this folder: better known before a long training than after.
 * Leaves nothing behind.
 */
export function checkModelFolder(folder: string): void {
  const target = path.resolve(folder);
  try {
    checkReplaceable(target);
    fs.rmSync(makeFolder(`${target}.${process.pid}.partial`), { recursive: true });
  } catch (error) {
    throw fileError("write", folder, error);
  }
}

/** Makes a new folder and those above it; returns the first made. (mkdir's own recursion never ends under /proc.) */
function makeFolder(folder: string): string {
  const parent = path.dirname(folder);
  const above = fs.existsSync(parent) ? undefined : makeFolder(parent);
  try {
    fs.rmSync(folder, { recursive: true, force: true }); // what a process of the same number may have left
    fs.mkdirSync(folder);
  } catch (error) {
    if (above) fs.rmSync(above, { recursive: true, force: true });
    throw error;
  }
  return above ?? folder;
}

const COVARIANCE = "covariance.bin";
const FILES = ["model.json", "network.bin", "network.json", COVARIANCE];

/** Only a saved model may be replaced by one: a slip of the pen must not delete somebody's files. */
function checkReplaceable(target: string): void {
  if (!fs.existsSync(target)) return;
  if (fs.statSync(target).isDirectory() && fs.readdirSync(target).every((name) => FILES.includes(name)))
    return;
  throw new InputError(`${shown(target)} exists and is not just a model; give the name of a new folder.`);
}

function write(file: string, content: string | Uint8Array): void {
  const descriptor = fs.openSync(file, "w");
  try {
    fs.writeFileSync(descriptor, content);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
