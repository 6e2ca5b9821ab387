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
import { filmNetwork } from "./filmNetwork";
import "./layers"; // registers them, so that a saved network loads
import type { ModelSettings } from "./presets";
import { tokenNetwork } from "./tokenNetwork";

/** What a saved model tells of how it came about. */
export type History = Readonly<Record<string, string | number | boolean>>;

export class ScoreModel {
  readonly schedule: Schedule;

  constructor(
    readonly problem: Problem,
    readonly settings: ModelSettings,
    readonly standardisation: Standardisation,
    readonly network: tf.LayersModel,
    readonly history: History = {},
  ) {
    this.schedule = vpSchedule(settings.schedule);
  }

  /** An untrained model. seed: of its first weights. */
  static create(
    problem: Problem,
    settings: ModelSettings,
    standardisation: Standardisation,
    seed = 1,
  ): ScoreModel {
    return new ScoreModel(problem, settings, standardisation, buildNetwork(problem, settings, seed));
  }

  /**
   * What the network itself returns.
   *
   * x [batch, cells, fields] noisy standardised fields; times (batch): one a row; conditions [batch, conditions]
   * normalised to [-1, 1]; returns [batch, cells, fields], the target of the settings.
   */
  target(x: tf.Tensor3D, times: ArrayLike<number>, conditions: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => {
      const input = Array.from(times, (t) =>
        this.settings.timeInput === "time" ? t : Math.log(this.schedule.noiseLevel(t)) / 4,
      );
      const t = tf.tensor2d(input, [input.length, 1]);
      return this.network.apply([x, conditions, t]) as tf.Tensor3D;
    });
  }

  /**
   * The denoised mean E[x_0 | x_t]: x [batch, cells, fields] standardised and noisy at one time t,
   * conditions [batch, conditions] normalised; returns [batch, cells, fields].
   *
   * For the target v this is EDM's preconditioned denoiser: c_skip = mean, c_out = std, as the data have variance 1.
   */
  denoise(x: tf.Tensor3D, t: number, conditions: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => {
      const { onState, onDenoised } = targetCoefficients(this.settings.target, this.schedule, t);
      const target = this.target(x, new Float64Array(x.shape[0]).fill(t), conditions);
      return target.sub(x.mul(onState)).div(onDenoised) as tf.Tensor3D;
    });
  }

  /** Conditions (rows, conditions) in their units as the network's input. */
  conditionTensor(conditions: Float64Array): tf.Tensor2D {
    const normalised = normaliseConditions(this.problem, conditions);
    const width = this.problem.conditions.length;
    return tf.tensor2d(Float32Array.from(normalised), [normalised.length / width, width]);
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
      model = new ScoreModel(
        problem,
        file.settings,
        standardisation,
        buildNetwork(problem, file.settings, 1),
        file.history,
      );
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

function buildNetwork(problem: Problem, settings: ModelSettings, seed: number): tf.LayersModel {
  const shape = {
    cells: problem.cells,
    fields: problem.fields.length,
    conditions: problem.conditions.length,
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

const FILES = ["model.json", "network.bin", "network.json"];

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
