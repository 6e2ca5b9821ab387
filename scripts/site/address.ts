/** Where the links and images of a text lead once it is a page. */
import fs from "node:fs";
import path from "node:path";
import { InputError } from "../../lib/errors";
import type { Content } from "./links";
import type { Page } from "./markdown";

const root = path.join(__dirname, "..", "..");

/** A site while it is built. */
export interface Draft {
  /** Names of the notebooks that have pages. */
  readonly names: ReadonlySet<string>;
  readonly files: Map<string, Content>;
}

const ELSEWHERE = /^[a-z][a-z0-9+.-]*:/i;

/** An address of the site as a page in `file` writes it. */
export const addressFrom = (file: string, target: string): string =>
  encodeURI(path.posix.relative(path.posix.dirname(file), target));

/**
 * The environment of the page `file` for Markdown that lies in the folder `source` of the project: links to notebooks lead
 * to their pages, images are copied, and other files of the project are named only. Throws InputError on dead links.
 */
export function pageFor(draft: Draft, place: string, file: string, source: string): Page {
  const existing = (target: string, found: string): string => {
    if (found.startsWith("..") || !fs.existsSync(path.join(root, found))) {
      throw new InputError(`${page.place} links to ${target}, which the project does not have.`);
    }
    return found;
  };
  const page: Page = {
    place,
    formulas: 0,
    headings: [],
    link(target) {
      if (ELSEWHERE.test(target) || target.startsWith("#")) return { href: target };
      const [relative, anchor] = target.split("#");
      const found = path.posix.join(source, decodeURI(relative));
      const name = path.posix.relative("notebooks", found).replace(/\.ipynb$/, "");
      if (!found.endsWith(".ipynb") || !draft.names.has(name)) return { file: existing(target, found) };
      return { href: addressFrom(file, `${name}.html`) + (anchor === undefined ? "" : `#${anchor}`) };
    },
    image(target) {
      if (ELSEWHERE.test(target)) return target; // the check of links judges it
      const found = existing(target, path.posix.join(source, decodeURI(target)));
      draft.files.set(`files/${found}`, { copy: path.join(root, found) });
      return addressFrom(file, `files/${found}`);
    },
  };
  return page;
}
