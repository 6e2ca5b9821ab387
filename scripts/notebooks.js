"use strict";
// Runs the notebooks in order through the real kernel.
//   npm run figures            into build/: executed notebooks, Figures 1-4, the table
//   npm run notebooks          the same, the gallery and all solutions, written back into notebooks/ (for committing)
//   npm run figures -- [--preset smoke|lesson|full] [--all] [--to FOLDER] [NOTEBOOK ...]
// The preset is "lesson" unless one is named. Where no notebook is named those run that rebuild the post, and with --all the
// other chapters and the gallery, too.

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { parseArgs } = require("util");
const { root, python, environment, notebooksOf } = require("./environment");
const { deadline } = require("./processes");
const { setupOrExit } = require("./setup");

/** Notebooks of the post: from porosities to the comparison, its errata, and its figures. */
const OF_THE_POST = /^(0[1-9]|10|11|17)-/;

const options = {
  preset: { type: "string", default: "lesson" },
  all: { type: "boolean", default: false },
  to: { type: "string", default: path.join("build", "notebooks") },
  "in-place": { type: "boolean", default: false },
};

function execute() {
  let given;
  try {
    given = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    console.error(error.message);
    return 2;
  }
  const { values, positionals } = given;
  if (!["smoke", "lesson", "full"].includes(values.preset)) {
    console.error(`The preset is ${values.preset}; give one of smoke, lesson, full.`);
    return 2;
  }
  const absent = positionals.find((name) => !fs.existsSync(name));
  if (absent !== undefined) {
    console.error(`There is no ${absent}; name notebooks as in notebooks/01-porosity.ipynb.`);
    return 2;
  }
  // What an earlier run left, with earlier code, must not come into this one's results.
  if (positionals.length === 0) {
    fs.rmSync(path.join(root, "build", "work", values.preset), { recursive: true, force: true });
  }
  const gallery = path.join("notebooks", "gallery");
  const all = values.all || values["in-place"];
  const folders = ["notebooks", ...(all ? [gallery] : [])];
  // What is committed executed has the solutions in it.
  if (values["in-place"]) folders.push(...folders.map((folder) => path.join(folder, "solutions")));
  const chosen = folders
    .flatMap((folder) => notebooksOf(folder))
    .filter((name) => all || OF_THE_POST.test(path.basename(name)));
  const notebooks = positionals.length > 0 ? positionals : chosen;
  const target = values["in-place"] ? ["--in-place"] : ["--to", values.to];
  const { status } = spawnSync(python, [path.join(__dirname, "execute.py"), ...target, ...notebooks], {
    cwd: root,
    stdio: "inherit",
    env: environment({ ...process.env, POROUS_SGM_BUDGET: values.preset }),
    ...deadline(20 * 86400), // each cell has one of its own
  });
  return status ?? 1;
}

setupOrExit().then(() => (process.exitCode = execute()));
