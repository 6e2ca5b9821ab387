"use strict";
// Where things are in a clone, and the environment that native TensorFlow and Jupyter need.
// Plain Node without packages: set-up runs before any package exists.

const { spawn } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");

const root = path.resolve(__dirname, "..");
const venv = path.join(root, ".venv");
const python = path.join(venv, "bin", "python");

/** The folder of installed Python packages in .venv, or undefined before set-up. */
function sitePackages() {
  const lib = path.join(venv, "lib");
  const version = fs.existsSync(lib) && fs.readdirSync(lib).find((name) => /^python3\.\d+$/.test(name));
  return version ? path.join(lib, version, "site-packages") : undefined;
}

/** Folders of the CUDA libraries that come as Python wheels (empty on a machine set up for the CPU). */
function cudaLibraries() {
  const site = sitePackages();
  const nvidia = site && path.join(site, "nvidia");
  if (!nvidia || !fs.existsSync(nvidia)) return [];
  return fs
    .readdirSync(nvidia)
    .map((name) => path.join(nvidia, name, "lib"))
    .filter((folder) => fs.existsSync(folder));
}

/**
 * The environment of every process that computes: quiet TensorFlow logs, one thread a core unless the
 * user says otherwise, CUDA's libraries on the loader's path, Jupyter's files inside the clone, and none of
 * Python's packages from elsewhere. Applied twice it is the same as once.
 */
function environment(base = process.env) {
  const cores = String(os.availableParallelism());
  const env = {
    TF_CPP_MIN_LOG_LEVEL: "2",
    TF_NUM_INTRAOP_THREADS: cores,
    TF_NUM_INTEROP_THREADS: "1",
    TF_FORCE_GPU_ALLOW_GROWTH: "true",
    JUPYTER_CONFIG_DIR: path.join(venv, "jupyter", "config"),
    JUPYTER_DATA_DIR: path.join(venv, "jupyter", "data"),
    JUPYTER_RUNTIME_DIR: path.join(venv, "jupyter", "runtime"),
    JUPYTERLAB_SETTINGS_DIR: path.join(venv, "jupyter", "settings"),
    JUPYTERLAB_WORKSPACES_DIR: path.join(venv, "jupyter", "workspaces"),
    IPYTHONDIR: path.join(venv, "jupyter", "ipython"),
    ...base,
  };
  delete env.PYTHONHOME;
  delete env.PYTHONPATH;
  const own = cudaLibraries();
  if (own.length > 0) {
    const others = (base.LD_LIBRARY_PATH ?? "").split(path.delimiter);
    env.LD_LIBRARY_PATH = [...own, ...others.filter((name) => name && !own.includes(name))].join(
      path.delimiter,
    );
  }
  return env;
}

/**
 * The dynamic loader reads its path once, at the start of a process: where CUDA's libraries are not on it yet, starts this
 * program again with them, passes signals on, and ends as that one does. Returns whether it did.
 */
function startedAgain() {
  const env = environment();
  if (env.LD_LIBRARY_PATH === process.env.LD_LIBRARY_PATH) return false;
  // eslint-disable-next-line no-restricted-syntax -- this program itself, as long as it takes
  const child = spawn(process.execPath, process.argv.slice(1), { env, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
  return true;
}

module.exports = { root, venv, python, sitePackages, cudaLibraries, environment, startedAgain };
