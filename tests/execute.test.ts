import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { cellsOf, execute } from "./kernelRuns";
import { deadline } from "./processes";

const { python, environment, root } = require("../scripts/environment") as {
  python: string;
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};
const { fingerprinter } = require("../scripts/fingerprint") as {
  fingerprinter: (root?: string) => { of: (file: string) => string };
};

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

interface Notebook {
  metadata: Record<string, unknown>;
  cells: { id: string; metadata: object; outputs: Record<string, unknown>[] }[];
}

function run(args: string[]): string {
  const env = environment({ ...process.env, POROUS_SGM_BUDGET: "smoke" });
  const result = spawnSync(python, args, { cwd: root, encoding: "utf8", env, ...deadline(600) });
  assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** A notebook with the given code cells. */
function notebook(name: string, cells: string[]): string {
  const file = path.join(scratch, name);
  const metadata = { kernelspec: { name: "tslab", display_name: "TypeScript", language: "typescript" } };
  const list = cells.map((source, i) => ({
    id: `c${i}`,
    cell_type: "code",
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  }));
  fs.writeFileSync(file, JSON.stringify({ cells: list, metadata, nbformat: 4, nbformat_minor: 5 }));
  return file;
}

test("two executions give equal files, with a fingerprint and without what a session leaves", () => {
  const code = `import { line, panels } from "./lib/figures/figure";
import { LiveText, show } from "./lib/figures/show";
const live = new LiveText();
live.update(() => String(performance.now()));
live.finish("ready");
console.log("in " + process.cwd() + "/lib");
console.log(1);
console.log(2);
await show(panels([{ x: "x", y: "y", traces: [line([0, 1], [0, 1])] }]));`;
  const session = {
    execution: { "iopub.status.busy": "2026-01-01T00:00:00Z" },
    scrolled: true,
    tags: ["kept"],
  };
  const bare = { cell_type: "code", execution_count: 7, outputs: [] };
  const cells = [
    { ...bare, metadata: session, source: code },
    { ...bare, id: "named", metadata: {}, source: "console.log(3)" },
  ];
  const metadata = { kernelspec: { name: "python3", display_name: "Python 3" }, widgets: {}, vscode: {} };
  const file = path.join(scratch, "noisy.ipynb");
  fs.writeFileSync(file, JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));

  const results = ["one", "two"].map((name) => {
    const folder = path.join(scratch, name, "notebooks");
    const output = run([path.join("scripts", "execute.py"), "--to", folder, file]);
    assert.match(output, /noisy\.ipynb +[\d.]+ s\nin all +[\d.]+ s\n$/);
    return fs.readFileSync(path.join(folder, "noisy.ipynb"), "utf8");
  });
  assert.equal(results[0], results[1]);
  assert.ok(results[0].endsWith("}\n"));

  const { metadata: kept, cells: done } = JSON.parse(results[0]) as Notebook;
  assert.deepEqual(Object.keys(kept).sort(), ["kernelspec", "language_info", "porous_sgm"]);
  assert.equal((kept["kernelspec"] as { name: string }).name, "tslab");
  assert.deepEqual(kept["porous_sgm"], { fingerprint: fingerprinter().of(file), preset: "smoke" });
  assert.deepEqual(
    done.map(({ id }) => id),
    ["cell-01", "named"],
  );
  assert.deepEqual(done[0].metadata, { tags: ["kept"] });
  const [ready, stream, figure] = done[0].outputs;
  assert.deepEqual(ready["data"], { "text/plain": ["ready"] });
  assert.deepEqual(stream["text"], ["in lib\n", "1\n", "2\n"]);
  assert.ok("image/png" in (figure["data"] as object));
});

test("work files of other code, of unknown origin or changed by hand are removed, and no others", () => {
  const script = `
import json, pathlib, sys
sys.path.insert(0, "scripts")
from work_files import listing, note_made, remove_outdated
folder = pathlib.Path(sys.argv[1])
def make(*names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
make("unknown")
before = listing(folder)
make("model/network.bin", "changed")
note_made(folder, before, "08.ipynb", "f8")
before = listing(folder)
make("old", "gone")
note_made(folder, before, "03.ipynb", "f3 of then")
before = listing(folder)
note_made(folder, before, "10.ipynb", "f10")
(folder / "changed").write_text("by hand")
removed = remove_outdated(folder, {"08.ipynb": "f8", "03.ipynb": "f3 of now"}.get)
print(json.dumps([removed, sorted(listing(folder))]))`;
  const [removed, left] = JSON.parse(run(["-c", script, path.join(scratch, "work")])) as string[][];
  assert.deepEqual(removed, ["changed", "gone", "old", "unknown"]);
  assert.deepEqual(left, ["model/network.bin"]);
});

