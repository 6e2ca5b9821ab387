import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { RecordBatchFileWriter, tableFromArrays } from "apache-arrow";
import { Footer } from "apache-arrow/fb/footer";
import { KeyValue } from "apache-arrow/fb/key-value";
import { Schema } from "apache-arrow/fb/schema";
import { Builder } from "flatbuffers";
import { concatenate, groupByCondition, rowConditions, rowField, selectRows } from "../lib/data/rows";
import { type DataSet } from "../lib/dataSet";
import { InputError } from "../lib/backend/errors";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { problemByName } from "../lib/presets/problems";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import { normaliseConditions, sampleConditions } from "../lib/problem";
import { checkConditions } from "../lib/data/conditions";
import { Random } from "../lib/random";
import { ArrowRows, readBatches, readDataSet, writeDataSet } from "../lib/storage/arrow";
import { createFieldsWriter, CsvFieldsWriter } from "../lib/storage/fieldsWriter";
import { abandonAll, AtomicFile, fileError } from "../lib/storage/files";
import { generate, type GenerateOptions } from "../lib/storage/generate";
import { deadline } from "./processes";
import { refused } from "./tiny";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-data-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
const problem = porousElectrode("text"); // steady, hence quick

function assertSameRows(a: DataSet, b: DataSet): void {
  assert.equal(a.rows, b.rows);
  assert.deepEqual(a.conditions, b.conditions);
  assert.deepEqual(a.fields, b.fields);
  assert.deepEqual(a.latent, b.latent);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("conditions are drawn inside their ranges, uniformly on their scale", () => {
  const n = 4000;
  const random = new Random(1);
  const sums = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const values = sampleConditions(problem, random);
    checkConditions(problem, values);
    const normal = normaliseConditions(problem, values);
    normal.forEach((value, k) => {
      assert.ok(value >= -1 && value <= 1 + 1e-12); // the logarithm may round at the ends
      sums[k] += value / n;
    });
  }
  // Uniform on [-1, 1]: mean 0, variance 1/3; four standard errors.
  for (const sum of sums) assert.ok(Math.abs(sum) < 4 * Math.sqrt(1 / 3 / n));
});

test("normalising maps the ends and the middle of each scale to -1, 1 and 0", () => {
  const middle = problem.conditions.map(({ min, max, scale }) =>
    scale === "log" ? Math.sqrt(min * max) : (min + max) / 2,
  );
  const values = Float64Array.from([
    ...problem.conditions.map(({ min }) => min),
    ...problem.conditions.map(({ max }) => max),
    ...middle,
  ]);
  const expected = [-1, -1, -1, 1, 1, 1, 0, 0, 0];
  // A few round-offs of the logarithm.
  normaliseConditions(problem, values).forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]) < 1e-14),
  );
});

test("conditions outside their ranges are refused by name, value and range", async () => {
  await refused(
    () => checkConditions(problem, [0, 0, 25]),
    /correlation length is 0; .* from 0.000002\d* to 0.00002/,
  );
  await refused(
    () => checkConditions(problem, [1e-5, 0.3, 25]),
    /equilibrium potential is 0.3; .* -0.2 to 0.2 V/,
  );
  await refused(() => checkConditions(problem, [1e-5, 0, NaN]), /flux is NaN; .* 0 to 50 A\/m2/);
  await refused(() => checkConditions(problem, [1e-5, 0]), /2 conditions; give 3 numbers/);
});

test("a problem is found again by its name and settings", async () => {
  assert.deepEqual(problemByName("porous-electrode", { convention: "text" }).settings, problem.settings);
  await refused(() => problemByName("toString", {}), /problem is "toString"; give one of porous-electrode/);
  await refused(
    () => problemByName("porous-electrode", { convention: "blog" }),
    /"blog"; give one of figures, text/,
  );
});

