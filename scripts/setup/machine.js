"use strict";
// What a machine must bring: a Node, a processor and a C library that TensorFlow's wheels run on, and a Python.

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { deadline } = require("../processes");
const { root, environment } = require("../environment");
const { SetupError } = require("./failure");

/** The facts about this machine that count. */
function thisMachine() {
  const { report } = process;
  if (report) report.excludeNetwork = true; // else it may ask a slow name server
  const linux = process.platform === "linux";
  return {
    root,
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    cpuinfo: linux && fs.existsSync("/proc/cpuinfo") ? fs.readFileSync("/proc/cpuinfo", "utf8") : "",
    glibc: linux ? report?.getReport().header.glibcVersionRuntime : undefined,
  };
}

const before = (version, major, minor) => {
  const [a, b] = version.split(".").map(Number);
  return a < major || (a === major && b < minor);
};

/** Why a Node version cannot be used, or undefined: a sentence with what to do. */
function nodeFault(version) {
  const [major] = version.split(".").map(Number);
  const mend = "install Node 20.19 or later, 22.13 or later, or 24, for example with: nvm install 22";
  if (before(version, 20, 19)) return `Node ${version} is too old: ${mend}`;
  if (before(version, 22, 13) && major > 20) return `Node ${version} is not supported: ${mend}`;
  return undefined;
}

/** What stands in the way of set-up on a machine, as a sentence with what to do; undefined if nothing does. */
function machineFault({ node, platform, arch, cpuinfo, glibc, root: folder }) {
  if (platform === "win32")
    return "Windows itself is not supported: run the project inside WSL 2 (wsl --install), where it is Linux.";
  const fault = nodeFault(node);
  if (fault) return fault;
  if (folder.includes(path.delimiter))
    return `The folder's name holds "${path.delimiter}", which no Python environment can: rename ${folder}`;
  if (!["linux", "darwin"].includes(platform) || !["x64", "arm64"].includes(arch))
    return `TensorFlow has no wheels for ${platform} on ${arch}: use Linux (x86-64 or arm64) or macOS on Apple silicon.`;
  if (platform === "darwin")
    return arch === "arm64"
      ? undefined
      : "TensorFlow has no wheels for macOS on Intel: use Linux, for example in a container (see environment.md). On Apple silicon, install Node for arm64.";
  if (arch === "x64" && /^flags/m.test(cpuinfo) && !/\bavx\b/.test(cpuinfo)) return NO_AVX;
  if (!glibc)
    return "This Linux has no glibc (Alpine?), which TensorFlow's wheels need: use Debian, Ubuntu or Fedora, for example the image node:22-bookworm.";
  if (before(glibc, 2, 27))
    return `This Linux has glibc ${glibc}, and TensorFlow's wheels need 2.27: use a system from 2018 or later, for example the image node:22-bookworm.`;
  return undefined;
}

const NO_AVX =
  "This processor has no AVX instructions, which TensorFlow's wheels need: use a machine made after 2011 (in a virtual machine, pass the host's processor through, for example with: qemu -cpu host).";

/** A Python between 3.10 and 3.13 with venv, on the PATH or the one that PYTHON names. */
function findPython(env = process.env) {
  const names = env.PYTHON
    ? [env.PYTHON]
    : ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
  const probe =
    "import sys, importlib.util as u; v = sys.version_info; " +
    "print(v[0], v[1], sys.implementation.name, all(u.find_spec(m) for m in ('venv', 'ensurepip')))";
  const found = [];
  let bare; // of a fit version, but without venv
  for (const name of names) {
    const result = spawnSync(name, ["-c", probe], {
      encoding: "utf8",
      env: environment(env),
      ...deadline(60),
    });
    if (result.status !== 0) continue;
    const [major, minor, implementation, venv] = result.stdout.trim().split("\n").pop().split(" ");
    if (implementation !== "cpython") found.push(`${name} is ${implementation}`);
    else if (+major !== 3 || +minor < 10 || +minor > 13) found.push(`${name} is ${major}.${minor}`);
    else if (venv === "True") return name;
    else bare ??= { name, package: `python${major}.${minor}-venv` };
  }
  if (bare)
    throw new SetupError(
      `${bare.name} has no venv module: install it, for example with: sudo apt install ${bare.package}`,
    );
  const seen = found.length > 0 ? ` (${found.join(", ")})` : "";
  if (env.PYTHON)
    throw new SetupError(
      `PYTHON=${env.PYTHON} is no Python from 3.10 to 3.13${seen}: name another: PYTHON=/path/to/python3.12 npm run setup`,
    );
  throw new SetupError(
    `No Python from 3.10 to 3.13 was found${seen}: install one, for example with: sudo apt install python3 python3-venv, or name one: PYTHON=/path/to/python3.12 npm run setup`,
  );
}

module.exports = { thisMachine, nodeFault, machineFault, findPython, NO_AVX };
