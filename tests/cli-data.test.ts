import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import { readDataSet } from "../lib/storage/arrow";
import { solveElectrode } from "../notebooks/support/02/solve";
import { deadline } from "./processes";
import { assertRefused, type Refusal } from "./refusals";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-cli-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const script = path.join(__dirname, "..", "scripts", "porous-sgm.js");

/** Runs the command line in the temporary folder, which is not the project's. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: "utf8", ...deadline(600) });
}

const refused = (...cases: Refusal[]): void => assertRefused(folder, ...cases);

const GENERATE = ["generate", "--conditions", "3", "--fields", "2", "--seed", "1"];
const row = Array.from({ length: 100 }, (_, i) => 0.25 + i / 1000);
fs.writeFileSync(path.join(folder, "porosity.csv"), `${row.join()}\n${row.slice().reverse().join()}\n`);
const SOLVE = ["solve", "--porosity", "porosity.csv", "--equilibrium-potential", "-0.05", "--flux", "25"];

test("generate writes what the library draws, below the user's folder", async () => {
  const { status, stdout, stderr } = run(
    ...GENERATE,
    "--convention",
    "text",
    "--workers",
    "2",
    "--out",
    "a.arrow",
  );
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
  const data = await readDataSet(path.join(folder, "a.arrow"));
  assert.deepEqual(
    data.fields,
    generateDataSet(porousElectrode("text"), { conditions: 3, fields: 2, seed: 1 }).fields,
  );
  assert.equal(run(...GENERATE, "--shard", "2/3", "--out", "b.arrow").status, 0);
  assert.equal((await readDataSet(path.join(folder, "b.arrow"))).rows, 2);
});

test("a data set is drawn in parts, in one command or in several, and merged to the same file", () => {
  const whole = [...GENERATE, "--out", "whole.arrow"];
  assert.equal(run(...whole).stderr, "");
  assert.match(
    run(...whole, "--resume").stdout,
    /^whole\.arrow: the data set is complete already; [^\n]*\.\n$/,
  );
  const part = (k: number) => run(...GENERATE, "--shard", `${k}/2`, "--resume", "--out", `part-${k}.arrow`);
  for (const k of [1, 2]) assert.deepEqual([part(k).status, part(k).stderr], [0, ""]);
  assert.match(part(2).stdout, /^part-2\.arrow: shard 2\/2 is complete already; it is left as it is\.\n$/);
  const merged = run("merge", "--out", "merged.arrow", "part-2.arrow", "part-1.arrow");
  assert.deepEqual([merged.status, merged.stdout, merged.stderr], [0, "", ""]);
  assert.equal(run(...GENERATE, "--shards", "3", "--out", "shards.arrow").stderr, "");
  for (const name of ["merged.arrow", "shards.arrow"]) {
    const [a, b] = [name, "whole.arrow"].map((file) => fs.readFileSync(path.join(folder, file)));
    assert.ok(a.equals(b), name);
  }
  refused(
    [["merge", "--out", "x.arrow", "part-1.arrow"], /Shard 2\/2 is missing/],
    [["merge", "--out", "x.csv", "part-1.arrow"], /output is "x.csv"/],
    [["merge", "--out", "x.arrow"], /missing required argument/],
    [[...GENERATE, "--shard", "1/3", "--resume", "--out", "part-1.arrow"], /has 2 shards and not 3/],
    [[...GENERATE, "--shard", "1/3", "--shards", "3", "--out", "x.arrow"], /--shard and --shards/],
  );
});

test("generate draws at chosen conditions, given one by one or as a table, also to standard output", async () => {
  const at = ["--correlation-length", "1e-5", "--equilibrium-potential", "0", "--flux", "25"];
  assert.equal(run("generate", ...at, "--fields", "3", "--out", "fixed.arrow").stderr, "");
  const data = await readDataSet(path.join(folder, "fixed.arrow"));
  assert.deepEqual(data.fields, simulateAt(porousElectrode("figures"), [1e-5, 0, 25], 3, 1).fields);
  assert.ok(data.conditions.every((value, i) => value === [1e-5, 0, 25][i % 3]));
  fs.writeFileSync(path.join(folder, "conditions.csv"), "flux,equilibrium_potential,correlation_length\n25,0,1e-5\n5,0.1,2e-6\n"); // prettier-ignore
  const table = ["generate", "--conditions", "conditions.csv", "--fields", "3"];
  assert.equal(run(...table, "--out", "table.arrow").stderr, "");
  const two = await readDataSet(path.join(folder, "table.arrow"));
  assert.deepEqual(two.fields.subarray(0, data.fields.length), data.fields);
  assert.deepEqual(two.conditions.subarray(9, 12), Float64Array.of(2e-6, 0.1, 5));
  const piped = spawnSync(
    "bash",
    ["-c", `"$0" "$@" > piped.arrow`, process.execPath, script, ...table, "--out", "-"],
    {
      cwd: folder,
      encoding: "utf8",
      ...deadline(600),
    },
  );
  assert.deepEqual([piped.status, piped.stderr], [0, ""]);
  assert.ok(
    fs
      .readFileSync(path.join(folder, "piped.arrow"))
      .equals(fs.readFileSync(path.join(folder, "table.arrow"))),
  );
  const generate = (...words: string[]) => ["generate", "--fields", "3", "--out", "x.arrow", ...words];
  refused(
    [generate(), /conditions are not told; give --conditions with their number or a file, or each of/],
    [generate(...at, "--conditions", "3"), /conditions are not told/],
    [generate(...at.slice(0, 4)), /conditions are told in part; give --flux as well/],
    [generate(...at, "--flux", "75"), /The flux is 75; give a number from 0 to 50/],
    [
      generate("--conditions", "many"),
      /number of conditions is "many"; give a whole number, or the name of a file/,
    ],
    [generate("--conditions", "absent.csv"), /"absent.csv": there is no such file/],
    [generate(...at, "--resume", "--out", "-"), /Nothing on standard output can be resumed/],
  );
});

test("compare takes what solve and generate write, as far as the conditions of both are known", () => {
  const rows = Array.from({ length: 8 }, (_, k) => row.map((x) => x + k / 100).join());
  fs.writeFileSync(path.join(folder, "eight.csv"), rows.join("\n"));
  const solve = ["solve", "--porosity", "eight.csv", "--equilibrium-potential", "0", "--flux", "25"];
  assert.equal(run(...solve, "--out", "eight.arrow").stderr, "");
  const at = ["--correlation-length", "1e-5", "--equilibrium-potential", "0", "--flux", "25"];
  assert.equal(run("generate", ...at, "--fields", "8", "--seed", "2", "--out", "drawn.arrow").stderr, "");
  const both = run("compare", "eight.arrow", "drawn.arrow");
  assert.deepEqual([both.status, both.stderr], [0, ""]);
  assert.match(
    both.stdout,
    /^porous-electrode, convention figures; correlation length unknown, .* flux 25 A\/m2$/m,
  );
  assert.match(both.stdout, /^floor: rows 5 to 8 of "eight.arrow"$/m);
  assert.doesNotMatch(both.stdout, /imbalance/); // no law of the convention figures
  const self = run("compare", "drawn.arrow", "drawn.arrow");
  assert.match(self.stdout, /^energy distance .* 0\.00 /m);
  assert.equal(run(...SOLVE, "--out", "s.arrow").stderr, "");
  refused(
    [["compare", "s.arrow", "drawn.arrow"], /"s.arrow" is at .* -0.05 V, .*"drawn.arrow" at .* 0 V/],
    [
      ["compare", "s.arrow", "s.arrow"],
      /"s.arrow" has 2 rows at conditions that are not known in full.*give at least 4/,
    ],
  );
});

test("README's commands run in its order", () => {
  const readme = fs.readFileSync(path.join(__dirname, "..", "README.md"), "utf8");
  const block = /```sh\n(npx porous-sgm generate[^`]*)```/.exec(readme)![1];
  const small = block
    .replace("--conditions 1000 --fields 25", "--conditions 40 --fields 10")
    .replace("--preset fast", "--preset lesson --steps 2")
    .replace(/--(count|fields) 1000/g, "--$1 20")
    .replace("infer ", "infer --count 50 ")
    .replace("evaluate --model model", "evaluate --model model --n 20 --sets 2");
  const home = path.join(folder, "readme");
  fs.mkdirSync(home);
  fs.copyFileSync(path.join(folder, "porosity.csv"), path.join(home, "porosity.csv"));
  fs.writeFileSync(path.join(home, "sensors.csv"), "field,x,value,std\nphi,9e-5,0.03,0.01\n");
  for (const line of small.trim().split("\n")) {
    const words = line.split(/\s+/).slice(2);
    const { status, stderr } = spawnSync(process.execPath, [script, ...words], {
      cwd: home,
      encoding: "utf8",
      ...deadline(600),
    });
    assert.equal(status, 0, `${line}: ${stderr}`);
  }
  for (const name of ["data.arrow", "model", "pores.arrow", "inferred.arrow", "solved.csv"]) {
    assert.ok(fs.existsSync(path.join(home, name)), name);
  }
  fs.rmSync(home, { recursive: true });
});

test("solve writes the same fields as Arrow and as CSV", async () => {
  assert.equal(run(...SOLVE, "--out", "s.arrow").stderr, "");
  assert.equal(run(...SOLVE, "--out", "s.csv").stderr, "");
  const data = await readDataSet(path.join(folder, "s.arrow"));
  assert.equal(data.rows, 2);
  assert.ok(Number.isNaN(data.conditions[0])); // no correlation length belongs to a porosity that is given
  assert.deepEqual(data.conditions.subarray(1, 3), Float64Array.of(-0.05, 25));
  const { c, phi } = solveElectrode(
    Float64Array.from(row),
    { equilibriumPotential: -0.05, flux: 25 },
    "figures",
  );
  assert.deepEqual(data.fields.subarray(0, 200), Float64Array.of(...c, ...phi));
  assert.deepEqual(data.latent?.subarray(0, 100), Float64Array.from(row));
  const lines = fs.readFileSync(path.join(folder, "s.csv"), "utf8").trimEnd().split("\n");
  assert.equal(lines.length, 3);
  assert.deepEqual(Float64Array.from(lines.slice(1).join().split(","), Number), data.fields);
});

test("help is shown for the program and its verbs", () => {
  for (const args of [["--help"], ["generate", "--help"], ["help", "solve"]]) {
    const { status, stdout, stderr } = run(...args);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: porous-sgm/);
    assert.equal(stderr, "");
  }
  const { stdout } = run();
  for (const verb of [
    "generate",
    "merge",
    "solve",
    "presets",
    "train",
    "sample",
    "check",
    "infer",
    "compare",
    "evaluate",
  ]) {
    assert.match(stdout, new RegExp(`^ +${verb} `, "m"));
  }
});

test("unknown verbs and options are refused", () => {
  refused(
    [
      ["paint"],
      /verb is "paint"; give one of generate, import, merge, solve, presets, train, sample, .*compare, evaluate/,
    ],
    [["--paint"], /unknown option '--paint'/],
    [[...GENERATE, "--out", "x.arrow", "--paint"], /unknown option '--paint'/],
    [GENERATE, /required option '--out/],
    [[...GENERATE, "--out", "x.arrow", "more"], /too many arguments/],
  );
});

test("bad values of generate are refused", () => {
  const generate = (...more: string[]): string[] => [...GENERATE, "--out", "x.arrow", ...more]; // the last one counts
  refused(
    [generate("--convention", "blog"), /convention is "blog"; give one of figures, text/],
    [generate("--conditions", "-1"), /conditions is -1; give a whole number from 1/],
    [generate("--seed", "1.5"), /seed is 1.5; give a whole number from 0/],
    [generate("--shard", "4/3"), /shard is "4"; give a whole number from 1 to 3/],
    [generate("--out", "x.csv"), /output is "x.csv"; give a name that ends in .arrow/],
  );
});

test("bad porosity and bad values of solve are refused", () => {
  const solve = (...more: string[]): string[] => [...SOLVE, "--out", "x.csv", ...more];
  const file = (name: string, rows: readonly (readonly unknown[])[]): string => {
    fs.writeFileSync(path.join(folder, name), rows.map((values) => `${values.join()}\n`).join(""));
    return name;
  };
  const with3rd = (value: unknown): unknown[] => [row[0], row[1], value, ...row.slice(3)];
  // 300 good rows first, so that a part of the output has been written when the bad one comes.
  const many = Array.from({ length: 300 }, () => row);
  refused(
    [solve("--porosity", file("nan.csv", [...many, with3rd("NaN")])), /Line 301, column 3 of .* is "NaN"/],
    [
      solve("--porosity", file("one.csv", [with3rd(1)])),
      /Line 1, column 3 of .* is "1", the values being separated by commas; give a number from 1e-9/,
    ],
    [
      solve("--porosity", file("short.csv", [row, row.slice(1)])),
      /Line 2 of .* has 99 values, separated by commas; give 100/,
    ],
    [solve("--porosity", "absent.csv"), /Cannot read "absent.csv": there is no such file/],
    [solve("--porosity", "."), /Cannot read ".": it is a folder/],
    [solve("--flux", "NaN"), /flux is "NaN"; give a finite number/],
    [solve("--flux", "1e308"), /give smaller values/],
    [solve("--out", "x.txt"), /extension of the output is ".txt"; give one of .arrow, .csv/],
  );
});

test("outputs that cannot be written are refused", () => {
  const porosity = fs.readFileSync(path.join(folder, "porosity.csv"), "utf8");
  refused(
    [
      [...SOLVE, "--out", "porosity.csv"],
      /The output "porosity.csv" is the file of the porosities; give another name/,
    ],
    [[...GENERATE, "--out", "porosity.csv/x.arrow"], /a part of its path is not a folder/],
  );
  assert.equal(fs.readFileSync(path.join(folder, "porosity.csv"), "utf8"), porosity);
  fs.mkdirSync(path.join(folder, "folder.arrow"));
  refused([[...GENERATE, "--out", "folder.arrow"], /not a regular file/]);
});

test("a disk that fills up leaves neither a file nor a part of one", () => {
  // A limit on the size of files fails in the middle of writing, as a full disk does: 40 of 240 KB can be written.
  const before = fs.readdirSync(folder);
  const line = `ulimit -f 40; exec "$0" "$@"`;
  const args = [
    script,
    "generate",
    "--conditions",
    "1",
    "--fields",
    "100",
    "--seed",
    "1",
    "--out",
    "full.arrow",
  ];
  const { status, stderr } = spawnSync("bash", ["-c", line, process.execPath, ...args], {
    cwd: folder,
    encoding: "utf8",
    ...deadline(600),
  });
  assert.match(stderr, /^porous-sgm: Cannot write "full.arrow": the file would be larger[^\n]*\.\n$/);
  assert.equal(status, 2);
  assert.deepEqual(fs.readdirSync(folder), before);
});

test("a run that is ended leaves nothing behind", async () => {
  const before = fs.readdirSync(folder);
  // 600 MB: some ten seconds of work, and no more than a small disk holds.
  const args = [
    script,
    "generate",
    "--conditions",
    "10000",
    "--fields",
    "25",
    "--seed",
    "1",
    "--out",
    "big.arrow",
  ];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore", ...deadline(600) });
  const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
  // Wait for the temporary file; a run that ends by itself first fails the test.
  while (fs.readdirSync(folder).length === before.length && child.exitCode === null) await sleep(20);
  child.kill("SIGTERM");
  assert.equal(await exit, 128 + 15);
  assert.deepEqual(fs.readdirSync(folder), before);
});
