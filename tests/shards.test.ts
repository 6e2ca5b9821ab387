/** Data sets in shards: merged they are the whole, and whatever ends a generation, the next goes on from what is finished. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { Random } from "../lib/random";
import { simulateAt } from "../lib/presets/simulate";
import { ArrowRows, readDataSet, writeDataSet } from "../lib/storage/arrow";
import { FolderLock } from "../lib/storage/folderLock";
import { generate } from "../lib/storage/generate";
import { generateInShards, generateMissing, merge, type ResumableOptions } from "../lib/storage/shards";
import { KILLED, KILLED_SHARDS } from "./generateProcess";
import { deadline } from "./processes";
import { problem, refused } from "./tiny";

const { environment, root } = require("../scripts/environment") as {
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-shards-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
const same = (a: string, b: string): boolean => fs.readFileSync(a).equals(fs.readFileSync(b));
const SIZE = { conditions: 10, fields: 7, seed: 3 };

/** Writes the shards of a data set and returns their files. */
async function shardsOf(name: string, size: typeof SIZE, count: number): Promise<string[]> {
  const files: string[] = [];
  for (let index = 1; index <= count; index++) {
    files.push(at(`${name}-${index}.arrow`));
    await generate({ problem, ...size, out: files[index - 1], shard: { index, count } });
  }
  return files;
}

async function withMetadata(file: string) {
  const rows = await ArrowRows.open(file);
  const data = await rows.all();
  rows.close();
  const names = ["conditions", "fields", "shard", "arithmetic"];
  return { data, metadata: Object.fromEntries([...rows.metadata].filter(([name]) => names.includes(name))) };
}

test("merged shards are the file of one process, byte for byte, in whatever order they are given", async () => {
  const random = new Random(1);
  // Shards that end inside of a record batch, a single one, one a condition, and conditions of several batches.
  for (const [conditions, fields, count] of [
    [70, 25, 4],
    [50, 25, 1],
    [7, 3, 7],
    [5, 300, 3],
    [3, 1, 2],
  ]) {
    const size = { conditions, fields, seed: 2 ** 40 + conditions };
    await generate({ problem, ...size, out: at("whole.arrow") });
    const files = await shardsOf("part", size, count);
    const shuffled = files.map((file) => ({ file, key: random.uniform() })).sort((a, b) => a.key - b.key);
    const progress: number[] = [];
    const names = shuffled.map(({ file }) => file);
    assert.equal(await merge(names, at("merged.arrow"), (done) => progress.push(done)), conditions * fields);
    assert.equal(progress.at(-1), conditions * fields);
    assert.ok(same(at("merged.arrow"), at("whole.arrow")), `${conditions} x ${fields} in ${count}`);
  }
});

