"use strict";
// npm run setup: everything the project needs, inside the clone, each step skipped when it is up to date.
// Plain Node: no package is there yet. Options: --gpu takes TensorFlow with CUDA, --cpu goes back.

const { spawnSync } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { root, venv, python, windows, sitePackages, environment } = require("./environment");

const modules = path.join(root, "node_modules");
const cache = path.join(root, ".cache");
const native = path.join(modules, "@tensorflow", "tfjs-node-gpu");
const binding = path.join(native, "lib", "napi-v8", "tfjs_binding.node");

/** A sentence for the user, without a stack trace. */
class SetupError extends Error {}

const read = (...names) => fs.readFileSync(path.join(root, ...names));
const digest = (...parts) =>
  parts.reduce((hash, part) => hash.update(part), crypto.createHash("sha256")).digest("hex");
const stampOf = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined);
const say = (text) => console.log(`set-up: ${text}`);

/** Run a command of one step; its output is shown only when it fails. */
function run(command, args, options = {}) {
  const caches = { npm_config_cache: path.join(cache, "npm"), PIP_CACHE_DIR: path.join(cache, "pip") };
  const env = {
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    ...environment({ ...process.env, ...caches }),
    ...options.env,
  };
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
    env,
  });
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}${result.error ? result.error.message : ""}`;
  return { ok: result.status === 0, output, signal: result.signal };
}

/** What a failed download means, in a sentence; the tool's own words follow it. */
function explainDownload(what, output, advice) {
  const tail = output.trim().split("\n").slice(-12).join("\n");
  const offline =
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|Temporary failure in name resolution|Failed to establish a new connection|Name or service not known/;
  const full = /ENOSPC|No space left on device/;
  if (offline.test(output)) {
    return `${what} could not be downloaded: no network. Connect, or set npm's and pip's proxy or mirror, and run npm run setup again.\n${tail}`;
  }
  if (full.test(output))
    return `${what} did not fit on the disk: free about 3 GB and run npm run setup again.`;
  return `${what} could not be installed. ${advice}\n${tail}`;
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: install Node 20.19 or later (20, 22 and 24 are supported), for example with: nvm install 22`,
    );
  }
  if (windows)
    throw new SetupError(
      "Windows itself is not supported: run the project inside WSL 2 (wsl --install), where it is Linux.",
    );
  if (process.platform === "linux" && process.arch === "x64") {
    const flags = fs.existsSync("/proc/cpuinfo") ? fs.readFileSync("/proc/cpuinfo", "utf8") : "";
    if (/^flags/m.test(flags) && !/\bavx\b/.test(flags)) {
      throw new SetupError(
        "This processor has no AVX instructions, which TensorFlow's wheels need: use a machine made after 2011 (cat /proc/cpuinfo shows the flags; in a virtual machine, pass the host's CPU through).",
      );
    }
    const report = process.report?.getReport?.();
    if (report && !report.header?.glibcVersionRuntime) {
      throw new SetupError(
        "This Linux has no glibc (Alpine?), which TensorFlow's wheels need: use a Debian, Ubuntu or Fedora image, for example node:22-bookworm.",
      );
    }
  }
}

/** npm packages, exactly those of the lock file, none of their install scripts run. */
function installPackages() {
  const stampFile = path.join(modules, ".set-up");
  const stamp = digest(read("package-lock.json"));
  if (stampOf(stampFile) === stamp) return false;
  say("npm packages (half a minute) ...");
  const npm = process.env.npm_execpath?.endsWith(".js")
    ? [process.execPath, process.env.npm_execpath]
    : ["npm"];
  const { ok, output } = run(npm[0], [
    ...npm.slice(1),
    "ci",
    "--ignore-scripts",
    "--include=dev",
    "--no-audit",
    "--no-fund",
  ]);
  if (!ok) throw new SetupError(explainDownload("The npm packages", output, "npm says:"));
  const link = path.join(modules, ".bin", "porous-sgm");
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.relative(path.dirname(link), path.join(root, "scripts", "porous-sgm.js")), link);
  fs.writeFileSync(stampFile, stamp);
  return true;
}

