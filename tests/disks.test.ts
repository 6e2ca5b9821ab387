/** Disks that can do less than a Linux disk: exFAT, SMB, the shared folders of virtual machines, full and read-only ones. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, type Mock, test, type TestContext } from "node:test";
import { CheckpointFolder } from "../lib/storage/checkpoint";
import { AtomicFile, sameFile, writeWhole } from "../lib/storage/files";
import { FolderLock } from "../lib/storage/folderLock";
import { createModel } from "../lib/presets/createModel";
import { readDataSet, writeDataSet } from "../lib/storage/arrow";
import { generate } from "../lib/storage/generate";
import { saveModel } from "../lib/storage/modelFolder";
import { generateInShards } from "../lib/storage/shards";
import { explain, run } from "../scripts/cli/program";
import { deadline } from "./processes";
import { problem, refused, tinyData, tinyPreset, tinyToken } from "./tiny";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-disks-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => path.join(folder, ...names);
const text = (file: string): string => fs.readFileSync(file, "utf8");
const whole = (file: string, content: string): void => writeWhole(file, Buffer.from(content));

/** Lets some calls of the file system fail, the first `times` of them. */
function failing(t: TestContext, code: string, names: (keyof typeof fs)[], times = Infinity): void {
  for (const name of names) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    let left = times;
    const replaced = (...args: unknown[]): unknown => {
      if (left-- > 0) throw Object.assign(new Error(`${code}: ${name}`), { code });
      return original(...args);
    };
    (t.mock.method as (object: object, name: string, by: typeof replaced) => Mock<typeof replaced>)(
      fs,
      name,
      replaced,
    );
  }
}

for (const code of ["EPERM", "ENOTSUP", "ENOSYS", "EINVAL"]) {
  test(`files, locks, states and parts do without links, modes and owners (${code})`, async (t) => {
    const home = at(code);
    fs.mkdirSync(home);
    fs.writeFileSync(path.join(home, "old"), "old");
    failing(t, code, ["linkSync", "symlinkSync", "chmodSync", "fchmodSync", "chownSync", "fchownSync", "utimesSync", "futimesSync"]); // prettier-ignore
    if (code !== "EPERM") failing(t, code, ["fsyncSync"]);
    whole(path.join(home, "old"), "new");
    assert.equal(text(path.join(home, "old")), "new");
    const vector = Float32Array.of(1);
    const vectors = { weights: vector, average: vector, first: vector, second: vector };
    const state = { fingerprint: {}, step: 3, seconds: 1, bestLoss: 0.5, rollbacks: 0, turned: [], vectors };
    const states = new CheckpointFolder(path.join(home, "states"));
    states.keep(state);
    await refused(() => new CheckpointFolder(path.join(home, "states")), /Another training \(process \d+\)/);
    assert.deepEqual(
      states.newest(() => undefined),
      state,
    );
    states.close();
    const size = { problem, conditions: 2, fields: 2, seed: 1 };
    await generateInShards({ ...size, out: path.join(home, "parts.arrow") }, 2);
    await generate({ ...size, out: path.join(home, "whole.arrow") });
    assert.ok(
      fs.readFileSync(path.join(home, "parts.arrow")).equals(fs.readFileSync(path.join(home, "whole.arrow"))),
    );
    assert.deepEqual(fs.readdirSync(home).sort(), ["old", "parts.arrow", "states", "whole.arrow"]);
  });
}

test("the command line works where the system's link() and chmod() fail", (t) => {
  const library = at("weak.so");
  const source = ["link(const char *a, const char *b)", "symlink(const char *a, const char *b)", "fchmod(int f, unsigned m)", "fchown(int f, unsigned u, unsigned g)"].map((head) => `int ${head} { errno = ENOTSUP; return -1; }`); // prettier-ignore
  const made = spawnSync("gcc", ["-shared", "-fPIC", "-x", "c", "-o", library, "-"], {
    input: `#include <errno.h>\n${source.join("\n")}\n`,
    ...deadline(60),
  });
  if (process.platform !== "linux" || made.status !== 0)
    return t.skip("there is no gcc to make such a disk with");
  const script = path.join(__dirname, "..", "scripts", "porous-sgm.js");
  const args = ["generate", "--conditions", "2", "--fields", "2", "--seed", "1", "--shards", "2", "--out"];
  const run = spawnSync(process.execPath, [script, ...args, at("preloaded.arrow")], {
    env: { ...process.env, LD_PRELOAD: library },
    encoding: "utf8",
    ...deadline(120),
  });
  assert.deepEqual([run.status, run.stdout, run.stderr], [0, "", ""]);
});

