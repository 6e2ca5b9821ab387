import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Lab, PATIENCE, photograph } from "./lab";
import { pictures } from "./project";
import { Notebook, textOf } from "./notebook";

/** The cell that trains under controls, and those before it that it and the following need. */
const TRAINING = /of trainModel\([\s\S]*view\.add/;
const NEEDED = /settingsFor\(|const preset\b|const model = |heldOut = /;

let lab: Lab;
before(async () => {
  lab = await Lab.start("training");
});
after(() => lab.stop());

test("a training shows its progress, ends at the stop button, and leaves a model to the next cell", async () => {
  const name = lab.project.notebookWith(TRAINING);
  // Longer than a test waits: only the button ends it.
  const code = lab.project
    .code(name)
    .map((source) => source.replace(/(smoke: [\s\S]*?\b(?:steps|epochs): )\d+/, "$15000"));
  lab.project.addNotebook(name, code);
  const notebook = await Notebook.open(lab, lab.addressOf(name), { width: 1300, height: 1400 });
  const { page } = notebook;
  const { index: training } = await notebook.find(TRAINING);
  const needed = (await notebook.code()).filter((cell) => cell.index < training && NEEDED.test(cell.source));
  for (const { index } of needed) {
    const { status, cell } = await notebook.run(index);
    assert.equal(status, "ok", textOf(cell.outputs));
  }

  const before = await notebook.start(training);
  const element = await notebook.show(training);
  const points = (least: number) =>
    page.waitForFunction(
      ([cell, n]) => {
        const plot = cell.querySelector(".js-plotly-plot") as unknown as { data?: { x: unknown[] }[] } | null;
        return (plot?.data?.[0]?.x.length ?? 0) >= n;
      },
      [element, least] as const,
      { timeout: PATIENCE },
    );
  await points(2);
  await points(4); // the figure on the page has grown
  assert.equal(await notebook.kernelStatus(), "busy");
  await photograph(page, "training");

  // Turned by mouse and keyboard while it runs: the figure marks it. In a pause no step is taken, and the preview follows.
  const title = () =>
    element.evaluate((cell) => {
      const plot = cell.querySelector(".js-plotly-plot") as unknown as {
        layout: { title: { text: string }; shapes?: unknown[]; annotations: { text: string }[] };
      } | null;
      if (!plot?.layout) return { title: "", marks: 0, texts: "" }; // it is being replaced
      const { title, shapes = [], annotations } = plot.layout;
      return {
        title: title.text,
        marks: shapes.length,
        texts: annotations.map(({ text }) => text).join("; "),
      };
    });
  const until = async (found: (seen: Awaited<ReturnType<typeof title>>) => boolean, what: string) => {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const seen = await title();
      if (found(seen)) return seen;
      assert.ok(Date.now() < end, `${what}: ${JSON.stringify(seen)}`);
      await page.waitForTimeout(300);
    }
  };
  await until(({ texts }) => /l 10 µm/.test(texts), "no field is drawn");
  const handles = page.locator(".widget-slider .noUi-handle");
  assert.equal((await title()).marks, 0); // nobody has turned anything
  await handles.first().scrollIntoViewIfNeeded();
  const rail = (await page.locator(".widget-slider .noUi-base").first().boundingBox())!;
  const grip = (await handles.first().boundingBox())!;
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(rail.x + 0.45 * rail.width, grip.y + grip.height / 2, { steps: 4 });
  await page.mouse.up();
  await until(({ marks, texts }) => marks >= 2 && /rate /.test(texts), "the turned rate is not marked");
  await page.waitForTimeout(3000);
  await handles.nth(1).focus();
  await page.keyboard.press("PageUp");
  await until(({ texts }) => /noise /.test(texts), "the turned noise level is not marked");
  await page.locator(".widget-button", { hasText: "pause" }).click();
  await handles.nth(2).focus();
  await page.keyboard.press("End");
  const { title: paused } = await until(
    (seen) => /^paused/.test(seen.title) && /l 20 µm/.test(seen.texts),
    "the pause does not show",
  );
  await handles.nth(4).focus();
  await page.keyboard.press("End");
  const { title: later } = await until(({ texts }) => /F 50 A/.test(texts), "the preview does not follow");
  assert.equal(later, paused); // no step was taken
  await page.locator(".widget-button", { hasText: "go on" }).click();
  await until((seen) => !/^paused/.test(seen.title), "the training does not go on");
  // The still of README.md, docs/figures/live-controls.png.
  const outputs = (await element.$(".jp-Cell-outputArea"))!;
  fs.mkdirSync(pictures, { recursive: true });
  await outputs.screenshot({ path: path.join(pictures, "live-controls.png") });

  await notebook.stop();
  assert.deepEqual(await notebook.ended(before), ["error"]);
  const stopped = (await notebook.code()).find(({ index }) => index === training)!;
  const told = stopped.outputs.filter(({ name: stream }) => stream === "stderr");
  // One sentence, of what was learned, and no lines of the program.
  assert.match(textOf(told), /^[^\n]*interrupted[^\n]*\.?\n?$/);
  await photograph(page, "stopped");

  // For 200 ms after an error tslab takes what comes for requests that had waited behind it, and cancels them.
  await page.waitForTimeout(500);
  // The next cell, and the one that saves the model.
  const following = (await notebook.code()).filter(({ index }) => index > training);
  const saving = following.find(({ source }) => /saveModel\(/.test(source))!;
  for (const { index } of new Set([following[0], saving])) {
    const { status, cell } = await notebook.run(index);
    assert.equal(status, "ok", textOf(cell.outputs));
  }
  const saved = fs.readdirSync(lab.project.file("build", "work", "smoke"), { recursive: true }).map(String);
  assert.ok(
    saved.some((file) => file.endsWith("model.json")),
    saved.join(", "),
  );
  await photograph(page, "after-stopped");
  await notebook.close();
  assert.deepEqual(lab.faults, []);
});
