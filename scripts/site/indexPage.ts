/** The first page: what the project is, and its notebooks. */
import fs from "node:fs";
import path from "node:path";
import { addressFrom, type Draft, pageFor } from "./address";
import { renderInline, renderMarkdown } from "./markdown";
import { pageHtml } from "./page";
import type { Summary } from "./summary";

const INDEX = "index.html";
const readme = path.join(__dirname, "..", "..", "README.md");

function list(draft: Draft, summaries: readonly Summary[]): string {
  const items = summaries.map(({ name, title, question }) => {
    const page = pageFor(draft, `notebooks/${name}.ipynb`, INDEX, path.posix.dirname(`notebooks/${name}`));
    const address = addressFrom(INDEX, `${name}.html`);
    const asked = question === "" ? "" : `<p>${renderInline(question, page)}</p>`;
    return `<li><a href="${address}">${renderInline(title, page)}</a>${asked}</li>\n`;
  });
  return `<ul class="notebooks">\n${items.join("")}</ul>\n`;
}

/** Puts the first page into the draft: the README up to its first section, then the notebooks, then their solutions. */
export function addIndexPage(draft: Draft, summaries: readonly Summary[]): void {
  const [introduction] = fs.readFileSync(readme, "utf8").split(/^## /m);
  const solutions = summaries.filter(({ name }) => name.includes("/"));
  const notebooks = summaries.filter(({ name }) => !name.includes("/"));
  const body = [
    renderMarkdown(introduction, pageFor(draft, "README.md", INDEX, "")),
    `<h2 id="notebooks">Notebooks</h2>\n${list(draft, notebooks)}`,
    solutions.length === 0
      ? ""
      : `<h2 id="solutions">Solutions of the exercises</h2>\n${list(draft, solutions)}`,
    '<footer><p>Figures are drawn by <a href="assets/plotly/LICENSE">plotly.js</a>, formulas set by ' +
      '<a href="assets/katex/LICENSE">KaTeX</a>; both lie in this folder, and nothing is loaded from elsewhere.</p></footer>\n',
  ];
  draft.files.set(INDEX, pageHtml({ title: "porous-sgm", up: "", body: body.join("") }));
}
