"use strict";
// Runs the notebooks in order through the real kernel.
//   npm run figures            lesson budget, into build/: executed notebooks, Figures 1-4, the table
//   npm run notebooks          the same, written back into notebooks/ (for committing)
//   node scripts/notebooks.js --budget smoke --to DIR [NOTEBOOK ...]

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { parseArgs } = require("util");
const { root, python, environment } = require("./environment");
const { setupOrExit } = require("./setup");

const options = {
  budget: { type: "string", default: "lesson" },
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
  if (!["smoke", "lesson", "full"].includes(values.budget)) {
    console.error(`The budget is ${values.budget}; give one of smoke, lesson, full.`);
    return 2;
  }
  // What an earlier run left, with earlier code, must not come into this one's results.
  if (positionals.length === 0) {
    fs.rmSync(path.join(root, "build", "work", values.budget), { recursive: true, force: true });
  }
  const folder = path.join(root, "notebooks");
  const names = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(".ipynb"))
    .sort();
  const notebooks = positionals.length > 0 ? positionals : names.map((name) => path.join(folder, name));
  const start = Date.now();
  const target = values["in-place"] ? ["--in-place"] : ["--to", values.to];
  const { status } = spawnSync(python, [path.join(__dirname, "execute.py"), ...target, ...notebooks], {
    cwd: root,
    stdio: "inherit",
    env: environment({ ...process.env, POROUS_SGM_BUDGET: values.budget, PYTHONUNBUFFERED: "1" }),
  });
  if (status === 0) console.log(`All notebooks ran in ${((Date.now() - start) / 60000).toFixed(1)} minutes.`);
  return status ?? 1;
}

setupOrExit().then(() => (process.exitCode = execute()));
