import { columnStd, meanDistance, samplingFloor, standardiser } from "../../lib/comparison";
import { referenceConditions } from "../../lib/evaluation/heldOut";
import type { SamplerStudy } from "../../lib/evaluation/studies";
import { samplerByName, samplers } from "../../lib/presets/samplers";
import { loadModel } from "../../lib/storage/modelFolder";
import { sampleFields } from "../../lib/storage/samplingRun";
/** Error of every sampler against network calls, all from the same noise: data/results/samplers.json. */

const CALLS = [10, 20, 40, 80];
const REFERENCE = { sampler: "gaussian-exact-2m", steps: 160 };
const SEED = 11;

/** folder: of the model; rows: of each set. */
export async function samplerStudy(
  folder: string,
  rows: number,
  print: (text: string) => void,
): Promise<SamplerStudy> {
  const model = await loadModel(folder);
  const conditions = referenceConditions(model.problem);
  const draw = async (sampler: string, steps: number): Promise<Float64Array> =>
    (
      await sampleFields(model, conditions, {
        count: rows,
        batch: rows,
        sampler: samplerByName(sampler),
        steps,
        seed: SEED,
      })
    ).fields;
  const reference = await draw(REFERENCE.sampler, REFERENCE.steps);
  const scale = standardiser(reference, reference.length / rows);
  const columns = scale.free.length;
  const x = scale.apply(reference);
  const within = meanDistance(x, x, columns);
  const results = [];
  for (const { name, networkCallsPerStep } of samplers) {
    for (const networkCalls of CALLS) {
      const y = scale.apply(await draw(name, networkCalls / networkCallsPerStep));
      const energyDistance = 2 * meanDistance(x, y, columns) - within - meanDistance(y, y, columns);
      const std = columnStd(y, columns);
      const stdRatio = std.reduce((sum, value) => sum + value, 0) / columns;
      results.push({ sampler: name, networkCalls, energyDistance, stdRatio });
      print(
        `${name.padEnd(18)} ${String(networkCalls).padStart(4)} calls: ` +
          `energy distance ${energyDistance.toExponential(1)}, std ratio ${stdRatio.toFixed(4)}`,
      );
    }
  }
  const floors = [rows, 10_000].map((n) => ({ rows: n, energyDistance: samplingFloor(x, columns, n) }));
  return { model: folder, conditions: [...conditions], rows, reference: REFERENCE, floors, results };
}
