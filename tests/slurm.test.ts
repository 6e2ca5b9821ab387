/** What the scripts of scripts/slurm would submit, and what they refuse. npm run test:slurm submits it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { comparison } from "../scripts/slurm/comparison";
import { parseSettings } from "../scripts/slurm/settingsTable";
import { deadline } from "./processes";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-slurm-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const scripts = path.join(__dirname, "..", "scripts", "slurm");
const data = path.join(folder, "data.arrow");
fs.writeFileSync(data, "");

function submit(
  script: string,
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(path.join(scripts, script), args, { cwd: folder, encoding: "utf8", ...deadline(600) });
}

/** The words of each call of sbatch that --dry-run prints, as a shell reads them. */
function calls(script: string, ...args: string[]): string[][] {
  const before = fs.readdirSync(folder);
  const { status, stdout, stderr } = submit(script, ...args);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.deepEqual(fs.readdirSync(folder), before);
  const show = `sbatch() { printf '%s\\0' "$@"; echo; }; ${stdout}`;
  const shell = spawnSync("bash", ["-c", show], { encoding: "utf8", ...deadline(600) });
  return shell.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\0").slice(0, -1));
}

/** Asserts status 2, one sentence that matches, nothing on stdout and no new file. */
function refused(script: string, args: readonly string[], pattern: RegExp): void {
  const before = fs.readdirSync(folder);
  const { status, stdout, stderr } = submit(script, ...args);
  assert.match(stderr, pattern);
  assert.match(stderr, /^submit-[a-z]+\.sh: [^\n]+\.\n$/);
  assert.deepEqual({ status, stdout }, { status: 2, stdout: "" });
  assert.deepEqual(fs.readdirSync(folder), before);
}

const SIZE = ["--conditions", "10", "--fields", "5", "--seed", "22"];
const DATA = [...SIZE, "--shards", "4", "--out", "it's 100%"];

test("the scripts are bash that bash can read", () => {
  for (const name of fs.readdirSync(scripts).filter((file) => file.endsWith(".sh"))) {
    assert.equal(spawnSync("bash", ["-n", path.join(scripts, name)], deadline(600)).status, 0, name);
  }
});

test("a data set: an array of parts and a merge that waits for it, with the user's options", () => {
  const own = ["--account=a b", "-t", "2:00"];
  const [parts, merge, ...more] = calls(
    "submit-data.sh",
    ...DATA,
    "--at-once",
    "2",
    "--dry-run",
    "--",
    ...own,
  );
  const out = path.join(folder, "it's 100%");
  const options = ["--conditions", "10", "--fields", "5", "--seed", "22", "--convention", "figures"];
  const root = path.join(scripts, "..", "..");
  const log = (name: string) => `--output=${folder}/it's 100%%/logs/${name}.txt`;
  assert.deepEqual(parts, [
    ...["--parsable", "--job-name=parts", log("parts-%a"), ...own, "--array=1-4%2"],
    ...[path.join(scripts, "part.sh"), root, out, "4", ...options],
  ]);
  assert.deepEqual(merge, [
    ...["--parsable", "--job-name=merge", log("merge"), ...own],
    ...["--dependency=afterok:JOB_OF_parts", "--kill-on-invalid-dep=yes"],
    ...[path.join(scripts, "merge.sh"), root, out, "4"],
  ]);
  assert.deepEqual(more, []);
});

test("CDPATH, and a call by a relative name, do not change what is submitted", () => {
  const root = path.join(scripts, "..", "..");
  const [absolute, relative] = [path.join(scripts, "submit-data.sh"), "scripts/slurm/submit-data.sh"].map(
    (script) => {
      const env = { ...process.env, CDPATH: `${root}:/` };
      const args = [script, ...DATA, "--dry-run"];
      return spawnSync("bash", args, { cwd: root, env, encoding: "utf8", ...deadline(600) });
    },
  );
  assert.deepEqual({ status: relative.status, stderr: relative.stderr }, { status: 0, stderr: "" });
  assert.equal(relative.stdout, absolute.stdout);
});

test("trainings: an array over seeds or over a table, and a comparison that waits for it", () => {
  const [trainings, compare] = calls(
    "submit-training.sh",
    ...[
      "--data",
      "data.arrow",
      "--seeds",
      "3-7",
      "--preset",
      "best",
      "--out",
      "runs",
      "--n",
      "50",
      "--dry-run",
    ],
  );
  assert.ok(trainings.includes("--array=1-5"));
  assert.deepEqual(trainings.slice(-6), [path.join(folder, "runs"), data, "--set", "tuning", "--n", "50"]);
  assert.ok(compare.includes("--dependency=afterok:JOB_OF_train"));
  fs.writeFileSync(path.join(folder, "table.csv"), "preset,steps\nfast,100\nbest,\n");
  const sweep = ["--data", "data.arrow", "--settings", "table.csv", "--out", "runs", "--dry-run"];
  assert.ok(calls("submit-sweep.sh", ...sweep)[0].includes("--array=1-2"));
});