test("names may be as long as the disk takes them, and longer ones are refused before the work", async () => {
  for (const name of ["a".repeat(255), "ж".repeat(127), `${"語".repeat(83)}.arrow`]) {
    whole(at(name), "long");
    assert.equal(text(at(name)), "long");
    fs.rmSync(at(name));
    await refused(() => new AtomicFile(at(`${name}aaa`)), /its name is too long; give a shorter one/);
  }
});

test("a file that is written anew keeps its mode, and a link that leads nowhere yet leads to it", () => {
  whole(at("mode"), "1");
  fs.chmodSync(at("mode"), 0o640);
  whole(at("mode"), "2");
  assert.equal(fs.statSync(at("mode")).mode & 0o777, 0o640);
  fs.mkdirSync(at("elsewhere"));
  fs.symlinkSync(path.join("elsewhere", "file"), at("ahead"));
  whole(at("ahead"), "3");
  assert.ok(fs.lstatSync(at("ahead")).isSymbolicLink());
  assert.equal(text(at("elsewhere", "file")), "3");
  assert.ok(sameFile(at("ahead"), at("elsewhere", "file")));
  assert.ok(!sameFile(at("ahead"), at("mode")) && !sameFile(at("absent"), at("absent")));
});

test("what killed runs have left of a file goes when it is written again, and nothing else does", () => {
  fs.mkdirSync(at("killed"));
  const dead = spawnSync(process.execPath, ["-e", "console.log(process.pid)"], { encoding: "utf8", ...deadline(60) }); // prettier-ignore
  const file = new AtomicFile(at("killed", "x.csv"));
  const [temporary] = fs.readdirSync(at("killed"));
  fs.writeFileSync(at("killed", temporary.replace(String(process.pid), dead.stdout.trim())), "half");
  const others = [".other.tmp", ".x.csv.another-host-1-1.tmp", temporary];
  for (const name of others.slice(0, 2)) fs.writeFileSync(at("killed", name), "");
  whole(at("killed", "x.csv"), "whole");
  assert.deepEqual(fs.readdirSync(at("killed")).sort(), [...others, "x.csv"].sort());
  file.abandon();
});

test("a file that is held for a moment is waited for; held for good, what was written is kept beside it", async (t) => {
  failing(t, "EBUSY", ["renameSync"], 3);
  whole(at("busy.csv"), "1");
  assert.equal(text(at("busy.csv")), "1");
  t.mock.restoreAll();
  failing(t, "EPERM", ["renameSync"], 10); // as often as it is tried under its own name
  await refused(
    () => whole(at("busy.csv"), "2"),
    /The output is in ".*busy-2.csv" instead, as its place was lost meanwhile: Cannot write ".*busy.csv": permission is denied/,
  );
  assert.equal(text(at("busy.csv")), "1");
  assert.equal(text(at("busy-2.csv")), "2");
});

