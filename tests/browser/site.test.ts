/**
 * The site in a browser, from a server of plain files under a sub-path: every notebook run to its end, its numbers those of the
 * tslab kernel, exercises, controls, the stop button. npm run test:site; the first run builds the site.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { deadline } from "../processes";
import { launch, systemChromium } from "./chromium";
import { openPage, PATIENCE, photograph } from "./lab";
import { pictures, root } from "./project";
import { serve } from "./serve";

const { environment } = require("../../scripts/environment") as { environment: () => NodeJS.ProcessEnv };

const site = path.join(root, "build", "site");
const executed = path.join(pictures, "tslab");
const SUB_PATH = "/somewhere/below";
const names = fs.readdirSync(path.join(root, "notebooks")).filter((name) => name.endsWith(".ipynb"));
/** Those that train a network: float32 rounds otherwise on another backend, and training doubles it in each step. */
const TRAINED = /^(06|07|08|12|15|16)/;
/** What of a line depends on the machine or its clock. */
const CLOCK = /[\d.]+ (s|ms|min|h|kB|MB)\b|\d+ steps a second/g;

const faults: string[] = [];
const missing: string[] = [];
let browser: Browser;
let server: Awaited<ReturnType<typeof serve>> | undefined;
let address: string;

function run(...args: string[]): void {
  const all = { cwd: root, env: environment(), encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { ...all, ...deadline(1800) });
  assert.equal(status, 0, `${args.join(" ")}\n${stdout}${stderr}`);
}

