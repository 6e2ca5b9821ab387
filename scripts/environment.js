"use strict";
// Where things are in a clone, and the environment that native TensorFlow and Jupyter need.
// Plain Node without packages: set-up runs before any package exists.

const fs = require("fs");
const os = require("os");
const path = require("path");

const root = path.resolve(__dirname, "..");
const windows = process.platform === "win32";
const venv = path.join(root, ".venv");
const python = windows ? path.join(venv, "Scripts", "python.exe") : path.join(venv, "bin", "python");

/** The folder of installed Python packages in .venv, or undefined before set-up. */
function sitePackages() {
  if (windows) return path.join(venv, "Lib", "site-packages");
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
 * user says otherwise, CUDA's libraries on the loader's path, and Jupyter's files inside the clone.
 */
function environment(base = process.env) {
  const cores = String(os.availableParallelism());
  const libraries = cudaLibraries();
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
  if (libraries.length > 0) {
    env.LD_LIBRARY_PATH = [...libraries, base.LD_LIBRARY_PATH].filter(Boolean).join(path.delimiter);
  }
  return env;
}

module.exports = { root, venv, python, windows, sitePackages, cudaLibraries, environment };
