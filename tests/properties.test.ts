/**
 * Properties of what is read and written: whatever is valid is read back as it was written, bit for bit, and a notebook's
 * settings are taken or refused in one sentence that names the setting. `npm run test:fuzz` tries fifteen thousand.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { allocateDataSet, sliceRows } from "../lib/data/rows";
import { InputError } from "../lib/backend/errors";
import { budgets, type Settings, settingsFor } from "../lib/notebook/notebook";
import { ArrowFieldsWriter, readDataSet } from "../lib/storage/arrow";
import { readCheckpoint, writeCheckpoint } from "../lib/storage/checkpoint";
import { readPorosityCsv } from "../lib/storage/csv";
import { CsvFieldsWriter } from "../lib/storage/fieldsWriter";
import { problem } from "./tiny";

/** Inputs of all fuzz tests, of which each property here takes its share. */
const INPUTS = Number(process.env["POROUS_SGM_FUZZ"] ?? 1000);
const runs = (share: number) => ({
  seed: 1,
  numRuns: Math.round(INPUTS * share),
  includeErrorInReport: true,
});

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** The bytes of an array, by which -0 and 0 differ, and NaN is NaN. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array | Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Some numbers, of all sizes, to fill arrays with. */
const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
  minLength: 1,
  maxLength: 30,
});

function fill(array: Float64Array, values: readonly number[], from: number): void {
  for (let i = 0; i < array.length; i++) array[i] = values[(from + i) % values.length];
}

test("what an Arrow file is given it gives back, bit for bit", async () => {
  const file = path.join(scratch, "data.arrow");
  const input = fc.record({
    values: numbers,
    batches: fc.array(fc.nat(4), { maxLength: 4 }),
    seed: fc.option(fc.maxSafeNat(), { nil: undefined }),
    unknown: fc.boolean(), // the correlation length of a porosity that was given
    latent: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ values, batches, seed, unknown, latent }) => {
      const rows = batches.reduce((sum, count) => sum + count, 0);
      const all = allocateDataSet(problem, rows, seed);
      fill(all.conditions, values, 0);
      fill(all.fields, values, 1);
      fill(all.latent, values, 2);
      if (unknown) for (let row = 0; row < rows; row++) all.conditions[3 * row] = NaN;
      const writer = new ArrowFieldsWriter(
        file,
        problem,
        latent,
        seed === undefined ? {} : { seed: `${seed}` },
      );
      let done = 0;
      for (const count of batches) writer.write(sliceRows(all, done, (done += count)));
      writer.close();
      const found = await readDataSet(file);
      assert.deepEqual([found.rows, found.seed, found.latent !== undefined], [rows, seed, latent]);
      for (const part of ["conditions", "fields", ...(latent ? (["latent"] as const) : [])] as const) {
        assert.ok(bytesOf(found[part]!).equals(bytesOf(all[part]!)), part);
      }
    }),
    runs(0.02),
  );
});

test("a CSV file of any dialect gives the numbers that were written, and fields written read back", async () => {
  const [file, out] = ["porosity.csv", "fields.csv"].map((name) => path.join(scratch, name));
  const value = fc.double({ min: 1e-9, max: 0.999, noNaN: true });
  const dialects = [
    { separator: "," },
    { separator: ",", quote: '"' },
    { separator: ",", quote: '"', comma: true },
    ...[";", "\t", " ", "   "].flatMap((separator) => [{ separator }, { separator, comma: true }]),
  ];
  const header = Array.from({ length: 100 }, (_, i) => i);
  const input = fc.record({
    rows: fc.array(fc.array(value, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 }),
    dialect: fc.constantFrom(...dialects),
    before: fc.constantFrom([], ["# porosity, 100 cells", "% more"], header, header.map((i) => `column ${i}`), ["", ...header]),
    end: fc.constantFrom("\n", "\r\n", "\r"),
    wide: fc.boolean(), // Excel's Unicode text
    mark: fc.constantFrom("", "\uFEFF"),
    blank: fc.constantFrom("", " ", "\t"),
    after: fc.constantFrom("", "end", "end blank end", "separators end"),
    text: fc.constantFrom(String, (x: number) => x.toExponential(), (x: number) => `+${x}`),
    fields: numbers,
  }); // prettier-ignore
  await fc.assert(
    fc.asyncProperty(
      input,
      async ({ rows, dialect, before, end, wide, mark, blank, after, text, fields }) => {
        const {
          separator,
          quote = "",
          comma = false,
        }: { separator: string; quote?: string; comma?: boolean } = dialect;
        const space = separator.trim() === "" ? "" : blank;
        const all = rows.map((row) => Float64Array.from({ length: 100 }, (_, i) => row[i % row.length]));
        const cell = (x: number) => {
          const written = comma ? text(x).replace(".", ",") : text(x);
          return `${space}${quote}${written}${quote}${space}`;
        };
        const lines = all.map((row, k) => {
          const cells = Array.from(row, cell);
          return (before[0] === "" ? [String(k), ...cells] : cells).join(separator);
        });
        const notes =
          before.length === 2 ? before : before.length ? [before.join(separator.trim() || separator[0])] : [];
        const empty = separator.trim() === "" ? "" : separator.repeat(99);
        const tail = after
          .replace("blank", ` ${end}`)
          .replace("separators", end + empty)
          .replace(/end/g, end)
          .replace(/ /g, "");
        const whole = [...notes, ...lines].join(end) + tail;
        fs.writeFileSync(file, wide ? Buffer.from(`\uFEFF${whole}`, "utf16le") : mark + whole);
        let count = 0;
        for await (const row of readPorosityCsv(file, problem)) assert.deepEqual(row, all[count++]);
        assert.equal(count, rows.length);

        const data = allocateDataSet(problem, 2);
        fill(data.fields, fields, 0);
        const writer = new CsvFieldsWriter(out, problem);
        writer.write(data);
        writer.close();
        const written = fs
          .readFileSync(out, "utf8")
          .trimEnd()
          .split("\n")
          .slice(1)
          .join()
          .split(",")
          .map(Number);
        // Text has no -0.
        assert.ok(written.length === 400 && written.every((x, i) => x === data.fields[i]));
      },
    ),
    runs(0.01),
  );
});

