/** What the page loads and could not compute in good time, by the native backend: see modes.ts. */
import fs from "node:fs";
import path from "node:path";
import { biasesOf } from "../../../lib/gaussian/drawing";
import { loadModel } from "../../../lib/storage/modelFolder";
import { sampleFields } from "../../../lib/storage/samplingRun";
import { inMetres, lengthFile, lengthToBytes, networkNumbers } from "./modes";
import { LENGTHS } from "./settings";

/** Writes the files of all correlation lengths and the numbers that a browser's backend is held against. */
export async function precompute(modelFolder: string, folder: string): Promise<void> {
  const model = await loadModel(modelFolder);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "check.bin"), networkNumbers(model));
  for (const l of LENGTHS) {
    const conditions = Float64Array.of(inMetres(l), 0, 25);
    await sampleFields(model, conditions, { count: 1 }); // which measures the biases
    const { variances, vectors } = model.conditioningOf(conditions);
    const bytes = lengthToBytes({
      variances: variances.dataSync() as Float32Array,
      vectors: vectors.dataSync() as Float32Array,
      biases: [...biasesOf(model)!.values()],
    });
    fs.writeFileSync(path.join(folder, lengthFile(l)), bytes);
  }
  model.dispose();
}
