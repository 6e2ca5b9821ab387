/**
 * Command lines of real options with hostile values: each does its work, or is refused in one sentence with status 2, within
 * a second and without a trace on the disk. `npm run test:fuzz` tries ten thousand of them.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { createModel } from "../lib/presets/createModel";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import { readDataSet, writeDataSet } from "../lib/storage/arrow";
import { generate } from "../lib/storage/generate";
import { saveModel } from "../lib/storage/modelFolder";
import { npyBytes } from "../lib/storage/npy";
import { explain, run } from "../scripts/cli/program";
import { problem, tinyFilm, tinyPreset } from "./tiny";

/** A tenth of the inputs of all fuzz tests. */
const INPUTS = Math.round(Number(process.env["POROUS_SGM_FUZZ"] ?? 1000) / 10);
/** Of the processor, so that what else the machine does counts for nothing; waiting for ever would end no test. */
const MOST_MS = 1000;

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
/** Where the commands run: nothing beside it may change. */
const inner = path.join(scratch, "inner");
const home = process.cwd();
after(() => {
  process.chdir(home);
  fs.rmSync(scratch, { recursive: true, force: true });
});

const CONDITIONS = {
  "--correlation-length": ["1e-5", "0.00001"],
  "--equilibrium-potential": ["-0.1", "0"],
  "--flux": ["25", "0"],
};

/** Good words of each verb, small enough for some milliseconds; those of train and evaluate lead to no model. */
const VERBS: Readonly<Record<string, { words?: string[]; options: Readonly<Record<string, string[]>> }>> = {
  generate: {
    options: {
      "--conditions": ["1", "3"],
      "--fields": ["1", "2"],
      "--seed": ["0", "7", "9007199254740991"],
      "--convention": ["text"],
      "--workers": ["1", "1024"],
      "--shard": ["1/1"],
      "--out": ["new.arrow", "NEW.ARROW", "ä b.arrow"],
    },
  },
  import: {
    options: {
      "--fields": ["fields.npy"],
      "--conditions": ["table.csv"],
      "--names": ["a,u"],
      "--units": ["1,V"],
      "--log": ["a"],
      "--length": ["2"],
      "--share": ["0.5"],
      "--held-out": ["held.arrow"],
      "--out": ["new.arrow"],
    },
  },
  merge: { words: ["1.arrow", "2.arrow"], options: { "--out": ["new.arrow"] } },
  solve: {
    options: {
      "--porosity": ["porosity.csv"],
      "--equilibrium-potential": ["0", "-1e-3"],
      "--flux": ["25", ".5"],
      "--convention": ["text", "figures"],
      "--out": ["new.arrow", "new.csv"],
    },
  },
  presets: { options: {} },
  train: {
    options: {
      "--data": ["absent.arrow", "cut.arrow"],
      "--out": ["new"],
      "--preset": ["lesson", "best"],
      "--steps": ["1"],
      "--checkpoint": ["states"],
      "--on-divergence": ["stop"],
      "--seed": ["1"],
    },
  },
  sample: {
    options: {
      "--model": ["tiny"],
      "--count": ["1", "3"],
      "--steps": ["1", "2"],
      "--sampler": ["pf-ode-heun", "dpm-solver++2m"],
      "--seed": ["1"],
      "--out": ["new.arrow", "new.csv"],
      ...CONDITIONS,
    },
  },
  check: {
    words: ["a.arrow"],
    options: { "--out": ["new.arrow"], "--convention": ["text"] },
  },
  compare: { words: ["a.arrow", "b.arrow"], options: {} },
  evaluate: {
    options: {
      "--model": ["absent", "broken"],
      "--n": ["2"],
      "--sets": ["1"],
      "--json": ["new.json"],
      ...CONDITIONS,
    },
  },
};

/** Without these there would be a good deal of work: by the model that comes with the project, with all its steps. */
const SLOW_DEFAULT = ["--model", "--steps"];

