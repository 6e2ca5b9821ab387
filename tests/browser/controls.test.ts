/** Live controls as a person has them: moved by mouse and keyboard while a cell computes, in one tab and two, and after all that ends kernels. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { after, before, test } from "node:test";
import { Lab, photograph } from "./lab";
import { Notebook, textOf } from "./notebook";

let lab: Lab;
before(async () => {
  lab = await Lab.start("controls");
});
after(() => lab.stop());

const MAKE = `import { button, logSlider } from "./lib/notebook/widgets";
import { generateDataSet } from "./lib/presets/simulate";
import { porousElectrode } from "./lib/presets/electrodeProblem";
import { presetByName } from "./lib/presets/presets";
import { createModel } from "./lib/presets/createModel";
import { trainModel, type TrainingState } from "./lib/storage/trainingRun";
const data = generateDataSet(porousElectrode("figures"), { conditions: 40, fields: 5, seed: 1 });
const { training } = presetByName("lesson");
const model = createModel(data, presetByName("lesson"), 1);
const rate = logSlider({ label: "learning rate", min: 1e-5, max: 1e-2, value: 1e-3 });
const fail = button({ label: "fail" });
fail.onChange(() => { throw new Error("as " + "wanted"); });
const heard: { value: number; step: number }[] = [];
let last: TrainingState | undefined;
rate.onChange((value) => void heard.push({ value, step: last?.step ?? 0 }));`;
const TRAIN = `const steer = () => ({ rate: rate.value });
for await (const state of trainModel(model, data, { ...training, batch: 32 }, { steps: 1e6, steer })) {
  last = state;
  if (state.step === 3) console.log("it " + "trains");
}`;
const TOLD = `console.log(JSON.stringify({ heard, turned: last!.turned, value: rate.value, rate: last!.rate }));`;
/** Memory after everything that can be freed is. */
const MEMORY = `import v8 from "v8";
import vm from "vm";
v8.setFlagsFromString("--expose-gc");
vm.runInNewContext("gc")();
const { rss, heapUsed } = globalThis.process.memoryUsage();
console.log(JSON.stringify({ rss: rss / 1e6, heap: heapUsed / 1e6, value: rate.value }));`;
const LISTEN = `let moves = 0;
const seen: number[] = [];
for await (const value of rate) {
  seen.push(value);
  moves++;
  if (value === 1e-2) break;
}`;

const handleOf = (page: Page): Locator => page.locator(".widget-slider .noUi-handle").first();

/** Drags the first slider's handle to a fraction of its way, in so many moves. */
async function drag(page: Page, fractions: readonly number[]): Promise<void> {
  const handle = handleOf(page);
  await handle.scrollIntoViewIfNeeded();
  const grip = (await handle.boundingBox())!;
  const rail = (await page.locator(".widget-slider .noUi-base").first().boundingBox())!;
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  for (const fraction of fractions)
    await page.mouse.move(rail.x + fraction * rail.width, grip.y + grip.height / 2);
  await page.mouse.up();
}

/** What the slider's field beside it says. */
const readout = (page: Page) => page.locator(".widget-slider .widget-readout").first().innerText();

const waitForText = (page: Page, text: string) =>
  page.waitForFunction((words) => document.body.innerText.includes(words), text);

async function printed<T>(notebook: Notebook, index: number): Promise<T> {
  const { status, cell } = await notebook.run(index);
  assert.equal(status, "ok", textOf(cell.outputs));
  return JSON.parse(textOf(cell.outputs).trim().split("\n").at(-1)!) as T;
}

interface Told {
  readonly heard: readonly { readonly value: number; readonly step: number }[];
  readonly turned: readonly { readonly step: number; readonly name: string; readonly value: number }[];
  readonly value: number;
  readonly rate: number;
}

let notebook: Notebook;

test("a slider moved by mouse and by keyboard changes the rate of a training within one step", async () => {
  const cells = [MAKE, TRAIN, TOLD, MEMORY, LISTEN];
  notebook = await Notebook.open(lab, lab.addressOf(lab.project.addNotebook("turned.ipynb", cells)));
  const { page } = notebook;
  const { status, cell } = await notebook.run(0);
  assert.equal(status, "ok", textOf(cell.outputs));
  const before = await notebook.start(1);
  await waitForText(page, "it trains");
  await drag(page, [0.5, 0.4, 0.3]);
  await page.waitForTimeout(500);
  await handleOf(page).focus();
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(1000);
  assert.equal(await notebook.kernelStatus(), "busy");
  await photograph(page, "turned");

  // The stop button ends the training; the slider stays.
  await notebook.stop();
  assert.deepEqual(await notebook.ended(before), ["error"]);
  await page.waitForTimeout(500); // tslab cancels what comes at once after an error
  const { heard, turned, value } = await printed<Told>(notebook, 2);
  assert.ok(heard.length >= 2, JSON.stringify(heard));
  for (const { value: moved, step } of heard) {
    const turn = turned.find((one) => one.value === moved);
    assert.ok(turn && turn.step <= step + 1, `${moved} heard after step ${step}, ${JSON.stringify(turned)}`);
  }
  assert.equal(turned.at(-1)!.value, value);
  assert.ok(Math.abs(Math.log10(value / heard.at(-1)!.value)) < 1e-9);
  console.log(
    `moves and the steps after which they were heard and held: ${JSON.stringify({ heard, turned })}`,
  );
});

