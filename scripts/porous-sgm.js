#!/usr/bin/env node
// Lets node load TypeScript, then runs the command line.
const path = require("node:path");

require("ts-node").register({ transpileOnly: true, project: path.join(__dirname, "..", "tsconfig.json") });
require("./cli/main.ts");
