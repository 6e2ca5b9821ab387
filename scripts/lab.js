"use strict";
// npm run lab: JupyterLab with the TypeScript kernel, on this machine only. Further arguments go to JupyterLab.

const { spawn } = require("child_process");
const path = require("path");
const { root, python, environment, notebooksOf } = require("./environment");
const { end, killGroup } = require("./processes");
const { setupOrExit } = require("./setup");

// The first of the course.
const [notebook] = notebooksOf("notebooks");
const given = process.argv.slice(2);
const options = [
  "--ServerApp.ip=127.0.0.1",
  `--ServerApp.root_dir=${root}`,
  `--LabApp.default_url=/lab/tree/${notebook}`,
  // ipykernel comes with JupyterLab, and kernels may be installed on the system: notebooks here need this one.
  "--KernelSpecManager.ensure_native_kernel=False",
  "--KernelSpecManager.allowed_kernelspecs=tslab",
  "--MappingKernelManager.default_kernel_name=tslab",
  `--LabApp.extra_labextensions_path=${path.join(__dirname, "lab")}`,
  // No catalogue of extensions from the network; set-up sees to news and versions.
  "--LabApp.extension_manager=readonly",
];
// In a container one is root; the server listens on this machine only and asks for its token.
if (process.getuid?.() === 0) options.push("--allow-root");

/** Whether the user gives an option, under its full name or its last part: JupyterLab takes each once. */
const overridden = (option) => {
  const [name] = option.split("=");
  return given.some((text) => [name, `--${name.split(".").pop()}`].includes(text.split("=")[0]));
};

setupOrExit().then(() => {
  const own = options.filter((option) => !overridden(option));
  let lab;
  let ending;
  // The server is in a process group of its own: whatever ends this program (Ctrl-C, a closed terminal) reaches it as one
  // request to end, upon which it ends its kernels; repeated, as it can lose one while it starts.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => (ending ??= end(lab)));
  // eslint-disable-next-line no-restricted-syntax -- the user ends it
  lab = spawn(python, ["-m", "jupyterlab", ...own, ...given], {
    cwd: root,
    env: environment(),
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
  });
  lab.on("exit", (code, signal) => {
    killGroup(lab.pid); // what the server has left
    process.exit(signal ? 1 : (code ?? 1));
  });
});