test("a checkpoint gives back what it was given, bit for bit", () => {
  const file = path.join(scratch, "state");
  const vector = fc.float32Array({ maxLength: 40 });
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("0".repeat(64), "f".repeat(64), "$&"));
  const input = fc.record({
    fingerprint: fc.dictionary(text, text, { maxKeys: 4 }),
    step: fc.maxSafeNat(),
    seconds: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
    bestLoss: fc.double({ noNaN: true }),
    rollbacks: fc.nat(5),
    turned: fc.array(
      fc.record({
        step: fc.nat(1e6),
        name: fc.constantFrom("rate", "noiseLevel"),
        value: fc.double({ min: 1e-3, max: 1, noNaN: true }),
      }),
      { maxLength: 3 },
    ),
    vectors: fc.record({ weights: vector, average: vector, first: vector, second: vector }),
  });
  fc.assert(
    fc.property(input, (checkpoint) => {
      writeCheckpoint(file, checkpoint);
      const { vectors, seconds, bestLoss, ...rest } = readCheckpoint(file)!;
      const { vectors: given, seconds: lasted, bestLoss: best, ...others } = checkpoint;
      assert.deepEqual(JSON.stringify(rest), JSON.stringify(others));
      assert.ok(seconds === lasted && bestLoss === best); // text has no -0
      for (const name of ["weights", "average", "first", "second"] as const) {
        assert.ok(bytesOf(vectors[name]).equals(bytesOf(given[name])), name);
      }
    }),
    runs(0.02),
  );
});

/** Settings as those of the notebooks, and for each whether a number may stand there. */
const GOOD = {
  preset: "lesson",
  data: { conditions: 40, seed: 0 },
  rate: 0.5,
  steps: 20,
  mirrored: true,
  seed: 1,
};
const ALLOWED: Readonly<Record<string, (value: unknown) => boolean>> = {
  "preset": (value) => typeof value === "string",
  "data": (value) => value === GOOD.data,
  "data.conditions": (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  "data.seed": (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  "rate": Number.isFinite,
  "steps": (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  "mirrored": (value) => typeof value === "boolean",
  "seed": (value) => Number.isSafeInteger(value) && Number(value) >= 0,
}; // prettier-ignore

test("any value of any setting is taken if it may be, else refused in one sentence that names the setting", () => {
  const counts = { taken: 0, refused: 0 };
  const value = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withTypedArray: true }),
    fc.double(),
    fc.integer(),
    fc.string(),
    fc.constantFrom(Number.MAX_SAFE_INTEGER, 2 ** 53, -0, "5", "", "NaN", undefined, null, {}, [], () => 1, Symbol("x")),
  ); // prettier-ignore
  const input = fc.record({
    name: fc.constantFrom(...Object.keys(ALLOWED)),
    value,
    chosen: fc.constantFrom(...budgets),
  });
  fc.assert(
    fc.property(input, ({ name, value: given, chosen }) => {
      const [first, second] = name.split(".");
      const own = { ...GOOD, [first]: second ? { ...GOOD.data, [second]: given } : given } as Settings;
      const choices = {
        smoke: GOOD as Settings,
        lesson: GOOD as Settings,
        full: GOOD as Settings,
        [chosen]: own,
      };
      // A setting beside the given one that is equal to it by chance must not be named.
      const allowed = ALLOWED[name](given);
      try {
        assert.equal(settingsFor(choices, chosen), own);
        assert.ok(allowed, "taken");
        counts.taken++;
      } catch (error) {
        assert.ok(error instanceof InputError && !allowed, String(error));
        assert.match(error.message, new RegExp(`^settings\\.${name}[. ][^\\n]* give [^\\n]*\\.$`));
        counts.refused++;
      }
    }),
    runs(0.1),
  );
  assert.ok(counts.taken > 0 && counts.refused > counts.taken, JSON.stringify(counts));
});

test("a setting that is missing or more than the other budgets have is told", () => {
  const { steps, ...rest } = GOOD;
  assert.equal(steps, 20);
  const missing = { smoke: GOOD as Settings, lesson: rest as Settings, full: GOOD as Settings };
  assert.throws(
    () => settingsFor(missing, "lesson"),
    /^InputError: settings\.steps is undefined; give a number/,
  );
  assert.equal(settingsFor(missing, "full").steps, 20);
  const more = { smoke: GOOD as Settings, lesson: { ...GOOD, extra: NaN }, full: GOOD as Settings };
  assert.throws(
    () => settingsFor(more, "lesson"),
    /^InputError: settings\.extra is NaN; give a finite number/,
  );
});
