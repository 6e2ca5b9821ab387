/** The porosity read back from the potential, and the verb that checks every field by it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { type Convention, CONVENTIONS, ELECTRODE, PorousElectrode } from "../lib/electrode";
import { selfConsistency } from "../lib/evaluation/selfConsistency";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { type FaceToCell, PotentialInversion } from "../lib/presets/recoveredPorosity";
import { simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { readDataSet } from "../lib/storage/arrow";
import { createFieldsWriter } from "../lib/storage/fieldsWriter";
import { deadline } from "./processes";

const FLUX = 25;
/** In cells' widths smooth on all grids of the tests. */
const smooth = (x: number) => 0.35 + 0.08 * Math.sin(2.5e4 * x + 1) + 0.04 * Math.cos(7e4 * x);

function potential(convention: Convention, cells: number, porosity: (x: number) => number): Float64Array {
  const electrode = new PorousElectrode(convention, { ...ELECTRODE, cells });
  const [c, phi] = [new Float64Array(cells), new Float64Array(cells)];
  electrode.setPorosity(electrode.grid.centres.map(porosity)).solve(0.1, FLUX, c, phi);
  return phi;
}

function recovered(
  convention: Convention,
  phi: Float64Array,
  start?: number,
  how?: FaceToCell,
): Float64Array {
  const inversion = new PotentialInversion(convention, { ...ELECTRODE, cells: phi.length }, how);
  const porosity = new Float64Array(phi.length);
  assert.equal(inversion.recover(phi, FLUX, porosity, start), undefined);
  return porosity;
}

const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

