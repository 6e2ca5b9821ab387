"use strict";
// npm run doctor: what is here, whether it works, and what to do where it does not.

const { spawnSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { deadline } = require("./processes");
const {
  root,
  venv,
  python,
  sitePackages,
  cudaLibraries,
  environment,
  environmentFault,
  overruled,
} = require("./environment");
const { machineFault, thisMachine } = require("./setup/machine");

const INSTALL = "npm run setup";
const PACKAGES_AGAIN = `rm -rf node_modules && ${INSTALL}`;
// Where .venv held TensorFlow for the GPU, it should do so again.
const gpu = cudaLibraries().length > 0;
const PYTHON_AGAIN = `rm -rf .venv && ${INSTALL}${gpu ? " -- --gpu" : ""}`;

let faults = 0;

/** One line; `mend` is what to do about a fault, or false where there is none. */
function report(name, value, mend = false) {
  if (mend) faults++;
  console.log(`${mend ? "!!" : "ok"}  ${name.padEnd(14)} ${value}${mend ? `\n    -> ${mend}` : ""}`);
}

const run = (command, args) =>
  spawnSync(command, args, { cwd: root, encoding: "utf8", env: environment(), ...deadline(120) });

/** The line of a program's output that says most: of one that failed the error, else the last. */
function wordsOf({ status, stdout, stderr, error, signal }) {
  if (status === 0) return stdout.trim().split("\n").at(-1);
  const lines = `${stdout ?? ""}\n${stderr ?? ""}`.trim().split("\n");
  const line = lines.find((text) => /^\w*Error\b/.test(text)) ?? lines.at(-1);
  return line || error?.message || (signal ? `ended by ${signal}` : "no answer");
}

function installed(name) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8")).version;
  } catch {
    return undefined;
  }
}

function machine() {
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const system = `${os.type()} ${os.release()} ${os.arch()}`;
  report("system", `${system}, ${os.availableParallelism?.() ?? "some"} cores, ${memory} GiB`);
  report("Node", process.versions.node, machineFault(thisMachine()));
}

/** Which of the user's variables count, as far as they could spoil something; whether none does. */
function variables() {
  const fault = environmentFault();
  if (fault) report("environment", "TensorFlow could not start", fault);
  else if (overruled().length > 0)
    report("environment", `not for this project, so overruled: ${overruled().join(", ")}`);
  return !fault;
}

/** Whether all of them are there. */
function npmPackages() {
  const { dependencies, devDependencies } = JSON.parse(
    fs.readFileSync(path.join(root, "package.json"), "utf8"),
  );
  const names = Object.keys({ ...dependencies, ...devDependencies });
  const missing = names.filter((name) => installed(name) === undefined);
  if (missing.length === names.length) report("npm packages", "none yet", INSTALL);
  else if (missing.length > 0) report("npm packages", `missing: ${missing.join(", ")}`, PACKAGES_AGAIN);
  if (missing.length > 0) return false;
  const shown = ["tslab", "@tensorflow/tfjs-node-gpu", "plotly.js-dist", "danfojs-node", "typescript"];
  for (const name of shown) report(name.replace("@tensorflow/", ""), installed(name));
  return true;
}

/** Whether all of them are there. */
function pythonPackages() {
  if (!fs.existsSync(venv)) report("Python", "no .venv yet", INSTALL);
  else if (!fs.existsSync(python)) report("Python", "none in .venv", PYTHON_AGAIN);
  if (!fs.existsSync(python)) return false;
  const version = run(python, ["--version"]);
  const fit = /^Python 3\.1[0-3]\./.test(version.stdout ?? "");
  report("Python", wordsOf(version), !fit && PYTHON_AGAIN);
  if (!fit) return false;
  const imports = "import jupyterlab, nbclient, plotly, pyarrow; print(jupyterlab.__version__)";
  const lab = run(python, ["-c", imports]);
  report("JupyterLab", wordsOf(lab), lab.status !== 0 && PYTHON_AGAIN);
  const kaleido = path.join(sitePackages(), "kaleido", "executable", "bin", "kaleido");
  const draws = fs.existsSync(kaleido);
  report("pictures", draws ? "kaleido with plotly.js-dist" : "no kaleido", !draws && PYTHON_AGAIN);
  return true;
}

function tensorflow() {
  const proof = run(process.execPath, [path.join(__dirname, "prove-tensorflow.js")]);
  const binding = path.join("node_modules", "@tensorflow", "tfjs-node-gpu", "lib");
  const library = path.join(sitePackages() ?? venv, "tensorflow", "libtensorflow_cc.so.2");
  const wheel = process.platform !== "linux" || fs.existsSync(library);
  const mend = wheel ? `rm -rf ${binding} && ${INSTALL}` : PYTHON_AGAIN;
  report("TensorFlow", wordsOf(proof), proof.status !== 0 && mend);
  return proof.stdout ?? "";
}

function graphics(proof) {
  const query = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"];
  const smi = spawnSync("nvidia-smi", query, { encoding: "utf8", ...deadline(120) });
  if (smi.status !== 0) return report("GPU", "none seen by nvidia-smi; the CPU computes");
  const mend = gpu ? 'see environment.md, "The GPU is not used"' : `${INSTALL} -- --gpu`;
  report("GPU", smi.stdout.trim().split("\n").join("; "), !/GPU/.test(proof) && `not used: ${mend}`);
}

function kernel() {
  const launcher = path.join(__dirname, "kernel.js");
  let argv;
  try {
    const spec = path.join(venv, "share", "jupyter", "kernels", "tslab", "kernel.json");
    argv = JSON.parse(fs.readFileSync(spec, "utf8")).argv;
  } catch {
    return report("kernel", "no kernel specification in .venv", INSTALL);
  }
  if (argv?.[1] !== launcher) return report("kernel", `of another place: ${argv?.[1]}`, INSTALL);
  if (!fs.existsSync(argv[0])) return report("kernel", `its Node is gone: ${argv[0]}`, INSTALL);
  const loads = run(argv[0], ["-e", 'require("tslab/dist/main"), require("zeromq")']);
  report(
    "kernel",
    loads.status === 0 ? `TypeScript, ${argv[0]}` : wordsOf(loads),
    loads.status !== 0 && PACKAGES_AGAIN,
  );
}

machine();
const complete = variables() && [npmPackages(), pythonPackages()].every(Boolean);
// What follows needs both.
if (complete) graphics(tensorflow());
if (complete) kernel();
console.log(
  faults === 0
    ? "All is well."
    : `${faults} thing${faults > 1 ? "s" : ""} to mend: do what the arrows say, from the top.`,
);
process.exitCode = faults === 0 ? 0 : 1;
