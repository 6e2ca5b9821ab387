import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { generateDataSet } from "../lib/presets/simulate";
import { readDataSet } from "../lib/storage/arrow";
import { deadline } from "./processes";

const root = path.join(__dirname, "..");
/** Files that git knows or would add. */
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
  ...deadline(600),
})
  .trim()
  .split("\n")
  .filter((file) => fs.existsSync(path.join(root, file)));
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");

test("the example data are what their README's command makes", async () => {
  const stored = await readDataSet(path.join(root, "data", "example.arrow"));
  const made = generateDataSet(stored.problem, { conditions: 20, fields: 5, seed: 7 });
  assert.equal(stored.rows, made.rows);
  for (const part of ["conditions", "fields", "latent"] as const) {
    assert.deepEqual(stored[part], made[part], part); // to the bit, on every version of Node
  }
});

test("every link of the documents and notebooks to a file of the project resolves", () => {
  let links = 0;
  for (const file of files.filter((name) => /\.(md|ipynb)$/.test(name))) {
    const cells = file.endsWith(".md")
      ? [read(file)]
      : (JSON.parse(read(file)) as { cells: { cell_type: string; source: string[] }[] }).cells
          .filter(({ cell_type }) => cell_type === "markdown")
          .map(({ source }) => [source].flat().join(""));
    for (const [, target] of cells.join("\n").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|#)/.test(target)) continue;
      links++;
      const place = path.join(root, path.dirname(file), target.split("#")[0]);
      assert.ok(fs.existsSync(place), `${file} links to ${target}`);
    }
  }
  assert.ok(links > 5);
});

test("the notebooks are committed executed, with pictures, and small", () => {
  const notebooks = files.filter((file) => file.endsWith(".ipynb"));
  const solutions = notebooks.filter((file) => file.includes("/solutions/"));
  const lessons = notebooks.filter((file) => !solutions.includes(file));
  assert.ok(lessons.length > 12);
  const solved = lessons.map((file) => path.posix.join(path.dirname(file), "solutions", path.basename(file)));
  assert.deepEqual(solutions.slice().sort(), solved.sort());
  for (const file of notebooks) {
    assert.ok(fs.statSync(path.join(root, file)).size < 6e5, `${file} is larger than 600 kB`);
    const { cells } = JSON.parse(read(file)) as {
      cells: {
        cell_type: string;
        execution_count: number | null;
        outputs?: { data?: Record<string, string> }[];
      }[];
    };
    const code = cells.filter(({ cell_type }) => cell_type === "code");
    code.forEach((cell, i) => assert.equal(cell.execution_count, i + 1, `${file}: a cell has not run`));
    const picture = code.some(({ outputs }) => outputs?.some(({ data }) => data?.["image/png"]));
    assert.ok(picture || solutions.includes(file), `${file} has no picture`);
  }
});

test("every package is one exact version with a checksum, and npm runs none of their install scripts", () => {
  type Lock = Record<
    "packages",
    Record<string, { version?: string; integrity?: string; link?: boolean; resolved?: string }>
  >;
  for (const folder of ["", "tests/browser/"]) {
    const { dependencies, devDependencies, scripts } = JSON.parse(read(`${folder}package.json`)) as Partial<
      Record<string, Record<string, string>>
    >;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      assert.match(version, /^\d+\.\d+\.\d+$|^file:\.\/scripts\//, `${folder}package.json: ${name}`);
    // Of the project's own, too: what npm would run while it installs.
    for (const name of ["preinstall", "install", "postinstall", "prepare"])
      assert.equal(scripts?.[name], undefined);
    const { packages } = JSON.parse(read(`${folder}package-lock.json`)) as Lock;
    let checked = 0;
    for (const [place, { version, integrity, link, resolved }] of Object.entries(packages)) {
      if (!place.startsWith("node_modules/") || link) continue;
      assert.match(
        `${version} ${integrity}`,
        /^\d+\.\d+\.\S+ sha512-/,
        `${folder}package-lock.json: ${place}`,
      );
      assert.match(resolved ?? "https://registry.npmjs.org/", /^https:\/\/registry\.npmjs\.org\//);
      checked++;
    }
    assert.ok(checked >= 1);
  }
  assert.match(read(".npmrc"), /^ignore-scripts=true$/m);
  const lists = ["requirements.txt", ...files.filter((file) => /^requirements\/.*\.txt$/.test(file))];
  assert.ok(lists.length >= 4);
  for (const list of lists) {
    // A requirement goes on over lines that end in a backslash.
    const lines = read(list).replace(/\\\n/g, " ").split("\n");
    const requirements = lines.filter((line) => /^[^\s#]/.test(line));
    assert.ok(requirements.length >= 1, list);
    for (const line of requirements)
      assert.match(line, /^[\w.-]+==[\w.!+-]+( ;.*?)?( +--hash=sha256:[0-9a-f]{64})+\s*$/, list);
  }
});

test("the workflow runs CI's command on each supported Node, with actions pinned by commit", () => {
  const workflow = read(".github/workflows/ci.yml");
  const used = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
  assert.ok(used.length >= 3);
  for (const action of used) assert.match(action, /^actions\/[\w-]+@[0-9a-f]{40}$/);
  const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
  const supported = [...engines.node.matchAll(/(\d+)(\.\d+)?/g)].map(([, major]) => Number(major));
  const [, matrix] = /node: (\[.*\])/.exec(workflow) ?? [];
  assert.deepEqual(JSON.parse(matrix), supported);
  assert.match(workflow, /run: \.ci\/run$/m);
});

test("the repository stays small", () => {
  const bytes = files.reduce((sum, file) => sum + fs.statSync(path.join(root, file)).size, 0);
  assert.ok(bytes < 35e6, `${(bytes / 1e6).toFixed(0)} MB`);
});
