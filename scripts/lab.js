"use strict";
// npm run lab: JupyterLab with the TypeScript kernel, on this machine only. Further arguments go to JupyterLab.

const { spawn } = require("child_process");
const path = require("path");
const { root, python, environment } = require("./environment");
const { setup, SetupError } = require("./setup");

try {
  setup();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`set-up: ${error.message}`);
  process.exit(1);
}
const args = ["-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", `--ServerApp.root_dir=${root}`];
const start = `--LabApp.default_url=/lab/tree/${path.join("notebooks", "1-porosity-and-solver.ipynb")}`;
// The server handles signals itself: the first Ctrl-C reaches it too.
const lab = spawn(python, [...args, start, ...process.argv.slice(2)], {
  cwd: root,
  env: environment(),
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => signal === "SIGTERM" && lab.kill(signal));
lab.on("exit", (code) => process.exit(code ?? 1));
