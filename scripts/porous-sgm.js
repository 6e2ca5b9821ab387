#!/usr/bin/env node
// Lets node load TypeScript, then runs the command line. npx comes through a link, which Node may have been told not to follow.
const path = require("path");
const scripts = path.dirname(require("fs").realpathSync(__filename));

if (!require(path.join(scripts, "environment")).startedAgain()) {
  require("./typescript.js");
  require("./cli/main.ts");
}
