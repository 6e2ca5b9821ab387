"use strict";
// npm run setup: everything the project needs, inside the clone, each step skipped when it is up to date.
// Plain Node: no package is there yet. Options: --gpu takes TensorFlow with CUDA, --cpu goes back.

const { spawnSync } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { deadline, npm } = require("./processes");
const { root, venv, python, sitePackages, installationEnvironment } = require("./environment");
const { SetupError, explain, sentenceOf } = require("./setup/failure");
const { takeLock } = require("./setup/lock");
const { thisMachine, nodeFault, machineFault, findPython, NO_AVX } = require("./setup/machine");
const { run, stop } = require("./setup/run");

const modules = path.join(root, "node_modules");
const cache = path.join(root, ".cache");
const npmCache = path.join(cache, "npm");
const native = path.join(modules, "@tensorflow", "tfjs-node-gpu");
const binding = path.join(native, "lib", "napi-v8", "tfjs_binding.node");

const read = (...names) => fs.readFileSync(path.join(root, ...names));
const digest = (...parts) =>
  parts.reduce((hash, part) => hash.update(part), crypto.createHash("sha256")).digest("hex");
const contentOf = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined);
const remove = (file) => fs.rmSync(file, { recursive: true, force: true, maxRetries: 3 });
const say = (text) => console.log(`set-up: ${text}`);

let lock; // held while something is installed

/** Runs a command of one step: caches and temporary files in the clone, the user's settings kept from bending it. */
function command(name, args) {
  const env = installationEnvironment(cache);
  fs.mkdirSync(env.TMPDIR, { recursive: true });
  return run(name, args, { cwd: root, env, changed: (pids) => lock.note(pids) });
}

/** The last state of a step is its stamp, a file with a digest of what went in: gone before, written after. */
function stamped(file, stamp, ...made) {
  const missing = () => made.map((name) => name()).find((name) => !fs.existsSync(name));
  return {
    current: () => contentOf(file) === stamp() && missing() === undefined,
    begin: () => fs.rmSync(file, { force: true }),
    finish() {
      const lost = missing();
      if (lost !== undefined)
        throw new SetupError(
          `${lost} is missing though its installation reported no fault: look for unusual settings with npm config list and .venv/bin/pip config list.`,
        );
      fs.writeFileSync(file, stamp());
    },
  };
}

/** npm packages, exactly those of the lock file, none of their install scripts run. */
function npmPackages() {
  const { dependencies, devDependencies } = JSON.parse(read("package.json"));
  const link = path.join(modules, ".bin", "porous-sgm");
  const packages = Object.keys({ ...dependencies, ...devDependencies }).map(
    (name) => () => path.join(modules, name, "package.json"),
  );
  const stamp = stamped(
    path.join(modules, ".set-up"),
    () => digest(read("package-lock.json")),
    ...packages,
    () => link,
  );
  return {
    current: stamp.current,
    async perform() {
      stamp.begin();
      say("npm packages (half a minute) ...");
      const options = ["--ignore-scripts", "--include=dev", "--include=optional", "--include=peer"];
      // What a user's .npmrc could say otherwise.
      const settings =
        "--no-global --no-dry-run --no-package-lock-only --bin-links --install-strategy=hoisted";
      const [program, ...first] = npm();
      const args = [...first, "ci", ...options, ...settings.split(" "), "--no-audit", "--no-fund"];
      const { ok, output } = await command(program, args);
      if (/spawn npm ENOENT/.test(output))
        throw new SetupError("npm was not found beside Node: install it, for example with: nvm install 22");
      if (!ok)
        throw new SetupError(
          explain(
            "The npm packages",
            output,
            "The npm packages could not be installed; mend what npm says, then run npm run setup again:",
          ),
        );
      fs.rmSync(link, { force: true });
      fs.mkdirSync(path.dirname(link), { recursive: true });
      fs.symlinkSync(path.relative(path.dirname(link), path.join(root, "scripts", "porous-sgm.js")), link);
      stamp.finish();
      remove(npmCache); // the disk may be short of what the next steps need
    },
  };
}

/** .venv with JupyterLab and TensorFlow's wheels, from requirements pinned with hashes. */
function pythonPackages(flavour) {
  const files = ["requirements.txt", `requirements/${flavour}.txt`];
  const inSite = (name) => () => path.join(sitePackages() ?? venv, name);
  const stamp = stamped(
    path.join(venv, ".set-up"),
    () => `${flavour} ${digest(root, ...files.map((name) => read(name)))}`,
    () => python,
    ...["tensorflow", "jupyterlab", "nbclient", "kaleido", "pyarrow"].map(inSite),
  );
  return {
    // An upgrade of the system's Python leaves .venv with another version's packages.
    current: () => stamp.current() && samePython(),
    async perform() {
      const base = findPython();
      stamp.begin();
      fs.mkdirSync(cache, { recursive: true });
      fs.writeFileSync(path.join(cache, "flavour"), flavour);
      const size = flavour === "gpu" ? " with CUDA (3 GB" : " (400 MB";
      say(`Python packages and TensorFlow${size}; some minutes) ...`);
      remove(venv);
      const made = await command(base, ["-m", "venv", venv]);
      if (!made.ok) {
        remove(venv);
        const words = `${base} could not make .venv: install its venv module (sudo apt install python3-venv) or name another Python (PYTHON=/path/to/python3.12 npm run setup):`;
        throw new SetupError(explain("The folder .venv", made.output, words, 4));
      }
      for (const file of files) {
        const { ok, output } = await pipInstall(file);
        const what = `The Python packages of ${file}`;
        const words = `${what} could not be installed; mend what pip says, then run npm run setup again:`;
        if (!ok) throw new SetupError(explain(what, output, words));
      }
      stamp.finish();
    },
  };
}

