import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import vm from "node:vm";
import { deadline } from "./processes";
import { InputError } from "../lib/backend/errors";
import { buildSite, writeSite } from "../scripts/site/site";

const root = path.join(__dirname, "..");
const notebooks = path.join(root, "notebooks");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-site-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const PLOTLY = "application/vnd.plotly.v1+json";

type Text = string | readonly string[];

/** A cell as the notebook format 4 has it. */
interface Cell {
  readonly cell_type: string;
  readonly source: Text;
  readonly metadata: object;
  readonly execution_count?: number | null;
  readonly outputs?: readonly {
    readonly output_type: string;
    readonly data?: Record<string, unknown>;
    readonly metadata?: object;
  }[];
}

const joined = (text: Text): string => [text].flat().join("");
const markdown = (source: string): Cell => ({ cell_type: "markdown", source, metadata: {} });
const code = (source: string, data?: Record<string, unknown>): Cell => ({
  cell_type: "code",
  source,
  metadata: {},
  execution_count: 1,
  outputs: data ? [{ output_type: "display_data", data, metadata: {} }] : [],
});

let folders = 0;
/** A folder of notebooks of the given cells, by name. */
function folderOf(named: Record<string, readonly Cell[]>): string {
  const folder = path.join(scratch, `made-${++folders}`);
  for (const [name, cells] of Object.entries(named)) {
    const file = path.join(folder, `${name}.ipynb`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
  }
  return folder;
}

/** Builds a site of notebooks that are each wrong: every fault has its sentence, on a line of its own. */
function refused(wrong: readonly (readonly [cells: readonly Cell[], message: RegExp])[]): void {
  const named = Object.fromEntries(wrong.map(([cells], index) => [`wrong-${index}`, cells]));
  assert.throws(
    () => buildSite(folderOf(named)),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      const lines = error.message.split("\n");
      assert.equal(lines.length, wrong.length, error.message);
      wrong.forEach(([, message], index) => {
        assert.match(lines[index], new RegExp(`wrong-${index}\\b`));
        assert.match(lines[index], message);
      });
      return true;
    },
  );
}

const site = path.join(scratch, "site");
const built = buildSite(notebooks);
writeSite(built, site);
const read = (file: string): string => fs.readFileSync(path.join(site, file), "utf8");
/** The notebooks of a folder, as the site has them in order. */
const notebookNames = (below: string): string[] =>
  fs
    .readdirSync(path.join(notebooks, below))
    .filter((file) => file.endsWith(".ipynb"))
    .sort()
    .map((file) => path.posix.join(below, file.replace(".ipynb", "")));
const pages = [...notebookNames("."), ...notebookNames("solutions")].map((name) => ({
  name,
  html: read(`${name}.html`),
}));
const withoutData = (html: string): string =>
  html.replace(/<script type="application\/json">.*?<\/script>/gs, "");

test("each notebook has a page with its figures, formulas and neighbours", () => {
  assert.ok(pages.length >= 6);
  let figures = 0;
  pages.forEach(({ name, html }, index) => {
    const { cells } = JSON.parse(fs.readFileSync(path.join(notebooks, `${name}.ipynb`), "utf8")) as {
      cells: Cell[];
    };
    const bundles = cells.flatMap(({ outputs = [] }) => outputs.flatMap(({ data }) => data?.[PLOTLY] ?? []));
    const drawn = [...html.matchAll(/<script type="application\/json">(.*?)<\/script>/gs)].map(
      ([, json]) => JSON.parse(json) as { data: unknown; layout: object; frames?: unknown },
    );
    assert.equal(drawn.length, bundles.length, name);
    bundles.forEach((bundle, i) => {
      const { data, layout, frames } = bundle as { data: unknown; layout: object; frames?: unknown };
      assert.deepEqual(drawn[i].data, data);
      assert.deepEqual(drawn[i].frames, frames);
      assert.deepEqual({ ...drawn[i].layout, ...layout }, drawn[i].layout);
    });
    assert.equal(html.split('<div class="figure"').length - 1, bundles.length, name);
    figures += bundles.length;
    const prose = cells
      .filter(({ cell_type }) => cell_type === "markdown")
      .map(({ source }) => joined(source));
    if (prose.some((text) => /\$[^$]+\$/.test(text))) assert.match(html, /class="katex"/, name);
    for (const [rel, other] of [
      ["prev", pages[index - 1]],
      ["next", pages[index + 1]],
    ] as const) {
      assert.equal(html.includes(`rel="${rel}"`), other !== undefined, `${name}: ${rel}`);
    }
  });
  assert.ok(figures > 10);
  assert.equal(built.figures, figures);
  assert.ok(built.formulas > 50);
});

