"use strict";
// Runs files of tests by Node's own runner, which loads TypeScript and tells its lines in stack traces.

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { root } = require("./environment");

/** The files of tests in a folder of the project, in order. */
function testsIn(folder) {
  const names = fs.readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".test.ts"));
  return names.sort().map((name) => path.join(folder, name));
}

/** Runs them one at a time, as TensorFlow takes every core itself; returns the exit status. */
function runTests(files, env) {
  const reporter = process.env.CI || !process.stdout.isTTY ? "tap" : "spec";
  const loader = ["--enable-source-maps", "--require", "./scripts/typescript.js"];
  const options = ["--test", "--test-concurrency=1", `--test-reporter=${reporter}`];
  const args = [...loader, ...options, ...files];
  return spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env }).status ?? 1;
}

module.exports = { testsIn, runTests };
