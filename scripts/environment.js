"use strict";
// Where things are in a clone, and the one place where the environment of its programs is made.
// Plain Node without packages: set-up runs before any package exists.

const { spawn } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");

const root = path.resolve(__dirname, "..");
const venv = path.join(root, ".venv");
const python = path.join(venv, "bin", "python");

/** The notebooks of a folder of a project, such as "notebooks/solutions", by their names in the project, in order. */
function notebooksOf(folder, project = root) {
  const place = path.join(project, folder);
  const names = fs.existsSync(place) ? fs.readdirSync(place).sort() : [];
  return names.filter((name) => name.endsWith(".ipynb")).map((name) => path.join(folder, name));
}

/** Where all committed notebooks are. */
const NOTEBOOK_FOLDERS = ["", "solutions", "gallery", "gallery/solutions"].map((name) =>
  path.join("notebooks", name),
);

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

/** Variables made for other programs, which would change what is computed, shown or installed here. */
const CLEARED = [
  /^TS_NODE_/, // would get into the JavaScript that scripts/typescript.js keeps
  /^(TF(?!_(CLI|VAR|LOG))|XLA|ONEDNN|DNNL|JAX)_/, // not those of Terraform
  /^PYTHON(?!$|_BENCH$|DONTWRITEBYTECODE$)/, // PYTHON itself says which one set-up takes
  /^__PYVENV_LAUNCHER__$/,
  /^JUPYTER(LAB)?_(\w*(DIR|DIRS|PATH)|(NO|USE_ENV)_CONFIG|ALLOW_INSECURE_WRITES|GATEWAY_\w+)$/,
  /^(IPYTHON|TRAITLETS_|NBFORMAT_|NBCONVERT_|PYZMQ_|PLOTLY_)/,
  /^FONTCONFIG_/, // of the browser that draws pictures
  /^NODE_(PATH|PENDING_DEPRECATION|PRESERVE_SYMLINKS(_MAIN)?)$/,
  /^(FORCE_COLOR|CLICOLOR_FORCE)$/, // executed notebooks would keep the colours
];

/** What of NODE_OPTIONS stays: memory, the debugger, certificates. The rest changes which code is loaded, and how. */
const NODE_OPTION =
  /^--(max-(old-space|semi-space|http-header)-size=\d+|inspect(-brk|-wait|-port)?(=\S+)?|use-\w+-ca|enable-source-maps|no-warnings)$/;

/** Variables that Node and the dynamic loader read once, at the start of a process. */
const READ_AT_START = /^(LD_LIBRARY_PATH|NODE_(OPTIONS|PATH|PENDING_DEPRECATION|PRESERVE_SYMLINKS(_MAIN)?))$/;

// TensorFlow aborts without a word at a negative number of threads, and hardly ends making a hundred thousand.
const threads = { pattern: /^(0*\d{1,3}|10[01]\d|102[0-4])$/, allowed: "a whole number from 1 to 1024" };

/** What the user may say to TensorFlow. */
const TENSORFLOW = {
  TF_NUM_INTRAOP_THREADS: { ...threads, value: String(os.availableParallelism?.() ?? 1) },
  TF_NUM_INTEROP_THREADS: { ...threads, value: "1" },
  TF_CPP_MIN_LOG_LEVEL: { pattern: /^[0-3]$/, allowed: "0, 1, 2 or 3", value: "2" },
  TF_FORCE_GPU_ALLOW_GROWTH: { pattern: /^(true|false)$/, allowed: "true or false", value: "true" },
};

/** Set for the project's programs whatever the user says: Jupyter's files are in the clone, Python writes UTF-8 and at once. */
function fixed(base) {
  const jupyter = base.POROUS_SGM_JUPYTER || path.join(venv, "jupyter"); // tests have one of their own
  return {
    JUPYTER_PATH: path.join(jupyter, "data"), // before the kernels of .venv, where DATA_DIR comes after them
    JUPYTER_CONFIG_DIR: path.join(jupyter, "config"),
    JUPYTER_DATA_DIR: path.join(jupyter, "data"),
    JUPYTER_RUNTIME_DIR: path.join(jupyter, "runtime"),
    JUPYTERLAB_SETTINGS_DIR: path.join(jupyter, "settings"),
    JUPYTERLAB_WORKSPACES_DIR: path.join(jupyter, "workspaces"),
    IPYTHONDIR: path.join(jupyter, "ipython"),
    PYTHONUTF8: "1",
    PYTHONUNBUFFERED: "1",
  };
}

/** What is wrong with a variable that the user may set, in one sentence; undefined if nothing is. */
function environmentFault(base = process.env) {
  for (const [name, { pattern, allowed }] of Object.entries(TENSORFLOW)) {
    const given = base[name];
    if (given && !pattern.test(given))
      return `${name} is ${JSON.stringify(given.slice(0, 100))}; give ${allowed}, or unset it.`;
  }
  return undefined;
}

/** Whether a folder, of conda say, has another TensorFlow, which the loader would take before that of .venv. */
function hasTensorFlow(folder) {
  return ["cc", "framework"].some((name) => fs.existsSync(path.join(folder, `libtensorflow_${name}.so.2`)));
}