for (const convention of CONVENTIONS) {
  test(`${convention}: the recovered porosity converges with second order to that of a fine potential`, (t) => {
    const fine = 2025;
    const phi = potential(convention, fine, smooth);
    for (const how of ["smoothest", "mean of neighbours"] as const) {
      const errors = [25, 75, 225].map((cells) => {
        const ratio = fine / cells; // odd, so that centres of cells are centres of the fine grid
        const coarse = Float64Array.from({ length: cells }, (_, i) => phi[i * ratio + (ratio - 1) / 2]);
        const grounded = coarse.map((value) => value - coarse[0]);
        const porosity = recovered(convention, grounded, undefined, how);
        const error = porosity.map((value, i) => value - smooth(((i + 0.5) * ELECTRODE.length) / cells));
        // At x = 0 flux and slope vanish, so that an error of second order of the slope is one of first order of their quotient.
        return largest(error.subarray(Math.ceil(cells / 10)));
      });
      const orders = [0, 1].map((k) => Math.log(errors[k] / errors[k + 1]) / Math.log(3));
      t.diagnostic(
        `${how}: errors ${errors.map((e) => e.toExponential(1)).join(", ")}, orders ${orders.map((o) => o.toFixed(2)).join(", ")}`,
      );
      assert.ok(orders[1] > 1.8, `${how}: order ${orders[1]}`);
    }
  });

  test(`${convention}: the solver's own fields give their porosity back, at all correlation lengths`, () => {
    const inversion = new PotentialInversion(convention);
    for (const l of [2e-6, 5e-6, 2e-5]) {
      for (const flux of [0, 5, 50]) {
        const data = simulateAt(porousElectrode(convention), [l, 0.1, flux], 20, 3);
        const porosity = new Float64Array(100);
        let squares = 0;
        for (let row = 0; row < 20; row++) {
          const phi = data.fields.subarray(row * 200 + 100, row * 200 + 200);
          assert.equal(inversion.recover(phi, flux, porosity), undefined);
          porosity.forEach((value, i) => (squares += (value - data.latent![row * 100 + i]) ** 2));
        }
        const error = Math.sqrt(squares / 2000);
        // The diagonal jitter of the process, which no neighbour tells of, is 8e-4.
        assert.ok(error < 5e-4, `l ${l}, flux ${flux}: ${error}`);
      }
    }
  });

  test(`${convention}: a uniform porosity comes back exactly, from any start`, () => {
    for (const value of [0.2, 0.37, 0.8]) {
      const phi = potential(convention, 100, () => value);
      for (const start of [0.05, 0.35, 0.95]) {
        const porosity = recovered(convention, phi, start);
        const error = largest(porosity.map((found) => found - value));
        // Ten digits of a potential of millivolts beside the volts that were taken off.
        assert.ok(error < 1e-8, `${value} from ${start}: ${error}`);
      }
    }
    const phi = potential(convention, 100, smooth);
    const [a, b] = [0.1, 0.9].map((start) => recovered(convention, phi, start));
    assert.ok(largest(a.map((value, i) => value - b[i])) < 1e-11);
  });

  test(`${convention}: noise of the potential reaches the porosity in proportion`, (t) => {
    const phi = potential(convention, 100, smooth);
    const exact = recovered(convention, phi);
    const step = Math.abs(phi[99] - phi[0]) / 99;
    const errors = [1e-7, 1e-6, 1e-5].map((noise) => {
      const random = new Random(5);
      const noisy = phi.map((value) => value + noise * step * random.normal());
      const porosity = recovered(convention, noisy);
      return Math.sqrt(porosity.reduce((sum, value, i) => sum + (value - exact[i]) ** 2, 0) / 100);
    });
    t.diagnostic(
      `rms error of the porosity for noise of 1e-5 of a cell's step in phi: ${errors[2].toExponential(1)}`,
    );
    assert.ok(
      Math.abs(errors[1] / errors[0] - 10) < 0.1 && Math.abs(errors[2] / errors[1] - 10) < 0.5,
      `${errors}`,
    );
    assert.ok(errors[2] < 2e-4 && errors[2] > 1e-6, `${errors}`);
  });

  test(`${convention}: a potential that no porosity has is told by the face`, () => {
    const phi = potential(convention, 100, smooth);
    const inversion = new PotentialInversion(convention);
    const porosity = new Float64Array(100);
    const tells = (change: (value: number, i: number) => number) =>
      inversion.recover(phi.map(change), FLUX, porosity);
    assert.equal(
      tells((value) => -value),
      1,
    );
    assert.equal(
      tells((value, i) => (i > 60 ? 2 * phi[60] - value : value)),
      61,
    );
    assert.equal(
      tells((value) => 1e-3 * value),
      1,
    ); // flatter than with no solid at all
    assert.equal(
      tells((value, i) => (i === 50 ? NaN : value)),
      1,
    );
    assert.equal(
      tells((value) => value),
      undefined,
    );
  });
}

test("fields of one porosity pass, c of one sample with the potential of another does not", () => {
  const data = simulateAt(porousElectrode("figures"), [1e-5, 0, 25], 100, 9);
  const own = selfConsistency(data);
  assert.ok(own.fields.residual < 1e-4, `${own.fields.residual}`);
  assert.ok(own.solver.residual < 1e-4 && own.solver.rows === 200);
  const shuffled = data.fields.map((value, i) =>
    i % 200 < 100 ? value : data.fields[(i + 200) % data.fields.length],
  );
  const mixed = selfConsistency({ ...data, fields: shuffled });
  assert.ok(mixed.fields.residual > 0.3, `${mixed.fields.residual}`);
  assert.equal(mixed.fields.outside, 0);
});

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-check-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const script = path.join(__dirname, "..", "scripts", "porous-sgm.js");
const run = (...args: string[]) =>
  spawnSync(process.execPath, [script, "check", ...args], {
    cwd: folder,
    encoding: "utf8",
    ...deadline(120),
  });
const AT = ["--correlation-length", "1e-5", "--equilibrium-potential", "0", "--flux", "25"];

function write(name: string, change: (fields: Float64Array) => void = () => undefined): void {
  const data = simulateAt(porousElectrode("figures"), [1e-5, 0, 25], 30, 9);
  change(data.fields);
  const writer = createFieldsWriter(path.join(folder, name), data.problem, name.endsWith(".arrow"));
  writer.write(data);
  writer.close();
}

