import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { Lab, PATIENCE, photograph } from "./lab";
import { Notebook, textOf } from "./notebook";

let lab: Lab;
before(async () => {
  lab = await Lab.start("training");
});
after(() => lab.stop());

test("a training shows its progress, ends at the stop button, and leaves a model to the next cell", async () => {
  const name = lab.project.notebookWith(/of trainModel\(/);
  // Longer than a test waits: only the button ends it.
  const code = lab.project
    .code(name)
    .map((source) => source.replace(/(smoke: .*?\b(?:steps|epochs): )\d+/, "$1100000"));
  lab.project.addNotebook(name, code);
  const notebook = await Notebook.open(lab, lab.addressOf(name));
  const { page } = notebook;
  const { index: training } = await notebook.find(/of trainModel\(/);
  for (const { index } of (await notebook.code()).filter((cell) => cell.index < training)) {
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
