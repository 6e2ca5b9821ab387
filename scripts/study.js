"use strict";
// npm run study -- NAME: computes what the notebooks show of long comparisons, into data/results.

const { root, startedAgain } = require("./environment");
const { setupOrExit } = require("./setup");

setupOrExit().then(() => {
  if (startedAgain()) return;
  process.chdir(root);
  require("./typescript.js");
  require("./studies/main.ts");
});
