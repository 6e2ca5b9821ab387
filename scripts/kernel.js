"use strict";
// What JupyterLab starts as the kernel "TypeScript": tslab, with the project's root as its working
// directory (so that notebooks import "./lib/..." with types checked) and TensorFlow's environment.

const { root, startedAgain } = require("./environment");

if (!startedAgain()) {
  process.chdir(root);
  // Before tslab's main part, which takes what it needs from the modules mended here.
  for (const part of [
    "inspection",
    "timers",
    "modules",
    "cells",
    "declarations",
    "failures",
    "messages",
    "comms",
    "signals",
    "parent",
  ])
    require(`./kernel/${part}`)();
  require("tslab/dist/main").startKernel({ configPath: process.argv[2], enableFindLocal: false });
}
