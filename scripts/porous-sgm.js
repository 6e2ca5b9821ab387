#!/usr/bin/env node
// Lets node load TypeScript, then runs the command line.
if (!require("./environment").startedAgain()) {
  require("./typescript.js");
  require("./cli/main.ts");
}
