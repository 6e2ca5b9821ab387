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

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

interface Output {
  output_type: string;
  text?: string | string[];
  data?: Record<string, unknown>;
}
interface Cell {
  cell_type: string;
  source: string | string[];
  outputs?: Output[];
  execution_count?: number | null;
}

function cellsOf(file: string): Cell[] {
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { cells: Cell[] }).cells;
}

function execute(args: string[]): { status: number | null; output: string } {
  const env = environment({ ...process.env, POROUS_SGM_BUDGET: "smoke" });
  const result = spawnSync(python, [path.join("scripts", "execute.py"), ...args], {
    cwd: root,
    encoding: "utf8",
    env,
    ...deadline(1200),
  });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
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

test("every notebook runs from top to bottom in the real kernel on the smoke budget", () => {
  // What an earlier run left must not hide a notebook that does not make what a later one needs.
  fs.rmSync(path.join(root, "build", "work", "smoke"), { recursive: true, force: true });
  const folder = path.join(root, "notebooks");
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".ipynb"));
  assert.equal(names.length, 12);
  const target = path.join(scratch, "executed", "notebooks");
  const files = names.sort().map((name) => path.join(folder, name));
  const { status, output } = execute(["--to", target, ...files]);
  assert.equal(status, 0, output);
  for (const name of names) {
    const code = cellsOf(path.join(target, name)).filter(({ cell_type }) => cell_type === "code");
    code.forEach((cell, i) =>
      assert.equal(cell.execution_count, i + 1, `${name}: cell ${i + 1} did not run`),
    );
    const data = code
      .flatMap(({ outputs }) => outputs ?? [])
      .flatMap((output) => (output.data ? [output.data] : []));
    const figures = data.filter((bundle) => "application/vnd.plotly.v1+json" in bundle);
    assert.ok(figures.length >= 1, `${name} shows no figure`);
    for (const figure of figures) {
      // The start of a PNG file in base64: GitHub shows this picture.
      assert.match(String(figure["image/png"]), /^iVBORw0KGgo/, `${name}: a figure has no picture`);
    }
    const errors = code
      .flatMap(({ outputs }) => outputs ?? [])
      .filter((output) => /Error/.test(String(output.text)));
    assert.deepEqual(errors, [], name);
  }
  for (const figure of [1, 2, 3, 4]) {
    const file = path.join(scratch, "executed", "figures", `figure-${figure}.png`);
    assert.ok(fs.statSync(file).size > 10_000, `${file} is empty`);
  }
  assert.match(output, /energy distance \/ floor/);
});

test("every solution runs and is found right", () => {
  const folder = path.join(root, "notebooks", "solutions");
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith(".ipynb")) : [];
  const target = path.join(scratch, "solutions");
  const files = names.sort().map((name) => path.join(folder, name));
  const { status, output } =
    files.length > 0 ? execute(["--to", target, ...files]) : { status: 0, output: "" };
  assert.equal(status, 0, output);
  for (const name of names) {
    const printed = cellsOf(path.join(target, name)).flatMap(({ outputs }) => outputs ?? []);
    const judgements = printed.map(({ text }) => [text ?? ""].flat().join("")).join("");
    const right = judgements.match(/^Exercise .*: right\.$/gm) ?? [];
    assert.ok(right.length >= 2, `${name}: ${right.length} answers are found right`);
    assert.doesNotMatch(judgements, /not yet|no answer/, name);
  }
});

test("a failing cell ends the run with status 1 and names the notebook", () => {
  const file = notebook("fails.ipynb", [
    "const a = 1;",
    "throw new Error('as wanted');",
    "console.log('not reached');",
  ]);
  const { status, output } = execute(["--to", path.join(scratch, "failed"), file]);
  assert.equal(status, 1);
  assert.match(output, /fails\.ipynb: a cell failed/);
  assert.match(output, /as wanted/);
  assert.doesNotMatch(output, /^ +not reached/m);
});

test("cells are type-checked, and the kernel mends what tslab does not compile", () => {
  const wrong = notebook("wrong.ipynb", ["const n: number = 'text';"]);
  assert.equal(execute(["--to", path.join(scratch, "typed"), wrong]).status, 1);
  const right = notebook("right.ipynb", [
    "const name = 5;",
    "console.log(JSON.stringify({ name }));",
    "for await (const n of [name]) console.log(`n = ${n}`);",
  ]);
  const { status, output } = execute(["--to", path.join(scratch, "typed"), right]);
  assert.equal(status, 0, output);
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