test("check reads Arrow and CSV, prints a table or JSON, and writes the porosities", async () => {
  write("a.arrow");
  write("a.csv");
  const arrow = run("a.arrow", "--json", "--out", "porosities.arrow");
  assert.equal(arrow.stderr, "");
  const numbers = JSON.parse(arrow.stdout);
  assert.ok(numbers.fields.residual < 1e-4 && numbers.fields.rows === 30 && numbers.solver.rows === 200);
  const found = await readDataSet(path.join(folder, "porosities.arrow"));
  const truth = await readDataSet(path.join(folder, "a.arrow"));
  assert.ok(largest(found.latent!.map((value, i) => value - truth.latent![i])) < 3e-3);
  const csv = run("a.csv", "--json", ...AT);
  assert.equal(csv.stderr, "");
  assert.equal(JSON.parse(csv.stdout).fields.residual, numbers.fields.residual);
  const table = run("a.csv", ...AT.slice(2));
  assert.match(table.stdout, /std of c +unknown +unknown\n/);
  assert.match(table.stdout, /mol\/m3 +\d\.\de-\d+ +unknown\n/);
});

test("check counts and names potentials of no porosity, and leaves them out of its file", async () => {
  write("bad.arrow", (fields) => {
    for (const row of [2, 5]) fields[row * 200 + 150] *= 1.2;
  });
  const { status, stdout, stderr } = run("bad.arrow", "--out", "rest.arrow");
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /potentials of no porosity +2 +0\n/);
  assert.match(
    stdout,
    /potential of row 3 \(between cells 51 and 52\), row 6 \(between cells 51 and 52\): the current/,
  );
  assert.equal((await readDataSet(path.join(folder, "rest.arrow"))).rows, 28);
});

test("check refuses what it cannot check, in one sentence, with nothing written", () => {
  write("good.arrow");
  write("good.csv");
  const text = fs.readFileSync(path.join(folder, "good.csv"), "utf8");
  const put = (name: string, content: string) => fs.writeFileSync(path.join(folder, name), content);
  put("renamed.csv", text.replace("phi_7,", "psi_7,"));
  put("word.csv", text.replace(/\n[^,]*,/, "\nhigh,"));
  put("empty.csv", "");
  put("text.arrow", "c,phi\n1,2\n");
  const before = fs.readdirSync(folder);
  const cases: [string[], RegExp][] = [
    [["missing.arrow"], /missing\.arrow/],
    [["text.arrow"], /Cannot read "?text\.arrow/],
    [["good.csv"], /holds no conditions; give --equilibrium-potential and --flux/],
    [["good.arrow", ...AT], /holds the conditions of every row; leave out/],
    [["renamed.csv", ...AT], /Column phi_7 is missing/],
    [["word.csv", ...AT], /Line 2, column 1 .*"high"/],
    [["empty.csv", ...AT], /it is empty/],
    [["good.csv", ...AT.slice(2), "--correlation-length", "1"], /correlation length is 1;/],
    [["good.csv", ...AT.slice(0, 4), "--flux", "much"], /The flux is "much"/],
    [["good.csv", ...AT, "--convention", "both"], /The convention is "both"/],
    [["good.arrow", "--out", "x.csv"], /The extension of the output is "?\.csv/],
    [["good.arrow", "--out", path.join("no", "folder", "x.arrow")], /no/],
  ];
  for (const [args, pattern] of cases) {
    const { status, stdout, stderr } = run(...args, ...(args.includes("--out") ? [] : ["--out", "x.arrow"]));
    assert.match(stderr, pattern, args.join(" "));
    assert.match(stderr, /^porous-sgm: [^\n]+\.\n$/);
    assert.deepEqual([status, stdout], [2, ""], args.join(" "));
    assert.deepEqual(fs.readdirSync(folder), before, args.join(" "));
  }
});
