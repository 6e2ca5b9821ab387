"use strict";
// What JupyterLab starts as the kernel "TypeScript": tslab, with the project's root as its working
// directory (so that notebooks import "./lib/..." with types checked) and TensorFlow's environment.

const path = require("path");
const { root, environment, cudaLibraries } = require("./environment");

const connection = process.argv[2];
const env = environment();
if (cudaLibraries().length > 0 && env.LD_LIBRARY_PATH !== process.env.LD_LIBRARY_PATH) {
  // The dynamic loader reads its path once, at the start of a process: begin again with CUDA's on it.
  const child = require("child_process").spawn(process.execPath, [__filename, connection], {
    env,
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
} else {
  process.chdir(root);
  Object.assign(process.env, env);
  require(path.join(root, "node_modules", "tslab", "dist", "main.js")).startKernel({
    configPath: connection,
    enableFindLocal: false,
  });
}