test("the first page lists every notebook with its title and question", () => {
  const html = read("index.html");
  for (const { name, html: page } of pages) {
    const title = /<h1[^>]*>(.*?)<\/h1>/.exec(page)?.[1];
    assert.ok(title && html.includes(`<a href="${name}.html">${title}</a>`), name);
  }
  const questions = pages.filter(({ html: page }) => page.includes("<strong>The question:</strong>"));
  assert.equal(html.match(/<\/a><\/p>\s*<p>/g)?.length ?? 0, questions.length);
  assert.ok(questions.length >= 6);
});

test("nothing is loaded from elsewhere, and no link or anchor is dead", () => {
  let internal = 0;
  for (const entry of fs.readdirSync(site, { recursive: true, encoding: "utf8" })) {
    if (entry.endsWith(".css")) assert.doesNotMatch(read(entry), /https?:|@import/, entry);
    if (!entry.endsWith(".html")) continue;
    const html = withoutData(read(entry));
    for (const [tag, target] of html.matchAll(/<\w[^>]*\s(?:src|href)="([^"]*)"[^>]*>/g)) {
      if (/^https?:/.test(target)) {
        assert.match(tag, /^<a /, `${entry} loads ${target}`);
        continue;
      }
      if (target.startsWith("data:image/png;base64,")) continue;
      internal++;
      const [file, anchor] = target.split("#").map(decodeURIComponent);
      const place = file === "" ? entry : path.join(path.dirname(entry), file);
      assert.ok(fs.existsSync(path.join(site, place)), `${entry}: ${target}`);
      if (anchor) assert.ok(read(place).includes(` id="${anchor}"`), `${entry}: ${target}`);
    }
  }
  assert.ok(internal > 10 * pages.length);
});

test("fonts, styles and Plotly are in the site, once, and its scripts compile", () => {
  const fonts = [...read("assets/katex/katex.css").matchAll(/url\(([^)]*)\)/g)].map(([, file]) => file);
  assert.ok(fonts.length >= 20);
  for (const file of fonts) assert.ok(fs.existsSync(path.join(site, "assets/katex", file)), file);
  const all = fs.readdirSync(site, { recursive: true, encoding: "utf8" });
  assert.equal(all.filter((file) => path.basename(file) === "plotly.js").length, 1);
  const installed = fs.statSync(path.join(root, "node_modules/plotly.js-dist/plotly.js")).size;
  assert.equal(fs.statSync(path.join(site, "assets/plotly/plotly.js")).size, installed);
  for (const script of ["page.js", "figures.js"]) new vm.Script(read(`assets/${script}`));
});