test("bad options are refused", () => {
  const dry = (...more: string[]) => [...DATA, ...more, "--dry-run"]; // the last one counts
  refused("submit-data.sh", dry("--shards", "11"), /shards is "11"; give a whole number from 1 to 10/);
  refused("submit-data.sh", dry("--seed", "1e3"), /seed is "1e3"; give a whole number from 0/);
  refused("submit-data.sh", dry("--convention", "blog"), /convention is "blog"; give one of figures, text/);
  refused("submit-data.sh", dry("--paint"), /option "--paint" is unknown/);
  refused("submit-data.sh", dry("--at-once", "0"), /at once is "0"; give a whole number from 1/);
  refused("submit-data.sh", [...DATA, "--", "--array=9"], /option --array=9 of sbatch has no place here/);
  refused("submit-data.sh", [...SIZE, "--shards", "4"], /option --out is missing/);
  refused("submit-data.sh", [...SIZE, "--out"], /option --out has no value/);
  const training = (...more: string[]) => ["--data", "data.arrow", "--out", "runs", ...more];
  refused(
    "submit-training.sh",
    training("--seeds", "7-3"),
    /seeds are "7-3"; give the first before the last/,
  );
  refused("submit-training.sh", training("--seeds", "all"), /seeds are "all"/);
  refused("submit-training.sh", training("--seeds", "1", "--steps", "x"), /: The number of steps is "x"/);
  refused("submit-training.sh", training("--seeds", "1", "--n", "1"), /number of fields is "1"/);
  refused("submit-sweep.sh", training("--settings", "absent.csv"), /Cannot read "absent.csv"/);
  refused(
    "submit-sweep.sh",
    ["--data", "no.arrow", "--out", "runs", "--settings", "t"],
    /no file "no.arrow"/,
  );
});

test("a table of settings is read, and what train would not take is refused with its line", () => {
  const read = (text: string) => parseSettings(text, "t.csv");
  const { names, trainings } = read("preset, seed\r\n\r\nfast,1\r\n,2");
  assert.deepEqual([names, trainings], [["preset", "seed"], [["fast", "1"], ["", "2"]]]); // prettier-ignore
  assert.throws(() => read("seed\n"), /has no trainings/);
  assert.throws(
    () => read("seed,out\n1,x\n"),
    /"out" is no option that can vary; give some of convention, preset,/,
  );
  assert.throws(() => read("seed,seed\n1,2\n"), /"seed" stands there twice/);
  assert.throws(() => read("seed\n1\n1,2\n"), /Line 3 of "t.csv" has 2 values; give 1/);
  assert.throws(() => read("steps,minutes\n1,2\n"), /Line 2 of "t.csv" gives the length twice/);
  assert.throws(() => read("seed\n-1\n"), /Line 2 of "t.csv": The seed is "-1"/);
  assert.throws(() => read("preset\nslow\n"), /Line 2 of "t.csv": The preset is "slow"; give one of/);
  assert.throws(
    () => read("on-divergence\nweep\n"),
    /Line 2 of "t.csv": .*Allowed choices are stop, step-back/,
  );
});

test("the comparison puts the best first and names a training that is missing", () => {
  const runs = path.join(folder, "compared");
  for (const [line, pooled] of [2, 1.5].entries()) {
    const own = path.join(runs, `run-${line + 1}`);
    fs.mkdirSync(own, { recursive: true });
    const model = { pooled };
    const median = { pooled, meanError: 0.25, stdRatio: 1 };
    const evaluation = { median, worst: { model }, reference: { model }, history: { steps: 9, seconds: 90 } };
    fs.writeFileSync(path.join(own, "evaluation.json"), JSON.stringify(evaluation));
  }
  fs.writeFileSync(path.join(runs, "trainings.csv"), "seed\n5\n6\n");
  assert.deepEqual(comparison(runs).slice(1), [
    ["run-2", "6", "1.50", "1.50", "1.50", "0.250", "1.00", "9", "1.50"],
    ["run-1", "5", "2.00", "2.00", "2.00", "0.250", "1.00", "9", "1.50"],
  ]);
  fs.rmSync(path.join(runs, "run-1", "evaluation.json"));
  assert.throws(() => comparison(runs), /Cannot read ".*evaluation.json": there is no such file/);
});