/** A Python between 3.10 and 3.13 on the PATH, or the one that PYTHON names. */
function findPython() {
  const names = process.env.PYTHON
    ? [process.env.PYTHON]
    : ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
  const found = [];
  for (const name of names) {
    const result = spawnSync(
      name,
      ["-c", "import sys; print(*sys.version_info[:2], sys.implementation.name)"],
      { encoding: "utf8" },
    );
    if (result.status !== 0) continue;
    const [major, minor, implementation] = result.stdout.trim().split(" ");
    if (implementation === "cpython" && +major === 3 && +minor >= 10 && +minor <= 13) return name;
    found.push(`${name} is ${major}.${minor}`);
  }
  const seen = found.length > 0 ? ` (${found.join(", ")})` : "";
  throw new SetupError(
    `No Python from 3.10 to 3.13 was found${seen}: install one, for example with: sudo apt install python3 python3-venv, or name one: PYTHON=/path/to/python3.12 npm run setup`,
  );
}

/** .venv with JupyterLab and TensorFlow's wheels, from requirements pinned with hashes. */
function installPython(flavour) {
  const stampFile = path.join(venv, ".set-up");
  const files = ["requirements.txt", `requirements/${flavour}.txt`];
  const stamp = `${flavour} ${digest(root, ...files.map((name) => read(name)))}`;
  if (stampOf(stampFile) === stamp && fs.existsSync(python)) return false;
  const base = findPython();
  say(
    `Python packages and TensorFlow${flavour === "gpu" ? " with CUDA" : ""} (${flavour === "gpu" ? "3 GB" : "400 MB"}; some minutes) ...`,
  );
  const made = run(base, ["-m", "venv", "--clear", venv]);
  if (!made.ok) {
    fs.rmSync(venv, { recursive: true, force: true });
    throw new SetupError(
      `${base} has no working venv module: install it, for example with: sudo apt install python3-venv\n${made.output.trim().split("\n").slice(-4).join("\n")}`,
    );
  }
  // --no-deps: the lists are complete, and TensorFlow is used for its C library alone, so that the
  // CPU list leaves out what only its Python side needs.
  for (const file of files) {
    const { ok, output } = run(python, [
      "-m",
      "pip",
      "install",
      "--require-hashes",
      "--no-deps",
      "--only-binary=:all:",
      "-r",
      file,
    ]);
    if (!ok) throw new SetupError(explainDownload(`The Python packages of ${file}`, output, "pip says:"));
  }
  fs.writeFileSync(stampFile, stamp);
  return true;
}

/** A C++ compiler: CXX, the system's, or Zig's from PyPI where the machine has none. */
function findCompiler() {
  for (const name of [process.env.CXX, "c++", "g++", "clang++"].filter(Boolean)) {
    if (spawnSync(name, ["--version"]).status === 0) return [name];
  }
  say("no C++ compiler on this machine: taking Zig's from PyPI ...");
  const { ok, output } = run(python, [
    "-m",
    "pip",
    "install",
    "--require-hashes",
    "--no-deps",
    "-r",
    "requirements/compiler.txt",
  ]);
  if (!ok)
    throw new SetupError(
      explainDownload("A C++ compiler", output, "Install one, for example with: sudo apt install g++"),
    );
  return [python, "-m", "ziglang", "c++"];
}

/** tfjs-node-gpu's own native binding, compiled against the wheel's TensorFlow, and quiet.node beside it. */
function buildBinding() {
  const tensorflow = path.join(sitePackages(), "tensorflow");
  const folder = path.dirname(binding);
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => path.join(native, "binding", name));
  const quiet = path.join(__dirname, "quiet.cc");
  const stampFile = path.join(folder, ".set-up");
  const parts = [...sources, quiet].map((file) => fs.readFileSync(file));
  const stamp = digest(stampOf(path.join(venv, ".set-up")) ?? "", sitePackages(), ...parts);
  if (stampOf(stampFile) === stamp && fs.existsSync(binding)) return false;
  say("TensorFlow's binding for Node (10 s; a minute with Zig) ...");
  const mac = process.platform === "darwin";
  const library = (name) => path.join(tensorflow, `lib${name}${mac ? ".2.dylib" : ".so.2"}`);
  const rpath = `-Wl,-rpath,${mac ? "@loader_path" : "$ORIGIN"}/${path.relative(folder, tensorflow)}`;
  const headers = [
    native,
    path.join(tensorflow, "include"),
    path.join(modules, "node-api-headers", "include"),
  ];
  const options = [
    "-std=c++17",
    "-O2",
    "-shared",
    "-fPIC",
    "-w",
    "-DNAPI_VERSION=8",
    ...headers.map((h) => `-I${h}`),
  ];
  if (mac) options.push("-undefined", "dynamic_lookup");
  const [compiler, ...first] = findCompiler();
  const compile = (from, libraries, to) => {
    const partial = `${to}.partial`;
    const zig = {
      ZIG_GLOBAL_CACHE_DIR: path.join(cache, "zig"),
      ZIG_LOCAL_CACHE_DIR: path.join(cache, "zig"),
    };
    const { ok, output } = run(
      compiler,
      [...first, ...options, ...from, ...libraries, rpath, "-o", partial],
      { env: zig },
    );
    if (!ok) {
      const tail = output.trim().split("\n").slice(0, 12).join("\n");
      throw new SetupError(
        `TensorFlow's binding did not compile with ${compiler}: install a C++17 compiler (sudo apt install g++) or name one: CXX=/path/to/g++ npm run setup\n${tail}`,
      );
    }
    fs.renameSync(partial, to);
  };
  fs.mkdirSync(folder, { recursive: true });
  compile([quiet], [], path.join(folder, "quiet.node"));
  compile(sources, [library("tensorflow_cc"), library("tensorflow_framework")], binding);
  // The proof: a tensor computed by the native library in a process of its own.
  const proof = run(process.execPath, [path.join(__dirname, "prove-tensorflow.js")]);
  if (!proof.ok) {
    const tail = proof.output.trim().split("\n").slice(-8).join("\n");
    throw new SetupError(
      `TensorFlow was installed but does not compute here:\n${tail}\nnpm run doctor tells more.`,
    );
  }
  say(proof.output.trim());
  fs.writeFileSync(stampFile, stamp);
  return true;
}

