"use strict";
// npm test: set-up if needed, the static checks, then the tests. "npm test -- FILE ..." runs those test files only.

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { root, environment } = require("./environment");
const { setupOrExit } = require("./setup");

const run = (args) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env: environment() }).status ?? 1;

function test(only) {
  if (only.length === 0) {
    for (const check of require("./checks")) {
      console.log(`check: ${check.name}`);
      if (run(check.args) !== 0) {
        console.error(`check: ${check.name} failed (npm run ${check.script} repeats it).`);
        return 1;
      }
    }
  }
  const names = fs.readdirSync(path.join(root, "tests")).filter((name) => name.endsWith(".test.ts"));
  const files = only.length > 0 ? only : names.sort().map((name) => path.join("tests", name));
  // One file at a time: TensorFlow takes every core itself.
  const reporter = process.env.CI || !process.stdout.isTTY ? "--test-reporter=tap" : "--test-reporter=spec";
  const options = ["--require", "./scripts/typescript.js", "--test", "--test-concurrency=1", reporter];
  return run([...options, ...files]);
}

setupOrExit().then(() => (process.exitCode = test(process.argv.slice(2))));
