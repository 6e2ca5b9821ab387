"use strict";
// npm test: set-up if needed, the static checks, then the tests. "npm test -- FILE ..." runs those test files only.

const os = require("os");
const { environment } = require("./environment");
const { runTests, testsIn } = require("./run-tests");
const { setupOrExit } = require("./setup");

async function test(only) {
  await setupOrExit();
  const env = environment();
  if (only.length === 0 && !(await require("./checks").runChecks(undefined, env))) return 1;
  const seconds = Number(process.env.POROUS_SGM_TEST_SECONDS ?? 1800); // a file of long tests takes more
  const files = only.length > 0 ? only : testsIn("tests");
  return runTests(files, env, { concurrency: os.availableParallelism(), seconds });
}

test(process.argv.slice(2)).then((status) => (process.exitCode = status));
