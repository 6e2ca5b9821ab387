"use strict";
// npm run doctor: what is here, whether it works, and what to do where it does not.

const { spawnSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { root, venv, python, sitePackages, cudaLibraries, environment } = require("./environment");

let faults = 0;
function report(name, value, mend) {
  if (mend) faults++;
  console.log(`${mend ? "!!" : "ok"}  ${name.padEnd(14)} ${value}${mend ? `\n    -> ${mend}` : ""}`);
}
const run = (command, args) => spawnSync(command, args, { cwd: root, encoding: "utf8", env: environment() });
const lastLine = (result) => `${result.stdout ?? ""}${result.stderr ?? ""}`.trim().split("\n").pop();
const version = (name) => {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8")).version;
  } catch {
    return undefined;
  }
};

report(
  "system",
  `${os.type()} ${os.release()} ${os.arch()}, ${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB`,
);
const [major, minor] = process.versions.node.split(".").map(Number);
const old = major < 20 || (major === 20 && minor < 19);
report("Node", process.versions.node, old && "install Node 20.19 or later, for example: nvm install 22");
for (const name of [
  "tslab",
  "typescript",
  "@tensorflow/tfjs-node-gpu",
  "plotly.js-dist",
  "danfojs-node",
  "apache-arrow",
]) {
  const found = version(name);
  report(name.replace("@tensorflow/", ""), found ?? "missing", !found && "npm run setup");
}
const pythonVersion = fs.existsSync(python) ? lastLine(run(python, ["--version"])) : "no .venv";
report("Python", pythonVersion, !/^Python 3\.1[0-3]/.test(pythonVersion) && "npm run setup");
const lab = run(python, ["-m", "jupyterlab", "--version"]);
report("JupyterLab", lab.status === 0 ? lastLine(lab) : "missing", lab.status !== 0 && "npm run setup");

const proof = run(process.execPath, [path.join(__dirname, "prove-tensorflow.js")]);
const proofMend = "rm -rf node_modules/@tensorflow/tfjs-node-gpu/lib && npm run setup";
report("TensorFlow", lastLine(proof), proof.status !== 0 && proofMend);
const smi = spawnSync(
  "nvidia-smi",
  ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
  { encoding: "utf8" },
);
if (smi.status === 0) {
  const used = /GPU/.test(proof.stdout ?? "");
  const mend =
    cudaLibraries().length === 0 ? "npm run setup -- --gpu" : 'see environment.md, "The GPU is not used"';
  report("GPU", smi.stdout.trim().split("\n").join("; "), !used && `TensorFlow does not use it: ${mend}`);
} else {
  report("GPU", "none seen by nvidia-smi; the CPU computes");
}

const spec = path.join(venv, "share", "jupyter", "kernels", "tslab", "kernel.json");
let kernel;
try {
  kernel = JSON.parse(fs.readFileSync(spec, "utf8"));
} catch {
  kernel = undefined;
}
const works = kernel && fs.existsSync(kernel.argv[0]) && fs.existsSync(kernel.argv[1]);
report(
  "kernel",
  works ? `TypeScript, ${kernel.argv[0]}` : "missing or of another place",
  !works && "npm run setup",
);
const site = sitePackages();
const kaleido = site && fs.existsSync(path.join(site, "kaleido", "executable", "bin", "kaleido"));
report("PNG", kaleido ? "kaleido with plotly.js-dist" : "no kaleido", !kaleido && "npm run setup");
console.log(faults === 0 ? "All is well." : `${faults} thing${faults > 1 ? "s" : ""} to mend.`);
process.exitCode = faults === 0 ? 0 : 1;
