import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { deadline } from "../processes";
import { launch, systemChromium } from "./chromium";
import { changedFrom, curves, dragSlider, drawnFigures } from "./figures";
import { openPage, photograph } from "./lab";
import { pictures, Project, root } from "./project";
import { SLIDER } from "./scratch";

const { python, environment } = require("../../scripts/environment") as {
  python: string;
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
};

const { scripts } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
  scripts: { [name: string]: string };
};
const skip = scripts["site"] ? false : "there is no npm run site yet";

const faults: string[] = [];
let browser: Browser;
let site: string;
before(async () => {
  if (skip) return;
  const project = new Project(path.join(pictures, "site"));
  const scratch = project.addNotebook("99-slider.ipynb", [SLIDER], "A slider");
  run(
    python,
    [project.file("scripts", "execute.py"), "--in-place", project.file("notebooks", scratch)],
    project.folder,
  );
  site = project.file("build", "site");
  const options = ["--from", project.file("notebooks"), "--out", site];
  run(process.execPath, [path.join(root, "scripts", "site.js"), ...options], root);
  browser = await launch(systemChromium()!);
});
after(() => browser?.close());

function run(command: string, args: string[], cwd: string): void {
  const env = environment({ ...process.env, POROUS_SGM_JUPYTER: path.join(pictures, "site", "jupyter") });
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    ...deadline(600),
  });
  assert.equal(status, 0, `${args.join(" ")}\n${stdout}${stderr}`);
}

const open = async (file: string) => {
  const page = await openPage(browser, faults);
  // Nothing but files: as on a train.
  await page.context().setOffline(true);
  await page.goto(pathToFileURL(path.join(site, file)).href);
  return page;
};

test("the site's index leads to every notebook", { skip }, async () => {
  const page = await open("index.html");
  await photograph(page, "site-index");
  for (const name of fs.readdirSync(path.join(root, "notebooks")).filter((file) => file.endsWith(".ipynb"))) {
    const link = page.locator(`a[href$="${name.replace(".ipynb", ".html")}"]`).first();
    await link.click();
    await page.waitForSelector("h1");
    await page.goBack();
  }
  await page.close();
});

test("a page draws its figures when they are near, none cut off", { skip }, async () => {
  const [first] = fs
    .readdirSync(site)
    .filter((file) => /^\d.*\.html$/.test(file))
    .sort();
  const page = await open(first);
  const figures = await page.$$(".figure");
  assert.ok(figures.length >= 1);
  for (const figure of figures) {
    await figure.scrollIntoViewIfNeeded();
    await page.waitForFunction((element) => (element as HTMLElement).dataset["drawn"] === "true", figure);
    const [drawn] = await drawnFigures(figure as Parameters<typeof curves>[0], page, 1);
    assert.ok(drawn.marks > 0);
    assert.deepEqual([...drawn.cut, ...drawn.overlaps], []);
    assert.ok(drawn.width <= drawn.room + 1);
  }
  await photograph(page, "site-page");
  await page.close();
});

test("a slider moves its figure without a network", { skip }, async () => {
  const page = await open("99-slider.html");
  const figure = (await page.waitForSelector('.figure[data-drawn="true"]')) as Parameters<typeof curves>[0];
  const before = await curves(figure);
  await dragSlider(figure, page, 1);
  await changedFrom(figure, page, before);
  await photograph(page, "site-slider");
  await page.close();
});

test("nothing of the site warns, and nothing asks for a network", { skip }, () => {
  assert.deepEqual(faults, []);
});