test("a shard that is missing, doubled, damaged or of another data set is named in one sentence", async () => {
  const files = await shardsOf("s", SIZE, 4);
  const out = at("never.arrow");
  const others = (k: number) => files.filter((_, i) => i !== k);
  await refused(() => merge([], out), /0 shards/);
  await refused(() => merge(others(2), out), /^Shard 3\/4 is missing/);
  await refused(() => merge([files[1]], out), /^Shards 1\/4, 3\/4, 4\/4 are missing/);
  await refused(() => merge([...files, files[0]], out), /s-1\.arrow" and .*s-1\.arrow" are both shard 1\/4/);
  const alien = async (more: Partial<ResumableOptions>, pattern: RegExp) => {
    await generate({ problem, ...SIZE, shard: { index: 3, count: 4 }, out: at("alien.arrow"), ...more });
    // First or last, it is the alien that is named.
    for (const list of [
      [at("alien.arrow"), ...others(2)],
      [...others(2), at("alien.arrow")],
    ]) {
      await refused(() => merge(list, out), pattern);
    }
  };
  await alien({ seed: 4 }, /alien\.arrow" has seed 4 and not 3 as .*s-/);
  await alien(
    { problem: porousElectrode("figures") },
    /alien\.arrow" has the convention figures and not text/,
  );
  await alien({ conditions: 11 }, /alien\.arrow" has 11 conditions and not 10/);
  await alien({ fields: 8 }, /alien\.arrow" has 8 fields a condition and not 7/);
  await alien({ shard: { index: 3, count: 5 } }, /alien\.arrow" has 5 shards and not 4/);
  await refused(() => merge(files, files[3]), /s-4\.arrow" is one of the shards/);
  fs.symlinkSync(files[3], at("link.arrow"));
  await refused(() => merge(files, at("link.arrow")), /link\.arrow" is one of the shards/);

  const [first, second, ...rest] = files;
  const data = await readDataSet(second);
  writeDataSet(at("solved.arrow"), data);
  await refused(
    () => merge([first, at("solved.arrow"), ...rest], out),
    /solved\.arrow" is not a file of generate/,
  );
  const { seed, ...sizes } = SIZE;
  const claim = {
    ...Object.fromEntries(Object.entries(sizes).map(([k, v]) => [k, String(v)])),
    shard: "1/4",
  };
  writeDataSet(at("short.arrow"), { ...data, seed }, claim);
  await refused(() => merge([at("short.arrow"), second, ...rest], out), /damaged: it has 21 rows and not 14/);
  fs.writeFileSync(at("cut.arrow"), fs.readFileSync(second).subarray(0, 9000));
  await refused(() => merge([first, at("cut.arrow"), ...rest], out), /cut\.arrow": it is truncated/);
  await refused(
    () => merge([first, at("absent.arrow"), ...rest], out),
    /absent\.arrow": there is no such file/,
  );
  assert.ok(!fs.existsSync(out));
});

test("parts that were computed in another way are refused, and those of earlier versions merge among themselves", async () => {
  const files = await shardsOf("made", SIZE, 2);
  const out = at("never.arrow");
  const { data, metadata } = await withMetadata(files[0]);
  assert.match(metadata["arithmetic"], /^[0-9a-f]{16}$/);
  const { arithmetic, ...earlier } = metadata;
  writeDataSet(at("other.arrow"), data, { ...earlier, arithmetic: "0123456789abcdef" });
  for (const list of [[at("other.arrow"), files[1]], [files[1], at("other.arrow")]]) {
    await refused(
      () => merge(list, out),
      /has the arithmetic [0-9a-f]{16} \(that of Node, of the processor and of the solver\) and not [0-9a-f]{16} as /,
    );
  } // prettier-ignore
  writeDataSet(at("early-1.arrow"), data, earlier);
  await refused(
    () => merge([at("early-1.arrow"), files[1]], out),
    /has the arithmetic (of an earlier version|[0-9a-f]{16}) .* and not (of an earlier version|[0-9a-f]{16}) as/,
  );
  await refused(
    () => generateMissing({ problem, ...SIZE, shard: { index: 1, count: 2 }, out: at("early-1.arrow") }),
    /early-1\.arrow" is there and has the arithmetic of an earlier version .*; give another name, or delete it/,
  );
  const second = await withMetadata(files[1]);
  const { arithmetic: same, ...earlierSecond } = second.metadata;
  assert.equal(same, arithmetic);
  writeDataSet(at("early-2.arrow"), second.data, earlierSecond);
  assert.equal(await merge([at("early-1.arrow"), at("early-2.arrow")], at("early.arrow")), 70);
  const merged = await withMetadata(at("early.arrow"));
  assert.equal(merged.metadata["arithmetic"], undefined);
  await generate({ problem, ...SIZE, out: at("whole.arrow") });
  assert.deepEqual(merged.data.fields, (await readDataSet(at("whole.arrow"))).fields);
});

test("data at given conditions are drawn in parts as in one, and told from drawn ones", async () => {
  const given = Float64Array.of(1e-5, 0, 25, 2e-6, 0.1, 5, 2e-5, -0.1, 45);
  const size = { problem, conditions: 3, given, fields: 300, seed: 9 };
  await generate({ ...size, out: at("given.arrow") });
  const data = await readDataSet(at("given.arrow"));
  for (const k of [0, 1, 2]) {
    const row = data.conditions.subarray(900 * k, 900 * k + 3);
    assert.deepEqual(row, given.subarray(3 * k, 3 * k + 3));
  }
  assert.deepEqual(data.fields.subarray(0, 60_000), simulateAt(problem, [1e-5, 0, 25], 300, 9).fields);
  await generateInShards({ ...size, out: at("given-parts.arrow") }, 3);
  assert.ok(same(at("given-parts.arrow"), at("given.arrow")));
  await refused(
    () => generateMissing({ ...size, given: given.map((c) => c / 1.5), out: at("given.arrow") }),
    /has the given conditions [0-9a-f]{16} and not the given conditions [0-9a-f]{16}/,
  );
  await refused(
    () => generateMissing({ ...size, given: undefined, out: at("given.arrow") }),
    /has the given conditions [0-9a-f]{16} and not drawn conditions/,
  );
});

test("a complete shard is left as it is, a damaged one made again, and one of other settings refused", async () => {
  const notes: string[] = [];
  const out = at("resumed.arrow");
  const options = {
    problem,
    ...SIZE,
    out,
    shard: { index: 2, count: 3 },
    note: (s: string) => void notes.push(s),
  };
  const made = () => generateMissing(options);
  assert.equal(await made(), 21);
  const { mtimeMs, ino } = fs.statSync(out);
  const whole = fs.readFileSync(out);
  assert.equal(await made(), 21);
  assert.deepEqual([fs.statSync(out).mtimeMs, fs.statSync(out).ino], [mtimeMs, ino]);
  assert.match(notes.join(), /^[^\n]*resumed\.arrow: shard 2\/3 is complete already; it is left as it is\.$/);

  const other = (more: Partial<ResumableOptions>) => () => generateMissing({ ...options, ...more });
  await refused(other({ seed: 4 }), /resumed\.arrow" is there and has seed 3 and not 4; give another name/);
  await refused(other({ problem: porousElectrode("figures") }), /the convention text and not figures/);
  await refused(other({ shard: { index: 2, count: 4 } }), /has 3 shards and not 4/);
  await refused(other({ shard: { index: 1, count: 3 } }), /has shard 2 and not 1/);
  await refused(other({ shard: { index: 4, count: 3 } }), /shard is 4; give a whole number from 1 to 3/);
  assert.ok(fs.readFileSync(out).equals(whole));

  for (const bytes of [whole.subarray(0, 5000), Buffer.alloc(0), Buffer.from("no data")]) {
    notes.length = 0;
    fs.writeFileSync(out, bytes);
    await made();
    assert.match(notes.join(), /resumed\.arrow": it is [^.;]*; it is made again\.$/);
    assert.ok(fs.readFileSync(out).equals(whole));
  }
});

test("parts of other settings are refused, and one generation at a time works in their folder", async () => {
  const out = at("sharded.arrow");
  const parts = `${out}.parts`;
  const go = (shards: number, more: Partial<ResumableOptions> = {}) =>
    generateInShards({ problem, ...SIZE, out, ...more }, shards);
  fs.mkdirSync(parts);
  await generate({ problem, ...SIZE, shard: { index: 2, count: 3 }, out: path.join(parts, "part-2.arrow") });
  await refused(() => go(4), /part-2\.arrow" is there and has 3 shards and not 4/);
  await refused(() => go(3, { seed: 5 }), /part-2\.arrow" is there and has seed 3 and not 5/);
  await refused(() => go(11), /number of shards is 11; give a whole number from 1 to 10/);
  const lock = new FolderLock(parts, "generation");
  await refused(() => go(3), /Another generation \(process \d+\) uses .*sharded\.arrow\.parts/);
  lock.release();
  assert.ok(!fs.existsSync(out));
  const notes: string[] = [];
  const progress: number[] = [];
  const note = (sentence: string) => void notes.push(sentence);
  assert.equal(await go(3, { note, onProgress: (done) => progress.push(done) }), 70);
  assert.match(notes.join(), /1 of 3 shards are complete already/);
  assert.deepEqual(progress, [21, 70]);
  await generate({ problem, ...SIZE, out: at("whole.arrow") });
  assert.ok(same(out, at("whole.arrow")));
  assert.ok(!fs.existsSync(parts));
  await go(3, { note });
  assert.match(notes.join(), /the data set is complete already/);
  await refused(() => go(3, { seed: 5 }), /sharded\.arrow" is there and has seed 3 and not 5/);
  await refused(() => go(3, { out: path.join(folder, "absent", "x.arrow") }), /no such file or folder/);
});

/** npm run test:faults sets it to 200. */
const KILLS = Number(process.env["POROUS_SGM_KILLS"] ?? 8);

test(`after each of ${KILLS} SIGKILLs at random moments every file is complete, and what is finished stays`, async (t) => {
  await generate({ problem, ...KILLED, out: at("reference.arrow") });
  const references = await shardsOf("reference", { ...KILLED }, KILLED_SHARDS);
  const home = at("killed");
  fs.mkdirSync(home);
  const out = path.join(home, "data.arrow");
  const parts = `${out}.parts`;
  const files = (place: string) => (fs.existsSync(place) ? fs.readdirSync(place) : []);
  const temporary = () =>
    [home, parts]
      .flatMap((place) => files(place).map((name) => path.join(place, name)))
      .filter((file) => file.endsWith(".tmp"));
  const finished = () => files(parts).filter((name) => /^part-\d\.arrow$/.test(name));
  const random = new Random(11);
  let [inWrite, inClosing, ended] = [0, 0, 0];
  const run = async (delay: number): Promise<boolean> => {
    const child = spawn(
      process.execPath,
      ["--require", "./scripts/typescript.js", "tests/generateProcess.ts", out],
      {
        cwd: root,
        env: environment(),
        stdio: ["ignore", "pipe", "inherit"],
        ...deadline(600),
      },
    );
    let timer: NodeJS.Timeout | undefined;
    // Its only line; the moment that counts is when it begins to work.
    child.stdout.once("data", () => (timer = setTimeout(() => child.kill("SIGKILL"), delay)));
    const [status, signal] = (await once(child, "close")) as [number | null, string | null];
    clearTimeout(timer);
    assert.ok(status === 0 || signal === "SIGKILL", `${status} ${signal}`);
    return status === 0;
  };
  const check = () => {
    for (const name of finished()) {
      assert.ok(same(path.join(parts, name), references[Number(/\d/.exec(name)![0]) - 1]), name);
    }
    if (fs.existsSync(out)) assert.ok(same(out, at("reference.arrow")));
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const before = finished();
    const old = temporary(); // a run that is killed at once has not removed them yet
    const complete = await run(500 * random.uniform()); // ms: the whole takes some 900
    check();
    for (const file of temporary().filter((name) => !old.includes(name))) {
      inWrite++;
      if (fs.readFileSync(file).subarray(100).includes("ARROW1")) inClosing++; // whole, but for its name
    }
    if (fs.existsSync(out)) {
      ended++;
      if (complete) assert.deepEqual(fs.readdirSync(home), ["data.arrow"]);
      fs.rmSync(home, { recursive: true });
      fs.mkdirSync(home);
    } else for (const name of before) assert.ok(finished().includes(name), `${name} is lost`);
  }
  t.diagnostic(
    `${KILLS} kills, ${inWrite} in a write, ${inClosing} of them between its last byte and its name; ${ended} times all was complete`,
  );
  assert.ok(inWrite > 0);
  assert.ok(await run(60_000));
  check();
  assert.deepEqual(fs.readdirSync(home), ["data.arrow"]);
});
