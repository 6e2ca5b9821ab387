"use strict";
// npm run test:faults: the tests of what may happen to a training's process and disk, with 200 kills instead of a few.

process.env.POROUS_SGM_KILLS ??= "200";
process.argv.push("tests/checkpoint.test.ts");
require("./test");
