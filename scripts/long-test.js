"use strict";
// Tests of which npm test runs a small share, at full length:
//   npm run test:faults   200 kills of a training and 200 of a generation at random moments, full and read-only disks,
//                         damaged states
//   npm run test:fuzz     100,000 broken files
//   npm run test:large    training on a file of 10 GB (which it writes first) in less than 1 GB of memory

const tests = {
  faults: {
    files: ["tests/checkpoint.test.ts", "tests/shards.test.ts"],
    variable: "POROUS_SGM_KILLS",
    count: 200,
  },
  large: { files: ["tests/large.test.ts"], variable: "POROUS_SGM_LARGE", count: 10_000 },
  fuzz: { files: ["tests/fuzz.test.ts"], variable: "POROUS_SGM_FUZZ", count: 100_000 },
};
const { files, variable, count } = tests[process.argv[2]];
process.env[variable] ??= String(count);
process.argv.splice(2, 1, ...files);
require("./test");
