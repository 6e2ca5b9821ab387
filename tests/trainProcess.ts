/**
 * A training in a process of its own, for tests that end it from outside: tiny model, 40 steps, states in a folder.
 *
 *   node --require ./scripts/typescript.js tests/trainProcess.ts FOLDER [MS_PER_STEP]
 *
 * Prints "step N" for each step (after its state is kept), sentences of the training as "note ...", and the SHA-256 of the
 * final weights; an error's sentence goes to stderr, with exit status 2.
 */
import { createHash } from "node:crypto";
import { InputError } from "../lib/backend/errors";
import { Interrupted } from "../lib/backend/interrupt";
import { createModel } from "../lib/presets/createModel";
import { trainModel } from "../lib/storage/trainingRun";
import { tinyData, tinyPreset, tinyToken, tinyTraining } from "./tiny";

async function main(): Promise<void> {
  const [folder, pause = "0"] = process.argv.slice(2);
  const data = tinyData();
  const model = createModel(data, tinyPreset(tinyToken), 1);
  const options = {
    steps: 40,
    validateEvery: 10,
    checkpoint: { folder, resume: true, everySteps: 1 },
    note: (sentence: string) => console.log(`note ${sentence}`),
  };
  console.log("ready");
  for await (const { step } of trainModel(model, data, tinyTraining, options)) {
    console.log(`step ${step}`);
    await new Promise((resolve) => setTimeout(resolve, Number(pause)));
  }
  const hash = createHash("sha256");
  for (const weight of model.network.getWeights()) hash.update(new Uint8Array(weight.dataSync().buffer));
  console.log(`weights ${hash.digest("hex")}`);
}

main().catch((error: unknown) => {
  const known = error instanceof InputError || error instanceof Interrupted;
  console.error(known ? error.message : error);
  process.exit(known ? 2 : 1);
});