const figure = { data: [{ name: "</script><b>" }], layout: { height: 300 }, frames: [{ name: "0" }] };
const escape = String.fromCharCode(27);
const printed = (text: string, name = "stdout") => ({ output_type: "stream", name, text });
const result = { output_type: "execute_result", execution_count: 1, metadata: {} };
const made = buildSite(
  folderOf({
    "2-b": [
      markdown("# B\n\n[one](10-a.ipynb#The-end), [two](#B), [file](../lib/random.ts), [far](https://x.org)"),
    ],
    "10-a": [markdown("# A $x$\n\n**The question:** why\nthis?\n\n## The end\n\n## The end")],
    "11-outputs": [
      markdown("# Outputs"),
      code("draw();", { [PLOTLY]: figure, "image/png": "AAAA", "text/plain": '"x"' }),
      code("table();", { "text/html": ["<table>", "</table>"], "text/plain": "never" }),
      {
        ...code("print();"),
        outputs: [
          printed(`${escape}[32mone${escape}[39m\n`),
          printed("two < 3\n"),
          printed("late", "stderr"),
          { ...result, data: { "text/plain": ["4", "2"] } },
        ],
      },
    ],
    "12-formulas": [
      markdown("# Formulas\n\nwith $a_1$, $$b$$ and\n$$c\n= d$$\nend"),
      markdown("| $x$ | `$y` |\n| --- | --- |\n| \\$5 | $z$ |"),
    ],
    "solutions/2-b": [markdown("# B, solved\n\n[back](../2-b.ipynb)"), code("1;", { "image/png": "AAAA" })],
  }),
).pages;

test("links lead to pages, other files are named, solutions find what is shared", () => {
  const b = made["2-b.html"];
  assert.match(b, /<a href="10-a.html#The-end">one<\/a>, <a href="#B">two<\/a>/);
  assert.match(b, /<span class="file" title="lib\/random.ts">file<\/span>, <a href="https:\/\/x.org">far/);
  assert.match(b, /<a href="10-a.html" rel="next">A <span class="katex"/); // 2 before 10
  assert.match(made["10-a.html"], /<h2 id="The-end">.*<h2 id="The-end-2">/s);
  const solved = made["solutions/2-b.html"];
  assert.match(solved, /<a href="\.\.\/2-b.html">back/);
  assert.match(solved, /src="\.\.\/assets\/page.js"/);
  assert.match(solved, /<img alt="figure" [^>]*src="data:image\/png;base64,AAAA"/);
  assert.match(
    made["index.html"],
    /<a href="10-a.html">A .*<\/a><\/p>\s*<p>Why\nthis\?<\/p>.*solutions\/2-b.html/s,
  );
});

test("outputs: a figure's frames stay, its text cannot end the script, printed lines are one block", () => {
  const page = made["11-outputs.html"];
  const [, json] = /<script type="application\/json">(.*?)<\/script>/s.exec(page)!;
  const drawn = JSON.parse(json) as { data: unknown; layout: { width: number }; frames: unknown };
  assert.deepEqual([drawn.data, drawn.frames, drawn.layout.width], [figure.data, figure.frames, 700]);
  assert.match(page, /<img alt='"x"' [^>]*height="300" src="data:image\/png;base64,AAAA" width="700"/);
  assert.match(page, /<div class="output table"><table><\/table><\/div>/);
  assert.doesNotMatch(page, /never/);
  assert.match(
    page,
    /<pre class="output stdout">one\ntwo &lt; 3<\/pre>\s*<pre class="output stderr">late<\/pre>/,
  );
  assert.match(page, /<pre class="output text">42<\/pre>/);
});

test("formulas: in lines, in blocks that look like headings, in tables; none in code", () => {
  const page = made["12-formulas.html"];
  assert.equal(page.split('class="katex"').length - 1, 5);
  assert.equal(page.split('<span class="formula">').length - 1, 2);
  assert.match(page, /<code>\$y<\/code>.*\$5/s);
  assert.doesNotMatch(page, /<h[12][^>]*>[^<]*c/);
});

