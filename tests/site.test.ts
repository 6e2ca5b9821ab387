import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import vm from "node:vm";
import { InputError } from "../lib/errors";
import { buildSite } from "../scripts/site/build";
import { type Cell, joined, notebookNames } from "../scripts/site/notebook";
import { writeSite } from "../scripts/site/write";

const root = path.join(__dirname, "..");
const notebooks = path.join(root, "notebooks");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-site-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const PLOTLY = "application/vnd.plotly.v1+json";
const markdown = (source: string): Cell => ({ cell_type: "markdown", source });
const code = (source: string, data?: Record<string, unknown>): Cell => ({
  cell_type: "code",
  source,
  execution_count: 1,
  outputs: data ? [{ output_type: "display_data", data }] : [],
});

let made = 0;
/** A folder of notebooks of the given cells, by name. */
function folderOf(named: Record<string, readonly Cell[]>): string {
  const folder = path.join(scratch, `made-${++made}`);
  for (const [name, cells] of Object.entries(named)) {
    const file = path.join(folder, `${name}.ipynb`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ cells }));
  }
  return folder;
}

/** The pages of a site made of the given notebooks. */
function pagesOf(named: Record<string, readonly Cell[]>): (name: string) => string {
  const { files } = buildSite(folderOf(named));
  return (name) => String(files.get(name));
}

const refused = (cells: readonly Cell[], message: RegExp): void =>
  assert.throws(
    () => buildSite(folderOf({ wrong: cells })),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    },
  );

const site = path.join(scratch, "site");
const built = buildSite(notebooks);
writeSite(built.files, site);
const read = (file: string): string => fs.readFileSync(path.join(site, file), "utf8");
const pages = notebookNames(notebooks).map((name) => ({ name, html: read(`${name}.html`) }));
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
  assert.equal(built.counts.figures, figures);
  assert.ok(built.counts.formulas > 50);
});

test("the first page lists every notebook with its title and question", () => {
  const html = read("index.html");
  for (const { name, html: page } of pages) {
    const title = /<h1[^>]*>(.*?)<\/h1>/.exec(page)?.[1];
    assert.ok(title && html.includes(`<a href="${name}.html">${title}</a>`), name);
  }
  const questions = pages.filter(({ html: page }) => page.includes("<strong>The question:</strong>"));
  assert.equal(html.match(/<\/a><p>/g)?.length ?? 0, questions.length);
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
      internal++;
      const [file, anchor] = decodeURI(target).split("#");
      const place = file === "" ? entry : path.join(path.dirname(entry), file);
      assert.ok(fs.existsSync(path.join(site, place)), `${entry}: ${target}`);
      if (anchor) assert.ok(read(place).includes(` id="${anchor}"`), `${entry}: ${target}`);
    }
  }
  assert.ok(internal > 10 * pages.length);
});

test("fonts, styles and Plotly are in the site, once, and its script compiles", () => {
  const fonts = [...read("assets/katex/katex.css").matchAll(/url\(([^)]*)\)/g)].map(([, file]) => file);
  assert.ok(fonts.length >= 20);
  for (const file of fonts) assert.ok(fs.existsSync(path.join(site, "assets/katex", file)), file);
  const all = fs.readdirSync(site, { recursive: true, encoding: "utf8" });
  assert.equal(all.filter((file) => path.basename(file) === "plotly.js").length, 1);
  const installed = fs.statSync(path.join(root, "node_modules/plotly.js-dist/plotly.js")).size;
  assert.equal(fs.statSync(path.join(site, "assets/plotly/plotly.js")).size, installed);
  new vm.Script(read("assets/page.js"));
});

test("links lead to pages, other files are named, solutions find what is shared", () => {
  const page = pagesOf({
    "2-b": [
      markdown("# B\n\n[one](10-a.ipynb#The-end), [two](#B), [file](../lib/random.ts), [far](https://x.org)"),
    ],
    "10-a": [markdown("# A $x$\n\n**The question:** why\nthis?\n\n## The end\n\n## The end")],
    "solutions/2-b": [markdown("# B, solved\n\n[back](../2-b.ipynb)"), code("1;", { "image/png": "AAAA" })],
  });
  const b = page("2-b.html");
  assert.match(b, /<a href="10-a.html#The-end">one<\/a>, <a href="#B">two<\/a>/);
  assert.match(b, /<span class="file" title="lib\/random.ts">file<\/span>, <a href="https:\/\/x.org">far/);
  assert.match(b, /<a rel="next" href="10-a.html">A <span class="katex"/); // 2 before 10
  assert.match(page("10-a.html"), /<h2 id="The-end">.*<h2 id="The-end-2">/s);
  const solved = page("solutions/2-b.html");
  assert.match(solved, /<a href="\.\.\/2-b.html">back/);
  assert.match(solved, /src="\.\.\/assets\/page.js"/);
  assert.match(solved, /<img src="\.\.\/figures\/solutions\/2-b-1.png" alt="figure"/);
  assert.match(page("index.html"), /<a href="10-a.html">A .*<\/a><p>Why\nthis\?<\/p>.*solutions\/2-b.html/s);
});

