/** The frame around every page. */
import { escaped } from "./html";
import type { Heading } from "./markdown";

export interface Neighbour {
  readonly href: string;
  readonly html: string;
}

export interface PageParts {
  /** For the window's title, plain text. */
  readonly title: string;
  /** What leads from the page's folder to the site's: "" or "../". */
  readonly up: string;
  readonly body: string;
  readonly headings?: readonly Heading[];
  readonly previous?: Neighbour;
  readonly next?: Neighbour;
}

const step = (neighbour: Neighbour | undefined, rel: "prev" | "next"): string =>
  neighbour === undefined
    ? "<span></span>"
    : `<a rel="${rel}" href="${neighbour.href}">${neighbour.html}</a>`;

function contents(headings: readonly Heading[]): string {
  const items = headings
    .filter(({ level }) => level === 2 || level === 3)
    .map(
      ({ level, id, html }) =>
        `<li class="level-${level}"><a href="#${escaped(encodeURI(id))}">${html}</a></li>`,
    );
  return items.length < 2
    ? ""
    : `<nav class="contents" aria-label="Contents"><p>On this page</p><ol>${items.join("")}</ol></nav>\n`;
}

/** A whole page. */
export function pageHtml({ title, up, body, headings = [], previous, next }: PageParts): string {
  const steps =
    (previous ?? next) ? `<nav class="steps">${step(previous, "prev")}${step(next, "next")}</nav>\n` : "";
  return `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="porous-sgm">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="${up}assets/katex/katex.css">
<link rel="stylesheet" href="${up}assets/style.css">
<script defer src="${up}assets/page.js"></script>
</head>
<body>
<header><a href="${up}index.html">porous-sgm</a>${steps}</header>
<main>
${body.replace("</h1>\n", (end) => end + contents(headings))}${steps}</main>
</body>
</html>
`;
}