test("the affine parts of a problem add up to its solution", () => {
  for (const convention of ["figures", "text"] as const) {
    const electrode = porousElectrode(convention);
    const data = simulateAt(electrode, [1e-5, 0.1, 30], 1, 4);
    assert.ok(data.latent);
    const [r0, r1, r2] = electrode.responses(data.latent);
    const sum = r0.map((value, i) => value + 0.1 * r1[i] + 30 * r2[i]);
    // Round-off in c, of size 1e3, and far less than that in phi, of size 1e-2.
    sum.forEach((value, i) => assert.ok(Math.abs(value - data.fields[i]) < (i < 100 ? 1e-9 : 1e-13)));
  }
});

test("rows are grouped by their conditions, selected and joined", async () => {
  const data = generateDataSet(problem, { conditions: 3, fields: 4, seed: 5 });
  const groups = groupByCondition(selectRows(data, [11, 0, 1, 10, 4]));
  assert.deepEqual(
    groups.map(({ rows }) => rows),
    [[0, 3], [1, 2], [4]],
  );
  assert.deepEqual(groups[0].conditions, rowConditions(data, 11).slice());
  const joined = concatenate([selectRows(data, [2]), selectRows(data, [7])]);
  assert.deepEqual(rowField(joined, 1, 1), rowField(data, 7, 1));
  const other = simulateAt(porousElectrode("figures"), [1e-5, 0, 25], 1, 1);
  await refused(() => concatenate([data, other]), /different problems/);
  await refused(() => concatenate([]), /0 data sets/);
});

test("simulateAt gives the first rows of a larger count, and other rows for another seed", () => {
  const few = simulateAt(problem, [1e-5, 0, 25], 3, 1);
  const many = simulateAt(problem, [1e-5, 0, 25], 300, 1); // more than one stream of random numbers
  assert.deepEqual(few.fields, many.fields.slice(0, few.fields.length));
  assert.notDeepEqual(few.fields, simulateAt(problem, [1e-5, 0, 25], 3, 2).fields);
  assert.notDeepEqual(rowField(many, 0, 0), rowField(many, 256, 0));
});

// More rows than are worth a second thread, in more record batches than are in flight at once.
const SIZE = { conditions: 90, fields: 25, seed: 2 ** 40 + 1 };

test("the same seed gives the same bytes with one worker and with two, and another seed others", async () => {
  const write = async (name: string, more: Partial<GenerateOptions>): Promise<Buffer> => {
    const progress: number[] = [];
    const onProgress = (done: number): number => progress.push(done);
    const rows = await generate({ problem, ...SIZE, out: at(name), onProgress, ...more });
    assert.equal(rows, 2250);
    assert.equal(progress.at(-1), 2250);
    return fs.readFileSync(at(name));
  };
  const one = await write("one.arrow", { workers: 1 });
  const two = await write("two.arrow", { workers: 2 });
  assert.ok(one.equals(two));
  assert.ok(!one.equals(await write("other.arrow", { workers: 2, seed: 1 })));
  assertSameRows(await readDataSet(at("two.arrow")), generateDataSet(problem, SIZE));
});

test("a worker thread that fails ends the work, and no file appears", async () => {
  const unknown = { ...problem, settings: { convention: "bad" } };
  const work = generate({ problem: unknown, ...SIZE, out: at("failed.arrow"), workers: 2 });
  await assert.rejects(work, /The convention is "bad"/);
  assert.ok(!fs.readdirSync(folder).some((name) => name.includes("failed.arrow")));
});

test("the shards of a data set are its parts", async () => {
  const all = generateDataSet(problem, SIZE);
  const parts: DataSet[] = [];
  for (let index = 1; index <= 4; index++) {
    const out = at(`shard${index}.arrow`);
    await generate({ problem, ...SIZE, out, shard: { index, count: 4 } });
    parts.push(await readDataSet(out));
  }
  assertSameRows(concatenate(parts), all);
});

test("a condition with more fields than a task is cut, and its first rows do not depend on their number", async () => {
  const long = { conditions: 2, fields: 600, seed: 3 };
  await generate({ problem, ...long, out: at("long.arrow") });
  const data = await readDataSet(at("long.arrow"));
  assertSameRows(data, generateDataSet(problem, long));
  assert.equal(groupByCondition(data).length, 2);
  const short = generateDataSet(problem, { ...long, fields: 256 });
  assert.deepEqual(rowField(short, 256, 0), rowField(data, 600, 0));
});

