import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
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