test("a wrong formula fails the build, which names notebook, cell and formula", () => {
  refused([
    [[markdown("# A"), markdown("so $\\frac{1}{2$ is")], /\.ipynb, cell 2: the formula \\frac\{1\}\{2 /],
    [[markdown("# A\n\n$$\\unknown{x}$$")], /\.ipynb, cell 1: the formula \\unknown\{x\} .*\\unknown/],
    [[markdown("# A\n\n$5 µm$")], /µ/], // strict: KaTeX would only warn
  ]);
});

test("every formula of the documents renders without a complaint of KaTeX", () => {
  const files = execFileSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8", ...deadline(60) })
    .trim()
    .split("\n");
  for (const file of ["README.md", "environment.md", "docs/model.md", "data/README.md"])
    assert.ok(files.includes(file), file);
  const documents = files.map((file, index) => {
    const text = fs.readFileSync(path.join(root, file), "utf8");
    // Links lead to pages of GitHub there; tests/repository.test.ts judges them.
    const plain = text.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1");
    return [`${index}-document`, [markdown(`# ${file}`), markdown(plain)]] as const;
  });
  assert.ok(buildSite(folderOf(Object.fromEntries(documents))).formulas > 10);
});

test("what a page could not show is refused in one sentence", () => {
  const title = markdown("# A");
  refused([
    [[title, { ...code("1;"), execution_count: null }], /\.ipynb has not run: its cell 2.*npm run notebooks/],
    [[title, { ...code("1;"), outputs: [{ output_type: "error" }] }], /has failed in its cell 2/],
    [[markdown("no title")], /\.ipynb does not begin with a title/],
    [[], /does not begin with a title/],
  ]);
  refused([
    [[title, markdown("costs $5 today")], /cell 2: the dollar sign of \$5 today has no partner/],
    [
      [title, markdown("[x](../lib/none.ts)")],
      /cell 2 links to \.\.\/lib\/none\.ts, which the project does not have/,
    ],
    [[title, markdown("[x](#Nowhere)")], /\.html links to #Nowhere, but .* no heading/],
    [[title, markdown("![x](https://x.org/y.png)")], /\.html loads https:\/\/x\.org\/y\.png/],
    [[title, markdown('<script src="https://x.org/y.js"></script>')], /loads https:\/\/x\.org\/y\.js/],
    [[title, markdown("<a href='other.html'>x</a>")], /links to other\.html, which is not in the site/],
  ]);
  const broken = folderOf({ a: [title], b: [title] });
  fs.writeFileSync(path.join(broken, "a.ipynb"), "{");
  fs.writeFileSync(path.join(broken, "b.ipynb"), "{}");
  assert.throws(
    () => buildSite(broken),
    /a\.ipynb cannot be read as a notebook.*\n.*b\.ipynb is not a notebook[^\n]*$/,
  );
});

test("an earlier site is replaced, anything else is left alone", () => {
  const out = path.join(scratch, "out");
  const withPage = (name: string) => ({ ...built, pages: { "index.html": read("index.html"), [name]: "" } });
  writeSite(withPage("old.html"), out);
  writeSite(withPage("new.html"), out);
  assert.ok(fs.existsSync(path.join(out, "new.html")) && !fs.existsSync(path.join(out, "old.html")));
  const precious = path.join(scratch, "precious");
  fs.mkdirSync(precious);
  fs.writeFileSync(path.join(precious, "index.html"), "mine");
  assert.throws(() => writeSite(withPage("old.html"), precious), /something else than an earlier site/);
  assert.equal(fs.readFileSync(path.join(precious, "index.html"), "utf8"), "mine");
});

test("npm run site tells what it has built, or one sentence and status 2", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [path.join(root, "scripts", "site.js"), ...args], {
      encoding: "utf8",
      ...deadline(600),
    });
  const out = path.join(scratch, "by-command");
  const good = run("--from", folderOf({ a: [markdown("# A $x$")] }), "--out", out);
  assert.equal(good.status, 0, good.stderr);
  assert.match(
    good.stdout,
    /by-command\/index\.html \(notebooks: 1, figures: 0, formulas: 1, links: \d+\)\n$/,
  );
  const bad = run("--from", path.join(scratch, "none"), "--out", out);
  assert.equal(bad.status, 2);
  assert.match(bad.stderr, /^[^\n]*holds no notebook[^\n]*\n$/);
  assert.ok(fs.existsSync(path.join(out, "a.html")), "a site that cannot be built leaves the old one");
});
