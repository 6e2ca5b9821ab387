"use strict";
// The static checks, by the name of the npm script that repeats each. Run as a script: those of one npm script, or all.

const { execFile } = require("child_process");
const os = require("os");
const path = require("path");
const { root } = require("./environment");
const { deadline } = require("./processes");

const bin = (...names) => path.join(root, "node_modules", ...names);
const extract = path.join("scripts", "extract-cells.js");
const checks = [
  { name: "cells of the notebooks", script: "check", args: [extract] },
  { name: "types", script: "check", args: [bin("typescript", "bin", "tsc"), "-p", "tsconfig.json"] },
  // tslab compiles lib/ with a TypeScript of its own, an older one.
  {
    name: "types with tslab's compiler",
    script: "check",
    args: [bin("@tslab", "typescript-for-tslab", "lib", "tsc.js"), "-p", "tsconfig.json"],
  },
  // What runs in a browser has its globals, and not Node's.
  ...["explorer", "browser"].map((name) => ({
    name: `types of scripts/site/${name}`,
    script: "check",
    args: [bin("typescript", "bin", "tsc"), "-p", path.join("scripts", "site", name)],
  })),
  { name: "lint", script: "lint", args: [bin("eslint", "bin", "eslint.js"), "--max-warnings=0", "."] },
  {
    name: "format",
    script: "format:check",
    args: [bin("prettier", "bin", "prettier.cjs"), "--check", "--log-level=warn", "."],
  },
];

/** Runs one check; whether it found nothing. */
function passes({ name, script, args }, env) {
  return new Promise((resolve) => {
    const options = { cwd: root, env, maxBuffer: 1e9 };
    execFile(process.execPath, args, { ...options, ...deadline(1800) }, (error, stdout, stderr) => {
      console.log(`check: ${name}`);
      if (error) console.error(`${stdout}${stderr}check: ${name} failed (npm run ${script} repeats it).`);
      resolve(!error);
    });
  });
}

/** Runs those checks of the given scripts, side by side on the cores; whether all of them found nothing. */
async function runChecks(scripts = checks.map(({ script }) => script), env = process.env) {
  const [first, ...rest] = checks.filter(({ script }) => scripts.includes(script));
  // The others look at the cells that the first one takes out of the notebooks.
  let good = await passes(first, env);
  const work = async () => {
    for (let next; (next = rest.shift());) good = (await passes(next, env)) && good;
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, work));
  return good;
}

if (require.main === module) {
  const given = process.argv.slice(2);
  runChecks(given.length > 0 ? given : undefined).then((good) => (process.exitCode = good ? 0 : 1));
}

module.exports = { runChecks };
