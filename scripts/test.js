"use strict";
// npm test: set-up if needed, the static checks, then the tests. "npm test -- FILE ..." runs those test files only.

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { root, environment } = require("./environment");
const { setup, SetupError } = require("./setup");

try {
  setup();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`set-up: ${error.message}`);
  process.exit(1);
}
const run = (args) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env: environment() }).status ?? 1;
const only = process.argv.slice(2);
if (only.length === 0) {
  for (const check of require("./checks")) {
    console.log(`check: ${check.name}`);
    if (run(check.args) !== 0) {
      console.error(`check: ${check.name} failed (npm run ${check.script} repeats it).`);
      process.exit(1);
    }
  }
}
const folder = path.join(root, "tests");
const names = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith(".test.ts"))
  .sort();
const files = only.length > 0 ? only : names.map((name) => path.join("tests", name));
// One file at a time: TensorFlow takes every core itself.
const reporter = process.env.CI || !process.stdout.isTTY ? "--test-reporter=tap" : "--test-reporter=spec";
const options = ["--require", "./scripts/typescript.js", "--test", "--test-concurrency=1", reporter];
process.exitCode = run([...options, ...files]);
