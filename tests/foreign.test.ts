/** Data sets that other tools have written: what pandas, polars, duckdb and pyarrow make of a file of this project is read. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { selectRows } from "../lib/data/rows";
import type { DataSet } from "../lib/dataSet";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { ArrowRows, openData, readDataSet } from "../lib/storage/arrow";
import { deadline } from "./processes";
import { refused } from "./tiny";

const root = path.join(__dirname, "..");
const example = path.join(root, "data", "example.arrow");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-foreign-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
const figures = porousElectrode("figures");

/** All numbers of two data sets agree to a share of the larger one. */
function assertClose(found: DataSet, wanted: DataSet, share = 0): void {
  assert.equal(found.rows, wanted.rows);
  for (const part of ["conditions", "fields", "latent"] as const) {
    assert.equal(found[part]?.length, wanted[part]?.length);
    found[part]?.forEach((value, i) => {
      const other = wanted[part]![i];
      const close = Object.is(value, other) || Math.abs(value - other) <= share * Math.abs(other);
      assert.ok(close, `${part} ${i}: ${value} and not ${other}`);
    });
  }
}

/*
The files in data/foreign are rows 6 and 7 of data/example.arrow, by pandas 3.1, polars 2.1 and duckdb 2.0 with pyarrow 26:

t = pa.ipc.open_file("data/example.arrow").read_all()
df = t.to_pandas()
df = df[df.index.isin([5, 6])]
df.reset_index(drop=True).to_feather("pandas.feather")  # packed by lz4, lists of any length
df.correlation_length = float("nan")  # becomes null
indexed = pa.Table.from_pandas(df)  # with the index as one more column
with pa.ipc.new_stream("pandas-null.arrows", indexed.schema) as writer:
    writer.write_table(indexed)
p = polars.read_ipc("data/example.arrow")[5:7]
p.with_columns(note=polars.lit("a text of more than 12 characters")).write_ipc("polars.arrow")
p.reverse().select(reversed(p.columns)).cast({"flux": polars.Float32}).write_ipc("polars-zstd.arrow", compression="zstd")
sql = "select * exclude (phi), phi::double[] as phi, true as good from t limit 2 offset 5"
d = duckdb.sql(sql).arrow().read_all()
with pa.ipc.new_file("duckdb.arrow", d.schema) as writer:
    writer.write_table(d)
*/
test("what pandas, polars and duckdb have written is read, and the metadata that they lose are asked for", async () => {
  const two = selectRows(await readDataSet(example), [5, 6]);
  const foreign = (name: string) => path.join(root, "tests", "data", "foreign", name);
  const ROUND_OFF = 1e-9; // of another machine's solver
  for (const [name, wanted, share] of [
    ["pandas.feather", two, ROUND_OFF],
    [
      "pandas-null.arrows",
      { ...two, conditions: two.conditions.map((c, i) => (i % 3 ? c : NaN)) },
      ROUND_OFF,
    ],
    ["polars.arrow", two, ROUND_OFF],
    ["polars-zstd.arrow", selectRows(two, [1, 0]), 2 ** -24],
    ["duckdb.arrow", two, ROUND_OFF],
  ] as const) {
    await refused(
      () => readDataSet(foreign(name)),
      /names no problem and convention, .*; say it with --convention figures or --convention text/,
    );
    assertClose(await readDataSet(foreign(name), figures), wanted, share);
  }
  await refused(
    () => readDataSet(example, porousElectrode("text")),
    /it says figures and not text; give --convention figures, or leave it out/,
  );
});

const PYTHON = `
import sys, pyarrow as pa, pyarrow.compute as pc, pyarrow.feather as feather, pyarrow.parquet
t = pa.ipc.open_file(sys.argv[1]).read_all()
n = t.num_rows
def write(name, table, stream=False, rows=None, **options):
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(f"{sys.argv[2]}/{name}", table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, rows)
def typed(number, items):
    return t.cast(pa.schema([pa.field(f.name, number if pa.types.is_floating(f.type) else items) for f in t.schema], metadata=t.schema.metadata))
text = pa.array([f"row {i} in more than 12 letters" for i in range(n)])
nested = pa.array([{"a": [1, i], "b": None} for i in range(n)])
strange = t.add_column(0, "none", pa.nulls(n)).add_column(0, "kind", text.dictionary_encode()).add_column(1, "nested", nested)
if hasattr(pa, "string_view"): strange = strange.add_column(2, "view", text.cast(pa.string_view()))
write("stream", t, stream=True, rows=30)
write("zstd", t, compression="zstd", rows=30)
write("lz4-stream", t, stream=True, compression="lz4", rows=7)
feather.write_feather(t, f"{sys.argv[2]}/feather")
feather.write_feather(t, f"{sys.argv[2]}/feather-plain", compression="uncompressed")
write("order", t.select(t.column_names[::-1]))
write("strange", strange, rows=30)
write("large-lists", typed(pa.float64(), pa.large_list(pa.float64())), rows=30)
write("same", t)
write("float32", typed(pa.float32(), pa.list_(pa.float32())))
write("filtered", t.filter(pc.greater(t["flux"], 20)).slice(3, 11))
flux = [i % 50 for i in range(n)]
for kind in "int8", "uint16", "int32", "uint64", "int64":
    write(kind, t.set_column(2, "flux", pa.array(flux).cast(kind)))
c = t["c"].to_pylist()
def c_is(name, values, type=pa.list_(pa.float64())):
    write(name, t.set_column(4, "c", pa.array(values, type)))
c_is("null-row", c[:2] + [None] + c[3:]); c_is("null-row-fixed", c[:2] + [None] + c[3:], pa.list_(pa.float64(), 100))
c_is("null-item", [*c[:50], [*c[50][:7], None, *c[50][8:]], *c[51:]], pa.list_(pa.float64(), 100))
c_is("short", [*c[:50], c[50][:99], *c[51:]]); c_is("long", [[1.0] * 101] * n, pa.list_(pa.float64(), 101))
c_is("number", [1.0] * n, pa.float64())
write("missing", t.drop_columns(["phi"])); write("twice", t.append_column("phi", t["phi"]))
for name, values in ("text", text), ("half", t["flux"].cast("float16")), ("dictionary", t["flux"].dictionary_encode()), ("list", t["c"]):
    write(name, t.set_column(2, "flux", values))
pa.parquet.write_table(t, f"{sys.argv[2]}/parquet")
`;

