"use strict";
// Tests of which npm test runs a small share, at full length:
//   npm run test:faults   200 kills of a training at random moments, full and read-only disks, damaged states
//   npm run test:fuzz     100,000 broken files, command lines, settings and round trips

const tests = {
  faults: { names: ["checkpoint"], variable: "POROUS_SGM_KILLS", count: 200 },
  fuzz: { names: ["fuzz", "cli-fuzz", "properties"], variable: "POROUS_SGM_FUZZ", count: 100_000 },
};
const { names, variable, count } = tests[process.argv[2]];
process.env[variable] ??= String(count);
process.argv.splice(2, 1, ...names.map((name) => `tests/${name}.test.ts`));
require("./test");
