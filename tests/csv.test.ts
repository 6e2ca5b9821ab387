/** Porosities and conditions as text, as NumPy, MATLAB, pandas, R and Excel write them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { readConditionsCsv, readPorosityCsv } from "../lib/storage/csv";
import { deadline } from "./processes";
import { problem, refused } from "./tiny";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-csv-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, "porosity.csv");
const foreign = (name: string): string => path.join(__dirname, "data", "foreign", name);

async function collect(name: string, interpolate = false): Promise<Float64Array[]> {
  const all: Float64Array[] = [];
  for await (const row of readPorosityCsv(name, problem, interpolate)) all.push(row);
  return all;
}

function read(text: string | Buffer, interpolate = false): Promise<Float64Array[]> {
  fs.writeFileSync(file, text);
  return collect(file, interpolate);
}

const row = Array.from({ length: 100 }, (_, i) => 0.2 + i / 1000);
const one = [Float64Array.from(row)];

test("what users have brought is read: blank lines at the end, Excel in German, NumPy's default, x beside the porosity", async () => {
  const rows = await collect(foreign("blank-end.csv"));
  assert.deepEqual([rows.length, ...rows.map(({ length }) => length)], [3, 100, 100, 100]);
  assert.deepEqual(await collect(foreign("excel-de.csv")), rows);
  const exact = await collect(foreign("savetxt-default.txt"));
  assert.equal(exact.length, 3);
  // Six digits were written of the others.
  exact.forEach((values, k) => values.forEach((value, i) => assert.ok(Math.abs(value - rows[k][i]) < 1e-6)));
  await refused(
    () => collect(foreign("x-and-porosity.csv")),
    /Line 2 of .* has 2 values, separated by commas; give 100 in every row, which is one porosity field; if they are x and porosity, give --interpolate/,
  );
  const [between, ...more] = await collect(foreign("x-and-porosity.csv"), true);
  assert.equal(more.length, 0);
  between.forEach((value, i) => assert.ok(Math.abs(value - rows[0][i]) < 1e-12));
  await refused(
    () => collect(foreign("near1.csv")),
    /porosity in line 1 of .*near1.csv" leaves 1.1e-16 of solid on average, too little .*; give a porosity of at most 0.9999/,
  );
});

test("Fortran's exponents and Excel's percent are numbers, and what is none is told by what it is", async () => {
  const fortran = row.map((x) => x.toExponential(16).replace("e", "D")).join();
  assert.deepEqual(await read(fortran), one);
  const percent = await read(row.map((x) => `${(100 * x).toFixed(1).replace(".", ",")} %`).join(";"));
  percent[0].forEach((value, i) => assert.ok(Math.abs(value - row[i]) < 1e-12));
  await refused(
    () => read(row.map((x) => 100 * x).join()),
    /Line 1, column 1 of .* is "20", .* give a number from 1e-9 to 1, which is excluded; it seems to be in percent, so divide by 100\.$/,
  );
  for (const [start, pattern] of [
    ["PK\x03\x04", /it is an Excel or zip file; save the sheet as CSV/],
    ["\x93NUMPY\x01\x00v\x00{'descr'", /it is an array of NumPy; write it by numpy\.savetxt/],
    ["MATLAB 5.0 MAT-file, Platform", /it is a MAT-file; write its matrix by writematrix/],
    ["\x1f\x8b\x08", /it is packed by gzip; unpack it/],
    ["a,b\nc,d\n", /it holds no row of numbers, its first line begins with "a"; give a table/],
  ] as const)
    await refused(() => read(Buffer.from(start, "latin1")), pattern);
});

test("headers, indices, comments and columns of the usual programs are understood", async () => {
  const names = row.map((_, i) => i);
  for (const text of [
    `# np.savetxt with a header\n${row.join(" ")}\n`,
    `% MATLAB\r\n${row.map((x) => `   ${x.toExponential(16)}`).join("")}\r\n`,
    `,${names.join()}\n0,${row.join()}\n`, // pandas, to_csv
    `${names.join()}\n${row.join()}\n`, // pandas, to_csv(index=False)
    `${names.map((i) => `"V${i}"`).join(" ")}\n"1" ${row.join(" ")}\n`, // R, write.table
    `"",${names.map((i) => `"V${i}"`).join()}\n"1",${row.join()}\n`, // R, write.csv
    `${names.map((i) => `column_${i}`).join()}\n${row.join()}\n`, // polars
    `sep=;\r\n${row.join(";")}\r\n`, // Excel
    `${row.join(", ")},\n;;;\n`.replace(";;;", ",,,"), // a separator behind the last value, an empty row of Excel
    `${row.join("\n")}\n`, // np.savetxt of a vector
    `porosity\n${row.join("\n")}\n`,
    `${row.map((x) => String(x).replace(".", ",")).join("\r\n")}`, // the same, in German
    `${row.join("|").replace(/\|/g, " | ").replace(/ \| /g, "\t")} # measured in May`,
    `name of the sample\n(no unit)\n${row.join(";")}`,
    Buffer.from(`\uFEFF${row.join("\t")}\r\n`, "utf16le"), // Excel's Unicode text
  ]) {
    assert.deepEqual(await read(text), one, String(text).slice(0, 60));
  }
  assert.deepEqual(await read(`${row.join()}\n\n${row.join()}\n\n\n`), [...one, ...one]);
});

test("a row that is wrong is refused by line, column and separator", async () => {
  const good = row.join();
  const with4th = (value: string, separator = ",") =>
    [...row.slice(0, 3), value, ...row.slice(4)].join(separator);
  for (const bad of ["NaN", "0", "1", "-0.3", "1.7", "abc", "", "0x1", "Infinity", "1e-10", "38%"]) {
    await refused(
      () => read(`# note\n${good}\n\n${with4th(bad)}\n`),
      new RegExp(`Line 4, column 4 of .*porosity.csv" is "${bad}", the values being separated by commas; give a number from 1e-9`),
    ); // prettier-ignore
  }
  await refused(() => read(with4th("abc", ";")), /Line 1, column 4 of .*separated by semicolons/);
  await refused(() => read(with4th("abc", "\t")), /separated by tabs/);
  await refused(() => read(with4th("abc", "  ")), /separated by spaces/);
  await refused(
    () => read(`${row.slice(1).join()}\n`),
    /Line 1 of .* has 99 values, separated by commas; give 100 in every row/,
  );
  await refused(() => read(`${good},0.3\n`), /Line 1 of .* has 101 values/);
  await refused(() => read(`${good}\n0.3\n`), /Line 2 of .* has 1 value, /);
  await refused(
    () => read("0.3\n0.4\n"),
    /has 2 numbers in one column; give 100 of them, or the column x beside it/,
  );
  await refused(() => read(""), /it is empty/);
  await refused(() => read("no numbers\nat all\n"), /it holds no row of numbers/);
  await refused(() => read("0.3".repeat(100_000)), /not a CSV file/);
  await refused(() => collect(path.join(folder, "absent.csv")), /there is no such file/);
  await refused(() => collect(folder), /it is a folder/);
  await refused(() => collect("/dev/zero"), /not a regular file/);
});

test("positions in any unit and any order are interpolated, exactly where the porosity is piecewise linear", async () => {
  const shape = (x: number) => 0.3 + 0.1 * Math.abs(x - 0.375); // a kink between two cells
  const expected = Float64Array.from(problem.positions, (x) => shape(x / problem.length));
  const input = fc.record({
    unit: fc.constantFrom(1, 1e-3, 1e-6, problem.length),
    between: fc.array(
      fc.integer({ min: 1, max: 100 }).map((k) => k / 101),
      { maxLength: 20 },
    ),
    separator: fc.constantFrom(",", ";", "\t", " "),
    header: fc.constantFrom("", "x porosity twice\n", "# x\n"),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ unit, between, separator, header, seed }) => {
      const places = [...new Set([0, 0.375, 1, ...between])].sort(
        (a, b) => Math.sin(a * seed) - Math.sin(b * seed),
      );
      const lines = places.map((x) => [(x * problem.length) / unit, shape(x), shape(x) / 2].join(separator));
      const [found, half, ...more] = await read(header + lines.join("\n"), true);
      assert.equal(more.length, 0);
      found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12));
      half.forEach((value, i) => assert.ok(Math.abs(value - expected[i] / 2) < 1e-12));
    }),
    { numRuns: 50, seed: 1 },
  );
  await refused(() => read("0,0.3\n50,0.4\n", true), /x of .* goes from 0 to 50; give positions from 0.5 um or less to 99.5 um or more of the 100 um/); // prettier-ignore
  await refused(() => read("0,0.3\n100,0.4\n100,0.5\n", true), /Lines 2 and 3 of .* are at one x/);
  await refused(() => read("0,0.3\n100,1.4\n", true), /Line 2, column 2 of .* is "1.4"/);
  await refused(
    () => read("0,0.3\n100\n", true),
    /Line 2 of .* has 1 value, .*; give x and the porosities, 2 in every row/,
  );
  await refused(() => read("0.3\n0.4\n", true), /Line 1 of .* has 1 value/);
});

test("where solid is scarce and where there is hardly any pore, the potential has its digits", async () => {
  // Flux balance at every interior face, k phi' against the reaction on its left; by the convention "text".
  const electrode = porousElectrode("text");
  for (const value of [0.9998, 0.5, 1e-3, 1e-9]) {
    const [porosity] = await read(Array<number>(100).fill(value).join());
    const fields = new Float64Array(200);
    electrode.solve(porosity, Float64Array.of(NaN, 0.05, 25), fields);
    const phi = fields.subarray(100);
    // k phi'' = a (phi - phi_s + U0): its differences from cell to cell lack U0, and phi_s has the slope -1000 V/m.
    const [h, k, a] = [1e-6, value ** 1.5, 5e4 * (1 - value)];
    for (let i = 1; i < 97; i++) {
      const third = (k * (phi[i + 2] - 3 * phi[i + 1] + 3 * phi[i] - phi[i - 1])) / h ** 2;
      const reaction = a * (phi[i + 1] - phi[i] + 1000 * h);
      const scale = a * 1000 * h + (k * Math.max(...phi.map(Math.abs))) / h ** 2;
      assert.ok(Math.abs(third - reaction) < 1e-6 * scale, `${value}, cell ${i}: ${third} and ${reaction}`);
    }
  }
  for (const value of [0.99995, 1 - 1e-9, 1 - 2 ** -53]) {
    await refused(() => read(Array<number>(100).fill(value).join()), /of solid on average/);
  }
  const holes = row.map((x, i) => (i % 10 ? x : 1 - 1e-12)); // single cells without solid do no harm
  assert.deepEqual(await read(holes.join()), [Float64Array.from(holes)]);
});

test("conditions are read by their names or in order, and refused by line", async () => {
  const electrode = porousElectrode("figures");
  const conditions = (text: string) => {
    fs.writeFileSync(file, text);
    return readConditionsCsv(file, electrode);
  };
  const two = [Float64Array.of(1e-5, 0, 25), Float64Array.of(2e-6, -0.1, 5)];
  assert.deepEqual(await conditions("1e-5,0,25\n2e-6,-0.1,5\n"), two);
  assert.deepEqual(
    await conditions("flux;note;correlation_length;equilibrium_potential\n25;1;1e-5;0\n5;2;2e-6;-0,1\n"),
    two,
  );
  await refused(
    () => conditions("1e-5,0,25\n1e-5,0,75\n"),
    /Line 2 of .*: The flux is 75; give a number from 0 to 50/,
  );
  await refused(
    () => conditions("flux,correlation_length\n25,1e-5\n"),
    /Column equilibrium_potential is missing/,
  );
  await refused(() => conditions("1e-5,0\n"), /Line 1 of .*: The flux is NaN/);
});

test("a pipe is read when it is written to, and one that nobody writes to is left at a signal", (t) => {
  const pipe = path.join(folder, "pipe");
  if (spawnSync("mkfifo", [pipe], deadline(60)).status !== 0)
    return t.skip("this system makes no pipes by name");
  const script = path.join(__dirname, "..", "scripts", "porous-sgm.js");
  const verb = `"${process.execPath}" "${script}" solve --equilibrium-potential 0 --flux 25`;
  const run = (line: string) =>
    spawnSync("bash", ["-c", line], { cwd: folder, encoding: "utf8", ...deadline(120) });
  fs.writeFileSync(file, `${row.join()}\n`);
  const plain = run(`${verb} --porosity porosity.csv --out -`);
  assert.deepEqual([plain.status, plain.stderr], [0, ""]);
  assert.match(plain.stdout, /^c_0,c_1,.*,phi_99\n[\d.,e-]+\n$/);
  for (const line of [
    `cat porosity.csv > pipe & ${verb} --porosity pipe --out -`,
    `${verb} --porosity - --out - < porosity.csv`,
    `cat porosity.csv | ${verb} --porosity - --out - | cat`,
    `${verb} --porosity <(cat porosity.csv) --out -`,
  ]) {
    assert.equal(run(line).stdout, plain.stdout, line);
  }
  const ended = run(`${verb} --porosity pipe --out x.csv & sleep 2; kill -TERM $!; wait $!; echo $?; ls`);
  assert.match(ended.stdout, /^143\n/);
  assert.doesNotMatch(ended.stdout, /x\.csv/);
  const compared = run(
    `"${process.execPath}" "${script}" compare pipe pipe & sleep 2; kill -INT $!; wait $!; echo $?`,
  );
  assert.match(compared.stdout, /^130\n/);
});
