"use strict";
// npm run site: the executed notebooks as a static site, which needs neither a server nor a network, into build/site.

const { root } = require("./environment");
const { setupOrExit } = require("./setup");

setupOrExit().then(() => {
  process.chdir(root);
  require("./typescript.js");
  require("./site/main.ts");
});