test("outputs: a figure's frames stay, its text cannot end the script, printed lines are one block", () => {
  const figure = { data: [{ name: "</script><b>" }], layout: { height: 300 }, frames: [{ name: "0" }] };
  const escape = String.fromCharCode(27);
  const printed = (text: string, name = "stdout") => ({ output_type: "stream", name, text });
  const page = pagesOf({
    a: [
      markdown("# A"),
      code("draw();", { [PLOTLY]: figure, "image/png": "AAAA", "text/plain": '"x"' }),
      code("table();", { "text/html": ["<table>", "</table>"], "text/plain": "never" }),
      {
        ...code("print();"),
        outputs: [
          printed(`${escape}[32mone${escape}[39m\n`),
          printed("two < 3\n"),
          printed("late", "stderr"),
          { output_type: "execute_result", data: { "text/plain": ["4", "2"] } },
        ],
      },
    ],
  })("a.html");
  const [, json] = /<script type="application\/json">(.*?)<\/script>/s.exec(page)!;
  const drawn = JSON.parse(json) as { data: unknown; layout: { width: number }; frames: unknown };
  assert.deepEqual([drawn.data, drawn.frames, drawn.layout.width], [figure.data, figure.frames, 700]);
  assert.match(page, /<img src="figures\/a-1.png" alt="&quot;x&quot;" width="700" height="300"/);
  assert.match(page, /<div class="output table"><table><\/table><\/div>/);
  assert.doesNotMatch(page, /never/);
  assert.match(
    page,
    /<pre class="output stdout">one\ntwo &lt; 3<\/pre>\s*<pre class="output stderr">late<\/pre>/,
  );
  assert.match(page, /<pre class="output text">42<\/pre>/);
});

test("formulas: in lines, in blocks that look like headings, in tables; none in code", () => {
  const page = pagesOf({
    a: [
      markdown(
        "# A\n\nwith $a_1$, $$b$$ and\n$$c\n= d$$\nend\n\n| $x$ | `$y` |\n| --- | --- |\n| \\$5 | $z$ |",
      ),
    ],
  })("a.html");
  assert.equal(page.split('class="katex"').length - 1, 5);
  assert.equal(page.split('<div class="formula">').length - 1, 1);
  assert.match(page, /<code>\$y<\/code>.*\$5/s);
  assert.doesNotMatch(page, /<h[12][^>]*>[^<]*c/);
});

test("a wrong formula fails the build, which names notebook, cell and formula", () => {
  refused(
    [markdown("# A"), markdown("so $\\frac{1}{2$ is")],
    /wrong\.ipynb, cell 2: the formula \\frac\{1\}\{2 /,
  );
  refused(
    [markdown("# A\n\n$$\\unknown{x}$$")],
    /wrong\.ipynb, cell 1: the formula \\unknown\{x\} .*\\unknown/,
  );
  refused([markdown("# A\n\n$5 µm$")], /µ/); // strict: KaTeX would only warn
  refused([markdown("# A\n\ncosts $5 today")], /the dollar sign of \$5 today has no partner/);
});

test("what a page could not show is refused in one sentence", () => {
  const title = markdown("# A");
  refused(
    [title, { ...code("1;"), execution_count: null }],
    /wrong\.ipynb has not run: its cell 2.*npm run notebooks/,
  );
  refused([title, { ...code("1;"), outputs: [{ output_type: "error" }] }], /has failed in its cell 2/);
  refused([markdown("no title")], /wrong\.ipynb does not begin with a title/);
  refused([], /does not begin with a title/);
  refused(
    [title, markdown("[x](../lib/none.ts)")],
    /cell 2 links to \.\.\/lib\/none\.ts, which the project does not have/,
  );
  refused([title, markdown("[x](#Nowhere)")], /wrong\.html links to #Nowhere, but .* no heading/);
  refused([title, markdown("![x](https://x.org/y.png)")], /wrong\.html loads https:\/\/x\.org\/y\.png/);
  refused([title, markdown('<script src="https://x.org/y.js"></script>')], /loads https:\/\/x\.org\/y\.js/);
  refused([title, markdown("<a href='other.html'>x</a>")], /links to other\.html, which is not in the site/);
  assert.throws(() => buildSite(path.join(scratch, "none")), /holds no notebook/);
  const broken = folderOf({ a: [title] });
  fs.writeFileSync(path.join(broken, "a.ipynb"), "{");
  assert.throws(() => buildSite(broken), /a\.ipynb cannot be read as a notebook/);
  fs.writeFileSync(path.join(broken, "a.ipynb"), "{}");
  assert.throws(() => buildSite(broken), /a\.ipynb is not a notebook/);
});

test("an earlier site is replaced, anything else is left alone", () => {
  const out = path.join(scratch, "out");
  const { files } = buildSite(folderOf({ old: [markdown("# Old")] }));
  writeSite(files, out);
  writeSite(buildSite(folderOf({ new: [markdown("# New")] })).files, out);
  assert.ok(fs.existsSync(path.join(out, "new.html")) && !fs.existsSync(path.join(out, "old.html")));
  const precious = path.join(scratch, "precious");
  fs.mkdirSync(precious);
  fs.writeFileSync(path.join(precious, "index.html"), "mine");
  assert.throws(() => writeSite(files, precious), /something else than an earlier site/);
  assert.equal(fs.readFileSync(path.join(precious, "index.html"), "utf8"), "mine");
});

test("npm run site tells what it has built, or one sentence and status 2", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [path.join(root, "scripts", "site.js"), ...args], { encoding: "utf8" });
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
