/** A model as the files that it is saved in, by name and content. */
import { tf } from "../backend/tensors";
import { InputError } from "../backend/errors";
import { ConditionalCovariance, type Covariance } from "../gaussian/covariance";
import {
  checkNumbers,
  type ConditionalData,
  ConditionalStandardisation,
} from "../gaussian/conditionalStandardisation";
import type { Problem, Ranges } from "../problem";
import type { History } from "../scoreModel";
import { type GlobalData, globalFrom, type Standardisation } from "../standardisation";
import { buildModel, type PresetModel } from "./createModel";
import { settingsFrom, storedSettings } from "./presets";
import { problemByName } from "./problems";

/**
 * network.json and network.bin are what tf.loadLayersModel reads; model.json tells problem, settings and scaling;
 * covariance.bin is there where the settings ask for it.
 */
export const MODEL_FILES = ["model.json", "network.bin", "network.json", "covariance.bin"] as const;
export type ModelFileName = (typeof MODEL_FILES)[number];
export type ModelFiles = Readonly<Partial<Record<ModelFileName, string | Uint8Array>>>;

/** Where a model is read from; all methods throw InputError, with the reason. */
export interface ModelSource {
  bytes(name: ModelFileName): Uint8Array;
  json(name: ModelFileName): unknown;
  /** The error for files that are not those of a model. */
  damaged(reason: string): InputError;
}

const FORMAT = "porous-sgm score model 1";

interface ModelFile {
  readonly format: typeof FORMAT;
  readonly problem: Pick<Problem, "name" | "version" | "settings">;
  /** What storedSettings makes of the model's. */
  readonly settings: object;
  readonly history: History;
  readonly standardisation: GlobalData | ConditionalData;
  /** Smallest and largest value of each condition that it was trained on, by name; older files have none. */
  readonly trainedOn?: Readonly<Record<string, readonly [number, number]>>;
}

/** How weights are stored: float16 takes half the room. Read, they are float32 again. */
export type Precision = "float32" | "float16";

