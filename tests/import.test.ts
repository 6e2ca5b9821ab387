/** Fields that come from elsewhere: what NumPy, pandas and polars write is read, all else is refused, and a model learns it. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { InputError } from "../lib/backend/errors";
import { sameProblem } from "../lib/data/conditions";
import { selectRows } from "../lib/data/rows";
import type { DataSet } from "../lib/dataSet";
import { evaluateOnHeldOut } from "../lib/evaluation/imported";
import { finish } from "../lib/backend/interrupt";
import { chooseFields } from "../lib/presets/givenFields";
import { fittingPatch, importedProblem } from "../lib/presets/importedData";
import { presets } from "../lib/presets/presets";
import { problemByName } from "../lib/presets/problems";
import { Random } from "../lib/random";
import { readDataSet } from "../lib/storage/arrow";
import { type ImportOptions, importDataSet, splitRows } from "../lib/storage/importData";
import { npyBytes, readNpy } from "../lib/storage/npy";
import { openTable } from "../lib/storage/numberTables";
import { run } from "../scripts/cli/program";
import { assertRefused } from "./refusals";
import { mutated } from "./mutations";

const INPUTS = Number(process.env["POROUS_SGM_FUZZ"] ?? 1000);
const foreign = (name: string) => path.join(__dirname, "data", "foreign", name);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-import-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
/** Whether an error is bad input that is told so. */
const input = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof InputError, String(error));
  assert.match(error.message, pattern);
  return true;
};
const save = (name: string, shape: number[], value: (i: number) => number) =>
  fs.writeFileSync(
    at(name),
    npyBytes({
      shape,
      values: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
    }),
  );

/*
The files own* in data/foreign are by numpy 2.4, pandas 3.1 and polars 2.1 with pyarrow 26:

r, i = np.arange(6.0)[:, None], np.arange(8.0)
u, v = r + i / 8, r * i
a, b = r[:, 0] + 1, 2.0 ** -r[:, 0]
np.save("own-float32-big-endian-fortran.npy", np.asfortranarray(np.stack([u, v], 1).astype(">f4")))
np.savez("own.npz", fields=np.stack([u, v], 1), conditions=np.stack([a, b], 1))
np.savez_compressed("own-named.npz", u=u, v=v.astype("int16"), a=a.astype("float32"), b=b[:, None])
d = pd.DataFrame({"b": b, "a": a.astype("int64"), "v": list(v), "u": list(u), "note": "a text"})
d.to_parquet("own-pandas.parquet")
d.to_parquet("own-lz4.parquet", compression="lz4")
d.to_feather("own-pandas.feather")
p = pl.DataFrame({"a": a, "b": b, "u": u, "v": v})
p.write_parquet("own-polars.parquet")
p.write_ipc("own-polars.arrow")
*/
const NAMES = { names: ["a", "b", "u", "v"], units: ["1", "m", "V", "1"], log: ["b"] };

test("what NumPy, pandas and polars have written is one data set, whatever the format", async () => {
  fs.writeFileSync(at("C.csv"), "b;a\n" + [0, 1, 2, 3, 4, 5].map((r) => `${2 ** -r};${r + 1}\n`).join(""));
  save("C.npy", [6, 2], (k) => (k % 2 === 0 ? k / 2 + 1 : 2 ** -((k - 1) / 2)));
  const cases: Pick<ImportOptions, "fields" | "conditions">[] = [
    ...["own.npz", "own-named.npz", "own-pandas.parquet", "own-lz4.parquet", "own-pandas.feather", "own-polars.parquet", "own-polars.arrow"] // prettier-ignore
      .map((name) => ({ fields: foreign(name) })),
    { fields: foreign("own-float32-big-endian-fortran.npy"), conditions: at("C.npy") },
    { fields: foreign("own-float32-big-endian-fortran.npy"), conditions: at("C.csv") },
    { fields: foreign("own-named.npz"), conditions: foreign("own-polars.arrow") },
  ];
  for (const files of cases) {
    const { problem, rows, conditions, fields } = await importDataSet({ ...files, ...NAMES, length: 2 });
    assert.equal(rows, 6);
    for (let row = 0; row < 6; row++) {
      assert.deepEqual([...conditions.subarray(2 * row, 2 * row + 2)], [row + 1, 2 ** -row]);
      for (let i = 0; i < 8; i++) {
        assert.deepEqual(
          [fields[16 * row + i], fields[16 * row + 8 + i]],
          [row + i / 8, row * i],
          files.fields,
        );
      }
    }
    const [a, b] = problem.conditions;
    assert.deepEqual([a.min, a.max, a.scale, a.unit], [1, 6, "linear", "1"]);
    assert.deepEqual([b.min, b.max, b.scale, b.unit], [0.0312, 1, "log", "m"]); // rounded outwards
    assert.deepEqual([problem.cells, problem.length, problem.positions[0]], [8, 2, 0.125]);
  }
});