/** Three notebooks in one kernel, the last of which fails. */
const together = (() => {
  let result: ReturnType<typeof execute> | undefined;
  return () => {
    const mayFail = notebook("may-fail.ipynb", ["throw new Error('may be');", "console.log('reached');"]);
    const raw = JSON.parse(fs.readFileSync(mayFail, "utf8")) as Notebook;
    raw.cells[0].metadata = { tags: ["raises-exception"] };
    fs.writeFileSync(mayFail, JSON.stringify(raw));
    const right = notebook("right.ipynb", [
      "const name = 5;",
      "console.log(JSON.stringify({ name }));",
      "for await (const n of [name]) console.log(`n = ${n}`);",
    ]);
    const fails = notebook("fails.ipynb", [
      "const a = 1;",
      "throw new Error('as wanted');",
      "console.log('not there');",
    ]);
    return (result ??= execute(["--to", path.join(scratch, "together"), mayFail, right, fails]));
  };
})();

test("a failing cell ends the run with status 1 and names the notebook", () => {
  const { status, output } = together();
  assert.equal(status, 1);
  assert.match(output, /fails\.ipynb: a cell failed/);
  assert.match(output, /as wanted/);
  assert.doesNotMatch(output, /^ +not there/m);
});

test("after a cell that may fail the others run", () => {
  const { output } = together();
  assert.match(output, /may be[^]*^ +reached/m);
  assert.doesNotMatch(output, /may-fail\.ipynb: a cell failed/);
});

test("one kernel for several notebooks: each counts its own cells", () => {
  together();
  const counts = ["may-fail", "right"].map((name) =>
    cellsOf(path.join(scratch, "together", `${name}.ipynb`)).map((cell) => cell.execution_count),
  );
  assert.deepEqual(counts, [[1, 2], [1, 2, 3]]); // prettier-ignore
});

test("cells are type-checked, and the kernel mends what tslab does not compile", () => {
  const wrong = notebook("wrong.ipynb", ["const n: number = 'text';"]);
  assert.equal(execute(["--to", path.join(scratch, "typed"), wrong]).status, 1);
  const { output } = together();
  assert.match(output, /\{"name":5\}/);
  assert.match(output, /n = 5/);
});

test("what is edited while a kernel runs is loaded anew with all that imports it, and its types are checked", () => {
  fs.mkdirSync(path.join(root, "build"), { recursive: true });
  const folder = fs.mkdtempSync(path.join(root, "build", "edited-"));
  try {
    const [deep, user] = ["deep", "user"].map((name) => path.join(folder, name));
    const place = `./build/${path.basename(folder)}`;
    fs.writeFileSync(`${deep}.ts`, "export const one: number = 1;\n");
    fs.writeFileSync(
      `${user}.ts`,
      `import { one } from "./deep";\ninterface None {}\nexport const told = () => \`\${one}: \${new Error().stack}\`;\n`,
    );
    const edit = (from: string, to: string) => `
      fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("${from}", "${to}"));
      await new Promise((resolve) => setTimeout(resolve, 1500)); // the kernel looks four times a second`;
    const file = notebook("edited.ipynb", [
      `import fs from "fs";\nimport { told } from "${place}/user";\nconst file = "${deep}.ts";\nconsole.log(told());`,
      edit("number = 1", "number = 2"),
      `import { told as again } from "${place}/user";\nconsole.log(again());`,
      edit("number = 2", "string = 3"),
      `import { told as wrong } from "${place}/user";\nconsole.log("not reached");`,
    ]);
    const { status, output } = execute(["--to", path.join(scratch, "edited"), file]);
    assert.equal(status, 1);
    // The interface leaves nothing in what Node runs: it is the line of the source that is named.
    for (const value of [1, 2]) assert.match(output, new RegExp(`^ +${value}: Error[^]*?user\\.ts:3:`, "m"));
    assert.match(output, /deep\.ts 1:14 - Type 'number' is not assignable to type 'string'/);
    assert.doesNotMatch(output, /^ +not reached/m);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test("an interrupted training stops within one step, keeps its weights, and leaves later cells alone", () => {
  const result = spawnSync(python, [path.join("tests", "interrupt.py")], {
    cwd: root,
    encoding: "utf8",
    env: environment(),
    ...deadline(1200),
  });
  assert.equal(result.status, 0, result.stderr);
  const report = JSON.parse(result.stdout.trim().split("\n").pop()!) as Record<string, unknown>;
  assert.equal(report["interrupted"], "error");
  assert.equal(report["next"], "ok");
  // 1.5 s later, dozens of steps for a loop that had run on, the count is the same.
  assert.ok(Number(report["first"]) >= 3);
  assert.equal(report["later"], report["first"]);
  assert.equal(report["after"], false, "code after the loop ran");
  // What the cell declared before it was stopped is known, what it would have declared later is not.
  assert.equal(report["begun"], "a/b");
  assert.match(String(report["unknown"]), /Cannot find name 'ended'/);
  assert.equal(report["finite"], true);
});
