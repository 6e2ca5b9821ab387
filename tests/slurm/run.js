"use strict";
// npm run test:slurm: the scripts of scripts/slurm on a real Slurm, a controller and two nodes on this machine. All of it
// lives in namespaces and a temporary folder of its own and ends with them. Where that is impossible, one line says why.

const { spawn, spawnSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { deadline } = require("../../scripts/processes");
const { root, environment } = require("../../scripts/environment");
const { setupOrExit } = require("../../scripts/setup");

const NEEDED = ["slurmctld", "slurmd", "sbatch", "munged", "unshare", "ip", "hostname"];
const OWN = ["--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
// Debian keeps daemons where a user's PATH does not look.
const PATH = [process.env.PATH, "/usr/sbin", "/sbin"].join(path.delimiter);

/** Why there can be no cluster here; undefined if there can. */
function obstacle() {
  const folders = PATH.split(path.delimiter);
  const missing = NEEDED.filter((name) => !folders.some((folder) => fs.existsSync(path.join(folder, name))));
  if (missing.length > 0) return `${missing.join(", ")} not found (Debian: apt-get install slurm-wlm)`;
  const { status } = spawnSync("unshare", [...OWN, "true"], {
    env: { ...process.env, PATH },
    ...deadline(60),
  });
  if (status !== 0) return "no right to make namespaces (it needs root)";
  return undefined;
}

function run() {
  // Without blanks, which Slurm's settings do not take.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-slurm-"));
  const test = ["--require", "./scripts/typescript.js", path.join("tests", "slurm", "slurm.test.ts"), folder];
  const child = spawn("unshare", [...OWN, process.execPath, ...test], {
    cwd: root,
    stdio: "inherit",
    env: { ...environment(), PATH },
    ...deadline(7200),
  });
  const stop = () => child.kill("SIGKILL"); // which ends every process in there
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  child.on("exit", (code) => {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    process.exitCode = code ?? 1;
  });
}

const reason = obstacle();
if (reason) console.log(`test:slurm: skipped: ${reason}.`);
else setupOrExit().then(run);