/** The files of a model. history: what they are to tell of how it came about. Throws InputError for weights beyond float16. */
export async function filesOf(
  model: PresetModel,
  history: History = model.history,
  precision: Precision = "float32",
): Promise<ModelFiles> {
  const { problem, settings, standardisation, preconditioner, trainedOn } = model;
  const description: ModelFile = {
    format: FORMAT,
    problem: { name: problem.name, version: problem.version, settings: problem.settings },
    settings: storedSettings(settings),
    history,
    trainedOn: Object.fromEntries(problem.conditions.map(({ name }, k) => [name, trainedOn[k]])),
    standardisation: standardisation.toJSON() as GlobalData | ConditionalData,
  };
  let network: ModelFiles = {};
  await model.network.save({
    save: async ({ modelTopology, weightSpecs, weightData }) => {
      const half = precision === "float16";
      const weights = weightSpecs!.map((spec) =>
        half ? { ...spec, quantization: { dtype: precision } } : spec,
      );
      const weightsManifest = [{ paths: ["network.bin"], weights }];
      const bytes = Array.isArray(weightData) ? tf.io.concatenateArrayBuffers(weightData) : weightData!;
      network = {
        "network.bin": new Uint8Array(half ? halfPrecision(new Float32Array(bytes)).buffer : bytes),
        "network.json": JSON.stringify({ format: "layers-model", modelTopology, weightsManifest }),
      };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
  });
  const covariance = preconditioner.toBytes?.();
  return {
    ...network,
    ...(covariance && { "covariance.bin": covariance }),
    "model.json": JSON.stringify(description),
  };
}

/**
 * The model that some files hold. covariance: what is taken instead of the one in covariance.bin, such as modes that are
 * known already. Throws InputError, with the reason, if they hold none or a damaged one.
 */
export function modelFrom(files: ModelSource, covariance?: Covariance): PresetModel {
  const file = files.json("model.json") as ModelFile;
  if (file?.format !== FORMAT) throw files.damaged(`model.json is not of the format ${FORMAT}`);
  const settings = settingsFrom(file.settings ?? {});
  const bytes = settings.target === "residual" && !covariance ? files.bytes("covariance.bin") : undefined;
  let model: PresetModel;
  try {
    const problem = problemByName(file.problem.name, file.problem.settings);
    if (file.problem.version !== problem.version) {
      throw new InputError(`it was made for another version of the problem ${problem.name}`);
    }
    const data = file.standardisation;
    const standardisation =
      data.kind === "conditional"
        ? new ConditionalStandardisation(problem, data)
        : globalScaling(problem, data);
    const stored = bytes && ConditionalCovariance.fromBytes(problem, bytes);
    const scaling = { standardisation, covariance: covariance ?? stored };
    model = buildModel(problem, settings, scaling, 1, file.history, rangesIn(problem, file));
  } catch (error) {
    throw files.damaged(
      error instanceof InputError ? error.message.replace(/[.;]$/, "") : "its settings are incomplete",
    );
  }
  try {
    readWeights(model, files);
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}

/** The scaling of one mean and one standard deviation a field. Throws InputError if there are not so many. */
function globalScaling(problem: Problem, data: GlobalData): Standardisation {
  checkNumbers("mean", data.mean, problem.fields.length);
  checkNumbers("std", data.std, problem.fields.length);
  return globalFrom(problem, data);
}

/** What a file says of the conditions that the model was trained on. Throws InputError unless it is a range of each. */
function rangesIn({ conditions }: Problem, { trainedOn }: ModelFile): Ranges | undefined {
  if (trainedOn === undefined) return undefined;
  return conditions.map(({ name }) => {
    const range: unknown = trainedOn[name];
    if (Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] <= range[1])
      return range as unknown as readonly [number, number];
    throw new InputError(`its range of the ${name.replace(/_/g, " ")} is no pair of numbers`);
  });
}

/** One weight in network.bin, as tfjs describes it in network.json. */
interface WeightSpec {
  readonly shape: number[];
  readonly dtype: "float32";
  /** Where it is stored as something else. */
  readonly quantization?: { readonly dtype: "float16" };
}

/** Reads network.bin, whose layout network.json tells. */
function readWeights({ network: { weights: expected }, network }: PresetModel, files: ModelSource): void {
  const description = files.json("network.json") as {
    weightsManifest?: [{ weights?: (Partial<WeightSpec> | null)[] }];
  } | null;
  const specs = description?.weightsManifest?.[0]?.weights;
  const fits =
    Array.isArray(specs) &&
    specs.length === expected.length &&
    specs.every(
      (spec, i) =>
        spec?.dtype === "float32" &&
        [undefined, "float16"].includes(spec.quantization?.dtype) &&
        String(spec.shape) === String(expected[i].shape),
    );
  if (!fits) throw files.damaged("its weights have other shapes than its settings");
  const layout = expected.map(({ shape }, i): WeightSpec & { name: string } => {
    const half = specs[i]?.quantization?.dtype === "float16";
    const plain = { name: String(i), shape: shape as number[], dtype: "float32" } as const;
    return half ? { ...plain, quantization: { dtype: "float16" } } : plain;
  });
  const sizes = layout.map(
    ({ shape, quantization }) => (quantization ? 2 : 4) * tf.util.sizeFromShape(shape),
  );
  const length = sizes.reduce((sum, size) => sum + size, 0);
  const bytes = files.bytes("network.bin");
  if (bytes.length !== length)
    throw files.damaged(`network.bin has ${bytes.length} bytes instead of ${length}`);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const tensors = tf.io.decodeWeights(buffer, layout);
  network.setWeights(layout.map(({ name }) => tensors[name]));
  tf.dispose(tensors);
}

/** The nearest numbers of half precision (IEEE 754 binary16), as their bits. Throws InputError for larger ones than it has. */
export function halfPrecision(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (value) => {
    const size = Math.abs(value);
    if (!(size < 65520)) throw new InputError(`A weight is ${value}: beyond 65504, keep weights as float32.`);
    // Numbers with this exponent are 2^(exponent - 10) apart, the smallest ones as far as those above them.
    const exponent = Math.max(-14, Math.floor(Math.log2(size)));
    const steps = Math.round(size / 2 ** (exponent - 10));
    return (value < 0 ? 0x8000 : 0) + (exponent + 14) * 1024 + steps;
  });
}