test("whatever pyarrow writes is read, or refused for what it is", async () => {
  const python = path.join(root, ".venv", "bin", "python");
  execFileSync(python, ["-c", PYTHON, example, folder], deadline(120));
  const whole = await readDataSet(example);
  for (const name of ["stream", "zstd", "lz4-stream", "feather", "feather-plain", "order", "strange", "large-lists", "same"]) {
    assertClose(await readDataSet(at(name)), whole);
  } // prettier-ignore
  assertClose(await readDataSet(at("float32")), whole, 2 ** -24);
  const above = Array.from({ length: whole.rows }, (_, row) => row).filter(
    (row) => whole.conditions[3 * row + 2] > 20,
  );
  assertClose(await readDataSet(at("filtered")), selectRows(whole, above.slice(3, 14)));
  for (const name of ["int8", "uint16", "int32", "uint64", "int64"]) {
    const flux = whole.conditions.map((value, i) => (i % 3 === 2 ? Math.floor(i / 3) % 50 : value));
    assertClose(await readDataSet(at(name)), { ...whole, conditions: flux });
  }
  for (const [name, pattern] of [
    ["null-row", /row 3 of c is null; leave such rows out/],
    ["null-row-fixed", /row 3 of c is null/],
    ["null-item", /row 51 of c is null in item 8;/],
    ["short", /row 51 of c has 99 items and not 100/],
    ["long", /column c holds lists of 101; give lists of 100 float64/],
    ["number", /column c holds float64; give lists of 100 float64/],
    ["missing", /column phi is missing among "correlation_length, .*, c"; give one column phi/],
    ["twice", /it has phi twice/],
    ["text", /column flux holds values of type Utf8; give float64/],
    ["half", /column flux holds float16/],
    ["dictionary", /column flux holds values of a dictionary/],
    ["list", /column flux holds lists; give float64/],
    ["parquet", /it is a Parquet file; write it as Arrow/],
  ] as const) {
    await refused(() => readDataSet(at(name)), pattern);
  }
});

test("rows are picked from any kind of file as from the data in memory", async () => {
  const whole = await readDataSet(example);
  for (const name of ["stream", "large-lists", "lz4-stream", "strange"]) {
    const rows = await ArrowRows.open(at(name));
    fc.assert(
      fc.property(fc.array(fc.nat(whole.rows - 1), { minLength: 1, maxLength: 20 }), (picked) =>
        assertClose(rows.select(picked), selectRows(whole, picked)),
      ),
      { numRuns: 30, seed: 1 },
    );
    rows.close();
  }
  await refused(() => openData(at("zstd"), 1000), /its numbers are packed.*; write it without compression/);
  assert.ok(!((await openData(at("zstd"))) instanceof ArrowRows));
});

test("a data set that pandas has filtered is trained on when its convention is said", () => {
  const script = path.join(root, "scripts", "porous-sgm.js");
  const python = path.join(root, ".venv", "bin", "python");
  const filter = `
import sys, pyarrow as pa, pyarrow.compute as pc, pyarrow.feather as feather
t = pa.ipc.open_file(sys.argv[1]).read_all()
feather.write_feather(t.filter(pc.less(t["flux"], 40)).replace_schema_metadata(None), sys.argv[2])`;
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: "utf8", ...deadline(300) });
  const drawn = run("generate", "--conditions", "40", "--fields", "10", "--out", "many.arrow");
  assert.equal(drawn.stderr, "");
  execFileSync(python, ["-c", filter, at("many.arrow"), at("few.feather")], deadline(120));
  const train = ["train", "--data", "few.feather", "--preset", "lesson", "--steps", "2", "--out", "model"];
  assert.match(run(...train).stderr, /names no problem and convention.*; say it with --convention/);
  const trained = run(...train, "--convention", "figures");
  assert.equal(trained.status, 0, trained.stderr);
  assert.ok(fs.existsSync(at("model")));
});
