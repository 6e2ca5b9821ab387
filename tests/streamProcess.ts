/**
 * A training of few steps on a file, loaded or read row by row, in a process of its own, so that it has one thread.
 *
 *   node --require ./scripts/typescript.js tests/streamProcess.ts FILE loaded|streamed
 *
 * Prints a line for each kind of model: its name, SHA-256 of moments and weights, and the last losses.
 */
import { createHash } from "node:crypto";
import { createModel } from "../lib/presets/createModel";
import type { ModelSettings, TrainingSettings } from "../lib/presets/presets";
import { ArrowRows, openRows, readDataSet } from "../lib/storage/arrow";
import { trainModel } from "../lib/storage/trainingRun";
import { tinyFilm, tinyPreset, tinyToken } from "./tiny";

/** Model, training and number of steps: more than one pass over the data, as rows that were read once are kept. */
const KINDS: Record<string, [ModelSettings, Partial<TrainingSettings>, number]> = {
  "moments of all rows": [tinyFilm, {}, 20],
  "moments by condition": [tinyToken, { rowsPerCondition: 3 }, 20],
  "covariances, in pairs": [
    { ...tinyToken, target: "residual", momentDraws: 50 },
    { batch: 160, rowsPerCondition: 4, mirrored: true },
    5,
  ],
};

async function main(): Promise<void> {
  const [file, way] = process.argv.slice(2);
  const data = way === "loaded" ? await readDataSet(file) : await openRows(file);
  for (const [name, [settings, training, steps]] of Object.entries(KINDS)) {
    const preset = tinyPreset(settings, training);
    const model = createModel(data, preset);
    const hash = createHash("sha256").update(JSON.stringify(model.standardisation.toJSON()));
    let losses: number[] = [];
    for await (const { loss, validationLoss } of trainModel(model, data, preset.training, { steps })) {
      losses = [loss, validationLoss];
    }
    for (const weight of model.network.getWeights()) hash.update(new Uint8Array(weight.dataSync().buffer));
    model.dispose();
    console.log(`${name}: ${hash.digest("hex")}, ${losses.join()}`);
  }
  if (data instanceof ArrowRows) data.close();
}

void main();