test("a folder that takes the name meanwhile, a full disk and a read-only one are told of, and nothing half-written stays", async (t) => {
  const file = new AtomicFile(at("taken.csv"));
  fs.mkdirSync(at("taken.csv"));
  await refused(
    () => file.commit(),
    /The output is in ".*taken-2.csv" instead, as its place was lost meanwhile: Cannot write ".*": it is a folder/,
  );
  const before = fs.readdirSync(folder).sort();
  for (const [code, name, pattern] of [
    ["ENOSPC", "writeSync", /the disk is full/],
    ["ENOSPC", "fsyncSync", /the disk is full/],
    ["EDQUOT", "closeSync", /quota is used up/],
    ["EIO", "fsyncSync", /the device reports an error/],
    ["EROFS", "openSync", /read-only/],
  ] as const) {
    failing(t, code, [name], 1);
    await refused(() => whole(at("full.csv"), "x"), pattern);
    t.mock.restoreAll();
    assert.deepEqual(fs.readdirSync(folder).sort(), before);
  }
  failing(t, "ENOSPC", ["writeFileSync"]);
  await refused(() => new FolderLock(folder, "training"), /lock": the disk is full/);
});

test("a file whose folder is gone when it is complete is kept among the temporary files", async (t) => {
  fs.mkdirSync(at("tmp"));
  t.mock.method(os, "tmpdir", () => at("tmp"));
  for (const [name, content] of [
    ["once.csv", "x".repeat(3e6)],
    ["once.csv", "again"],
  ]) {
    fs.mkdirSync(at("gone"));
    const file = new AtomicFile(at("gone", name));
    file.write(Buffer.from(content));
    fs.rmSync(at("gone"), { recursive: true });
    await refused(
      () => file.commit(),
      /is in ".*once(-2)?.csv" instead, .*: Cannot write ".*": there is no such file/,
    );
  }
  assert.deepEqual(fs.readdirSync(at("tmp")), ["once-2.csv", "once.csv"]);
  assert.equal(text(at("tmp", "once.csv")), "x".repeat(3e6));
  assert.equal(text(at("tmp", "once-2.csv")), "again");
  // So is one that has to go to another disk.
  const rename = fs.renameSync;
  t.mock.method(fs, "renameSync", (from: string, to: string) => {
    if (!to.startsWith(at("tmp"))) throw Object.assign(new Error(), { code: "EROFS" });
    if (from.startsWith(at("disk"))) throw Object.assign(new Error(), { code: "EXDEV" });
    rename(from, to);
  });
  fs.mkdirSync(at("disk"));
  await refused(() => whole(at("disk", "other.csv"), "1"), /is in ".*tmp\/other.csv" instead, .*: Cannot write ".*": the file system is read-only/); // prettier-ignore
  assert.equal(text(at("tmp", "other.csv")), "1");
  assert.deepEqual(fs.readdirSync(at("disk")), []);
});

test("every verb says in the same words, with status 2, where its output is when its place is taken meanwhile", async (t) => {
  const home = at("taken");
  fs.mkdirSync(home);
  const before = process.cwd();
  process.chdir(home);
  t.after(() => process.chdir(before));
  const data = tinyData();
  writeDataSet("data.arrow", data);
  const model = createModel(data, tinyPreset(tinyToken));
  await saveModel(model, "tiny");
  model.dispose();
  fs.writeFileSync("porosity.csv", `${Array(100).fill(0.3).join()}\n`);
  const size = { problem, conditions: 2, fields: 2, seed: 1 };
  for (const index of [1, 2])
    await generate({ ...size, shard: { index, count: 2 }, out: `part-${index}.arrow` });
  const at10 = ["--correlation-length", "1e-5", "--equilibrium-potential", "0", "--flux", "25"];
  const commands: Readonly<Record<string, string[]>> = {
    "generate.arrow": ["generate", "--conditions", "2", "--fields", "2", "--out"],
    "shards.arrow": ["generate", "--conditions", "2", "--fields", "2", "--shards", "2", "--out"],
    "merge.arrow": ["merge", "part-1.arrow", "part-2.arrow", "--out"],
    "solve.csv": ["solve", "--porosity", "porosity.csv", ...at10.slice(2), "--out"],
    "sample.csv": ["sample", "--model", "tiny", "--count", "2", "--steps", "2", ...at10, "--out"],
    "evaluate.json": ["evaluate", "--model", "tiny", "--n", "4", "--sets", "1", ...at10, "--json"],
    model: ["train", "--data", "data.arrow", "--preset", "lesson", "--steps", "1", "--out"],
  };
  const flush = fs.fsyncSync;
  const remove = fs.rmSync;
  for (const [out, words] of Object.entries(commands)) {
    const take = () =>
      fs.existsSync(out) || (fs.mkdirSync(out), fs.writeFileSync(path.join(out, "mine"), ""));
    // When the file is complete; and for a model, when its place has been looked at.
    t.mock.method(fs, "fsyncSync", (descriptor: number) => (take(), flush(descriptor)));
    t.mock.method(fs, "rmSync", (...args: Parameters<typeof fs.rmSync>) => {
      remove(...args);
      if (String(args[0]).endsWith(".partial")) take();
    });
    const said: string[] = [];
    t.mock.method(process.stderr, "write", (line: string) =>
      said.push(line.replace(/^porous-sgm: |\n$/g, "")),
    );
    process.exitCode = undefined;
    let status: number | undefined;
    try {
      await run([...words, out]);
      status = Number(process.exitCode);
    } catch (error) {
      const told = explain(error);
      said.push(told.sentence);
      status = told.status;
    } finally {
      process.exitCode = undefined;
      t.mock.restoreAll();
    }
    const { name, ext } = path.parse(out);
    const what = out === "model" ? "The model" : "The output";
    assert.equal(status, 2, out);
    if (out === "shards.arrow") {
      // Its place is taken while the shards are drawn.
      assert.match(said.at(-1) ?? "", /^Cannot write "shards.arrow": .*; all shards are in "shards.arrow.parts", from where/); // prettier-ignore
      assert.equal(fs.readdirSync("shards.arrow.parts").length, 2);
      continue;
    }
    assert.match(said.at(-1) ?? "", new RegExp(`^${what} is in "${name}-2${ext}" instead, as its place was lost meanwhile: .*${out}".*\\.$`)); // prettier-ignore
    assert.ok(fs.existsSync(`${name}-2${ext}`) && fs.readdirSync(out).join() === "mine", out);
  }
  assert.equal((await readDataSet("generate-2.arrow")).rows, 4);
});

test("a lock counts while its holder lives, and one that names nobody for a second", async () => {
  const home = at("locked");
  fs.mkdirSync(home);
  const file = path.join(home, "lock");
  const lock = new FolderLock(home, "training");
  const own = text(file);
  await refused(() => new FolderLock(home, "training"), /Another training \(process \d+\) uses/);
  lock.release();
  for (const left of ["", '{"host":"', JSON.stringify({ ...JSON.parse(own), start: "another" })]) {
    fs.writeFileSync(file, left);
    new FolderLock(home, "training").release();
    assert.deepEqual(fs.readdirSync(home), []);
  }
  fs.writeFileSync(file, JSON.stringify({ host: "elsewhere", pid: 1, start: "x" }));
  await refused(
    () => new FolderLock(home, "training"),
    /A training on "elsewhere" uses .*; wait for it, or delete/,
  );
  fs.rmSync(file);
  fs.mkdirSync(file);
  await refused(() => new FolderLock(home, "training"), /lock": it is a folder/);
  fs.rmdirSync(file);
  if (spawnSync("mkfifo", [file], deadline(60)).status !== 0) return;
  await refused(() => new FolderLock(home, "training"), /not a regular file/); // and does not wait for ever
});

test("of many processes that find the lock of a dead one, one gets it", (t) => {
  const home = at("raced");
  fs.mkdirSync(home);
  const script = path.join(folder, "race.ts");
  const lock = JSON.stringify(path.join(__dirname, "..", "lib", "storage", "folderLock"));
  fs.writeFileSync(
    script,
    `import { FolderLock } from ${lock};\n` +
      `try { new FolderLock(${JSON.stringify(home)}, "training"); console.log("mine"); setTimeout(() => 0, 3000); } catch (error) { console.log((error as Error).message); }\n`,
  );
  fs.writeFileSync(
    path.join(home, "lock"),
    JSON.stringify({ host: os.hostname(), pid: 1, start: "long ago" }),
  );
  const typescript = path.join(__dirname, "..", "scripts", "typescript.js");
  const one = `"${process.execPath}" --require "${typescript}" "${script}" &`;
  const { stdout, stderr } = spawnSync("sh", ["-c", `${one} ${one} ${one} ${one} wait`], {
    encoding: "utf8",
    ...deadline(120),
  });
  t.diagnostic(stderr);
  const said = stdout.trim().split("\n");
  assert.equal(said.length, 4, stdout);
  assert.equal(said.filter((line) => line === "mine").length, 1, stdout);
});
