/** Models from their parts: an untrained one for a data set, and one of given scaling. */
import { finish, type Stoppable } from "../backend/interrupt";
import type { tf } from "../backend/tensors";
import { checkConditionsKnown, isSource, piecesOf, type RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import { InputError } from "../backend/errors";
import { filmNetwork, type NetworkShape } from "../filmCnn";
import { standardising, takingMoments } from "../gaussian/conditionalMoments";
import type { Covariance } from "../gaussian/covariance";
import { gaussianExact } from "../gaussian/exactSampler";
import { dpmSolver2M } from "../gaussian/odeSamplers";
import { ModalPreconditioner } from "../gaussian/preconditioner";
import { canSimulateMoments, simulatingMoments } from "../gaussian/simulatedMoments";
import { plainPreconditioner } from "../preconditioner";
import type { Problem, Ranges } from "../problem";
import { type History, ScoreModel } from "../scoreModel";
import { globalStandardisation, type Standardisation } from "../standardisation";
import { patchNetwork } from "./patchNetwork";
import type { ModelSettings, Preset } from "./presets";

/** A score model that is made of a preset's settings. */
export type PresetModel = ScoreModel<ModelSettings>;

/** What a model of some settings needs to know of the data. */
export interface Scaling {
  readonly standardisation: Standardisation;
  /** For the target "residual". */
  readonly covariance?: Covariance;
}

/**
 * An untrained model of a preset for a data set, with the moments that the preset asks for taken from the data: fields
 * (rows, fields, cells) in their units become standardised ones without unit, [batch, cells, fields].
 *
 * seed: of the first weights. Throws InputError for data that the preset cannot be trained on.
 */
export function createModel(data: DataSet | RowSource, preset: Preset, seed = 1): PresetModel {
  return finish(creatingModel(data, preset, seed));
}

/** The same, as work that can be stopped. */
export function* creatingModel(
  data: DataSet | RowSource,
  { model }: Preset,
  seed = 1,
): Stoppable<PresetModel> {
  checkConditionsKnown(data);
  const scaling = yield* scalingFor(data, model, seed);
  return buildModel(data.problem, model, scaling, seed, {}, rangesOf(data, model));
}

/** A model with first weights of a seed. Throws InputError where the target lacks its covariance. */
export function buildModel(
  problem: Problem,
  settings: ModelSettings,
  { standardisation, covariance }: Scaling,
  seed = 1,
  history: History = {},
  trainedOn?: Ranges,
): PresetModel {
  const { target } = settings;
  const modal = target === "residual";
  if (modal && !covariance) throw new InputError("The model has no covariance, which its target needs.");
  const preconditioner = modal
    ? new ModalPreconditioner(problem, standardisation, covariance!)
    : plainPreconditioner(problem, target, standardisation);
  const network = buildNetwork(preconditioner.shape, settings, seed);
  const sampler = modal ? gaussianExact : dpmSolver2M;
  return new ScoreModel(
    problem,
    settings,
    standardisation,
    preconditioner,
    network,
    sampler,
    history,
    trainedOn,
  );
}

/** The conditions that a model learns something of: those of the data, or any that its responses hold for all values of. */
function rangesOf(data: DataSet | RowSource, { target }: ModelSettings): Ranges {
  const { problem } = data;
  const { conditions: values } = isSource(data) ? data.groups : data;
  const count = problem.conditions.length;
  return problem.conditions.map(({ name, min, max }, k) => {
    if (target === "residual" && problem.affineIn.includes(name)) return [min, max];
    let [low, high] = [Infinity, -Infinity];
    for (let i = k; i < values.length; i += count) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
    return [low, high];
  });
}

function* scalingFor(
  data: DataSet | RowSource,
  { standardisation: kind, target, momentDraws: draws }: ModelSettings,
  seed: number,
): Stoppable<Scaling> {
  if (kind === "global") return { standardisation: globalStandardisation(data, () => piecesOf(data)) };
  if (target === "residual" && draws && canSimulateMoments(data.problem))
    return yield* simulatingMoments(data, draws, seed);
  if (target !== "residual") return { standardisation: yield* standardising(data) };
  return yield* takingMoments(data);
}

/** Each kind of network: a new one is one more case. */
function buildNetwork(shape: NetworkShape, { network }: ModelSettings, seed: number): tf.LayersModel {
  return network.kind === "film" ? filmNetwork(shape, network, seed) : patchNetwork(shape, network, seed);
}
