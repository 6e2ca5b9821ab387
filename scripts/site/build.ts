/** The whole site, in memory: pages of notebooks, the page that lists them, and what they share. */
import { InputError } from "../../lib/errors";
import type { Draft } from "./address";
import { sharedFiles } from "./assets";
import { addIndexPage } from "./indexPage";
import { checkLinks, type Files } from "./links";
import { notebookNames, readNotebook } from "./notebook";
import { addNotebookPage } from "./notebookPage";
import { summaryOf } from "./summary";

export interface Site {
  readonly files: Files;
  readonly counts: Readonly<Record<"pages" | "figures" | "formulas" | "links", number>>;
}

/** Builds the site of a folder of notebooks; throws InputError for whatever a page could not show. */
export function buildSite(folder: string): Site {
  const notebooks = notebookNames(folder).map((name) => readNotebook(folder, name));
  if (notebooks.length === 0) {
    throw new InputError(`${folder} holds no notebook; name a folder with .ipynb files.`);
  }
  const summaries = notebooks.map(summaryOf);
  const draft: Draft = { names: new Set(summaries.map(({ name }) => name)), files: sharedFiles() };
  const counts = { pages: notebooks.length, figures: 0, formulas: 0, links: 0 };
  notebooks.forEach((notebook, index) => {
    const [previous, summary, next] = [-1, 0, 1].map((step) => summaries[index + step]);
    const { figures, formulas } = addNotebookPage(draft, notebook, summary, previous, next);
    counts.figures += figures;
    counts.formulas += formulas;
  });
  addIndexPage(draft, summaries);
  counts.links = checkLinks(draft.files);
  return { files: draft.files, counts };
}
