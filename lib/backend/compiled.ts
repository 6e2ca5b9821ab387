import fs from "fs";
import os from "os";
import path from "path";
import { fileError } from "../storage/files";
import { native, tf } from "./native";
import { savedModel, TAG } from "./graphDef";
import { record } from "./record";

/** Graphs that are kept, one a combination of shapes: more than any use needs, few enough to hold in memory. */
const MOST_GRAPHS = 8;

/** How many calls of eagerly() are under way. */
let eager = 0;

/**
 * Runs `body`; compiled functions that are called until it ends, or until its promise is settled, are computed operation
 * by operation, in JavaScript, as they are written.
 */
export function eagerly<R>(body: () => R): R {
  const end = () => void eager--;
  eager++;
  let result: R;
  try {
    result = body();
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) return result.finally(end) as R;
  end();
  return result;
}

/**
 * A function of tensors that is recorded once for each combination of shapes and from then on runs as one TensorFlow graph:
 * without JavaScript between its operations, which often takes as long as they do, in memory that is used again, and
 * with neighbouring operations fused. tfjs runs graphs that were saved by others; here it saves them itself.
 *
 * The function gets all tensors that it uses as inputs; `weights` are further ones that it uses by itself, whose present
 * values count at each run. Everything else that it computes with is taken to be the same at all runs. Results are
 * equal to those of the function but for rounding. On a GPU the function is called as it is: values of a graph would
 * pass through the processor's memory.
 *
 * In and Out are records of tensors; inputs that are undefined are left out.
 */
export class CompiledFunction<In extends object, Out extends object> {
  private readonly graphs = new Map<string, Graph>();

  constructor(
    private readonly body: (inputs: In) => Out,
    private readonly weights: () => readonly tf.Tensor[] = () => [],
  ) {}

  /** The function's value; the caller disposes of its tensors. Throws InputError where the graph cannot be stored. */
  run(inputs: In): Out {
    if (eager > 0 || native().isUsingGpuDevice)
      return tf.tidy(() => this.body(inputs) as tf.TensorContainer) as Out;
    const given = Object.entries(inputs).filter(
      (entry): entry is [string, tf.Tensor] => entry[1] !== undefined,
    );
    const tensors = [...given.map(([, tensor]) => tensor), ...this.weights()];
    const names = given.map(([name]) => name);
    const key = [...names, ...tensors.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`)].join();
    let graph = this.graphs.get(key);
    if (!graph) {
      for (const [oldest, { id }] of [...this.graphs].slice(0, this.graphs.size + 1 - MOST_GRAPHS)) {
        native().binding.deleteSavedModel(id);
        this.graphs.delete(oldest);
      }
      graph = compile(() => this.body(inputs), tensors);
      this.graphs.set(key, graph);
    }
    const backend = native();
    const { id, inputs: from, outputs: to, results } = graph;
    const values = backend.binding.runSavedModel(id, backend.getInputTensorIds(tensors), from, to);
    return Object.fromEntries(
      values.map((value, i) => [results[i], backend.createOutputTensor(value)]),
    ) as Out;
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const { id } of this.graphs.values()) native().binding.deleteSavedModel(id);
    this.graphs.clear();
  }
}

/** A graph that TensorFlow has loaded. */
interface Graph {
  /** TensorFlow's number for it */
  readonly id: number;
  /** names of nodes, with commas between them */
  readonly inputs: string;
  readonly outputs: string;
  /** what the function calls its outputs */
  readonly results: readonly string[];
}

function compile(body: () => object, inputs: readonly tf.Tensor[]): Graph {
  let results: string[] = [];
  const recording = record(() => {
    const value = body();
    results = Object.keys(value);
    return Object.values(value) as tf.Tensor[];
  }, inputs);
  const place = os.tmpdir();
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(path.join(place, "porous-sgm-graph-"));
    fs.writeFileSync(path.join(folder, "saved_model.pb"), savedModel(recording.nodes));
    const id = native().binding.loadSavedModel(folder, TAG);
    return { id, inputs: recording.inputs.join(), outputs: recording.outputs.join(), results };
  } catch (error) {
    throw fileError("write", place, error);
  } finally {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  }
}
