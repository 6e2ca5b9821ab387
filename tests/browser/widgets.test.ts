import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Lab, photograph } from "./lab";
import { Notebook, textOf } from "./notebook";

let lab: Lab;
before(async () => {
  lab = await Lab.start("widgets");
});
after(() => lab.stop());

const CELLS = [
  `import { logSlider } from "./lib/notebook/widgets";
const rate = logSlider({ label: "learning rate", min: 1e-5, max: 1e-2, value: 1e-3 });
rate.onChange((value) => console.log("moved"));`,
  `for await (const value of rate) { console.log("rate " + (value > 1e-3)); if (value > 1e-3) break; }`,
];

const LIVE = `import { live, slider } from "./lib/notebook/widgets";
import { line, panels } from "./lib/figures/figure";
const height = slider({ label: "height", min: 0, max: 1, value: 0.5 });
await live(
  ({ h }) => panels([{ title: "at " + h.toFixed(2), x: "x (1)", y: "y (1)", traces: [line([0, 1], [h, h])] }]),
  { h: height },
);`;

test("a slider that is moved by keyboard is heard by a cell that awaits", async () => {
  const notebook = await Notebook.open(lab, lab.addressOf(lab.project.addNotebook("slider.ipynb", CELLS)));
  assert.equal((await notebook.run(0)).status, "ok");
  const handle = notebook.page.locator(".widget-slider .noUi-handle").first();
  await handle.waitFor();
  const before = await notebook.start(1);
  await notebook.page.waitForFunction(() => document.body.innerText.includes("rate false"));
  await handle.focus();
  await notebook.page.keyboard.press("ArrowRight");
  assert.deepEqual(await notebook.ended(before), ["ok"]);
  const [first, second] = (await notebook.code()).map(({ outputs }) => textOf(outputs));
  assert.match(second, /rate false\nrate true/);
  assert.match(first, /moved/);
  await photograph(notebook.page, "slider");
  await notebook.close();
});

test("a figure follows the slider that it was given", async () => {
  const notebook = await Notebook.open(lab, lab.addressOf(lab.project.addNotebook("live.ipynb", [LIVE])));
  assert.equal((await notebook.run(0)).status, "ok");
  const shows = (title: string) =>
    notebook.page.waitForFunction((text) => document.body.textContent!.includes(text), title);
  await shows("at 0.50");
  const handle = notebook.page.locator(".widget-slider .noUi-handle").first();
  await handle.focus();
  for (let presses = 0; presses < 3; presses++) await notebook.page.keyboard.press("ArrowRight");
  await shows("at 0.53");
  await photograph(notebook.page, "live");
  await notebook.close();
});

test("nothing of this warns in the browser's console", () => {
  assert.deepEqual(lab.faults, []);
});
