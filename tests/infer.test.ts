/** The verb that draws fields given sensors. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { columnMean, columnStd } from "../lib/comparison";
import { posteriorWarnings } from "../lib/posterior/surprise";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { simulateAt } from "../lib/presets/simulate";
import { readDataSet } from "../lib/storage/arrow";
import { deadline } from "./processes";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-infer-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const script = path.join(__dirname, "..", "scripts", "porous-sgm.js");
const run = (...args: string[]) =>
  spawnSync(process.execPath, [script, "infer", ...args], {
    cwd: folder,
    encoding: "utf8",
    ...deadline(300),
  });
const put = (name: string, content: string) => fs.writeFileSync(path.join(folder, name), content);

const AT = ["--correlation-length", "1e-5", "--equilibrium-potential", "0", "--flux", "25"];
const truth = simulateAt(porousElectrode("figures"), [1e-5, 0, 25], 1, 77).fields;
const HEADER = "field,x,value,std\n";
// In a cell's centre, a tenth of the prior's deviation, no noise.
const GOOD = `${HEADER}c,5.05e-5,${truth[50]},0.03\nphi,5.05e-5,${truth[150]},4e-5\n`;
put("s.csv", GOOD);

test("all methods agree with the solver's posterior where the sensors are, and roughly elsewhere", async () => {
  const drawn: Record<string, Float64Array> = {};
  for (const method of ["importance", "twisted", "jfps", "mmps", "kalman"]) {
    const few = method === "twisted" ? ["--particles", "200", "--steps", "24"] : [];
    const out = `${method}.arrow`;
    const args = [
      "--sensors",
      "s.csv",
      ...AT,
      "--method",
      method,
      "--count",
      "100",
      "--seed",
      "3",
      "--out",
      out,
    ];
    const { status, stdout, stderr } = run(...args, ...few);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^(\d+ of 100 fields.*\n|preparing.*\n)*$/);
    const weighted = method === "importance" || method === "twisted";
    const counted = weighted ? /; of \d+ weighted ones at least \d+ counted at any time/.source : "";
    assert.match(
      stdout,
      new RegExp(`^${method}\\.arrow: 100 fields given 2 sensors, by ${method}${counted}\\n$`),
    );
    drawn[method] = (await readDataSet(path.join(folder, out))).fields;
  }
  const [mean, std] = [columnMean(drawn.importance, 200), columnStd(drawn.importance, 200)];
  for (const [method, fields] of Object.entries(drawn)) {
    const found = columnMean(fields, 200);
    for (const at of [0, 50, 150, 199]) {
      const off = Math.abs(found[at] - mean[at]) / std[at];
      assert.ok(off < 0.8, `${method}, ${at}: ${off}`);
    }
    assert.ok(Math.abs(found[50] - truth[50]) < 0.1, method);
  }
});

test("the same seed gives the same fields, from sensors in any layout", async () => {
  put(
    "layout.csv",
    `# two\nstd;value;x;field\n0,03;${String(truth[50]).replace(".", ",")};5,05e-5;c\n\n0,00004;${String(truth[150]).replace(".", ",")};0,0000505;phi\n`,
  );
  const args = [...AT, "--method", "kalman", "--count", "3"];
  for (const name of ["s", "layout"]) {
    const { stderr } = run("--sensors", `${name}.csv`, ...args, "--out", `${name}.arrow`);
    assert.equal(stderr, "");
  }
  const [a, b] = await Promise.all(
    ["s", "layout"].map((name) => readDataSet(path.join(folder, `${name}.arrow`))),
  );
  assert.deepEqual(a.fields, b.fields);
});

test("improbable sensors and few effective samples are told in one sentence", () => {
  put("far.csv", `${HEADER}c,5e-5,1010,0.1\n`);
  const { status, stderr } = run(
    "--sensors",
    "far.csv",
    ...AT,
    "--method",
    "kalman",
    "--count",
    "2",
    "--out",
    "far.csv.arrow",
  );
  assert.equal(status, 0);
  assert.match(
    stderr,
    /^porous-sgm: Sensor 1 is \d+ standard deviations from what is expected at these conditions: [^\n]+\.\n$/,
  );
  const surprise = { sensor: 2, deviations: 1, joint: 0 };
  assert.deepEqual(posteriorWarnings({ surprise, effective: { number: 800, of: 1000 } }), []);
  assert.match(posteriorWarnings({ surprise, effective: { number: 20, of: 1000 } })[0], /only 20 count/);
  assert.match(posteriorWarnings({ surprise: { ...surprise, joint: 9 } })[0], /together are 9\.0? standard/);
});

test("bad sensors and options are refused in one sentence, with nothing written", () => {
  const files: Record<string, [string, RegExp]> = {
    "field.csv": [
      `${HEADER}d,5e-5,998,0.1\n`,
      /The field in line 2 of "?field\.csv"? is "d"; give c or phi\./,
    ],
    "outside.csv": [
      `${HEADER}c,5e-5,998,0.1\nc,1.1e-4,998,0.1\n`,
      /The x in line 3 of .* is "1\.1e-4"; give a position from 0 to 0\.0001/,
    ],
    "negative.csv": [`${HEADER}c,-1e-6,998,0.1\n`, /The x in line 2/],
    "zero.csv": [
      `${HEADER}c,5e-5,998,0\n`,
      /The std in line 2 of .* is "0"; give the standard deviation of the noise, above 0/,
    ],
    "nan.csv": [`${HEADER}c,5e-5,998,NaN\n`, /The std in line 2 of .* is "NaN"/],
    "value.csv": [
      `${HEADER}c,5e-5,high,0.1\n`,
      /The value in line 2 of .* is "high"; give a number in mol\/m3/,
    ],
    "short.csv": [`${HEADER}c,5e-5,998\n`, /The std in line 2 of .* is ""/],
    "none.csv": [HEADER, /none\.csv"? holds no sensors/],
    "empty.csv": ["", /empty\.csv"? holds no sensors/],
    "header.csv": ["c,5e-5,998,0.1\n", /Column field is missing/],
    "twice.csv": [
      `${HEADER}c,5e-5,998,0.1\nc,5e-5,999,0.1\n`,
      /Lines 2 and 3 of .* say 998 and 999 of c at x = 0\.00005, 7\.1 standard deviations apart/,
    ],
  };
  for (const [name, [content]] of Object.entries(files)) put(name, content);
  put("fine.csv", `${HEADER}c,5e-5,998,0.1\nc,5e-5,998.2,0.1\n`);
  const before = fs.readdirSync(folder);
  const refused = (args: string[], pattern: RegExp) => {
    const { status, stdout, stderr } = run(...args, "--out", "x.arrow");
    assert.match(stderr, pattern);
    assert.match(stderr, /^porous-sgm: [^\n]+\.\n$/);
    assert.deepEqual([status, stdout], [2, ""], stderr);
    assert.deepEqual(fs.readdirSync(folder), before);
  };
  for (const [name, [, pattern]] of Object.entries(files)) refused(["--sensors", name, ...AT], pattern);
  refused(["--sensors", "s.csv", ...AT.slice(0, 4)], /needs --flux/);
  refused(["--sensors", "s.csv", ...AT, "--method", "dps"], /The method is "dps"; give one of twisted, jfps/);
  refused(["--sensors", "s.csv", ...AT, "--method", "jfps", "--particles", "10"], /has no particles/);
  refused(["--sensors", "s.csv", ...AT, "--count", "0"], /The number of fields/);
  refused(["--sensors", "absent.csv", ...AT], /absent\.csv/);
  refused(["--sensors", "s.csv", ...AT, "--model", "blog"], /does not know the covariance/);
  refused(["--sensors", "s.csv", "--correlation-length", "1", ...AT.slice(2)], /correlation length is 1/);
});