/** No number among them is one that an option takes and that leads to hours of work. */
const HOSTILE = [
  "", " ", "-", "--", "---", "-1", "0", "1.5", "NaN", "Infinity", "-Infinity", "1e308", "1e999", "-1e-400", "0x10",
  "99999999999999999999999", "1,000,000,000,000", "１２", "٣", "true", "null", "undefined", "[object Object]", "__proto__",
  "constructor", "toString", "figures\n", "text ", "a\tb", "\u001b[2J\u0007", "\ud800", "💥", "../x", "..", ".", "/", "~",
  "absent/new.arrow", "absent", "folder.arrow", "cut.arrow/new.arrow", "broken", "loop", "/dev/null", "/dev/zero",
  "/proc/self/mem", "/proc/new.arrow", "$(touch pwned)", "`touch pwned`", "; touch pwned", "%s%n", "0/0", "2/1", "1/1/1", "-1/3",
  "x".repeat(300), "x".repeat(5000), "--out", "--seed=", "--", "-h5", "--no-json", "--conditions=1e999", "{}", '"', "'", "\\",
]; // prettier-ignore

const word = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: "binary" }).map(withoutNul),
  fc.string(),
);
/** No argument of a process can hold it. */
function withoutNul(text: string): string {
  return text.replaceAll("\0", "");
}

