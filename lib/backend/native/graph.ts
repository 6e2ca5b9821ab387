/**
 * Functions of tensors as TensorFlow graphs: tfjs runs graphs that were saved by others; here it saves them itself.
 */
import fs from "fs";
import os from "os";
import path from "path";
import { InputError, shown } from "../errors";
import type { Graph } from "../backend";
import { native, type tf } from "./binding";
import { savedModel, TAG } from "./graphDef";
import { record, type Recording } from "./record";

/** See Compiler in backend.ts. */
export function compile(body: () => readonly tf.Tensor[], inputs: readonly tf.Tensor[]): Graph {
  const recording = record(body, inputs);
  const id = load(recording);
  const [from, to] = [recording.inputs.join(), recording.outputs.join()];
  return {
    run(values) {
      const backend = native();
      const results = backend.binding.runSavedModel(id, backend.getInputTensorIds(values), from, to);
      return results.map((result) => backend.createOutputTensor(result));
    },
    dispose: () => native().binding.deleteSavedModel(id),
  };
}

/** TensorFlow's number for the graph, which it reads from a file only. */
function load({ nodes }: Recording): number {
  const place = os.tmpdir();
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(path.join(place, "porous-sgm-graph-"));
    fs.writeFileSync(path.join(folder, "saved_model.pb"), savedModel(nodes));
    return native().binding.loadSavedModel(folder, TAG);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `Cannot write to ${shown(place)}: ${reason}; make room there, or name another TMPDIR.`,
    );
  } finally {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  }
}
