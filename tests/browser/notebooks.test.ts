import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { drawnFigures, moveSlider } from "./figures";
import { Lab, photograph } from "./lab";
import { type Code, Notebook, textOf } from "./notebook";

const FIGURE = "application/vnd.plotly.v1+json";
let lab: Lab;
before(async () => {
  lab = await Lab.start("notebooks");
});
after(() => lab.stop());

/** Figures of every cell: all drawn, none cut off, and those with a slider change with it. Returns how many. */
async function checkFigures(notebook: Notebook, cells: readonly Code[], name: string) {
  let [figures, sliders] = [0, 0];
  for (const { index, outputs } of cells) {
    const count = outputs.filter(({ data }) => data && FIGURE in data).length;
    if (count === 0) continue;
    const element = await notebook.show(index);
    const all = await drawnFigures(element, notebook.page, count);
    await photograph(notebook.page, `${name}-${index}`);
    for (const drawn of all) {
      figures++;
      assert.ok(drawn.marks > 0, `${name}, cell ${index}: an empty figure`);
      assert.ok(drawn.width <= drawn.room + 1, `${name}, cell ${index}: ${drawn.width} > ${drawn.room} px`);
      assert.deepEqual(drawn.cut, [], `${name}, cell ${index}: texts are cut off`);
      assert.deepEqual(drawn.overlaps, [], `${name}, cell ${index}: texts lie on one another`);
    }
    if (!all.some((drawn) => drawn.sliders > 0)) continue;
    sliders++;
    await moveSlider(element, notebook.page);
    await photograph(notebook.page, `${name}-${index}-moved`);
  }
  return { figures, sliders };
}

test("the printed address opens the first notebook, and Run All runs it", async () => {
  const [name] = lab.project.notebooks();
  lab.project.addNotebook(name, lab.project.code(name)); // without outputs
  const notebook = await Notebook.open(lab, lab.address);
  await photograph(notebook.page, "opened");
  const replies = await notebook.runAll();
  const cells = await notebook.code();
  assert.deepEqual(
    replies,
    cells.map(() => "ok"),
    cells.map(({ outputs }) => textOf(outputs)).join("\n"),
  );
  assert.deepEqual(
    cells.map(({ count }) => count),
    cells.map((_, i) => i + 1),
  );
  const told = cells.flatMap(({ outputs }) => outputs);
  assert.deepEqual(
    told.filter(({ output_type, name: stream }) => output_type === "error" || stream === "stderr"),
    [],
  );
  assert.ok((await checkFigures(notebook, cells, "run")).figures >= 3);
  await notebook.close();
});

test("each notebook opens as it was committed, its figures drawn, and counts as unchanged", async () => {
  let sliders = 0;
  for (const name of lab.project.notebooks().slice(1)) {
    const notebook = await Notebook.open(lab, lab.addressOf(name));
    const found = await checkFigures(notebook, await notebook.code(), name.replace(".ipynb", ""));
    assert.ok(found.figures >= 1, `${name} has no figure`);
    sliders += found.sliders;
    assert.equal(await notebook.changed(), false, `${name} counts as changed once it is open`);
    await notebook.close();
  }
  assert.ok(sliders >= 2, `the course has ${sliders} figures with a slider`);
});

test("nothing warns in the browser's console, and nothing is asked of other machines", () => {
  assert.deepEqual(lab.faults, []);
});
