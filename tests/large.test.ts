/** Training on a file that is larger than the memory it may take. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { sliceRows } from "../lib/data/rows";
import { generateDataSet } from "../lib/presets/simulate";
import { ArrowFieldsWriter } from "../lib/storage/arrow";
import { deadline } from "./processes";
import { problem } from "./tiny";

const { environment, root } = require("../scripts/environment") as {
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};
/** npm run test:large sets it to 10,000. The small share would take 1.4 GB if it were loaded. */
const MEGABYTES = Number(process.env["POROUS_SGM_LARGE"] ?? 280);
/** TensorFlow's libraries, which are mapped from their file, are 300 MB of it. */
const MOST_BYTES = 1e9;
const ROW_BYTES = 8 * (problem.conditions.length + (problem.fields.length + 1) * problem.cells);

// Not among the system's temporary files, which may be in memory.
const folder = path.join(root, "build", "large");
fs.rmSync(folder, { recursive: true, force: true }); // of a run that was killed
fs.mkdirSync(folder, { recursive: true });
after(() => fs.rmSync(folder, { recursive: true, force: true }));
// Ended from outside, the test must not leave so large a file.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    fs.rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
}

/** Writes 2000 solutions again and again, 25 rows of each condition, the conditions moved a little each time. */
function writeLarge(file: string, rows: number): void {
  const base = generateDataSet(problem, { conditions: 80, fields: 25, seed: 1 });
  const writer = new ArrowFieldsWriter(file, problem, true, { seed: "1" });
  for (let batch = 0; 250 * batch < rows; batch++) {
    const part = sliceRows(base, 250 * (batch % 8), 250 * (batch % 8) + 250);
    const conditions = part.conditions.map((value, i) => (i % 3 === 0 ? value * (1 - 1e-8 * batch) : value));
    writer.write({ ...part, conditions });
  }
  writer.close();
}

test(`a model is trained on a file of ${MEGABYTES} MB in less than 1 GB of memory`, (t) => {
  const { bavail, bsize } = fs.statfsSync(folder);
  const [free, needed] = [bavail * bsize, 1.05e6 * MEGABYTES];
  assert.ok(
    free > needed,
    `The test needs ${(needed / 1e9).toFixed(1)} GB in ${folder}, where ${(free / 1e9).toFixed(1)} GB are free; free some.`,
  );
  const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(0)} s`;
  const data = path.join(folder, "large.arrow");
  let start = performance.now();
  writeLarge(data, (1e6 * MEGABYTES) / ROW_BYTES);
  const { size } = fs.statSync(data);
  t.diagnostic(`${(size / 1e9).toFixed(2)} GB written in ${seconds(start)}`);
  assert.ok(size >= 1e6 * MEGABYTES);

  const trainings = [["lesson", 10], ...(MEGABYTES > 1000 ? [["fast", 3] as const] : [])] as const;
  for (const [preset, steps] of trainings) {
    const peak = path.join(folder, `${preset}.txt`);
    const env = environment({ ...process.env, POROUS_SGM_PEAK: peak });
    const preloaded = ["scripts/typescript.js", "tests/peak.ts"].map(
      (name) => `--require=${path.join(root, name)}`,
    );
    const args = [
      "train",
      "--data",
      data,
      "--out",
      path.join(folder, preset),
      "--preset",
      preset,
      "--from-file",
    ];
    start = performance.now();
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...preloaded, path.join(root, "scripts", "porous-sgm.js"), ...args, "--steps", String(steps)],
      { cwd: folder, env, encoding: "utf8", ...deadline(7200) },
    );
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      new RegExp(
        `preset ${preset}, ${steps} steps .* on ${Math.ceil((1e6 * MEGABYTES) / ROW_BYTES / 250) * 250} rows`,
      ),
    );
    const bytes = Math.max(...fs.readFileSync(peak, "utf8").trim().split("\n").map(Number));
    t.diagnostic(
      `preset ${preset}, ${steps} steps: ${seconds(start)}, at most ${(bytes / 1e6).toFixed(0)} MB resident`,
    );
    assert.ok(bytes < MOST_BYTES, `${(bytes / 1e6).toFixed(0)} MB`);
  }
});