before(async () => {
  run("scripts/site.js");
  server = await serve(site, SUB_PATH, missing);
  address = server.address;
  browser = await launch(systemChromium()!);
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** What JupyterLite says of itself, and of a message of the notebook's page before. */
const USUAL = /^(Disabling terminals plugin|Trying to send message on removed socket)/;

/** What is used of JupyterLab's application. */
interface Future {
  onIOPub: (message: { header: { msg_type: string }; content: Content }) => void;
  readonly done: Promise<{ content: { status: string } }>;
}
interface Content {
  readonly text?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly transient?: { readonly display_id?: string };
  readonly ename?: string;
  readonly evalue?: string;
}
interface Panel {
  readonly content: {
    readonly widgets: readonly {
      readonly model: {
        readonly type: string;
        readonly sharedModel: { getSource(): string; setSource(source: string): void };
      };
    }[];
    activeCellIndex: number;
  };
  readonly context: { readonly isReady: boolean };
  readonly sessionContext: {
    readonly session?: {
      readonly kernel?: {
        readonly status: string;
        interrupt(): Promise<void>;
        requestExecute(content: { code: string }): Future;
      };
    };
  };
}
type Application = {
  jupyterapp?: {
    readonly shell: { readonly currentWidget: Panel | null };
    readonly commands: { execute(name: string): Promise<unknown> };
  };
};

async function open(name: string): Promise<Page> {
  const own: string[] = [];
  const page = await openPage(browser, own);
  page.on("close", () =>
    faults.push(...own.filter((text) => !USUAL.test(text)).map((text) => `${name}: ${text}`)),
  );
  await page.goto(`${address}/lab/lab/index.html?path=notebooks/${name}`);
  await page.waitForFunction(() => {
    const panel = (window as Application).jupyterapp?.shell.currentWidget;
    return panel?.context?.isReady && panel.sessionContext.session?.kernel?.status === "idle";
  });
  return page;
}

interface Ran {
  readonly status: string;
  /** What was printed, and tables and other text that was shown. */
  readonly text: string;
  readonly figures: number;
}

/** Runs code in the page's kernel, as a cell does. */
const execute = (page: Page, code: string): Promise<Ran> =>
  page.evaluate(async (source) => {
    const { kernel } = (window as Application).jupyterapp!.shell.currentWidget!.sessionContext.session!;
    const future = kernel!.requestExecute({ code: source });
    const shown: { id?: string; text: string }[] = [];
    let figures = 0;
    future.onIOPub = ({ header, content }) => {
      const { text, data, transient, ename, evalue } = content;
      if (text !== undefined) shown.push({ text });
      if (ename !== undefined) shown.push({ text: `${ename}: ${evalue}\n` });
      if (!data) return;
      const isFigure = "application/vnd.plotly.v1+json" in data;
      const output = { id: transient?.display_id, text: isFigure ? "" : `${String(data["text/plain"])}\n` };
      // An update stands where what it replaces stood.
      const before = shown.find(({ id }) => id !== undefined && id === output.id);
      if (before) before.text = output.text;
      else shown.push(output);
      if (isFigure && header.msg_type === "display_data") figures++;
    };
    const { status } = (await future.done).content;
    return { status, text: shown.map(({ text }) => text).join(""), figures };
  }, code);

const sourcesOf = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    (window as Application)
      .jupyterapp!.shell.currentWidget!.content.widgets.filter(({ model }) => model.type === "code")
      .map(({ model }) => model.sharedModel.getSource()),
  );

/** Cells of code of a notebook as tslab has run them. */
function ofTslab(name: string): Omit<Ran, "status">[] {
  type Output = { readonly text?: string | string[]; readonly data?: Record<string, string | string[]> };
  type Cell = { readonly cell_type: string; readonly outputs: readonly Output[] };
  const { cells } = JSON.parse(fs.readFileSync(path.join(executed, name), "utf8")) as { cells: Cell[] };
  const joined = (text: string | string[] = "") => [text].flat().join("");
  return cells
    .filter(({ cell_type }) => cell_type === "code")
    .map(({ outputs }) => {
      const drawn = outputs.filter(({ data }) => data?.["application/vnd.plotly.v1+json"]);
      const texts = outputs.filter((output) => !drawn.includes(output));
      const text = texts.map((output) => output.text ?? output.data?.["text/plain"]).map(joined);
      return { text: text.map((part) => part.replace(/\n?$/, "\n")).join(""), figures: drawn.length };
    });
}

const NUMBER = /(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?/g;
const numbersOf = (text: string) => text.replace(CLOCK, "").match(NUMBER) ?? [];

/** Whether two printed numbers are equal to 1e-5, or to one unit of the last digit that is printed. */
function alike(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => Number(text.replaceAll(",", "")));
  const [, digits = "", exponent = "0"] = /(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(a)!;
  const unit = /\./.test(a) ? 1.01 * 10 ** (Number(exponent) - digits.length) : 0;
  // What is round-off itself differs.
  return Math.abs(x - y) <= Math.max(1e-5 * Math.abs(x), unit) || Math.max(Math.abs(x), Math.abs(y)) < 1e-6;
}

test("tslab runs the notebooks with the same budget and seeds", () => {
  run("scripts/notebooks.js", "--preset", "smoke", "--to", executed);
});

for (const name of names)
  test(`${name} runs to its end, with the figures and the numbers of tslab`, async () => {
    const page = await open(name);
    const cells = ofTslab(name);
    const sources = await sourcesOf(page);
    assert.equal(sources.length, cells.length);
    for (const [i, source] of sources.entries()) {
      const { status, text, figures } = await execute(page, source);
      const place = `cell ${i + 1}:\n${source}\n${text}`;
      assert.equal(status, "ok", place);
      assert.equal(figures, cells[i].figures, place);
      const [ours, theirs] = [text, cells[i].text].map(numbersOf);
      if (TRAINED.test(name)) continue;
      assert.equal(ours.length, theirs.length, `${place}\n---\n${cells[i].text}`);
      for (const [k, number] of ours.entries())
        assert.ok(
          alike(number, theirs[k]),
          `${number} and not ${theirs[k]} in ${place}\n---\n${cells[i].text}`,
        );
    }
    await photograph(page, `site-${name.replace(".ipynb", "")}`);
    await page.close();
  });

test("an exercise says of an answer whether it is right", async () => {
  const page = await open("01-porosity.ipynb");
  const [first] = await sourcesOf(page);
  await execute(page, first);
  const judged = async (answer: string) =>
    (await execute(page, `await check(halfCorrelation, ${answer});`)).text;
  assert.match(await judged("undefined"), /no answer yet/);
  assert.match(await judged("Math.sqrt(2 * Math.log(2))"), /right|not yet/);
  assert.match(await judged("1e9"), /not yet/);
  await page.close();
});

test("a slider that is moved changes the figure below it, also while a cell runs", async () => {
  const page = await open("01-porosity.ipynb");
  const code = `
    import { slider } from "./lib/notebook/widgets.js";
    const turned = slider({ label: "turned", min: 0, max: 10, value: 1 });
    const seen = [];
    for (let k = 0; k < 600 && turned.value === 1; k++) await new Promise((go) => setTimeout(go, 100));
    console.log("turned to " + turned.value);`;
  await page.evaluate((source) => {
    const { jupyterapp } = window as Application;
    const { content } = jupyterapp!.shell.currentWidget!;
    content.activeCellIndex = content.widgets.findIndex(({ model }) => model.type === "code");
    content.widgets[content.activeCellIndex].model.sharedModel.setSource(source);
    void jupyterapp!.commands.execute("notebook:run-cell");
  }, code);
  const handle = page.locator(".widget-slider .noUi-handle").first();
  await handle.waitFor({ timeout: PATIENCE });
  await handle.focus();
  await page.keyboard.press("ArrowRight");
  await page
    .getByText(/^turned to (?!1$)/)
    .first()
    .waitFor({ timeout: PATIENCE });
  await photograph(page, "site-slider");
  await page.close();
});

test("the stop button ends a loop that watches for it, and the kernel goes on", async () => {
  const page = await open("01-porosity.ipynb");
  const running = execute(
    page,
    `import { slider } from "./lib/notebook/widgets.js";
     const watched = slider({ label: "watched", min: 0, max: 1 });
     for await (const value of watched) console.log(value);`,
  );
  await page.waitForFunction(
    () =>
      (window as Application).jupyterapp!.shell.currentWidget!.sessionContext.session!.kernel!.status ===
      "busy",
  );
  await page.waitForTimeout(1000); // until the loop waits
  await page.evaluate(() =>
    (window as Application).jupyterapp!.shell.currentWidget!.sessionContext.session!.kernel!.interrupt(),
  );
  const { status, text } = await running;
  assert.equal(status, "error");
  assert.match(text, /Interrupted/);
  assert.match((await execute(page, 'console.log("goes " + "on");')).text, /goes on/);
  await page.close();
});

test("plain pages have their pictures and formulas, and lead to one another", async () => {
  const page = await openPage(browser, faults);
  await page.goto(`${address}/read/01-porosity.html`);
  await page.waitForSelector(".katex");
  const broken = await page.$$eval(
    "img",
    (images) => images.filter((image) => !image.naturalWidth || !image.alt).length,
  );
  assert.equal(broken, 0);
  await page.locator('a[rel="next"]').click();
  await page.waitForURL(/02-finite-volumes\.html/);
  await photograph(page, "site-page");
  await page.close();
});

test("nothing of the site warns, is missing, or asks another machine", () => {
  assert.deepEqual([faults, missing], [[], []]);
});