/** Installs a list of wheels pinned with hashes. */
function pipInstall(list) {
  // --no-deps: the lists are complete, and TensorFlow is used for its C library alone, so that the
  // CPU list leaves out what only its Python side needs, and Python's byte code of it (100 MB).
  const options = ["--require-hashes", "--no-deps", "--only-binary=:all:"];
  if (list.startsWith("requirements/")) options.push("--no-compile");
  return command(python, ["-m", "pip", "install", ...options, "-r", list]);
}

/** Whether the Python behind .venv still has the version that its packages were installed for. */
function samePython() {
  const version = /python3\.\d+$/.exec(fs.realpathSync(python))?.[0];
  return version === undefined || path.basename(path.dirname(sitePackages())) === version;
}

/** The C++ compilers to try: CXX alone if it is set, else the system's, and at last Zig's from PyPI. */
function compilers() {
  const runs = ([name, ...args]) => spawnSync(name, [...args, "--version"], deadline(60)).status === 0;
  if (process.env.CXX) {
    const own = [[process.env.CXX], process.env.CXX.trim().split(/\s+/)].find(runs); // "ccache g++" is two words
    if (own) return [own];
    throw new SetupError(
      `CXX=${process.env.CXX} does not run: name another compiler (CXX=/path/to/g++ npm run setup), or none.`,
    );
  }
  const zig = async () => {
    say("no C++ compiler that works on this machine: taking Zig's from PyPI ...");
    const { ok, output } = await pipInstall("requirements/compiler.txt");
    const words = "Zig's C++ compiler could not be installed: take the system's, sudo apt install g++";
    if (!ok) throw new SetupError(explain("Zig's C++ compiler", output, words));
    return [python, "-m", "ziglang", "c++"];
  };
  return [...["c++", "g++", "clang++"].map((name) => [name]).filter(runs), zig];
}

/** tfjs-node-gpu's own native binding, compiled against the wheel's TensorFlow, and quiet.node beside it. */
function nativeBinding() {
  const folder = path.dirname(binding);
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => path.join(native, "binding", name));
  const quiet = path.join(__dirname, "quiet.cc");
  const parts = () => [...sources, quiet].map((file) => fs.readFileSync(file));
  const stamp = stamped(
    path.join(folder, ".set-up"),
    () => digest(contentOf(path.join(venv, ".set-up")) ?? "", sitePackages() ?? "", ...parts()),
    () => binding,
    () => path.join(folder, "quiet.node"),
  );
  const flags = "-std=c++17 -O2 -shared -fPIC -w -DNAPI_VERSION=8".split(" ");

  /** Compiles both, each under another name first; resolves with the compiler's words if it fails. */
  async function compile([compiler, ...first]) {
    const tensorflow = path.join(sitePackages(), "tensorflow");
    const mac = process.platform === "darwin";
    const library = (name) => path.join(tensorflow, `lib${name}${mac ? ".2.dylib" : ".so.2"}`);
    const rpath = `-Wl,-rpath,${mac ? "@loader_path" : "$ORIGIN"}/${path.relative(folder, tensorflow)}`;
    const headers = [
      native,
      path.join(tensorflow, "include"),
      path.join(modules, "node-api-headers", "include"),
    ];
    const options = [...flags, ...headers.map((name) => `-I${name}`)];
    if (mac) options.push("-undefined", "dynamic_lookup");
    const libraries = [library("tensorflow_cc"), library("tensorflow_framework"), rpath];
    for (const [from, to] of [
      [[quiet], path.join(folder, "quiet.node")],
      [[...sources, ...libraries], binding],
    ]) {
      const args = [...first, ...options, ...from, "-o", `${to}.partial`];
      const { ok, output } = await command(compiler, args);
      if (!ok) return output;
      fs.renameSync(`${to}.partial`, to);
    }
    return undefined;
  }

  return {
    current: () => sources.every((file) => fs.existsSync(file)) && stamp.current(),
    async perform() {
      stamp.begin();
      fs.mkdirSync(folder, { recursive: true });
      say("TensorFlow's binding for Node (10 s; a minute with Zig) ...");
      let failed; // the first compiler's words, if one fails
      for (const candidate of compilers()) {
        const compiler = typeof candidate === "function" ? await candidate() : candidate;
        const output = await compile(compiler);
        if (output === undefined) {
          failed = undefined;
          break;
        }
        failed ??= explain(
          "TensorFlow's binding",
          output.trim().split("\n").slice(0, 12).join("\n"),
          `TensorFlow's binding did not compile with ${compiler.join(" ")}: install a C++17 compiler (sudo apt install g++) or name one (CXX=/path/to/g++ npm run setup):`,
        );
      }
      if (failed) throw new SetupError(failed);
      // The proof: a tensor computed by the native library in a process of its own.
      const proof = await command(process.execPath, [path.join(__dirname, "prove-tensorflow.js")]);
      if (proof.signal === "SIGILL") throw new SetupError(NO_AVX);
      if (!proof.ok)
        throw new SetupError(
          explain(
            "TensorFlow",
            proof.output,
            "TensorFlow was installed but does not compute here (see environment.md, Troubleshooting):",
          ),
        );
      say(proof.output.trim());
      stamp.finish();
    },
  };
}