test("bad sizes are refused and leave no file", async () => {
  const size = { conditions: 2, fields: 2, seed: 1 };
  const out = at("never.arrow");
  const bad: [Partial<GenerateOptions>, RegExp][] = [
    [{ conditions: -1 }, /number of conditions is -1; give a whole number from 1/],
    [{ fields: 0 }, /number of fields is 0/],
    [{ fields: 2.5 }, /number of fields is 2.5/],
    [{ seed: -1 }, /seed is -1; give a whole number from 0 to 2\^53 - 1\./],
    [{ workers: 0 }, /number of workers is 0/],
    [
      { conditions: 1e9, fields: 1e9 },
      /would take 2420000000000 GB, and the disk has [\d.]+ GB free; write less/,
    ],
    [{ shard: { index: 3, count: 2 } }, /shard is 3; give a whole number from 1 to 2/],
    [{ shard: { index: 1, count: 3 } }, /number of shards is 3; give a whole number from 1 to 2/],
  ];
  for (const [more, pattern] of bad)
    await refused(() => generate({ problem, ...size, out, ...more }), pattern);
  assert.ok(!fs.existsSync(out));
});

test("a data set survives the file, with and without its latent field, and unknown conditions", async () => {
  const data = generateDataSet(problem, { conditions: 30, fields: 10, seed: 6 });
  writeDataSet(at("with.arrow"), data);
  const back = await readDataSet(at("with.arrow"));
  assertSameRows(back, data);
  assert.equal(back.seed, 6);
  assert.deepEqual(back.problem.settings, { convention: "text" });
  writeDataSet(at("without.arrow"), { ...data, latent: undefined });
  assert.equal((await readDataSet(at("without.arrow"))).latent, undefined);
  // The correlation length of a porosity that was given is not known; other conditions always are.
  data.conditions[0] = NaN;
  writeDataSet(at("unknown.arrow"), data);
  assert.ok(Number.isNaN((await readDataSet(at("unknown.arrow"))).conditions[0]));
  data.conditions[1] = NaN;
  writeDataSet(at("nan.arrow"), data);
  await refused(() => readDataSet(at("nan.arrow")), /row 1 of column equilibrium_potential holds NaN/);
});

test("a file of no rows can be written and read", async () => {
  writeDataSet(at("empty.arrow"), selectRows(simulateAt(problem, [1e-5, 0, 25], 1, 1), []));
  assert.equal((await readDataSet(at("empty.arrow"))).rows, 0);
});

test("record batches are read one at a time", async () => {
  const batches = await collect(readBatches(at("long.arrow")));
  assert.deepEqual(
    batches.map(({ rows }) => rows),
    [256, 256, 88, 256, 256, 88],
  );
  assertSameRows(concatenate(batches), await readDataSet(at("long.arrow")));
});

