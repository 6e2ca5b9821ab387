"use strict";
// Runs files of tests by Node's own runner, which loads TypeScript and tells its lines in stack traces.

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { root } = require("./environment");
const { deadline } = require("./processes");

/** Those that take longest begin first, so that the others fill the time beside them. */
const FIRST = ["notebooks.test.ts", "solutions.test.ts"];

/** The files of tests in a folder of the project, in order. */
function testsIn(folder) {
  const names = fs.readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".test.ts"));
  const [first, rest] = [true, false].map((early) => names.filter((name) => FIRST.includes(name) === early));
  return [...first.sort(), ...rest.sort()].map((name) => path.join(folder, name));
}

/** Runs them, `concurrency` at a time, and ends a file that takes longer than `seconds`; returns the exit status. */
function runTests(files, env, { concurrency = 1, seconds = 1800 } = {}) {
  const reporter = process.env.CI || !process.stdout.isTTY ? "tap" : "spec";
  const loader = ["--enable-source-maps", "--require", "./scripts/typescript.js"];
  const options = [
    "--test",
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${1000 * seconds}`,
    `--test-reporter=${reporter}`,
  ];
  const args = [...loader, ...options, ...files];
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env,
    ...deadline((seconds + 60) * files.length),
  });
  return status ?? 1;
}

module.exports = { testsIn, runTests };
