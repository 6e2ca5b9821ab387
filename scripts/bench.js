"use strict";
// npm run bench: times of training and of denoising, beside those of PyTorch and JAX where they are installed. See docs/performance.md.

const { startedAgain } = require("./environment");
const { setupOrExit } = require("./setup");

setupOrExit().then(() => {
  if (startedAgain()) return;
  require("./typescript.js");
  require("./bench/main.ts");
});
