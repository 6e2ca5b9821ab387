"use strict";
// Runs files of tests by Node's own runner, which loads TypeScript and tells its lines in stack traces. As a program it is
// that runner: node with the options below, then run-tests.js and what it is to run as JSON.

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { root } = require("./environment");
const { deadline } = require("./processes");

/** Those that take longest, longest first: they begin first, so that the others fill the time beside them. */
const FIRST = [
  "notebooks",
  "solutions",
  "cli-model",
  "execute",
  "soak",
  "models",
  "covariance",
  "cli-data",
  "lab",
  "large",
  "graph",
].map((name) => `${name}.test.ts`);

/** The files of tests in a folder of the project, in the order in which they begin. */
function testsIn(folder) {
  const names = fs.readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".test.ts"));
  const first = FIRST.filter((name) => names.includes(name));
  const others = names.filter((name) => !first.includes(name)).sort();
  return [...first, ...others].map((name) => path.join(folder, name));
}

/** Runs them, `concurrency` at a time, and ends a file that takes longer than `seconds`; returns the exit status. */
function runTests(files, env, { concurrency = 1, seconds = 1800 } = {}) {
  const loader = ["--enable-source-maps", "--require", "./scripts/typescript.js"];
  const options = { files, concurrency, timeout: 1000 * seconds };
  const { status } = spawnSync(process.execPath, [...loader, __filename, JSON.stringify(options)], {
    cwd: root,
    stdio: "inherit",
    env,
    ...deadline((seconds + 60) * files.length),
  });
  return status ?? 1;
}

/** What `node --test` does, which would sort the files by their names. */
function main(options) {
  const { run } = require("node:test");
  const { spec, tap } = require("node:test/reporters");
  const reporter = process.env.CI || !process.stdout.isTTY ? tap : new spec();
  run(options)
    .on("test:fail", () => (process.exitCode = 1))
    .compose(reporter)
    .pipe(process.stdout);
}

if (require.main === module) main(JSON.parse(process.argv[2]));

module.exports = { testsIn, runTests };