test("500 moves leave kernel and page at work and their memory flat", async () => {
  const { page } = notebook;
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const heapOfPage = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "JSHeapUsedSize")!.value / 1e6;
  };
  const round = async () => {
    const before = await notebook.start(4);
    await page.waitForFunction(() => window.jupyterapp!.shell.currentWidget!.sessionContext.session!.kernel!.status === "busy"); // prettier-ignore
    const began = Date.now();
    await drag(
      page,
      Array.from({ length: 500 }, (_, i) => 0.5 + 0.4 * Math.sin(i / 7)),
    );
    const seconds = (Date.now() - began) / 1000;
    await handleOf(page).focus();
    for (let presses = 0; presses < 200 && (await notebook.replies()) === before; presses++)
      await page.keyboard.press("PageUp"); // to the upper end, which ends the loop
    await page.keyboard.press("End");
    assert.deepEqual(await notebook.ended(before), ["ok"]);
    return seconds;
  };
  await round(); // what is compiled and kept once
  interface Memory {
    readonly rss: number;
    readonly heap: number;
    readonly value: number;
  }
  const [first, firstPage] = [await printed<Memory>(notebook, 3), await heapOfPage()];
  await drag(page, [0.5]);
  const seconds = await round();
  const [second, secondPage] = [await printed<Memory>(notebook, 3), await heapOfPage()];
  console.log(
    `500 moves in ${seconds.toFixed(1)} s; MB before and after: kernel ${first.rss.toFixed(0)} ${second.rss.toFixed(0)}, ` +
      `its heap ${first.heap.toFixed(1)} ${second.heap.toFixed(1)}, the page's ${firstPage.toFixed(1)} ${secondPage.toFixed(1)}`,
  );
  assert.equal(second.value, 1e-2);
  assert.ok(second.rss - first.rss < 60);
  assert.ok(second.heap - first.heap < 5);
  assert.ok(secondPage - firstPage < 10);
});

test("a callback that throws is shown below its cell, and the kernel goes on", async () => {
  const { page } = notebook;
  await page.locator(".widget-button", { hasText: "fail" }).click();
  await waitForText(page, "as wanted");
  const { value } = await printed<Told>(notebook, 2);
  assert.equal(value, 1e-2);
  await photograph(page, "callback-throws");
});

test("a page that is loaded again finds its widgets, and a second tab follows", async () => {
  const { page } = notebook;
  await page.keyboard.press("Control+s");
  await page.waitForFunction(() => !window.jupyterapp!.shell.currentWidget!.context.model.dirty);
  await page.reload();
  await notebook.attach();
  await handleOf(page).waitFor();
  await drag(page, [0.5]);
  const shown = await readout(page);
  const { value } = await printed<Told>(notebook, 2);
  assert.ok(Math.abs(value / Number(shown) - 1) < 0.01, `${value} and ${shown}`);

  const address = lab.addressOf("turned.ipynb").replace("/workspaces/", "/workspaces/second-");
  const other = await Notebook.open(lab, address);
  await handleOf(other.page).waitFor();
  assert.equal(await readout(other.page), shown);
  await drag(page, [0.2]);
  const now = await readout(page);
  assert.notEqual(now, shown);
  await other.page.waitForFunction(
    (text) => document.querySelector<HTMLElement>(".widget-slider .widget-readout")?.innerText === text,
    now,
  );
  await photograph(other.page, "second-tab");
  await drag(other.page, [0.8]);
  const there = await readout(other.page);
  await page.waitForFunction(
    (text) => document.querySelector<HTMLElement>(".widget-slider .widget-readout")?.innerText === text,
    there,
  );
  await other.page.close();
});

test("after a restart the old widgets are dead, and no error comes of them", async () => {
  const { page } = notebook;
  await notebook.restart();
  await photograph(page, "restarted");
  if (await handleOf(page).isVisible()) {
    await handleOf(page).focus();
    await page.keyboard.press("ArrowLeft");
  }
  const { status, cell } = await notebook.run(0);
  assert.equal(status, "ok", textOf(cell.outputs));
  assert.deepEqual(
    cell.outputs.filter(({ output_type, name }) => output_type === "error" || name === "stderr"),
    [],
  );
  await handleOf(page).waitFor();
  await drag(page, [0.3]);
  const before = await notebook.start(1);
  await waitForText(page, "it trains");
  await notebook.stop();
  assert.deepEqual(await notebook.ended(before), ["error"]);
  await page.waitForTimeout(500);
  const { value, rate } = await printed<Told>(notebook, 2);
  assert.ok(Math.abs(value / Number(await readout(page)) - 1) < 0.01);
  assert.ok(rate <= value);
  await notebook.close();
});

test("nothing of this warns in the browser's console", () => {
  // JupyterLab itself says so when a kernel restarts.
  const faults = lab.faults.filter((fault) => !fault.startsWith("Connection lost, reconnecting"));
  assert.deepEqual(faults, []);
});
