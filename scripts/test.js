"use strict";
// npm test: set-up if needed, the static checks, then the tests. "npm test -- FILE ..." runs those test files only.

const { spawnSync } = require("child_process");
const { root, environment } = require("./environment");
const { runTests, testsIn } = require("./run-tests");
const { setupOrExit } = require("./setup");

function test(only) {
  const env = environment();
  if (only.length === 0) {
    for (const check of require("./checks")) {
      console.log(`check: ${check.name}`);
      if (spawnSync(process.execPath, check.args, { cwd: root, stdio: "inherit", env }).status !== 0) {
        console.error(`check: ${check.name} failed (npm run ${check.script} repeats it).`);
        return 1;
      }
    }
  }
  return runTests(only.length > 0 ? only : testsIn("tests"), env);
}

setupOrExit().then(() => (process.exitCode = test(process.argv.slice(2))));
