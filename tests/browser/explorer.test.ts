/** The explorer in a real browser: its numbers beside the command line's, driven by mouse and keyboard. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { readDataSet } from "../../lib/storage/arrow";
import { deadline } from "../processes";
import { launch, systemChromium } from "./chromium";
import { openPage, photograph } from "./lab";
import { pictures, root } from "./project";
import { serve } from "./serve";

const { buildExplorer } = require("../../scripts/site/explorer/build.js") as {
  buildExplorer: (folder: string, options?: { links?: { href: string; text: string }[] }) => Promise<void>;
};

const folder = path.join(pictures, "explorer");
const faults: string[] = [];
let browser: Browser;
let server: Awaited<ReturnType<typeof serve>> | undefined;
let address: string;
let page: Page;

before(async () => {
  await buildExplorer(folder, { links: [{ href: "notebooks/", text: "The notebooks" }] });
  server = await serve(folder, "/people/somebody/electrode/"); // a path of several parts, as on somebody's pages
  address = server.address;
  browser = await launch(systemChromium()!);
  page = await openPage(browser, faults);
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** Waits until the page has done what its settings ask for, which then are these. */
async function done(on: Page, wanted: string | RegExp): Promise<number> {
  const pattern = typeof wanted === "string" ? `^${wanted.replace(/[.+]/g, "\\$&")}$` : wanted.source;
  await on.waitForFunction((text) => new RegExp(text).test(document.body.dataset["done"] ?? ""), pattern);
  return Number(await on.evaluate(() => document.body.dataset["seconds"]));
}

/** Waits until all that was asked for is done, and the address tells it. */
async function settled(on: Page): Promise<void> {
  await on.waitForFunction(() => {
    const { asked, done: last } = document.body.dataset;
    return asked === last && location.hash === `#${last}`;
  });
}

/** Numbers of a figure's alternative text: of each series mean, low and high at both ends and in the middle. */
async function spoken(on: Page, figure: string): Promise<{ pde: number[]; sgm: number[]; post: number[] }> {
  const text = (await on.locator(`#figure-${figure} .chart`).getAttribute("aria-label"))!;
  const numbers = (name: string) => {
    const part = text.split(/[.;] /).find((words) => words.includes(`${name}:`));
    const triples = [...(part ?? "").matchAll(/(\S+) \[(\S+), (\S+)\]/g)];
    return triples.flatMap((found) => found.slice(1, 4).map((word) => Number(word.replace("−", "-"))));
  };
  return { pde: numbers("PDE"), sgm: numbers("model"), post: numbers("given the sensors") };
}

/** Fields by the command line, as rows. */
async function byCommandLine(
  verb: "sample" | "generate",
  l: string,
  U0: number,
  F: number,
  seed: number,
): Promise<number[][]> {
  const out = path.join(pictures, `${verb}.arrow`);
  const conditions = ["--correlation-length", l, "--equilibrium-potential", String(U0), "--flux", String(F)];
  const many = [verb === "sample" ? "--count" : "--fields", "64"];
  const args = [verb, ...conditions, ...many, "--seed", String(seed), "--out", out];
  const { status, stderr } = spawnSync(process.execPath, ["scripts/porous-sgm.js", ...args], {
    cwd: root,
    encoding: "utf8",
    ...deadline(300),
  });
  assert.equal(status, 0, stderr);
  const { rows, fields } = await readDataSet(out);
  return Array.from({ length: rows }, (_, row) => [...fields.subarray(200 * row, 200 * (row + 1))]);
}
const rowsOf = (csv: string) =>
  csv
    .trim()
    .split("\n")
    .slice(1)
    .map((row) => row.split(",").map(Number));

/** The draws that the page saves. */
async function saved(on: Page): Promise<number[][]> {
  const [download] = await Promise.all([on.waitForEvent("download"), on.click("#save")]);
  return rowsOf(fs.readFileSync(await download.path(), "utf8"));
}

/** Largest difference of a field, as a share of its largest value. */
function farthest(a: number[][], b: number[][], from: number): number {
  let [difference, largest] = [0, 0];
  a.forEach((row, k) =>
    row.slice(from, from + 100).forEach((value, i) => {
      difference = Math.max(difference, Math.abs(value - b[k][from + i]));
      largest = Math.max(largest, Math.abs(value));
    }),
  );
  return difference / largest;
}

const faultsOfOthers: string[] = [];

