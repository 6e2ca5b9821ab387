/** Every float64 that a file may hold comes back bit for bit. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { allocateDataSet, concatenate, selectRows } from "../lib/data/rows";
import { type DataSet } from "../lib/dataSet";
import { Random } from "../lib/random";
import { readBatches, readDataSet, writeDataSet } from "../lib/storage/arrow";
import { deadline } from "./processes";
import { problem, refused } from "./tiny";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-floats-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, "hostile.arrow");

const bits = (values: Float64Array): BigUint64Array =>
  new BigUint64Array(values.buffer, values.byteOffset, values.length);
const float = (pattern: bigint): number => new Float64Array(BigUint64Array.of(pattern).buffer)[0];
/** Zeros, subnormals, the ends of the exponents' range, numbers beyond the integers and a step beside 1. */
const HOSTILE = [0, -0, 5e-324, -5e-324, float(0xf_ffff_ffff_ffffn), 2 ** -1022, Number.MAX_VALUE, -Number.MAX_VALUE,
  2 ** 53 + 2, 1 + Number.EPSILON, 1 - Number.EPSILON / 2, 0.1, -1 / 3]; // prettier-ignore
/** Numbers that are none: quiet and signalling, of either sign, with the least and the largest payload. */
const UNKNOWN = [
  0x7ff8n << 48n,
  0xfff8n << 48n,
  0x7ff0_0000_0000_0001n,
  0xfff7_ffff_ffff_ffffn,
  0x7fff_ffff_ffff_ffffn,
];

/** A data set of hostile values and random finite bit patterns. */
function hostile(rows: number): DataSet & { latent: Float64Array } {
  const data = allocateDataSet(problem, rows);
  const random = new Random(3);
  for (const array of [data.conditions, data.latent, data.fields]) {
    const patterns = bits(array);
    for (let i = 0; i < array.length; i++) {
      if (i % 3 === 0) array[i] = HOSTILE[(i / 3) % HOSTILE.length];
      else {
        const [high, low] = [random.uniform(), random.uniform()].map((u) => BigInt(Math.floor(u * 2 ** 32)));
        patterns[i] = (high << 32n) | low;
        if (!Number.isFinite(array[i])) patterns[i] &= ~(1n << 62n); // the largest exponent is that of no number
      }
    }
  }
  // Only the correlation length may be unknown.
  UNKNOWN.forEach((pattern, row) => (bits(data.conditions)[3 * row] = pattern));
  return data;
}

function assertSameBits(a: DataSet, b: DataSet): void {
  assert.equal(a.rows, b.rows);
  assert.deepEqual(bits(a.conditions), bits(b.conditions));
  assert.deepEqual(bits(a.fields), bits(b.fields));
  assert.deepEqual(bits(a.latent!), bits(b.latent!));
}

test("hostile values survive the file, read as a whole, in batches and after pyarrow", async () => {
  const data = hostile(700); // three record batches
  writeDataSet(file, data);
  assertSameBits(await readDataSet(file), data);
  const batches: DataSet[] = [];
  for await (const batch of readBatches(file)) batches.push(batch);
  assertSameBits(concatenate(batches), data);
  const python = path.join(__dirname, "..", ".venv", "bin", "python");
  const script = `
import sys, pyarrow.ipc
table = pyarrow.ipc.open_file(sys.argv[1]).read_all().combine_chunks()
with pyarrow.ipc.new_file(sys.argv[2], table.schema) as writer:
    writer.write_table(table)`;
  const anew = path.join(folder, "anew.arrow");
  execFileSync(python, ["-c", script, file, anew], deadline(600));
  assertSameBits(await readDataSet(anew), data);
});

test("infinities, and numbers that are none where all are known, are refused by row and column", async () => {
  const data = hostile(3);
  for (const [column, array] of [
    ["porosity", data.latent],
    ["c", data.fields],
  ] as const) {
    for (const value of [Infinity, -Infinity, float(UNKNOWN[2])]) {
      const before = array[0];
      array[0] = value;
      writeDataSet(file, data);
      await refused(
        () => readDataSet(file),
        new RegExp(`row 1 of column ${column} holds ${value}, which is no finite`),
      );
      array[0] = before;
    }
  }
  data.conditions[0] = Infinity;
  writeDataSet(file, selectRows(data, [0]));
  await refused(() => readDataSet(file), /row 1 of column correlation_length holds Infinity/);
});
