"use strict";
// npm run site: the course as static files that need no installation, into build/site. Options: --out FOLDER, --budget NAME.

const { parseArgs } = require("util");
const path = require("path");
const { root, startedAgain } = require("./environment");
const { setupOrExit } = require("./setup");

setupOrExit().then(async () => {
  if (startedAgain()) return;
  process.chdir(root);
  const { SiteError, buildSite } = require("./site/build");
  try {
    const options = {
      out: { type: "string", default: "build/site" },
      budget: { type: "string", default: "smoke" },
    };
    const { out, budget } = parseArgs({ options }).values;
    await buildSite(path.resolve(out), budget);
  } catch (error) {
    const told = error instanceof SiteError || String(error.code).startsWith("ERR_PARSE_ARGS");
    console.error(told ? error.message : error.stack);
    process.exitCode = told ? 2 : 1;
  }
});
