/** What the page's bundle takes for @tensorflow/tfjs: of that the core, the layers and the backend in JavaScript, no WebGL. */
import "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import "@tensorflow/tfjs-backend-cpu";
import { version_core } from "@tensorflow/tfjs-core";

export * from "@tensorflow/tfjs-core";
export * from "@tensorflow/tfjs-layers";
export const version = { tfjs: version_core };
