/** Outputs of cells as HTML: figures, tables, text. */
import { escaped, scriptJson } from "./html";
import { joined, type Output } from "./notebook";

const PLOTLY = "application/vnd.plotly.v1+json";

/** A Plotly figure as notebooks keep it. */
export interface PlotlyBundle {
  readonly data: readonly object[];
  readonly layout: { readonly width?: number; readonly height?: number; readonly font?: object };
  readonly config?: object;
  readonly frames?: readonly object[] | null;
}

/** What outputs need of the page they are on. */
export interface OutputPage {
  /** Puts a picture into the site; returns the address that the page gives it. */
  readonly picture: (png: Buffer) => string;
  /** Figures so far. */
  figures: number;
}

type Bundle = Readonly<Record<string, unknown>>;

const textOf = (bundle: Bundle, type: string): string => joined(bundle[type] as string);

function pictureOf(bundle: Bundle, size: string, page: OutputPage): string {
  const png = bundle["image/png"];
  if (png === undefined) return "";
  const alt = bundle["text/plain"] === undefined ? "figure" : textOf(bundle, "text/plain").trim();
  const src = page.picture(Buffer.from(joined(png as string), "base64"));
  return `<img src="${src}" alt="${escaped(alt)}"${size} decoding="async">`;
}

/** The picture, and beside it what assets/page.js draws in its place when the reader comes near. */
function plotlyFigure(bundle: Bundle, page: OutputPage): string {
  const { data, layout, config, frames } = bundle[PLOTLY] as PlotlyBundle;
  // What Plotly takes for lengths that are not given; the script scales them with the others.
  const { width = 700, height = 450 } = layout;
  const sized = { ...layout, width, height, font: { size: 12, ...layout.font } };
  // No button that uploads the figure: the site has nothing to do with a network.
  const offline = { displaylogo: false, ...config, showSendToCloud: false };
  const drawn = { data, layout: sized, config: offline, frames: frames ?? undefined };
  const picture = pictureOf(bundle, ` width="${width}" height="${height}"`, page);
  const json = `<script type="application/json">${scriptJson(drawn)}</script>`;
  page.figures++;
  return `<div class="figure" id="figure-${page.figures}">${picture}${json}</div>\n`;
}

// Colours for a terminal.
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, "g");

const textBlock = (text: string, kind: string): string => {
  const plain = text.replace(ESCAPES, "").replace(/\s+$/, "");
  return plain === "" ? "" : `<pre class="output ${kind}">${escaped(plain)}</pre>\n`;
};

/** The richest form of an output that a page can show. */
function bundleHtml(bundle: Bundle, page: OutputPage): string {
  if (bundle[PLOTLY] !== undefined) return plotlyFigure(bundle, page);
  if (bundle["text/html"] !== undefined)
    return `<div class="output table">${textOf(bundle, "text/html")}</div>\n`;
  if (bundle["image/png"] !== undefined) return `<div class="picture">${pictureOf(bundle, "", page)}</div>\n`;
  return bundle["text/plain"] === undefined ? "" : textBlock(textOf(bundle, "text/plain"), "text");
}

/** All outputs of a cell; what it printed line by line is one block. */
export function outputsHtml(outputs: readonly Output[], page: OutputPage): string {
  const parts: string[] = [];
  let printed = { name: "", text: "" };
  const flush = (): void => {
    parts.push(textBlock(printed.text, printed.name));
    printed = { name: "", text: "" };
  };
  for (const { output_type, name = "stdout", text = "", data = {} } of outputs) {
    if (output_type !== "stream" || name !== printed.name) flush();
    if (output_type === "stream") printed = { name, text: printed.text + joined(text) };
    else parts.push(bundleHtml(data, page));
  }
  flush();
  return parts.join("");
}