test("the page opens with draws that are the command line's", async () => {
  const begin = performance.now();
  await page.goto(address);
  await done(page, "l=10&U0=0&F=25");
  console.log(`usable after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  assert.match(await page.locator("#backend").innerText(), /^WebAssembly, off by \de-[67]$/);
  const [ours, theirs] = [await saved(page), await byCommandLine("sample", "1e-5", 0, 25, 1)];
  assert.equal(ours.length, 64);
  const differences = [0, 100].map((from) => farthest(ours, theirs, from));
  console.log(`largest differences of c and phi: ${differences.map((d) => d.toExponential(1)).join(", ")}`);
  for (const difference of differences) assert.ok(difference < 1e-4);
  await page.evaluate(() => scrollTo(0, 0));
  await photograph(page, "explorer-light");
});

test("sliders moved by mouse and keyboard lead to the numbers of solver and model there", async () => {
  await page.focus("#l");
  for (let presses = 0; presses < 6; presses++) await page.keyboard.press("ArrowLeft");
  const slider = (await page.locator("#U0").boundingBox())!;
  await page.mouse.move(slider.x + slider.width / 2, slider.y + slider.height / 2);
  await page.mouse.down();
  await page.mouse.move(slider.x + 0.7 * slider.width, slider.y + slider.height / 2, { steps: 8 });
  await page.mouse.up();
  await page.focus("#F");
  for (let presses = 0; presses < 2; presses++) await page.keyboard.press("PageUp");
  await page.click("#again");
  await done(page, /^l=5&U0=0\.\d+&F=\d+&seed=2$/);
  const now = new URLSearchParams((await page.evaluate(() => document.body.dataset["done"]))!);
  const [U0, F] = [Number(now.get("U0")), Number(now.get("F"))];
  assert.ok(U0 >= 0.05 && U0 <= 0.11 && F > 25, String(now));
  await page.waitForFunction((hash) => location.hash === `#${hash}`, String(now));
  console.log(`draws after a slider: ${await page.evaluate(() => document.body.dataset["seconds"])} s`);
  const [ours, theirs] = [await saved(page), await byCommandLine("sample", "5e-6", U0, F, 2)];
  for (const from of [0, 100]) assert.ok(farthest(ours, theirs, from) < 1e-4);
  const solved = await byCommandLine("generate", "5e-6", U0, F, 2);
  const mean = (column: number) => solved.reduce((sum, row) => sum + row[column], 0) / solved.length;
  const [c, phi] = [await spoken(page, "c"), await spoken(page, "phi")];
  [0, 49, 99].forEach((cell, k) => {
    assert.ok(Math.abs(c.pde[3 * k] - mean(cell)) < 0.006, `c at cell ${cell}`);
    assert.ok(Math.abs(phi.pde[3 * k] - 1000 * mean(100 + cell)) < 0.0006, `phi at cell ${cell}`);
    assert.ok(c.sgm[3 * k + 1] <= c.sgm[3 * k] && c.sgm[3 * k] <= c.sgm[3 * k + 2]);
  });
});

test("the newest of many requests is the one that is answered, and the page does not wait for it", async () => {
  await page.evaluate(() => {
    let last = performance.now();
    const beat = setInterval(() => {
      const now = performance.now();
      const { longest = "0" } = document.body.dataset;
      document.body.dataset["longest"] = String(Math.max(Number(longest), now - last));
      last = now;
      if (document.body.dataset["enough"]) clearInterval(beat);
    }, 10);
  });
  await page.focus("#l");
  for (let presses = 0; presses < 12; presses++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("End");
  await done(page, /^l=20&/);
  assert.equal(await page.locator('output[for="l"]').innerText(), "20 µm");
  const longest = await page.evaluate(() => {
    document.body.dataset["enough"] = "true";
    return Number(document.body.dataset["longest"]);
  });
  console.log(`longest time in which the page did nothing else: ${longest.toFixed(0)} ms`);
  await page.click("#reset");
  await done(page, "l=10&U0=0&F=25");
});

/** Width of the band in the middle. */
const width = (numbers: number[]) => numbers[5] - numbers[4];

test("a sensor set by a click narrows the band, and is moved by mouse and keyboard", async () => {
  const chart = page.locator("#figure-c .chart");
  const box = (await chart.boundingBox())!;
  await chart.click({ position: { x: 0.55 * box.width, y: 0.5 * box.height } });
  await done(page, /&c=[\d.]+:[\d.]+$/);
  const first = await spoken(page, "c");
  assert.ok(width(first.post) < 0.6 * width(first.sgm), JSON.stringify(first));
  const potential = await spoken(page, "phi");
  assert.ok(width(potential.post) < 0.9 * width(potential.sgm), "what the sensor tells of phi");
  assert.match(await page.locator("ul.sensors").innerText(), /c at [\d.]+ µm: [\d.]+ ± [\d.]+ mol\/m³/);

  const handle = page.locator("#figure-c .sensor");
  const grip = (await handle.boundingBox())!;
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  for (let k = 1; k <= 10; k++)
    await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2 + 4 * k);
  await page.mouse.up();
  await settled(page);
  const second = await spoken(page, "c");
  assert.ok(second.post[3] < first.post[3] - 0.1, "the mean has followed downwards");
  await photograph(page, "explorer-sensor");

  await handle.focus();
  const x = async () => Number(/c=([\d.]+):/.exec((await page.evaluate(() => location.hash)) ?? "")![1]);
  const from = await x();
  for (const key of ["ArrowLeft", "ArrowLeft", "Shift+ArrowRight"]) await page.keyboard.press(key);
  await page.waitForFunction((place) => location.hash.includes(`c=${place}:`), Number((from + 8).toFixed(1)));
  await settled(page);
  assert.match((await handle.getAttribute("aria-label"))!, /^Sensor, c at [\d.]+ µm: [\d.]+ mol/);
  await page.keyboard.press("Delete");
  await done(page, "l=10&U0=0&F=25");
  assert.equal(await page.locator(".sensor").count(), 0);

  await page.locator('button.add[data-field="phi"]').focus();
  await page.keyboard.press("Enter");
  await done(page, /&phi=50:[\d.]+$/);
  await page.keyboard.press("ArrowUp"); // the new sensor has the focus
  await settled(page);
  const third = await spoken(page, "phi");
  assert.ok(width(third.post) < 0.5 * width(third.sgm), JSON.stringify(third));
});

test("an address restores what it was taken from, and a bad one does no harm", async () => {
  const [hash, text] = await page.evaluate(() => [
    location.hash,
    document.querySelector("ul.sensors")!.textContent,
  ]);
  const expected = await spoken(page, "phi");
  const other = await openPage(browser, faults);
  await other.goto(`${address}${hash}`);
  await done(other, hash.slice(1));
  assert.equal(await other.locator("ul.sensors").textContent(), text);
  assert.deepEqual(await spoken(other, "phi"), expected);
  await other.goto(`${address}#l=11&U0=nothing&F=1e9&draws=-3&c=1,2:,:3,4:x&phi=&noise=<b>`);
  await done(other, "l=11.2&U0=0&F=50&draws=4");
  await other.close();
});

test("sensors that cannot be are told, with what no porosity has", async () => {
  const other = await openPage(browser, faults);
  await other.goto(`${address}#l=4&U0=0.1&F=40&draws=4&c=30:998.5&phi=80:5`);
  await done(other, /^l=4&/);
  assert.match(
    await other.locator("#warning").innerText(),
    /^Sensor 1 is [\d.]+ standard deviations from what is/,
  );
  assert.match(
    await other.locator("#figure-porosity .reading").innerText(),
    /given the sensors no porosity has/,
  );
  await other.click("#clear");
  await settled(other);
  assert.equal(await other.locator("#warning").isVisible(), false);
  await other.close();
});

/** Texts of less contrast than 4.5 to their background. */
const faint = (on: Page) =>
  on.evaluate(() => {
    const numbers = (colour: string) => (/rgba?\((.*)\)/.exec(colour)?.[1] ?? "").split(/[ ,/]+/).map(Number);
    const light = (colour: string) => {
      const [r, g, b] = numbers(colour).map((v) =>
        v <= 10.3 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element: Element | null): string => {
      if (!element) return "rgb(255, 255, 255)";
      const { backgroundColor } = getComputedStyle(element);
      return numbers(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor;
    };
    const words = [...document.querySelectorAll("body *")].filter(
      (element) =>
        element.checkVisibility() &&
        [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue!.trim()),
    );
    return words.flatMap((element) => {
      const style = getComputedStyle(element);
      const [a, b] = [
        light(element instanceof SVGElement ? style.fill : style.color),
        light(behind(element)),
      ];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return contrast >= 4.5 ? [] : [`${element.textContent!.slice(0, 30)}: ${contrast.toFixed(2)}`];
    });
  });

test("texts stand out in light and dark", async () => {
  assert.ok((await page.locator(".chart text").count()) > 20);
  assert.deepEqual(await faint(page), []);
  const before = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForTimeout(300); // the buttons' transition
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), before);
  assert.deepEqual(await faint(page), []);
  await photograph(page, "explorer-dark");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
  const duration = () =>
    page.evaluate(() => getComputedStyle(document.querySelector("button")!).transitionDuration);
  assert.match(await duration(), /0\.2s/);
  await page.emulateMedia({ reducedMotion: "reduce" });
  assert.equal(await duration(), "0s");
});

test("the figures are read where the mouse points, or where a slider stands", async () => {
  await page.hover("#figure-phi .chart svg", { position: { x: 200, y: 60 } });
  const at = await page.locator('output[for="at"]').innerText();
  assert.notEqual(at, "x = 50.5 µm");
  await page.focus("#at");
  await page.keyboard.press("End");
  assert.equal(await page.locator('output[for="at"]').innerText(), "x = 99.5 µm");
  const { pde } = await spoken(page, "c");
  assert.match(
    await page.locator("#figure-c .reading").innerText(),
    new RegExp(`^PDE ${pde[6].toFixed(2)} `),
  );
});

test("a phone shows all of it in one column", async () => {
  const phone = await openPage(browser, faults, { width: 360, height: 740 });
  await phone.goto(`${address}#l=4&U0=0.1&F=40&draws=16&c=20:992.8,50:994&phi=80:6`);
  await done(phone, /^l=4&/);
  assert.ok((await phone.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  const sizes = await phone
    .locator("button:visible")
    .evaluateAll((all) => all.map((one) => one.clientHeight));
  assert.ok(Math.min(...sizes) >= 24, "buttons that a thumb hits");
  const file = path.join(pictures, "explorer-phone.png");
  await phone.screenshot({ path: file, fullPage: true });
  await phone.close();
});

test("a hundred draws leave the memory as it was", async () => {
  const small = await openPage(browser, faults);
  await small.goto(`${address}#draws=4`);
  await done(small, /^l=10&/);
  const session = await small.context().newCDPSession(small);
  const memory = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    return { tensors: await small.evaluate(() => document.body.dataset["tensors"]), heap: usedSize / 1e6 };
  };
  let seed = 1;
  const draw = async (times: number, sensors: boolean) => {
    if (sensors) await small.click('button.add[data-field="c"]');
    for (let k = 0; k < times; k++) {
      await small.click("#again");
      await done(small, new RegExp(`&seed=${++seed}(&|$)`));
    }
    if (sensors) await small.click("#clear");
    await settled(small);
  };
  await draw(3, true);
  const first = await memory();
  await draw(94, false);
  await draw(6, true);
  const last = await memory();
  console.log(`MB of the page's heap before and after: ${first.heap.toFixed(1)}, ${last.heap.toFixed(1)}`);
  assert.equal(last.tensors, first.tensors);
  assert.ok(last.heap - first.heap < 3);
  await small.close();
});

test("without WebAssembly, and with other numbers than the stored ones, the page says so", async () => {
  const slow = await openPage(browser, faultsOfOthers);
  await slow.route("**/*.wasm", (route) => route.abort());
  await slow.goto(`${address}#draws=4`);
  await done(slow, /^l=10&/);
  assert.match(
    await slow.locator("#fault").innerText(),
    /^WebAssembly cannot be used: .*JavaScript, which is slow\.$/,
  );
  assert.match(await slow.locator("#backend").innerText(), /^JavaScript, off by/);
  await slow.close();
  const wrong = await openPage(browser, faultsOfOthers);
  const numbers = fs.readFileSync(path.join(folder, "check.bin"));
  numbers.writeFloatLE(numbers.readFloatLE(400) + 0.01, 400);
  await wrong.route("**/check.bin", (route) => route.fulfill({ body: numbers }));
  await wrong.goto(address);
  await wrong.locator("#fault").waitFor();
  assert.match(
    await wrong.locator("#fault").innerText(),
    /WebAssembly cannot be used: its network is off by.* JavaScript/,
  );
  await wrong.close();
});

test("nothing of this warns, and nothing asks for a network", () => {
  assert.deepEqual(faults, []);
});
