#!/usr/bin/env node
// Lets node load TypeScript, then runs the command line.
require("./typescript.js");
require("./cli/main.ts");