/** The kernel "TypeScript" in .venv, seen by the JupyterLab of this clone only, and that JupyterLab's settings. */
function kernel() {
  const share = path.join(venv, "share", "jupyter");
  const own = path.join(venv, "jupyter"); // where Jupyter keeps what is its own
  const spec = {
    argv: [process.execPath, path.join(__dirname, "kernel.js"), "{connection_file}"],
    display_name: "TypeScript",
    language: "typescript",
    interrupt_mode: "signal",
  };
  const settings = {
    // It asks nobody about news, and nothing of the network.
    "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
    // Beside the list of files, lines of code would be cut off.
    "@jupyterlab/notebook-extension:tracker": { codeCellConfig: { lineWrap: true } },
  };
  const files = [
    [path.join(share, "kernels", "tslab", "kernel.json"), spec],
    [path.join(share, "lab", "settings", "overrides.json"), settings],
  ].map(([file, content]) => ({ file, text: `${JSON.stringify(content, undefined, 2)}\n` }));
  return {
    current: () => files.every(({ file, text }) => contentOf(file) === text) && fs.existsSync(own),
    async perform() {
      fs.mkdirSync(own, { recursive: true });
      // ipykernel comes with JupyterLab; its Python kernel would only be a wrong choice here.
      remove(path.join(share, "kernels", "python3"));
      for (const { file, text } of files) {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, text);
      }
    },
  };
}

/** Which wheels: what the options say, else what is there or was being installed, else the CPU's. */
function flavourOf(args) {
  const unknown = args.find((arg) => !["--gpu", "--cpu"].includes(arg));
  if (unknown) throw new SetupError(`Unknown option ${unknown}: npm run setup -- [--gpu | --cpu]`);
  if (args.includes("--gpu") && (process.platform !== "linux" || process.arch !== "x64"))
    throw new SetupError(
      "TensorFlow's CUDA wheels exist for Linux on x86-64 only: run npm run setup without --gpu.",
    );
  if (args.length > 0) return args[0].slice(2);
  const before = contentOf(path.join(venv, ".set-up")) ?? contentOf(path.join(cache, "flavour")) ?? "";
  return before.startsWith("gpu") ? "gpu" : "cpu";
}

/** Performs steps side by side, where they are not up to date; where one fails the others are ended. */
async function perform(steps) {
  const failures = [];
  const due = steps.filter((step) => !step.current());
  const fail = (error) => {
    failures.push(error);
    stop();
  };
  await Promise.all(due.map((step) => step.perform().catch(fail)));
  if (failures.length > 0) throw failures[0];
}

/** Sets up the clone; throws SetupError with a sentence for the user. */
async function setup(args = []) {
  const flavour = flavourOf(args);
  const fault = nodeFault(process.versions.node);
  if (fault) throw new SetupError(fault);
  const steps = [npmPackages(), pythonPackages(flavour), nativeBinding(), kernel()];
  const [packages, wheels, ...rest] = steps;
  if (steps.every((step) => step.current())) return;

  const hindrance = machineFault(thisMachine());
  if (hindrance) throw new SetupError(hindrance);
  if (!steps[1].current()) findPython(); // before the first download
  lock = takeLock(path.join(root, ".setup.lock"));
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  const interrupted = (signal) => {
    stop();
    lock.release();
    console.error("set-up: interrupted; npm run setup goes on from here.");
    process.exit(signals[signal]);
  };
  for (const signal of Object.keys(signals)) process.on(signal, interrupted);
  try {
    // npm and pip have nothing in common but the disk.
    await perform([packages, wheels]);
    for (const step of rest) await perform([step]);
    remove(cache);
    say("done.");
  } finally {
    for (const signal of Object.keys(signals)) process.off(signal, interrupted);
    lock.release();
  }
}

/** Sets up the clone, or ends the process with a sentence and status 1. */
async function setupOrExit(args) {
  try {
    await setup(args);
  } catch (error) {
    const sentence = sentenceOf(error);
    if (sentence === undefined) throw error;
    console.error(`set-up: ${sentence}`);
    process.exit(1);
  }
}

if (require.main === module) setupOrExit(process.argv.slice(2));

module.exports = { setupOrExit };