/** The kernel "TypeScript" in .venv, seen by the JupyterLab of this clone only. */
function installKernel() {
  const folder = path.join(venv, "share", "jupyter", "kernels", "tslab");
  const spec = {
    argv: [process.execPath, path.join(__dirname, "kernel.js"), "{connection_file}"],
    display_name: "TypeScript",
    language: "typescript",
    interrupt_mode: "signal",
  };
  const text = `${JSON.stringify(spec, undefined, 2)}\n`;
  const file = path.join(folder, "kernel.json");
  fs.mkdirSync(path.join(venv, "jupyter"), { recursive: true }); // where Jupyter keeps what is its own
  if (stampOf(file) === text) return false;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(file, text);
  // ipykernel comes with JupyterLab; its Python kernel would only be a wrong choice here.
  fs.rmSync(path.join(folder, "..", "python3"), { recursive: true, force: true });
  return true;
}

/** One set-up at a time in a clone; a lock whose owner has died is taken over. */
function withLock(action) {
  const lock = path.join(root, ".setup.lock");
  for (;;) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST")
        throw new SetupError(
          `The folder ${root} cannot be written (${error.code}): clone the project where you may write.`,
        );
      const owner = Number(stampOf(lock));
      let alive = owner > 0;
      try {
        if (alive) process.kill(owner, 0);
      } catch (failure) {
        alive = failure.code === "EPERM";
      }
      if (alive)
        throw new SetupError(
          `Another set-up is running in this clone (process ${owner}): wait until it has ended.`,
        );
      fs.rmSync(lock, { force: true });
    }
  }
  const release = () => fs.rmSync(lock, { force: true });
  process.on("exit", release);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])
    process.on(signal, () => process.exit(code));
  action();
}

/** Set up the clone; throws SetupError with a sentence for the user. */
function setup(args = []) {
  const unknown = args.find((arg) => !["--gpu", "--cpu"].includes(arg));
  if (unknown) throw new SetupError(`Unknown option ${unknown}: npm run setup -- [--gpu | --cpu]`);
  checkNode();
  const before = stampOf(path.join(venv, ".set-up"))?.split(" ")[0];
  const flavour = args.includes("--gpu") ? "gpu" : args.includes("--cpu") ? "cpu" : (before ?? "cpu");
  if (flavour === "gpu" && (process.platform !== "linux" || process.arch !== "x64")) {
    throw new SetupError(
      "TensorFlow's CUDA wheels exist for Linux on x86-64 only: run npm run setup without --gpu.",
    );
  }
  withLock(() => {
    const steps = [installPackages, () => installPython(flavour), buildBinding, installKernel];
    const changed = steps.map((step) => step());
    if (changed.includes(true)) {
      fs.rmSync(cache, { recursive: true, force: true });
      say("done.");
    }
  });
}

if (require.main === module) {
  try {
    setup(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`set-up: ${error.message}`);
    process.exitCode = 1;
  }
}

module.exports = { setup, findPython, SetupError };