/** A good command line, changed in up to four places. */
const line = fc
  .record({
    verb: fc.constantFrom(...Object.keys(VERBS)),
    values: fc.infiniteStream(fc.nat(5)),
    changes: fc.array(
      fc.record({
        kind: fc.constantFrom("value", "value", "value", "drop", "repeat", "insert", "attach", "end", "verb"),
        at: fc.nat(40),
        by: word,
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ verb, values, changes }) => {
    const { words: plain = [], options } = VERBS[verb];
    const parts = [[verb], ...plain.map((each) => [each])];
    for (const [name, good] of Object.entries(options)) {
      parts.push([name, good[(values.next().value ?? 0) % good.length]]);
    }
    for (const { kind, at, by } of changes) {
      const place = Math.min(parts.length - 1, 1 + (at % Math.max(1, parts.length - 1)));
      const part = parts[place];
      const slow = SLOW_DEFAULT.some((name) => part[0].startsWith(name));
      if (kind === "value" && !(slow && part.length === 1)) part[part.length - 1] = by;
      if (kind === "drop" && !slow) parts.splice(place, 1);
      if (kind === "repeat") parts.push([part[0], by]);
      if (kind === "insert") parts.splice(place, 0, [by]);
      if (kind === "attach") parts[place] = [`${part[0]}=${by}`];
      if (kind === "end") part.length = 1;
      if (kind === "verb" && at % 4 === 0) parts[0] = [by];
      if (parts.length === 0) parts.push([by]);
    }
    return parts.flat();
  });

before(async () => {
  fs.mkdirSync(inner);
  process.chdir(inner);
  const data = generateDataSet(problem, { conditions: 40, fields: 4, seed: 1 });
  writeDataSet("data.arrow", data);
  for (const index of [1, 2]) {
    const shard = { index, count: 2 };
    await generate({ problem, conditions: 2, fields: 2, seed: 1, shard, out: `${index}.arrow` });
  }
  fs.writeFileSync("cut.arrow", fs.readFileSync("data.arrow").subarray(0, 50_000));
  fs.mkdirSync("folder.arrow");
  fs.symlinkSync("loop", "loop");
  const row = Array.from({ length: 100 }, (_, i) => 0.25 + i / 1000).join();
  fs.writeFileSync("porosity.csv", `${row}\n${row}\n`);
  fs.writeFileSync("table.csv", "1\n2\n3\n4\n5\n6\n");
  fs.writeFileSync(
    "fields.npy",
    npyBytes({ shape: [6, 4], values: Float64Array.from({ length: 24 }, (_, i) => i) }),
  );
  writeDataSet("a.arrow", simulateAt(problem, [1e-5, -0.1, 25], 6, 3));
  writeDataSet("b.arrow", simulateAt(problem, [1e-5, -0.1, 25], 3, 4));
  const model = createModel(data, tinyPreset(tinyFilm));
  await saveModel(model, "tiny");
  model.dispose();
  fs.cpSync("tiny", "broken", { recursive: true });
  fs.truncateSync(path.join("broken", "network.bin"), 40);
  // What takes its time once: the code of each verb, and TensorFlow's first operations.
  for (const [verb, { words = [], options }] of Object.entries(VERBS)) {
    await outcome([verb, ...words, ...Object.entries(options).flatMap(([name, [good]]) => [name, good])]);
  }
  for (const name of ["new.arrow", "new.csv", "held.arrow"]) fs.rmSync(name, { force: true });
});

/** Every file below the scratch folder with its size and the time of its last change. */
function listing(): Map<string, string> {
  const names = fs.readdirSync(scratch, { recursive: true }) as string[];
  return new Map(
    names.map((name) => {
      const { size, mtimeMs } = fs.lstatSync(path.join(scratch, name));
      // A folder changes when a temporary file comes and goes.
      return [name, fs.lstatSync(path.join(scratch, name)).isDirectory() ? "" : `${size} ${mtimeMs}`];
    }),
  );
}

/** Runs the words in this process, with nothing printed. The test runner itself writes no text but bytes. */
async function outcome(words: readonly string[]): Promise<{ status: number; sentence: string }> {
  const streams = [process.stdout, process.stderr] as const;
  const writes = streams.map((stream) => stream.write.bind(stream));
  streams.forEach((stream, i) => {
    stream.write = ((chunk: string | Uint8Array, ...rest: never[]) =>
      typeof chunk === "string" || writes[i](chunk, ...rest)) as typeof stream.write;
  });
  try {
    await run(words);
    return { status: 0, sentence: "" };
  } catch (error) {
    const { code, exitCode } = error as { code?: string; exitCode?: number };
    if (code?.startsWith("commander.") && exitCode === 0) return { status: 0, sentence: "" }; // help
    return explain(error);
  } finally {
    streams.forEach((stream, i) => (stream.write = writes[i] as typeof stream.write));
  }
}

/** Outputs that good words name. */
const OUTPUTS = /^inner[\\/](new\.arrow|new\.csv|held\.arrow|NEW\.ARROW|ä b\.arrow)$/;

test(`${INPUTS} command lines do their work or are refused in one sentence`, async (t) => {
  const before = listing();
  const listeners = process.listenerCount("SIGINT");
  const statuses = new Map<number, number>();
  const verbs = new Set<string>();
  let longest = 0;
  await fc.assert(
    fc.asyncProperty(line, async (words) => {
      // What a line that failed has left must not fail those that are tried in search of a shorter one.
      for (const name of listing().keys()) {
        if (!before.has(name)) fs.rmSync(path.join(scratch, name), { recursive: true, force: true });
      }
      const start = process.cpuUsage();
      const { status, sentence } = await outcome(words);
      const { user, system } = process.cpuUsage(start);
      const ms = (user + system) / 1000;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      verbs.add(words[0]);
      const present = listing();
      const made = [...present.keys()].filter((name) => !before.has(name));
      if (status === 0) {
        for (const name of made) {
          if (!OUTPUTS.test(name)) continue;
          const file = path.join(scratch, name);
          if (/arrow$/i.test(name)) assert.ok((await readDataSet(file)).rows > 0);
          else assert.match(fs.readFileSync(file, "utf8"), /^c_0,[^]*\n$/);
          fs.rmSync(file);
          present.delete(name);
        }
      } else {
        assert.equal(status, 2, sentence);
        assert.ok(ms < MOST_MS, `${ms.toFixed(0)} ms`);
        longest = Math.max(longest, ms);
        assert.match(sentence, /^[^\p{Cc}]{10,700}\.$/u);
        assert.doesNotMatch(sentence, / at .*:\d+:\d+/);
      }
      assert.deepEqual(present, before);
      assert.equal(process.listenerCount("SIGINT"), listeners);
    }),
    { seed: 1, numRuns: INPUTS, includeErrorInReport: true },
  );
  const counts = `${statuses.get(0) ?? 0} did their work, ${statuses.get(2) ?? 0} were refused`;
  t.diagnostic(
    `${counts}, at most ${longest.toFixed(0)} ms; ` +
      `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB of memory at most`,
  );
  assert.ok((statuses.get(0) ?? 0) > INPUTS / 50 && (statuses.get(2) ?? 0) > INPUTS / 2, counts);
  for (const verb of Object.keys(VERBS)) assert.ok(verbs.has(verb), verb);
});
