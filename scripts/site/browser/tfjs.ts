/** TensorFlow.js on its WebAssembly backend, ready when a notebook's first cell is. */
import * as tf from "@tensorflow/tfjs-core";
import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-cpu";
import { type BackendWasm, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";

export * from "@tensorflow/tfjs-core";
export * from "@tensorflow/tfjs-layers";
export const version = { tfjs: tf.version_core };

declare const SITE: string; // its root, as seen from here
setWasmPaths(new URL(SITE, import.meta.url).href);
await tf.setBackend("wasm");
await tf.ready();

// What the backend lacks (the gradient of a convolution's filter, say) is computed by the one in JavaScript.
const cpu = tf.engine().findBackend("cpu") as MathBackendCPU;
const wasm = tf.backend() as BackendWasm;
for (const { kernelName, kernelFunc } of tf.getKernelsForBackend("cpu")) {
  if (tf.getKernel(kernelName, "wasm")) continue;
  const moved = (result: tf.TensorInfo): tf.TensorInfo => {
    const output = wasm.makeOutput(result.shape, result.dtype, undefined, cpu.readSync(result.dataId));
    cpu.disposeIntermediateTensorInfo(result);
    return output;
  };
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc(given) {
      const results = kernelFunc({ ...given, backend: cpu });
      return Array.isArray(results) ? results.map(moved) : moved(results);
    },
  });
}
