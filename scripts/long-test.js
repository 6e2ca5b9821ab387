"use strict";
// Tests of which npm test runs a small share, at full length:
//   npm run test:faults   200 kills of a training and 200 of a generation at random moments, full and read-only disks,
//                         damaged states
//   npm run test:fuzz     100,000 broken files, command lines, settings, round trips and cells
//   npm run test:soak     20,000 steps, 200 calls of sampling, 1,000,000 fields written, 50 interrupts of the kernel, 50
//                         starts of JupyterLab that are ended at random moments
//   npm run test:large    training on a file of 10 GB (which it writes first) in less than 1 GB of memory
//   npm run test:models   the shipped models with twice as many sets

const tests = {
  faults: { names: ["checkpoint", "shards"], variable: "POROUS_SGM_KILLS", count: 200 },
  fuzz: { names: ["fuzz", "cli-fuzz", "properties", "cells"], variable: "POROUS_SGM_FUZZ", count: 100_000 },
  soak: { names: ["soak", "lab"], variable: "POROUS_SGM_SOAK", count: 20_000 },
  models: { names: ["models"], variable: "POROUS_SGM_SETS", count: 4 },
  large: { names: ["large"], variable: "POROUS_SGM_LARGE", count: 10_000 },
};
const { names, variable, count } = tests[process.argv[2]];
process.env[variable] ??= String(count);
process.env.POROUS_SGM_TEST_SECONDS ??= String(86400);
process.argv.splice(2, 1, ...names.map((name) => `tests/${name}.test.ts`));
require("./test");