test("pyarrow reads columns, types, metadata and every digit", () => {
  const python = path.join(__dirname, "..", ".venv", "bin", "python");
  const script = `
import json, sys
import pyarrow.ipc
table = pyarrow.ipc.open_file(sys.argv[1]).read_all()
json.dump({
  "rows": table.num_rows,
  "types": {field.name: str(field.type) for field in table.schema},
  "metadata": {key.decode(): value.decode() for key, value in table.schema.metadata.items()},
  "first": {name: table.column(name)[0].as_py() for name in table.column_names},
  "last": {name: table.column(name)[table.num_rows - 1].as_py() for name in table.column_names},
}, sys.stdout)`;
  // Python prints a float64 with the fewest digits that read back exactly, as JavaScript does.
  const found = JSON.parse(
    execFileSync(python, ["-c", script, at("one.arrow")], { encoding: "utf8", ...deadline(600) }),
  ) as {
    rows: number;
    types: Record<string, string>;
    metadata: Record<string, string>;
    first: Record<string, unknown>;
    last: Record<string, unknown>;
  };
  const data = generateDataSet(problem, SIZE);
  assert.equal(found.rows, data.rows);
  const list = "fixed_size_list<item: double not null>[100]";
  assert.deepEqual(found.types, {
    correlation_length: "double",
    equilibrium_potential: "double",
    flux: "double",
    porosity: list,
    c: list,
    phi: list,
  });
  const { metadata } = found;
  assert.equal(metadata.version, "1");
  assert.equal(metadata.problem, "porous-electrode");
  assert.equal(metadata.convention, "text");
  assert.equal(metadata.seed, String(SIZE.seed));
  assert.deepEqual(JSON.parse(metadata.grid), {
    points: "cell centres",
    cells: 100,
    length: 1e-4,
    unit: "m",
  });
  for (const [row, values] of [
    [0, found.first],
    [data.rows - 1, found.last],
  ] as const) {
    const [correlationLength, equilibriumPotential, flux] = rowConditions(data, row);
    assert.deepEqual(values, {
      correlation_length: correlationLength,
      equilibrium_potential: equilibriumPotential,
      flux,
      porosity: Array.from(data.latent?.subarray(row * 100, (row + 1) * 100) ?? []),
      c: Array.from(rowField(data, row, 0)),
      phi: Array.from(rowField(data, row, 1)),
    });
  }
});

test("a file that pyarrow has written anew is read", async () => {
  const python = path.join(__dirname, "..", ".venv", "bin", "python");
  const script = `
import sys, pyarrow.ipc
table = pyarrow.ipc.open_file(sys.argv[1]).read_all()
with pyarrow.ipc.new_file(sys.argv[2], table.schema) as writer:
    writer.write_table(table)`;
  execFileSync(python, ["-c", script, at("one.arrow"), at("anew.arrow")], deadline(600));
  assertSameRows(await readDataSet(at("anew.arrow")), await readDataSet(at("one.arrow")));
});

