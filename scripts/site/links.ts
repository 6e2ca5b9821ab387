/** Whether everything that the pages of a site refer to is in the site. */
import path from "node:path";
import { InputError } from "../../lib/errors";

/** A file of the site: its content, or the file to copy. */
export type Content = string | Buffer | { readonly copy: string };

/** Files of a site by their path in it, with slashes. */
export type Files = ReadonlyMap<string, Content>;

const REFERENCE = /<(\w+)\b[^>]*?\s(?:href|src|poster|data)=(?:"([^"]*)"|'([^']*)')/g;
const unescaped = (text: string): string => text.replace(/&amp;/g, "&").replace(/&quot;/g, '"');

/** Fails on the first reference of a page or style sheet that leads nowhere or, for what is loaded, outside. Returns their number. */
export function checkLinks(files: Files): number {
  const markup = (html: string): string => html.replace(/(<script\b[^>]*>)[^]*?<\/script>/g, "$1");
  const ids = new Map<string, Set<string>>();
  for (const [file, content] of files) {
    if (file.endsWith(".html")) {
      const found = markup(String(content)).matchAll(/\sid="([^"]*)"/g);
      ids.set(file, new Set(Array.from(found, ([, id]) => unescaped(id))));
    }
  }
  let links = 0;
  const check = (file: string, target: string, loaded: boolean): void => {
    links++;
    if (/^data:/.test(target)) return;
    if (/^([a-z][a-z0-9+.-]*:|\/)/i.test(target)) {
      if (loaded || target.startsWith("/")) {
        throw new InputError(
          `${file} loads ${target}; the site must do without a network: put the file into it.`,
        );
      }
      return;
    }
    const [place, anchor] = decodeURI(target).split("#");
    const found = place === "" ? file : path.posix.join(path.posix.dirname(file), place);
    if (!files.has(found)) throw new InputError(`${file} links to ${target}, which is not in the site.`);
    if (anchor !== undefined && !ids.get(found)?.has(anchor)) {
      throw new InputError(`${file} links to ${target}, but ${found} has no heading of that name.`);
    }
  };
  for (const [file, content] of files) {
    if (file.endsWith(".html")) {
      for (const [, tag, double, single] of markup(String(content)).matchAll(REFERENCE)) {
        check(file, unescaped(double ?? single), tag !== "a");
      }
    } else if (file.endsWith(".css")) {
      for (const [, target] of String(content).matchAll(/url\(["']?([^"')]*)["']?\)/g))
        check(file, target, true);
    }
  }
  return links;
}