const KINDS = { f4: 4, f8: 8, i1: 1, i2: 2, i4: 4, i8: 8, u1: 1, u2: 2, u4: 4, u8: 8 } as const;
type Kind = keyof typeof KINDS;

/** An array as NumPy writes it, by the other way round: numbers that any kind holds, in any order. */
function written(shape: number[], kind: Kind, big: boolean, fortran: boolean, version: number): Buffer {
  const count = shape.reduce((a, b) => a * b, 1);
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const descr = `${KINDS[kind] === 1 ? "|" : big ? ">" : "<"}${kind}`;
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${tuple}), }\n`;
  const first = version === 1 ? 10 : 12;
  const bytes = Buffer.alloc(first + text.length + KINDS[kind] * count);
  bytes.write("\x93NUMPY", 0, "latin1");
  bytes[6] = version;
  if (version === 1) bytes.writeUInt16LE(text.length, 8);
  else bytes.writeUInt32LE(text.length, 8);
  bytes.write(text, first, "latin1");
  for (let place = 0; place < count; place++) {
    // The index of the number at this place, counted in C order.
    let [rest, index] = [place, 0];
    if (fortran) {
      const strides = shape.map((_, k) => shape.slice(k + 1).reduce((a, b) => a * b, 1));
      shape.forEach((length, k) => {
        index += (rest % length) * strides[k];
        rest = Math.floor(rest / length);
      });
    } else index = place;
    const to = first + text.length + KINDS[kind] * place;
    const value = index % 100;
    if (kind === "f4") bytes[big ? "writeFloatBE" : "writeFloatLE"](value, to);
    else if (kind === "f8") bytes[big ? "writeDoubleBE" : "writeDoubleLE"](value, to);
    else if (KINDS[kind] === 8) bytes[big ? "writeBigInt64BE" : "writeBigInt64LE"](BigInt(value), to);
    else bytes[big ? "writeIntBE" : "writeIntLE"](value, to, KINDS[kind]);
  }
  return bytes;
}

const array = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom(...(Object.keys(KINDS) as Kind[])),
  big: fc.boolean(),
  fortran: fc.boolean(),
  version: fc.integer({ min: 1, max: 3 }),
});

test("an array of NumPy is read in C order, whatever its numbers, byte order and shape", () => {
  fc.assert(
    fc.property(array, ({ shape, kind, big, fortran, version }) => {
      const found = readNpy(written(shape, kind, big, fortran, version), "it");
      assert.deepEqual(found.shape, shape);
      found.values.forEach((value, i) => assert.equal(value, i % 100));
      const again = readNpy(npyBytes(found), "it");
      assert.deepEqual(again, found);
    }),
    { seed: 1, numRuns: Math.max(100, INPUTS / 10) },
  );
});

test("a damaged header of NumPy is refused in one sentence, or tells of the numbers that are there", () => {
  const header = fc.record({ array, seed: fc.nat(), text: fc.boolean() });
  let refusals = 0;
  fc.assert(
    fc.property(header, ({ array: { shape, kind, big, fortran, version }, seed, text }) => {
      const whole = written(shape, kind, big, fortran, version);
      const size = KINDS[kind] * shape.reduce((a, b) => a * b, 1);
      const kept = whole.length - size;
      const bytes = Buffer.concat([
        mutated(whole.subarray(0, kept), new Random(seed), text ? "text" : "binary"),
        whole.subarray(kept),
      ]);
      try {
        const { shape: found, values } = readNpy(bytes, "it");
        assert.equal(found.reduce((a, b) => a * b, 1), values.length); // prettier-ignore
        assert.ok(values.length <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, /^Cannot read it: [^\n]{10,300}; [^\n]+\.$/);
        refusals++;
      }
    }),
    { seed: 1, numRuns: Math.max(500, INPUTS / 2) },
  );
  assert.ok(refusals > 100);
});

test("numbers of other kinds, and headers that say what is not there, are refused with the way out", () => {
  const good = written([2, 3], "f8", false, false, 1).toString("latin1");
  const refusedWith = (from: string | RegExp, to: string, message: RegExp) =>
    assert.throws(() => readNpy(Buffer.from(good.replace(from, to), "latin1"), "it"), input(message));
  refusedWith("<f8", "|b1", /holds truth values .*astype/);
  refusedWith("<f8", "<f2", /holds floats of another size .*astype/);
  refusedWith("<f8", "<c8", /holds complex numbers/);
  refusedWith("'<f8'", "'|O' ", /holds Python objects, which are never read/);
  refusedWith("'<f8'", "[...]", /have names, as a structured array; save each/);
  refusedWith("(2, 3)", "(3, 3)", /tells of 9 numbers of 8 bytes, and 48 bytes follow/);
  refusedWith("(2, 3)", "(2, L)", /tells of 2 numbers of 8 bytes/);
  refusedWith("(2, 3)", "[2, 3]", /its header is damaged/);
  refusedWith("False", "Maybe", /its header is damaged/);
  refusedWith(/^...../s, "hello", /no array of NumPy/);
  assert.throws(
    () => readNpy(Buffer.from(good, "latin1").subarray(0, 30), "it"),
    input(/ends within its header/),
  );
});

test("names, units, shapes and values that do not fit are refused in one sentence, and nothing is written", () => {
  const words = (options: Record<string, string>) => [
    "import",
    ...Object.entries({ names: "a,b,u", units: "1,m,V", out: "new.arrow", ...options }).flatMap(([k, v]) => [
      `--${k}`,
      v,
    ]),
  ];
  save("F.npy", [6, 8], (k) => k);
  save("C.npy", [6, 2], (k) => k + 1);
  save("G.npy", [6, 2, 8], (k) => k);
  save("nan.npy", [6, 8], (k) => (k === 29 ? NaN : k));
  save("inf.npy", [6, 2], (k) => (k === 5 ? Infinity : k));
  save("same.npy", [6, 2], (k) => (k % 2 === 0 ? 3 : k));
  save("short.npy", [4, 2], (k) => k);
  save("four.npy", [1, 1, 6, 8], (k) => k);
  save("flat.npy", [48], (k) => k);
  save("zero.npy", [6, 2], (k) => k);
  save("none.npy", [0, 8], (k) => k);
  save("noc.npy", [0, 2], (k) => k);
  fs.writeFileSync(at("there.arrow"), "");
  const both = { fields: "F.npy", conditions: "C.npy" };
  assertRefused(
    folder,
    [words({ ...both, names: "a,b" }), /There are 2 names and 3 units; give a unit for each/],
    [words({ ...both, names: "u", units: "V" }), /There is 1 name; give those of the conditions and then/],
    [words({ ...both, names: "a,u", units: "1,V" }), /have the shape \(6, 2\), and the names before .* are a; give \(rows, 1\)/],
    [words({ ...both, names: "a,b,c,u", units: "1,1,1,V" }), /have the shape \(6, 2\).* are a, b, c; give \(rows, 3\)/],
    [words({ ...both, names: "a,a,u" }), /The name "a" is there twice/],
    [words({ ...both, names: "a,,u" }), /A name is ""; give up to 40 letters/],
    [words({ ...both, names: "a,seed,u" }), /"seed", which is an option of sample or evaluate/],
    [words({ ...both, units: "1,,V" }), /The unit of b is ""; give up to 20 characters/],
    [words({ ...both, log: "q" }), /There is no condition "q" for --log; give some of a, b/],
    [words({ fields: "F.npy", conditions: "zero.npy", log: "a" }), /The a goes down to 0 1 and has no logarithm/],
    [words({ ...both, length: "0" }), /The length is "0" m; give a positive number/],
    [words({ ...both, share: "2" }), /The share is "2"; give a number from 0.001 to 0.9/],
    [words({ fields: "F.npy" }), /"F.npy" does not hold the condition a; give the file .* --conditions/],
    [words({ fields: "G.npy", conditions: "C.npy" }), /the names before those of the fields are a; give/],
    [words({ fields: "G.npy", conditions: "C.npy", names: "u,v", units: "1,1" }), /There are 2 names, and 2 fields in "G.npy"/],
    [words({ fields: "four.npy", conditions: "C.npy" }), /have the shape \(1, 1, 6, 8\); give \(rows, cells\) of one field/],
    [words({ fields: "flat.npy", conditions: "C.npy" }), /have the shape \(48,\); give/],
    [words({ fields: "F.npy", conditions: "short.npy" }), /There are 4 rows of conditions and 6 of fields, in "short.npy" and "F.npy"/],
    [words({ fields: "none.npy", conditions: "noc.npy" }), /There are no rows; give at least 2/],
    [words({ fields: "nan.npy", conditions: "C.npy" }), /Row 4, cell 6, of u is NaN, which is no finite number/],
    [words({ fields: "F.npy", conditions: "inf.npy" }), /Row 3 of b is Infinity, which is no finite number/],
    [words({ fields: "F.npy", conditions: "same.npy" }), /The a is 3 1 in all rows; leave it out/],
    [words({ ...both, fields: "absent.npy" }), /Cannot read "absent.npy": there is no such file/],
    [words({ ...both, fields: "F.mat" }), /The extension of "F.mat" is ".mat"; give a file of .npy/],
    [words({ ...both, out: "new.csv" }), /The output is "new.csv"; give a name that ends in .arrow/],
    [words({ ...both, out: "there.arrow" }), /There is a file "there.arrow" already; give another name, or --overwrite/],
    [words({ ...both, "held-out": "new.arrow" }), /--out and --held-out are both "new.arrow"/],
    [words({ ...both, out: "absent/new.arrow" }), /Cannot write "absent\/new.arrow"/],
    [words({ fields: path.join(__dirname, "..", "data", "example.arrow") }), /is a data set that needs no import; train on it/],
    [words({ fields: foreign("own-named.npz"), names: "a,q,u" }), /does not hold the condition q, and has "u", "v", "a", "b"/],
    [words({ fields: foreign("own-pandas.parquet"), names: "a,b,q" }), /has no array q of lists or rows, and none called fields/],
    [["import", "--fields", "F.npy", "--conditions", "C.npy", "--out", "new.arrow"], /There are no names; give --names, or --like/],
    [words({ ...both, like: "there.arrow" }), /There is --like, which tells names, units, ranges and length; leave out/],
    [["import", "--fields", "F.npy", "--like", path.join(__dirname, "..", "data", "example.arrow"), "--out", "new.arrow"], /is of the problem porous-electrode; give --like a file that import/],
  ); // prettier-ignore
});

test("data like others take their names and ranges, and have to be of their kind", async () => {
  save("many.npy", [8, 4], (k) => k);
  save("manyC.npy", [8, 1], (k) => k);
  save("some.npy", [3, 4], (k) => k);
  save("someC.npy", [3], (k) => 2 + k / 3);
  save("farC.npy", [3], (k) => 6 + k);
  save("wide.npy", [3, 5], (k) => k);
  const like = ["--like", at("many.arrow"), "--out", at("some.arrow")];
  await run(["import", "--fields", at("many.npy"), "--conditions", at("manyC.npy"), "--names", "t,u", "--units", "s,V", "--out", at("many.arrow")]); // prettier-ignore
  await run(["import", "--fields", at("some.npy"), "--conditions", at("someC.npy"), ...like]);
  const [many, some] = [await readDataSet(at("many.arrow")), await readDataSet(at("some.arrow"))];
  assert.ok(sameProblem(many.problem, some.problem));
  assert.equal(some.rows, 3);
  const again = (...words: string[]) => run(["import", ...words, ...like, "--overwrite"]);
  await assert.rejects(again("--fields", at("some.npy"), "--conditions", at("farC.npy")), input(/Row 3 of t is 8, outside of the range of --like, 0 to 7 s/)); // prettier-ignore
  await assert.rejects(again("--fields", at("wide.npy"), "--conditions", at("someC.npy")), input(/are 1 on 5 cells, and those of --like 1 on 4/)); // prettier-ignore
});

test("files that are cut are refused, and a small archive cannot ask for all memory", async () => {
  for (const name of ["own.npz", "own-pandas.parquet", "own-pandas.feather"]) {
    const bytes = fs.readFileSync(foreign(name));
    const file = at(`cut${path.extname(name)}`);
    fs.writeFileSync(file, bytes.subarray(0, bytes.length - 40));
    await assert.rejects(openTable(file), input(/^Cannot read .*; get a whole copy of it\.$/));
  }
  // The sizes of the first array in the directory of the archive, where they begin at byte 20 of its entry.
  const bytes = fs.readFileSync(foreign("own.npz"));
  bytes.writeUInt32LE(0x7fffffff, bytes.indexOf("PK\x01\x02", 0, "latin1") + 24);
  fs.writeFileSync(at("bomb.npz"), bytes);
  await assert.rejects(openTable(at("bomb.npz")), input(/no archive of numpy.savez, or a damaged one/));
});

test("a file's settings make its problem again, others are refused, and nothing can be solved", () => {
  const conditions = [
    { name: "a", unit: "1", min: 0.1, max: 3, scale: "linear" },
    { name: "b", unit: "m/s", min: 1e-7, max: 1 / 3, scale: "log" },
  ] as const;
  const problem = importedProblem({ conditions, fields: [{ name: "u", unit: "V" }], cells: 9, length: 0.3 });
  const again = problemByName(
    "imported",
    JSON.parse(JSON.stringify(problem.settings)) as typeof problem.settings,
  );
  assert.ok(sameProblem(problem, again));
  assert.deepEqual(again.conditions, problem.conditions);
  assert.deepEqual(again.positions, problem.positions);
  for (const [name, value] of [
    ["cells", 1e9],
    ["cells", "NaN"],
    ["length", -1],
    ["fields", "u"],
    ["fields", "u V; u V"],
    ["conditions", ""],
    ["conditions", "a 1 3 1 linear"],
    ["conditions", "a 1 0 1 log"],
    ["conditions", "a 1 0 1 other"],
  ] as const) {
    assert.throws(
      () => problemByName("imported", { ...problem.settings, [name]: value }),
      InputError,
      `${name} ${value}`,
    );
  }
  for (const attempt of [problem.simulate, problem.solve, problem.responses]) {
    assert.throws(attempt as () => void, input(/were imported, and no solver is known/));
  }
});

/** u = a sin(pi x) + z b cos(pi x) with a standard normal z, at random conditions or at a few. */
function toyData(rows: number, seed: number, few = false): DataSet {
  const conditions = [
    { name: "a", unit: "1", min: 1, max: 3, scale: "linear" },
    { name: "b", unit: "1", min: 0.5, max: 1, scale: "linear" },
  ] as const;
  const problem = importedProblem({ conditions, fields: [{ name: "u", unit: "1" }], cells: 9, length: 1 });
  const random = new Random(seed);
  const data = { problem, rows, conditions: new Float64Array(2 * rows), fields: new Float64Array(9 * rows) };
  for (let row = 0; row < rows; row++) {
    const drawn = [1 + 2 * random.uniform(), 0.5 + 0.5 * random.uniform()];
    const [a, b] = few ? [[1, 0.5], [3, 1], [2, 0.7]][row % 3] : drawn; // prettier-ignore
    data.conditions.set([a, b], 2 * row);
    toyField(a, b, random.normal(), problem.positions, data.fields.subarray(9 * row));
  }
  return data;
}

function toyField(a: number, b: number, z: number, x: Float64Array, into: Float64Array): void {
  x.forEach((at, i) => (into[i] = a * Math.sin(Math.PI * at) + z * b * Math.cos(Math.PI * at)));
}

test("rows are held out once each, whatever the share, and the same ones of one seed", () => {
  const data = toyData(50, 3);
  const keys = (set: DataSet) => Array.from({ length: set.rows }, (_, row) => set.conditions[2 * row]);
  for (const share of [0.001, 0.2, 0.9]) {
    const [kept, held] = splitRows(data, share, 4);
    assert.ok(kept.rows >= 2 && held.rows >= 2);
    assert.deepEqual([...keys(kept), ...keys(held)].sort(), keys(data).sort());
    assert.deepEqual(splitRows(data, share, 4)[1].fields, held.fields);
    assert.notDeepEqual(splitRows(data, share, 5)[1].fields, held.fields);
  }
  assert.throws(() => splitRows(selectRows(data, [1, 2, 3]), 0.2, 1), input(/There are 3 rows, too few/));
});

test("rows that were held out tell a good model from one that mixes up the conditions", async () => {
  const data = toyData(800, 5);
  const x = data.problem.positions;
  const from = (mix: (row: number, count: number) => number) => (conditions: Float64Array, seed: number) => {
    const random = new Random(seed, 1);
    const rows = conditions.length / 2;
    const fields = new Float64Array(9 * rows);
    for (let row = 0; row < rows; row++) {
      const [a, b] = conditions.subarray(2 * mix(row, rows));
      toyField(a, b, random.normal(), x, fields.subarray(9 * row));
    }
    return { ...data, rows, fields };
  };
  const good = await evaluateOnHeldOut(
    data,
    from((row) => row),
    { seed: 2 },
  );
  assert.equal(good.rows, 400);
  for (const { pValue, floorRatio } of [good.fields, good.joint]) {
    assert.ok(pValue.sample > 0.05 && floorRatio.sample < 3, `${pValue.sample} ${floorRatio.sample}`);
  }
  // The law of all fields is right, and each field is of other conditions than it should be.
  const mixed = await evaluateOnHeldOut(data, from((row, count) => (row + 1) % count), { seed: 2 }); // prettier-ignore
  assert.ok(mixed.fields.pValue.sample > 0.05, String(mixed.fields.pValue.sample));
  const { pValue, floorRatio } = mixed.joint;
  assert.ok(pValue.sample <= 0.01 && floorRatio.sample > 4, `${pValue.sample} ${floorRatio.sample}`);
  await assert.rejects(
    evaluateOnHeldOut(
      selectRows(data, [0, 1, 2]),
      from((row) => row),
    ),
    input(/There are 3 rows/),
  );
});

test("presets fit themselves to imported data: patches divide the cells, and few conditions scale globally", () => {
  assert.deepEqual([100, 64, 50, 51, 101, 201, 9, 2].map((cells) => fittingPatch(cells, 4)), [4, 4, 5, 3, 1, 3, 3, 2]); // prettier-ignore
  const chosen = (data: DataSet, name: "lesson" | "fast" | "blog") =>
    finish(chooseFields(data, presets[name], name));
  const many = chosen(toyData(60, 1), "lesson");
  const { network, standardisation } = many.preset.model;
  assert.deepEqual([network.kind === "token" && network.stride, standardisation], [3, "conditional"]);
  assert.deepEqual([many.told, many.warning], ["the fields are the file's own, scaled by means and spreads by condition", undefined]); // prettier-ignore
  const few = chosen(toyData(60, 1, true), "lesson");
  assert.equal(few.preset.model.standardisation, "global");
  assert.equal(few.warning, undefined);
  const fast = chosen(toyData(60, 1), "fast");
  assert.equal(fast.preset.model.target, "v");
  assert.match(
    fast.warning!,
    /^The data were imported, without a solver: .* without the Gaussian part of fast/,
  );
  assert.throws(() => finish(chooseFields(toyData(60, 1), presets.lesson, "lesson", "solver")), input(/leave out --fields solver/)); // prettier-ignore
});

let output = "";
const { write } = process.stdout;
before(() => {
  process.stdout.write = ((text: string, ...rest: []) =>
    typeof text === "string" && captured
      ? ((output += text), true)
      : write.call(process.stdout, text, ...rest)) as typeof write;
});
after(() => (process.stdout.write = write));
let captured = false;
async function said(...words: string[]): Promise<string> {
  [output, captured] = ["", true];
  try {
    await run(words);
  } finally {
    captured = false;
  }
  return output;
}

test("imported data are trained on, drawn from, compared and evaluated, with a floor of their own rows", async () => {
  const { fields, conditions } = toyData(300, 7, true);
  fs.writeFileSync(at("toy.npy"), npyBytes({ shape: [300, 9], values: fields }));
  fs.writeFileSync(at("toyC.npy"), npyBytes({ shape: [300, 2], values: conditions }));
  const told = await said("import", "--fields", at("toy.npy"), "--conditions", at("toyC.npy"), "--names", "a,b,u", "--units", "1,1,V", "--out", at("toy.arrow"), "--held-out", at("held.arrow"), "--share", "0.5"); // prettier-ignore
  assert.match(told, /150 rows of u \(V\) on 9 cells; a 1 to 3 1, b 0.5 to 1 1; .*150 rows held out\n$/);
  const held = await readDataSet(at("held.arrow"));
  assert.equal(held.rows, 150);
  assert.match(await said("train", "--data", at("toy.arrow"), "--out", at("model"), "--preset", "lesson", "--steps", "3"), /the fields are the file's own, scaled by one mean and one spread a field\n.*preset lesson, 3 steps/); // prettier-ignore
  const model = ["--model", at("model")];
  const draws = ["--b", "1", "--count", "20", "--steps", "2"];
  const drawn = (a: string, file: string) => said("sample", ...model, "--a", a, ...draws, "--out", at(file));
  await drawn("3", "sample.arrow");
  const compared = await said("compare", at("held.arrow"), at("sample.arrow"));
  assert.match(compared, /^imported, u on 9 cells; a 3 1, b 1 1\n/);
  assert.match(compared, /\nfloor: rows \d+ to \d+ of .*held.arrow/);
  const evaluated = await said(
    "evaluate",
    ...model,
    "--data",
    at("held.arrow"),
    "--steps",
    "2",
    "--json",
    at("new.json"),
  );
  assert.match(evaluated, /\nfloor: 75 other rows of .*, as there is no solver to draw more\n/);
  assert.match(evaluated, /\nfields and conditions together\n {2}permutation p-value .*\n {2}floor ratio /);
  const { joint, floorSource } = JSON.parse(fs.readFileSync(at("new.json"), "utf8")) as { joint: object; floorSource: string }; // prettier-ignore
  assert.ok("floorRatio" in joint && /no solver/.test(floorSource));

  await drawn("1.5", "other.arrow");
  for (const [words, message] of [
    [["compare", at("held.arrow"), at("other.arrow")], /has 0 rows at a 1.5 1, b 1 1, and there is no solver to draw more/],
    [["evaluate", ...model], /were imported, and there is no solver to draw more of them; give --data/],
    [["evaluate", ...model, "--a", "3", "--b", "1", "--data", at("held.arrow")], /Conditions are given, and --data as well/],
    [["evaluate", "--model", "figures", "--data", at("held.arrow")], /There is a solver for the problem porous-electrode/],
    [["evaluate", ...model, "--data", path.join(__dirname, "..", "data", "example.arrow")], /of other conditions, ranges or fields/],
    [["check", at("held.arrow")], /of the problem imported; give fields of the porous electrode/],
    [["sample", ...model, "--a", "4", "--b", "1", "--count", "1", "--out", at("x.arrow")], /The a is 4; give a number from 1 to 3/],
  ] as const) {
    await assert.rejects(said(...words), input(message));
  } // prettier-ignore
});
