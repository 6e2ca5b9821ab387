/** The executed notebooks as a static site: nbconvert makes the pages (pages.py), KaTeX sets their formulas. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import katex from "katex";
import { InputError } from "../../lib/backend/errors";

const { python, environment } = require("../environment") as {
  python: string;
  environment: () => NodeJS.ProcessEnv;
};

const { deadline } = require("../processes") as {
  deadline: (seconds: number) => { timeout: number; killSignal: "SIGKILL" };
};

export interface Site {
  /** HTML by the page's file in the site. */
  readonly pages: Readonly<Record<string, string>>;
  readonly figures: number;
  readonly formulas: number;
  readonly links: number;
}

const FORMULA = /<span class="formula( displayed)?" data-place="([^"]*)">([^<]*)<\/span>/g;
const MARK = '<meta content="porous-sgm" name="generator"/>';

/** Text of a page as the author wrote it. */
const unescaped = (text: string): string =>
  text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, "&");

/** Builds the pages of a folder of notebooks; throws InputError, a line on each fault, for what a page could not show. */
export function buildSite(folder: string): Site {
  const { status, stdout, stderr } = spawnSync(python, [path.join(__dirname, "pages.py"), folder], {
    encoding: "utf8",
    env: environment(),
    maxBuffer: 2 ** 30,
    ...deadline(600),
  });
  if (status === 2) throw new InputError(stderr.trim());
  if (status !== 0) throw new Error(stderr);
  const { pages, figures, links } = JSON.parse(stdout) as Omit<Site, "formulas">;
  let formulas = 0;
  const faults = new Set<string>();
  /** HTML of a formula, with MathML for screen readers; what KaTeX complains about is a fault. */
  const rendered = (_: string, displayed: string | undefined, place: string, text: string): string => {
    if (place.includes(", cell ")) formulas++; // not those of the first page and of titles that lead on
    const tex = unescaped(text);
    try {
      const options = { displayMode: displayed !== undefined, throwOnError: true, strict: "error" } as const;
      const html = katex.renderToString(tex, options);
      return displayed === undefined ? html : `<span class="formula">${html}</span>`;
    } catch (error) {
      const reason = (error as Error).message.replace(/^KaTeX parse error: /, "");
      faults.add(`${place}: the formula ${tex.trim()} cannot be rendered: ${reason}.`);
      return "";
    }
  };
  const set = Object.entries(pages).map(([file, html]) => [file, html.replace(FORMULA, rendered)] as const);
  if (faults.size > 0) throw new InputError([...faults].join("\n"));
  return { pages: Object.fromEntries(set), figures, formulas, links };
}

/** What all pages share: Plotly, KaTeX's fonts and styles, the site's own style and script. */
function writeAssets(folder: string): void {
  const plotly = path.dirname(require.resolve("plotly.js-dist/package.json"));
  const math = path.dirname(require.resolve("katex/package.json"));
  const copies = [
    [path.join(__dirname, "style.css"), "style.css"],
    [path.join(__dirname, "page.js"), "page.js"],
    [path.join(__dirname, "..", "lab", "porous-sgm-figures", "static", "figures.js"), "figures.js"],
    [path.join(plotly, "plotly.js"), "plotly/plotly.js"],
    [path.join(plotly, "LICENSE"), "plotly/LICENSE"],
    [path.join(math, "dist", "katex.min.css"), "katex/katex.css"],
    [path.join(math, "dist", "fonts"), "katex/fonts"],
    [path.join(math, "LICENSE"), "katex/LICENSE"],
  ];
  for (const [from, to] of copies) fs.cpSync(from, path.join(folder, to), { recursive: true });
}

/** Replaces the folder by the site; throws InputError if something else than an earlier site is there. */
export function writeSite({ pages }: Site, folder: string): void {
  if (fs.existsSync(folder)) {
    const index = path.join(folder, "index.html");
    const ours = fs.existsSync(index) && fs.readFileSync(index, "utf8").includes(MARK);
    if (!ours && !(fs.statSync(folder).isDirectory() && fs.readdirSync(folder).length === 0)) {
      throw new InputError(
        `${folder} holds something else than an earlier site; name an empty or a new folder.`,
      );
    }
    fs.rmSync(folder, { recursive: true });
  }
  for (const [name, html] of Object.entries(pages)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, html);
  }
  writeAssets(path.join(folder, "assets"));
}
