/** A model as the files that it is saved in, by name and content. */
import { tf } from "../backend/tensors";
import { InputError } from "../errors";
import { ConditionalCovariance } from "../gaussian/covariance";
import {
  checkNumbers,
  type ConditionalData,
  ConditionalStandardisation,
} from "../gaussian/conditionalStandardisation";
import type { Problem } from "../problem";
import type { History } from "../scoreModel";
import { type GlobalData, globalFrom, type Standardisation } from "../standardisation";
import { buildModel, type PresetModel } from "./createModel";
import type { ModelSettings } from "./presets";
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
  readonly settings: ModelSettings;
  readonly history: History;
  readonly standardisation: GlobalData | ConditionalData;
}

/** The files of a model. history: what they are to tell of how it came about. */
export async function filesOf(model: PresetModel, history: History = model.history): Promise<ModelFiles> {
  const { problem, settings, standardisation, preconditioner } = model;
  const description: ModelFile = {
    format: FORMAT,
    problem: { name: problem.name, version: problem.version, settings: problem.settings },
    settings,
    history,
    standardisation: standardisation.toJSON() as GlobalData | ConditionalData,
  };
  let network: ModelFiles = {};
  await model.network.save({
    save: async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ["network.bin"], weights: weightSpecs }];
      network = {
        "network.bin": new Uint8Array(
          Array.isArray(weightData) ? tf.io.concatenateArrayBuffers(weightData) : weightData!,
        ),
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

/** The model that some files hold. Throws InputError, with the reason, if they hold none or a damaged one. */
export function modelFrom(files: ModelSource): PresetModel {
  const file = files.json("model.json") as ModelFile;
  if (file?.format !== FORMAT) throw files.damaged(`model.json is not of the format ${FORMAT}`);
  const bytes = file.settings?.target === "rest" ? files.bytes("covariance.bin") : undefined;
  let model: PresetModel;
  try {
    const problem = problemByName(file.problem.name, file.problem.settings);
    if (file.problem.version !== problem.version) {
      throw new InputError(`it was made for another version of the problem ${problem.name}`);
    }
    const data = file.standardisation;
    const standardisation =
      data.kind === "conditional" ? new ConditionalStandardisation(problem, data) : global(problem, data);
    const covariance = bytes && ConditionalCovariance.fromBytes(problem, bytes);
    model = buildModel(problem, file.settings, { standardisation, covariance }, 1, file.history);
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
function global(problem: Problem, data: GlobalData): Standardisation {
  checkNumbers("mean", data.mean, problem.fields.length);
  checkNumbers("std", data.std, problem.fields.length);
  return globalFrom(problem, data);
}

/** Reads network.bin, whose layout network.json tells. */
function readWeights({ network: { weights: expected }, network }: PresetModel, files: ModelSource): void {
  const description = files.json("network.json") as {
    weightsManifest?: [{ weights?: ({ shape?: number[]; dtype?: string } | null)[] }];
  } | null;
  const specs = description?.weightsManifest?.[0]?.weights;
  const floats = expected.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);
  const fits =
    Array.isArray(specs) &&
    specs.length === expected.length &&
    specs.every((spec, i) => spec?.dtype === "float32" && String(spec.shape) === String(expected[i].shape));
  if (!fits) throw files.damaged("its weights have other shapes than its settings");
  const bytes = files.bytes("network.bin");
  if (bytes.length !== 4 * floats)
    throw files.damaged(`network.bin has ${bytes.length} bytes instead of ${4 * floats}`);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  let start = 0;
  const tensors = expected.map(({ shape }) => {
    const end = start + tf.util.sizeFromShape(shape as number[]);
    const tensor = tf.tensor(values.slice(start, end), shape as number[]);
    start = end;
    return tensor;
  });
  network.setWeights(tensors);
  tf.dispose(tensors);
}
