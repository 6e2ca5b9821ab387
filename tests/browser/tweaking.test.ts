import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Lab, PATIENCE, photograph } from "./lab";
import { Notebook, textOf } from "./notebook";

let lab: Lab;
before(async () => {
  lab = await Lab.start("tweaking");
});
after(() => lab.stop());

const SEED = /(smoke: \{.*?seed: )1/s;

/** The first notebook of the course under another name and without outputs, run. */
async function firstNotebook(copy: string) {
  const [name] = lab.project.notebooks().filter((file) => /^\d/.test(file));
  const notebook = await Notebook.open(
    lab,
    lab.addressOf(lab.project.addNotebook(copy, lab.project.code(name))),
  );
  assert.ok((await notebook.runAll()).every((status) => status === "ok"));
  return notebook;
}

/** Everything that all cells show. */
const shown = async (notebook: Notebook) =>
  JSON.stringify((await notebook.code()).map(({ outputs }) => outputs));

test("a value of the settings changes what is shown; a wrong one gets one sentence", async () => {
  const notebook = await firstNotebook("settings.ipynb");
  const settings = await notebook.find(/settingsFor\(/);
  assert.match(settings.source, SEED);
  const before = await shown(notebook);
  await notebook.type(settings.index, settings.source.replace(SEED, "$17"));
  assert.ok((await notebook.runAll()).every((status) => status === "ok"));
  assert.notEqual(await shown(notebook), before);

  await notebook.type(settings.index, settings.source.replace(SEED, "$1-1.5"));
  const { status, cell } = await notebook.run(settings.index);
  assert.equal(status, "error");
  assert.match(textOf(cell.outputs).trim(), /^settings\.seed is -1\.5; give [^\n]*\.$/);
  await photograph(notebook.page, "wrong-setting");
  await notebook.close();
});

test("an edit in lib/, below what a notebook imports, takes effect when the cell is run again", async () => {
  const notebook = await firstNotebook("edit.ipynb");
  const file = "lib/figures/figure.ts";
  const [, old] = /pde: "(#\w+)"/.exec(lab.project.read(file))!;
  const settings = await notebook.find(/settingsFor\(/);
  const picture = await notebook.find(/await show\(bandsFigure/);
  assert.ok(textOf(picture.outputs) !== "" && JSON.stringify(picture.outputs).includes(old));
  lab.project.write(file, lab.project.read(file).replace(old, "#123456"));
  // The kernel hears of the edit from the system, some time after it: a person is slower than that.
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    assert.equal((await notebook.run(settings.index)).status, "ok");
    for (const { index } of (await notebook.code()).filter(
      (cell) => cell.index > settings.index && cell.index < picture.index,
    ))
      await notebook.run(index);
    const { cell } = await notebook.run(picture.index);
    const now = JSON.stringify(cell.outputs);
    if (now.includes("#123456") && !now.includes(old)) break;
    assert.ok(Date.now() < deadline, "the figure has kept its colour");
  }
  await photograph(notebook.page, "edited");
  await notebook.close();
});

test("Shift+Tab shows what lib/ says of a function", async () => {
  const notebook = await firstNotebook("inspect.ipynb");
  const { index } = await notebook.find(/simulateAt\(/);
  const source = lab.project.read("lib/data/generate.ts");
  const [, doc] = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export (?:async )?function simulateAt/.exec(source)!;
  const sentence = doc
    .replace(/\s*\n\s*\* ?/g, " ")
    .trim()
    .split(/\.\s|\.$/)[0];
  await notebook.enter(index, "simulateA");
  await notebook.page.keyboard.press("Shift+Tab");
  const tooltip = notebook.page.locator(".jp-Tooltip");
  await tooltip.waitFor();
  await photograph(notebook.page, "inspected");
  const words = (text: string) => text.replace(/\s+/g, " ");
  assert.ok(words(await tooltip.innerText()).includes(words(sentence)), await tooltip.innerText());
  await notebook.close();
});

test("nothing of this warns in the browser's console", () => {
  assert.deepEqual(lab.faults, []);
});
