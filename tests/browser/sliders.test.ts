import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { changedFrom, curves, dragSlider, drawnFigures } from "./figures";
import { Lab, photograph } from "./lab";
import { Notebook, textOf } from "./notebook";
import { HOVER, SLIDER } from "./scratch";

let lab: Lab;
before(async () => {
  lab = await Lab.start("sliders");
});
after(() => lab.stop());

/** A notebook with one cell, run, its figure drawn. */
async function drawn(name: string, source: string) {
  const notebook = await Notebook.open(lab, lab.addressOf(lab.project.addNotebook(name, [source])));
  const { status, cell } = await notebook.run(0);
  assert.equal(status, "ok", textOf(cell.outputs));
  const element = await notebook.show(0);
  const [figure] = await drawnFigures(element, notebook.page, 1);
  return { notebook, element, figure };
}

test("a slider changes its figure in JupyterLab, there and back", async () => {
  const { notebook, element, figure } = await drawn("slider.ipynb", SLIDER);
  const { page } = notebook;
  assert.equal(figure.sliders, 1);
  assert.deepEqual([...figure.cut, ...figure.overlaps], []);
  const first = await curves(element);
  await dragSlider(element, page, 1);
  await changedFrom(element, page, first);
  await photograph(page, "slider-moved");
  const last = await curves(element);
  await dragSlider(element, page, 0);
  await changedFrom(element, page, last);
  assert.equal(await curves(element), first);
  await notebook.close();
});

test("a figure is as wide as there is room, and keeps what its slider shows when that changes", async () => {
  const { notebook, element } = await drawn("narrow.ipynb", SLIDER);
  const { page } = notebook;
  const first = await curves(element);
  await dragSlider(element, page, 1);
  await changedFrom(element, page, first);
  const label = () => element.evaluate((cell) => cell.querySelector(".slider-label")?.textContent);
  const shown = await label();
  await page.setViewportSize({ width: 950, height: 900 });
  await page.waitForFunction((cell) => {
    const plot = cell.querySelector(".js-plotly-plot")!;
    const svg = plot.querySelector("svg.main-svg")!;
    return (
      svg.getBoundingClientRect().width < 600 && svg.getBoundingClientRect().width <= plot.clientWidth + 1
    );
  }, element);
  const [figure] = await drawnFigures(element, page, 1);
  assert.deepEqual([...figure.cut, ...figure.overlaps], []);
  assert.equal(await label(), shown);
  await photograph(page, "narrow");
  await notebook.close();
});

test("hovering over a point shows the frame that it names", async () => {
  const { notebook, element } = await drawn("hover.ipynb", HOVER);
  const { page } = notebook;
  const first = await curves(element);
  const points = await element.$$(".points path");
  const place = await points.at(-1)!.boundingBox();
  await page.mouse.move(place!.x + place!.width / 2, place!.y + place!.height / 2, { steps: 5 });
  await changedFrom(element, page, first);
  await photograph(page, "hovered");
  await notebook.close();
});
