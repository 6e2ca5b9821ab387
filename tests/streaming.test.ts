/** Rows that stay in a file: picked, grouped and trained on as if they were in memory, bit for bit. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { concatenate, groupByCondition, piecesOf, selectRows, sliceRows } from "../lib/data/rows";
import { conditionalStandardisation } from "../lib/gaussian/conditionalMoments";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { globalStandardisation } from "../lib/standardisation";
import { ArrowRows, openData, openRows, readDataSet, writeDataSet } from "../lib/storage/arrow";
import { splitGroups } from "../lib/storage/batches";
import { finish } from "../lib/backend/interrupt";
import { digesting } from "../lib/storage/checkpoint";
import { ConditionGroups } from "../lib/storage/conditionGroups";
import { deadline } from "./processes";
import { problem, refused } from "./tiny";

const { environment, root } = require("../scripts/environment") as {
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-streaming-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

/** 300 rows, 10 of each condition, in random order, in two record batches. */
const drawn = generateDataSet(problem, { conditions: 30, fields: 10, seed: 4 });
const data = selectRows(drawn, new Random(2).permutation(drawn.rows));
writeDataSet(at("mixed.arrow"), data);

/** Does something with rows that stay in a file. */
async function withRows<T>(file: string, use: (rows: ArrowRows) => T): Promise<T> {
  const rows = await openRows(file);
  try {
    return use(rows);
  } finally {
    rows.close();
  }
}

test("rows are picked from a file as from memory", async () => {
  await withRows(at("mixed.arrow"), (rows) => {
    assert.equal(rows.rows, data.rows);
    // One by one, in runs, over the end of a record batch, and twice.
    for (const chosen of [[299, 0, 7, 7, 8, 9, 3], Array.from({ length: 60 }, (_, k) => 230 + k), []]) {
      const [found, expected] = [rows.select(chosen), selectRows(data, chosen)];
      for (const part of ["conditions", "fields", "latent"] as const) {
        assert.deepEqual(found[part], expected[part]);
      }
    }
    assert.deepEqual(concatenate([...rows.pieces()]).fields, data.fields);
    assert.deepEqual(
      [...rows.conditions()].flatMap((part) => [...part]),
      [...data.conditions],
    );
  });
});

test("a file of one large record batch is read in pieces", async () => {
  const many = simulateAt(problem, [1e-5, 0, 25], 1500, 1);
  const python = path.join(root, ".venv", "bin", "python");
  writeDataSet(at("many.arrow"), many);
  const script = `
import sys, pyarrow.ipc
table = pyarrow.ipc.open_file(sys.argv[1]).read_all().combine_chunks()
with pyarrow.ipc.new_file(sys.argv[2], table.schema) as writer:
    writer.write_table(table)`;
  assert.equal(spawnSync(python, ["-c", script, at("many.arrow"), at("one.arrow")], deadline(600)).status, 0);
  await withRows(at("one.arrow"), (rows) => {
    const pieces = [...rows.pieces()];
    assert.deepEqual(
      pieces.map((piece) => piece.rows),
      [1024, 476],
    );
    assert.deepEqual(concatenate(pieces).fields, many.fields);
    assert.deepEqual(rows.select([1023, 1024]).fields, selectRows(many, [1023, 1024]).fields);
  });
});

test("groups are those of groupByCondition, also of many conditions and of unknown ones", async () => {
  const random = new Random(5);
  const values = [0, -0, NaN, 1, 1 + Number.EPSILON, 5e-324];
  const conditions = Float64Array.from({ length: 3 * 20_000 }, () =>
    random.uniform() < 0.5 ? values[Math.floor(values.length * random.uniform())] : random.uniform(),
  );
  const rows = conditions.length / 3;
  const expected = groupByCondition({ problem, rows, conditions, fields: new Float64Array(0) });
  const groups = new ConditionGroups(rows, 3);
  for (let start = 0; start < conditions.length; start += 3000)
    groups.add(conditions.subarray(start, start + 3000));
  assert.equal(groups.length, expected.length);
  assert.ok(expected.length > 10_000);
  expected.forEach((group, k) => {
    assert.deepEqual([...groups.at(k)], group.rows);
    assert.deepEqual(groups.conditions.subarray(3 * k, 3 * k + 3), group.conditions);
  });
});

test("moments, digest and the rows to validate with are those of the loaded file, bit for bit", async () => {
  const many = generateDataSet(problem, { conditions: 400, fields: 1, seed: 6 });
  const single = simulateAt(problem, [1e-5, 0, 25], 90, 1);
  for (const [name, set] of [
    ["mixed", data],
    ["conditions", many],
    ["single", single],
  ] as const) {
    writeDataSet(at(`${name}.arrow`), set);
    await withRows(at(`${name}.arrow`), (rows) => {
      assert.equal(finish(digesting(rows)), finish(digesting(set)), name);
      assert.deepEqual(
        globalStandardisation(rows, () => piecesOf(rows)).toJSON(),
        globalStandardisation(set).toJSON(),
      );
      if (set !== single) {
        assert.deepEqual(conditionalStandardisation(rows).toJSON(), conditionalStandardisation(set).toJSON());
      }
      const groups = groupByCondition(set).map((group) => group.rows);
      const [streamed, loaded] = [rows.groups, groups].map((all) => splitGroups(all, 0.2, 100));
      assert.deepEqual(streamed.validation, loaded.validation, name);
      const numbers = ({ training }: typeof loaded) =>
        Array.from({ length: training.length }, (_, k) => Array.from(training.at(k)!));
      assert.deepEqual(numbers(streamed), numbers(loaded), name);
      assert.deepEqual(rows.select(streamed.validation).fields, selectRows(set, loaded.validation).fields);
    });
  }
  // A digest is of the order, too.
  assert.notEqual(
    finish(digesting(data)),
    finish(digesting(selectRows(data, [...Array(300).keys()].reverse()))),
  );
});

test("training from a file is training from memory, bit for bit", () => {
  const env = environment({ ...process.env, TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "1" });
  const train = (way: string): string => {
    const args = ["--require", "./scripts/typescript.js", "tests/streamProcess.ts", at("mixed.arrow"), way];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      cwd: root,
      env,
      encoding: "utf8",
      ...deadline(600),
    });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const loaded = train("loaded");
  assert.equal(loaded.trim().split("\n").length, 3);
  assert.equal(new Set(loaded.match(/[0-9a-f]{64}/g)).size, 3);
  assert.equal(train("streamed"), loaded);
});

test("a small file is loaded, and a damaged one refused when it is opened or when it has changed", async () => {
  assert.ok(!((await openData(at("mixed.arrow"))) instanceof ArrowRows));
  const left = await openData(at("mixed.arrow"), 1000);
  assert.ok(left instanceof ArrowRows);
  left.close();
  await refused(() => openData(at("absent.arrow")), /no such file/);
  const bad = sliceRows(data, 0, 300);
  const value = bad.fields[bad.fields.length - 1];
  bad.fields[bad.fields.length - 1] = NaN;
  writeDataSet(at("bad.arrow"), bad);
  bad.fields[bad.fields.length - 1] = value;
  await refused(() => openRows(at("bad.arrow")), /row 300 of column phi holds NaN/);
  fs.copyFileSync(at("mixed.arrow"), at("changed.arrow"));
  const rows = await openRows(at("changed.arrow"));
  fs.truncateSync(at("changed.arrow"), 100_000);
  await refused(() => rows.select([250]), /its contents are damaged/);
  rows.close();
  assert.equal((await readDataSet(at("mixed.arrow"))).rows, 300);
});
