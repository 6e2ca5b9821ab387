/** The page of one notebook. */
import path from "node:path";
import { addressFrom, type Draft, pageFor } from "./address";
import { codeBlock } from "./code";
import { renderInline, renderMarkdown } from "./markdown";
import { joined, type Notebook } from "./notebook";
import { outputsHtml, type OutputPage } from "./outputs";
import { type Neighbour, pageHtml } from "./page";
import type { Summary } from "./summary";

/** Puts the page and its pictures into the draft; returns what was found on it. */
export function addNotebookPage(
  draft: Draft,
  notebook: Notebook,
  summary: Summary,
  previous: Summary | undefined,
  next: Summary | undefined,
): { figures: number; formulas: number } {
  const { name } = notebook;
  const file = `${name}.html`;
  const page = pageFor(draft, notebook.file, file, path.posix.dirname(`notebooks/${name}`));
  let pictures = 0;
  const shown: OutputPage = {
    figures: 0,
    picture(png) {
      const picture = `figures/${name}-${++pictures}.png`;
      draft.files.set(picture, png);
      return addressFrom(file, picture);
    },
  };
  const body = notebook.cells.map((cell, index) => {
    page.place = `${notebook.file}, cell ${index + 1}`;
    const source = joined(cell.source);
    if (cell.cell_type === "markdown") return renderMarkdown(source, page);
    if (cell.cell_type !== "code" || source.trim() === "") return "";
    return `<div class="cell">${codeBlock(source, "typescript")}${outputsHtml(cell.outputs ?? [], shown)}</div>\n`;
  });
  const { formulas, headings } = page;
  const neighbour = (other: Summary | undefined): Neighbour | undefined =>
    other && { href: addressFrom(file, `${other.name}.html`), html: renderInline(other.title, page) };
  const html = pageHtml({
    title: `${summary.title} · porous-sgm`,
    up: "../".repeat(name.split("/").length - 1),
    body: body.join(""),
    headings,
    previous: neighbour(previous),
    next: neighbour(next),
  });
  draft.files.set(file, html);
  return { figures: shown.figures, formulas };
}