test("files that are no data are refused in one sentence", async () => {
  await refused(() => readDataSet(at("absent.arrow")), /absent.arrow": there is no such file/);
  await refused(() => readDataSet(folder), /it is a folder/);
  fs.writeFileSync(at("nothing.arrow"), "");
  await refused(() => readDataSet(at("nothing.arrow")), /not an Arrow file/);
  fs.writeFileSync(at("text.arrow"), "0.3,0.3\n".repeat(1000));
  await refused(() => readDataSet(at("text.arrow")), /not an Arrow file/);
  const foreign = RecordBatchFileWriter.writeAll(tableFromArrays({ a: Float64Array.of(1, 2) })).toUint8Array(
    true,
  );
  fs.writeFileSync(at("foreign.arrow"), foreign);
  await refused(() => readDataSet(at("foreign.arrow")), /its schema names no problem/);
});

/** A copy of a valid file with one piece of it replaced by another of the same length. */
function forged(name: string, change: (bytes: Buffer) => void): string {
  const bytes = fs.readFileSync(at("with.arrow"));
  change(bytes);
  fs.writeFileSync(at(name), bytes);
  return at(name);
}

test("a file of another schema, version or problem is refused", async () => {
  const replace = (from: string, to: string) => (bytes: Buffer) => {
    const position = bytes.lastIndexOf(from);
    assert.ok(position > 0);
    bytes.write(to, position);
  };
  await refused(
    () => readDataSet(forged("column.arrow", replace("flux", "flex"))),
    /column flux is missing among ".*flex, porosity, c, phi"; give one column flux/,
  );
  await refused(
    () => readDataSet(forged("name.arrow", replace("porous-electrode", "porous-electrodX"))),
    /electrodX/,
  );
  await refused(
    () => readDataSet(forged("setting.arrow", replace('{"convention":"text"}', '{"convention":"blog"}'))),
    /"blog"; give one of figures, text/,
  );
});

test("a truncated file is refused wherever it ends", async () => {
  const whole = fs.readFileSync(at("with.arrow"));
  const cuts = [
    1,
    5,
    8,
    9,
    100,
    1000,
    whole.length >> 1,
    whole.length - 1000,
    whole.length - 11,
    whole.length - 1,
  ];
  for (const cut of cuts) {
    fs.writeFileSync(at("cut.arrow"), whole.subarray(0, cut));
    await refused(() => readDataSet(at("cut.arrow")), /not an Arrow file|truncated or damaged/);
  }
});

test("claims of more data than there is are refused before memory is taken for them", async () => {
  const footerLength = fs.readFileSync(at("with.arrow")).readInt32LE(fs.statSync(at("with.arrow")).size - 10);
  for (const claim of [2 ** 31 - 1, 0, -1, footerLength + 1e9]) {
    const file = forged("claim.arrow", (bytes) => bytes.writeInt32LE(claim | 0, bytes.length - 10));
    await refused(() => readDataSet(file), /truncated or damaged/);
  }
  // The length of the first body in the header of its message: 256 rows of 303 numbers.
  const body = forged("body.arrow", (bytes) => {
    const length = Buffer.alloc(8);
    length.writeBigInt64LE(BigInt(256 * 303 * 8));
    const position = bytes.indexOf(length);
    assert.ok(position < 1000);
    bytes.writeBigInt64LE(2n ** 45n, position);
  });
  await refused(() => readDataSet(body), /claims more data than the file holds/);
});

test("every count and place in the footer and in a header may be false, and the largest number", async () => {
  writeDataSet(at("small.arrow"), simulateAt(problem, [1e-5, 0, 25], 2, 1));
  const whole = fs.readFileSync(at("small.arrow"));
  const end = whole.length - 10;
  const footer = end - whole.readInt32LE(end);
  const words = [
    ...Array.from({ length: 250 }, (_, k) => 8 + 4 * k), // the schema, and the header of the first record batch
    ...Array.from({ length: (end - footer) >> 2 }, (_, k) => footer + 4 * k),
  ];
  let refusals = 0;
  for (const word of words) {
    const bytes = Buffer.from(whole);
    bytes.writeInt32LE(2 ** 31 - 1, word);
    fs.writeFileSync(at("word.arrow"), bytes);
    try {
      await readDataSet(at("word.arrow"));
    } catch (error) {
      assert.ok(error instanceof InputError, `word ${word}: ${String(error)}`);
      refusals++;
    }
  }
  assert.ok(refusals > words.length / 4); // others are texts, padding and what is never read
});

test("metadata that name one long text many times cost no memory", async () => {
  const builder = new Builder();
  const text = builder.createString("x".repeat(1_000_000));
  KeyValue.startKeyValue(builder);
  KeyValue.addKey(builder, text);
  KeyValue.addValue(builder, text);
  const pair = KeyValue.endKeyValue(builder);
  const metadata = Schema.createCustomMetadataVector(builder, new Array<number>(250_000).fill(pair));
  Schema.startSchema(builder);
  Schema.addCustomMetadata(builder, metadata);
  const schema = Schema.endSchema(builder);
  Footer.startFooter(builder);
  Footer.addSchema(builder, schema);
  builder.finish(Footer.endFooter(builder));
  const footer = builder.asUint8Array();
  const length = Buffer.alloc(4);
  length.writeInt32LE(footer.length);
  fs.writeFileSync(
    at("repeated.arrow"),
    Buffer.concat([Buffer.from("ARROW1\0\0"), footer, length, Buffer.from("ARROW1")]),
  );
  await refused(() => readDataSet(at("repeated.arrow")), /its contents are damaged/);
});

test("damage anywhere is an InputError or harmless, never another failure", async () => {
  const size = fs.statSync(at("with.arrow")).size;
  const random = new Random(8);
  let refusals = 0;
  for (let i = 0; i < 400; i++) {
    // Aim at the first batch's header and at the footer, where structure lies, not at the numbers.
    const offset =
      i % 2 ? Math.floor(random.uniform() * 1200) : size - 1 - Math.floor(random.uniform() * 2500);
    const file = forged("damaged.arrow", (bytes) => {
      bytes[offset] = Math.floor(random.uniform() * 256);
    });
    try {
      await readDataSet(file);
    } catch (error) {
      assert.ok(error instanceof InputError, `byte ${offset}: ${String(error)}`);
      refusals++;
    }
  }
  assert.ok(refusals > 50); // about half of these bytes matter
});

test("the file handle is released when reading stops early", async () => {
  for await (const batch of readBatches(at("long.arrow"))) {
    assert.equal(batch.rows, 256);
    break;
  }
  const file = await ArrowRows.open(at("long.arrow"));
  assert.equal(file.rows, 1200);
  file.close();
  const held = fs.existsSync("/proc/self/fd")
    ? fs.readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return fs.readlinkSync(`/proc/self/fd/${fd}`) === at("long.arrow");
        } catch {
          return false; // the descriptor of this listing is gone
        }
      })
    : [];
  assert.deepEqual(held, []);
});