/** Whether temporary files can be written into a folder. */
function canWrite(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    return fs.statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

/**
 * The environment of every process of the project, made from the user's: quiet TensorFlow logs, one thread a core unless the user
 * says otherwise, CUDA's libraries on the loader's path, and nothing that was meant for other programs. Applied twice it is the
 * same as once. Where a variable has a value that cannot be, ends this program with a sentence and status 2.
 */
function environment(base = process.env) {
  const fault = environmentFault(base);
  if (fault) {
    console.error(fault);
    process.exit(2);
  }
  const foreign = (name) => CLEARED.some((pattern) => pattern.test(name));
  const env = {
    ...Object.fromEntries(Object.entries(base).filter(([name]) => !foreign(name))),
    ...fixed(base),
  };
  // An empty one counts as not set, and 0 threads as TensorFlow's own choice, which is this one.
  for (const [name, { value }] of Object.entries(TENSORFLOW))
    env[name] = !base[name] || (/THREADS$/.test(name) && Number(base[name]) === 0) ? value : base[name];
  // Python looks for another folder by itself where this one cannot be written; Node does not.
  if (env.TMPDIR !== undefined && !canWrite(env.TMPDIR)) delete env.TMPDIR;
  const options = (env.NODE_OPTIONS ?? "").split(/\s+/).filter((option) => NODE_OPTION.test(option));
  if (options.length > 0) env.NODE_OPTIONS = options.join(" ");
  else delete env.NODE_OPTIONS;
  const own = cudaLibraries();
  const given = (base.LD_LIBRARY_PATH ?? "")
    .split(path.delimiter)
    .filter((name) => name && !own.includes(name));
  const others = given.filter((name) => !hasTensorFlow(name));
  if (own.length > 0 || others.length < given.length)
    env.LD_LIBRARY_PATH = [...own, ...others].join(path.delimiter);
  return env;
}

/** What the user may say to pip and npm while they install: where packages come from, and how to get there. */
const PIP =
  /^PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|PROXY|CERT|CLIENT_CERT|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|CONFIG_FILE|KEYRING_PROVIDER|USE_FEATURE)$/;
const NPM =
  /^npm_config_(.*registry|.*(_authToken|_auth|_password|username|email|certfile|keyfile)|(https?[-_])?proxy|no_?proxy|cafile|ca|cert|key|strict[-_]ssl|local[-_]address|user[-_]?config|global[-_]?config|maxsockets|fetch[-_].*|prefer[-_](online|offline))$/i;

/** Names of the user's variables that have another value for the project's programs, or none. */
function overruled(base = process.env) {
  const env = environment(base);
  const bends = (name) => base[name] !== env[name] || (/^PIP_/.test(name) && !PIP.test(name));
  const names = Object.keys(base).filter((name) => base[name] !== "" && bends(name));
  return names.filter((name) => name !== "LD_LIBRARY_PATH").sort(); // that one is added to
}

/** The environment of set-up's commands: their caches and temporary files in a folder of the clone, too. */
function installationEnvironment(cache, base = process.env) {
  const others = (name) =>
    /^PIP_/.test(name) ? !PIP.test(name) : /^npm_config_/i.test(name) && !NPM.test(name);
  const kept = Object.entries(environment(base)).filter(([name]) => !others(name));
  return {
    // Without a network npm would wait for more than a minute before it says so.
    npm_config_fetch_retries: "3",
    npm_config_fetch_retry_mintimeout: "1000",
    npm_config_fetch_retry_maxtimeout: "5000",
    ...Object.fromEntries(kept),
    TMPDIR: path.join(cache, "tmp"),
    npm_config_cache: path.join(cache, "npm"),
    npm_config_update_notifier: "false",
    PIP_CACHE_DIR: path.join(cache, "pip"),
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    PIP_USER: "0",
    ZIG_GLOBAL_CACHE_DIR: path.join(cache, "zig"),
    ZIG_LOCAL_CACHE_DIR: path.join(cache, "zig"),
    NO_COLOR: "1", // their words are searched
  };
}

/** Why programs of this clone cannot run yet, in a sentence; undefined once it is set up. */
function setupFault() {
  const { nodeFault } = require("./setup/machine"); // which needs this module
  const fault = nodeFault(process.versions.node);
  if (fault) return fault;
  const native = path.join(root, "node_modules", "@tensorflow", "tfjs-node-gpu", "lib", "napi-v8");
  const stamps = [path.join(root, "node_modules"), venv, native].map((folder) =>
    path.join(folder, ".set-up"),
  );
  const missing = stamps.some((file) => !fs.existsSync(file));
  return missing ? `The project in ${root} is not set up: run npm run setup there.` : undefined;
}

/**
 * Gives this program, which computes itself, the project's environment, or ends it with a sentence where that cannot be. What
 * Node and the dynamic loader read once, at the start of a process, takes another one: starts this program again where that
 * differs, passes signals on, and ends as that one does. Returns whether it did.
 */
function startedAgain() {
  const fault = setupFault();
  if (fault) {
    console.error(fault);
    process.exit(1);
  }
  const env = environment();
  const changed = [...Object.keys(env), ...Object.keys(process.env)].filter(
    (name) => env[name] !== process.env[name],
  );
  if (!changed.some((name) => READ_AT_START.test(name))) {
    for (const name of changed) delete process.env[name];
    for (const name of changed) if (name in env) process.env[name] = env[name];
    return false;
  }
  const args = [...process.execArgv, require.main.filename, ...process.argv.slice(2)];
  // eslint-disable-next-line no-restricted-syntax -- this program itself, as long as it takes
  const child = spawn(process.execPath, args, { env, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
  return true;
}

module.exports = {
  root,
  venv,
  python,
  sitePackages,
  cudaLibraries,
  environment,
  environmentFault,
  installationEnvironment,
  notebooksOf,
  NOTEBOOK_FOLDERS,
  overruled,
  startedAgain,
};
