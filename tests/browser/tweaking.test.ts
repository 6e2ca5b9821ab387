import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Lab, PATIENCE, photograph } from "./lab";
import { Notebook, textOf } from "./notebook";
import { DRAWN } from "./scratch";

let lab: Lab;
before(async () => {
  lab = await Lab.start("tweaking");
});
after(() => lab.stop());

const SEED = /(smoke: \{.*?seed: )1/s;

/** Opens a new notebook of some cells and runs it. */
async function ranNotebook(name: string, cells: readonly string[]) {
  const notebook = await Notebook.open(lab, lab.addressOf(lab.project.addNotebook(name, cells)));
  const replies = await notebook.runAll();
  const printed = (await notebook.code()).map(({ outputs }) => textOf(outputs));
  assert.ok(
    replies.every((status) => status === "ok"),
    printed.join("\n"),
  );
  return notebook;
}

/** Everything that all cells show. */
const shown = async (notebook: Notebook) =>
  JSON.stringify((await notebook.code()).map(({ outputs }) => outputs));

test("a value of the settings changes what is shown; a wrong one gets one sentence", async () => {
  // The course's first cells: its settings and the figures that follow.
  const [name] = lab.project.notebooks().filter((file) => /^\d/.test(file));
  const notebook = await ranNotebook("settings.ipynb", lab.project.code(name).slice(0, 3));
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
  const notebook = await ranNotebook("edit.ipynb", DRAWN);
  const file = "lib/figures/figure.ts";
  const [, old] = /pde: "(#\w+)"/.exec(lab.project.read(file))!;
  assert.ok((await shown(notebook)).includes(old));
  lab.project.write(file, lab.project.read(file).replace(old, "#123456"));
  // The kernel hears of the edit from the system, some time after it: a person is slower than that.
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    assert.equal((await notebook.run(0)).status, "ok");
    assert.equal((await notebook.run(1)).status, "ok");
    const now = await shown(notebook);
    if (now.includes("#123456") && !now.includes(old)) break;
    assert.ok(Date.now() < deadline, "the figure has kept its colour");
  }
  await photograph(notebook.page, "edited");
  await notebook.close();
});

test("Shift+Tab shows what lib/ says of a function", async () => {
  const notebook = await ranNotebook("inspect.ipynb", DRAWN);
  const source = lab.project.read("lib/presets/simulate.ts");
  const [, doc] = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export function simulateAt/.exec(source)!;
  const words = (text: string) => text.replace(/[\s*]+/g, " ").trim();
  const [sentence] = words(doc).split(". ");
  await notebook.enter(1, "simulateA");
  await notebook.page.keyboard.press("Shift+Tab");
  const tooltip = notebook.page.locator(".jp-Tooltip");
  await tooltip.waitFor();
  await photograph(notebook.page, "inspected");
  assert.ok(words(await tooltip.innerText()).includes(sentence), await tooltip.innerText());
  await notebook.close();
});

test("nothing of this warns in the browser's console", () => {
  assert.deepEqual(lab.faults, []);
});