test("CSV holds a header and every digit", () => {
  const data = simulateAt(problem, [1e-5, 0, 25], 2, 9);
  const writer = new CsvFieldsWriter(at("fields.csv"), problem);
  writer.write(data);
  writer.close();
  const [header, ...rows] = fs.readFileSync(at("fields.csv"), "utf8").trimEnd().split("\n");
  const names = ["c", "phi"].flatMap((name) => Array.from({ length: 100 }, (_, i) => `${name}_${i}`));
  assert.equal(header, names.join());
  assert.deepEqual(Float64Array.from(rows.join().split(","), Number), data.fields);
});

test("a file appears when it is complete and not before, and a failure leaves the old one", async () => {
  const target = at("atomic.csv");
  fs.writeFileSync(target, "old");
  const before = fs.readdirSync(folder).length;
  const abandoned = createFieldsWriter(target, problem, true);
  abandoned.write(simulateAt(problem, [1e-5, 0, 25], 1, 1));
  assert.equal(fs.readFileSync(target, "utf8"), "old");
  abandoned.abandon();
  assert.equal(fs.readdirSync(folder).length, before);
  const left = new AtomicFile(target);
  abandonAll(); // as a signal handler does
  assert.equal(fs.readdirSync(folder).length, before);
  assert.throws(() => left.write(Buffer.from("x")));
  const complete = createFieldsWriter(target, problem, true);
  complete.close();
  complete.abandon(); // harmless after close
  assert.match(fs.readFileSync(target, "utf8"), /^c_0,/);
  assert.equal(fs.readdirSync(folder).length, before);
  await refused(
    () => createFieldsWriter(at("fields.txt"), problem, true),
    /".txt"; give one of .arrow, .csv/,
  );
});

test("places that cannot be written are refused, and neither links nor devices are replaced", async () => {
  await refused(() => new AtomicFile(at("absent/file.arrow")), /Cannot write .*no such file or folder/);
  await refused(() => new AtomicFile(at("with.arrow/file.arrow")), /a part of its path is not a folder/);
  await refused(() => new AtomicFile(folder), /not a regular file/);
  await refused(() => new AtomicFile("/dev/null"), /not a regular file/);
  fs.writeFileSync(at("behind"), "old");
  fs.symlinkSync(at("behind"), at("link"));
  const file = new AtomicFile(at("link"));
  file.write(Buffer.from("new"));
  file.commit();
  assert.ok(fs.lstatSync(at("link")).isSymbolicLink());
  assert.equal(fs.readFileSync(at("behind"), "utf8"), "new");
});

test("errors of the system become sentences, and other errors stay", () => {
  for (const code of ["ENOSPC", "EACCES", "EROFS", "EDQUOT"]) {
    const error = fileError("write", "x.arrow", Object.assign(new Error("raw"), { code }));
    assert.ok(error instanceof InputError);
    assert.match(error.message, /^Cannot write "x.arrow": .*(full|permission|read-only|quota).*\.$/);
  }
  const bug = new TypeError("bug");
  assert.equal(fileError("write", "x.arrow", bug), bug);
});
