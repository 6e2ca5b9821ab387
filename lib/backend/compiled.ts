import type { Graph } from "./backend";
import { backend, tf } from "./native";

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
 * with neighbouring operations fused.
 *
 * The function gets all tensors that it uses as inputs; `weights` are further ones that it uses by itself, whose present
 * values count at each run. Everything else that it computes with is taken to be the same at all runs. Results are
 * equal to those of the function but for rounding. Without TensorFlow's C library, as in a browser, and on a GPU, where
 * values of a graph would pass through the processor's memory, the function is called as it is.
 *
 * In and Out are records of tensors; inputs that are undefined are left out.
 */
export class CompiledFunction<In extends object, Out extends object> {
  private readonly graphs = new Map<string, { readonly graph: Graph; readonly results: readonly string[] }>();

  constructor(
    private readonly body: (inputs: In) => Out,
    private readonly weights: () => readonly tf.Tensor[] = () => [],
  ) {}

  /** The function's value; the caller disposes of its tensors. Throws InputError where the graph cannot be stored. */
  run(inputs: In): Out {
    const compile = eager > 0 ? undefined : backend.compiler();
    if (!compile) return tf.tidy(() => this.body(inputs) as tf.TensorContainer) as Out;
    const given = Object.entries(inputs).filter(
      (entry): entry is [string, tf.Tensor] => entry[1] !== undefined,
    );
    const tensors = [...given.map(([, tensor]) => tensor), ...this.weights()];
    const names = given.map(([name]) => name);
    const key = [...names, ...tensors.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`)].join();
    let compiled = this.graphs.get(key);
    if (!compiled) {
      for (const [oldest, { graph }] of [...this.graphs].slice(0, this.graphs.size + 1 - MOST_GRAPHS)) {
        graph.dispose();
        this.graphs.delete(oldest);
      }
      let results: string[] = [];
      const graph = compile(() => {
        const value = this.body(inputs);
        results = Object.keys(value);
        return Object.values(value) as tf.Tensor[];
      }, tensors);
      compiled = { graph, results };
      this.graphs.set(key, compiled);
    }
    const { graph, results } = compiled;
    return Object.fromEntries(graph.run(tensors).map((value, i) => [results[i], value])) as Out;
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const { graph } of this.graphs.values()) graph.dispose();
    this.graphs.clear();
  }
}

/** Graphs of one network, each made at the first call of its name. weights: the network's. */
export class Graphs {
  private readonly known = new Map<string, CompiledFunction<object, object>>();

  constructor(private readonly weights: () => tf.Variable[]) {}

  named<In extends object, Out extends object>(
    name: string,
    body: (inputs: In) => Out,
  ): CompiledFunction<In, Out> {
    const known = this.known.get(name) as CompiledFunction<In, Out> | undefined;
    if (known) return known;
    const made = new CompiledFunction<In, Out>(body, this.weights);
    this.known.set(name, made as unknown as CompiledFunction<object, object>);
    return made;
  }

  dispose(): void {
    for (const graph of this.known.values()) graph.dispose();
  }
}
