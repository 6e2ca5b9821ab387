/** Figures and tables in a notebook: one bundle of several MIME types, of which each viewer takes its best. */
import { table } from "../evaluation/table";
import type { Figure, Trace } from "./figure";

type Write = (
  content: { data: Record<string, unknown>; metadata: object; transient: object },
  update: boolean,
) => void;

/**
 * tslab's way out to the notebook, or undefined outside a kernel.
 *
 * tslab's public display sends one MIME type at a time; the function behind it takes a bundle. It is internal to
 * tslab, whose version package.json therefore pins.
 */
function writer(): Write | undefined {
  const module = require.resolve("tslab/dist/jupyter");
  if (!require.cache[module]) return undefined;
  return (require("tslab/dist/jupyter") as { lastWriteDisplayData?: Write }).lastWriteDisplayData;
}

/** Sends one bundle; `id` names an output that later bundles with the same id replace. */
function display(data: Record<string, unknown>, id?: string, update = false): void {
  writer()?.({ data, metadata: {}, transient: id ? { display_id: id } : {} }, update);
}

/** No logo, and no button that sends the figure to a server. */
const CONFIG = { displaylogo: false, showSendToCloud: false };

/** The MIME bundle of a figure: live Plotly for JupyterLab and VS Code, a PNG for GitHub, text for the rest. */
export async function bundleOf(figure: Figure): Promise<Record<string, unknown>> {
  const { layout, frames, text } = figure;
  const data = figure.data.map(withAllPoints);
  const { pngOf } = await import("./png"); // by a program beside Node: not where there is none
  const png = await pngOf({ ...figure, data });
  return {
    "application/vnd.plotly.v1+json": {
      data,
      layout,
      config: CONFIG,
      ...(frames ? { frames } : {}),
    },
    "image/png": png.toString("base64"),
    "text/plain": text ?? "figure",
  };
}

/** Plotly drops points of a line that lie within a pixel or so of it, and a smooth curve looks like a polygon then. */
function withAllPoints(trace: Trace): Trace {
  const { line } = trace;
  return line && trace["type"] === "scatter"
    ? { ...trace, line: { ...(line as Trace), simplify: false } }
    : trace;
}

/** Shows a figure below the cell. Await it: the picture is drawn by another process. */
export async function show(figure: Figure): Promise<void> {
  if (writer()) display(await bundleOf(figure));
}

/** What is shown of a table; a danfo.js data frame is one. */
export interface Table {
  readonly index: readonly (string | number)[];
  readonly columns: readonly string[];
  readonly values: unknown;
}

/** Shows a table (such as a danfo.js data frame) as HTML, with a text form for other viewers. */
export function showTable({ index, columns, values }: Table): void {
  const rows = values as (string | number)[][];
  const text = [["", ...columns], ...rows.map((row, i) => [index[i], ...row])].map((row) => row.map(String));
  const plain = table(text, 0, false);
  if (!writer()) {
    console.log(plain);
    return;
  }
  const escape = (cell: string) => cell.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const html = text.map((row, i) => {
    const cells = row.map((cell, k) =>
      i === 0 || k === 0 ? `<th>${escape(cell)}</th>` : `<td>${escape(cell)}</td>`,
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  display({ "text/html": `<table>${html.join("")}</table>`, "text/plain": plain });
}

/** Shows lines of text as an output of their own. */
export function showText(text: string): void {
  if (writer()) display({ "text/plain": text });
  else console.log(text);
}

/** An output that is replaced by each update, at most once in `interval` milliseconds. */
export class LiveFigure {
  constructor(private readonly interval = 500) {}

  private readonly id = crypto.randomUUID();
  private shown = false;
  private last = 0;

  /** Replaces the figure, unless the last update is younger than the interval. */
  update(figure: () => Figure): void {
    if (!writer() || Date.now() - this.last < this.interval) return;
    this.last = Date.now();
    const { data, layout, text } = figure();
    display(
      { "application/vnd.plotly.v1+json": { data, layout, config: CONFIG }, "text/plain": text ?? "figure" },
      this.id,
      this.shown,
    );
    this.shown = true;
  }

  /** The last state, with its PNG. */
  async finish(figure: Figure): Promise<void> {
    if (!writer()) return;
    display(await bundleOf(figure), this.id, this.shown);
    this.shown = true;
  }
}

/** A line of text that is replaced by each update, at most twice a second. */
export class LiveText {
  private readonly id = crypto.randomUUID();
  private shown = false;
  private last = 0;

  update(text: () => string): void {
    if (Date.now() - this.last < 500) return;
    this.last = Date.now();
    this.put(text());
  }

  /** The last state. */
  finish(text: string): void {
    this.put(text);
  }

  private put(text: string): void {
    display({ "text/plain": text }, this.id, this.shown);
    this.shown = true;
  }
}
