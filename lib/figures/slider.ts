import type { Figure, Json, Trace } from "./figure";

/** One position of a slider: its label and the whole figure it stands for. */
export interface SliderPosition {
  readonly label: string;
  readonly figure: Figure;
}

/**
 * One figure with a slider over several, which moves without a kernel: in JupyterLab, VS Code and on a web page.
 *
 * All figures have the same traces in the same order and the same panels; what differs between them (curves, titles,
 * annotations) becomes a Plotly frame. Frames are named by the positions' indices, "0", "1" and so on. `active` is
 * what a picture shows; `prefix` stands before the label above the slider. Ranges of axes should be fixed in all
 * figures, or they jump. Throws an Error when the traces do not match.
 */
export function withSlider(
  positions: readonly SliderPosition[],
  options: { prefix?: string; active?: number; text?: string } = {},
): Figure {
  const { prefix = "", active = 0, text } = options;
  const { figure } = positions[active];
  const height = Number(figure.layout["height"] ?? 400) + ROOM;
  const margin = figure.layout["margin"] as { readonly [key: string]: Json } | undefined;
  const bottom = Number(margin?.["b"] ?? 80);
  const plot = height - Number(margin?.["t"] ?? 80) - bottom - ROOM;
  const slider = {
    active,
    currentvalue: { prefix, xanchor: "center", font: { size: 15 } },
    x: 0.08,
    len: 0.84,
    // Below the axes and the legend, whatever the figure's height: y counts in heights of the plot.
    y: -(bottom - 15) / plot,
    yanchor: "top",
    pad: { t: 5, b: 5 },
    steps: positions.map(({ label }, index) => ({
      label,
      method: "animate",
      args: [
        [String(index)],
        { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } },
      ],
    })),
  };
  return {
    ...figure,
    layout: { ...figure.layout, height, margin: { ...margin, b: bottom + ROOM }, sliders: [slider] },
    frames: positions.map(({ label, figure: other }, index) => {
      if (other.data.length !== figure.data.length) {
        throw new Error(
          `"${label}" has ${other.data.length} traces; the slider needs ${figure.data.length}.`,
        );
      }
      return {
        name: String(index),
        data: other.data.map((trace, k) => changed(trace, positions, k)),
        layout: { title: other.layout["title"] ?? { text: "" }, annotations: other.layout["annotations"] },
      };
    }),
    text: text ?? figure.text,
  };
}

/** Pixels that a slider takes below a figure. */
const ROOM = 75;

/** Those properties of the k-th trace that some position changes: a frame need not repeat the rest. */
function changed(trace: Trace, positions: readonly SliderPosition[], k: number): Trace {
  const same = (key: string) => {
    const first = JSON.stringify(positions[0].figure.data[k][key]);
    return positions.every(({ figure }) => JSON.stringify(figure.data[k][key]) === first);
  };
  return Object.fromEntries(Object.entries(trace).filter(([key]) => !same(key)));
}

/** Gives all positions of a slider the same range on each y axis, wide enough for all, so that nothing jumps. */
export function sharedRanges(positions: readonly SliderPosition[]): SliderPosition[] {
  const extremes = new Map<string, [number, number]>();
  for (const { figure } of positions) {
    for (const trace of figure.data) {
      const axis = String(trace["yaxis"] ?? "y").replace("y", "yaxis");
      const { type } = figure.layout[axis] as { type?: string };
      const range = extremes.get(axis) ?? [Infinity, -Infinity];
      for (const value of (trace["y"] as readonly Json[] | undefined) ?? []) {
        if (typeof value !== "number" || !Number.isFinite(value) || (type === "log" && value <= 0)) continue;
        const place = type === "log" ? Math.log10(value) : value; // the unit of a logarithmic axis's range
        range[0] = Math.min(range[0], place);
        range[1] = Math.max(range[1], place);
      }
      extremes.set(axis, range);
    }
  }
  return positions.map(({ label, figure }) => {
    const layout: Record<string, Json> = { ...figure.layout };
    for (const [axis, [low, high]] of extremes) {
      const pad = 0.05 * (high - low || 1);
      const old = layout[axis] as { readonly [key: string]: Json };
      const range = [low - pad, high + pad].map((value) => Number(value.toPrecision(5)));
      layout[axis] = { ...old, range: old["range"] ?? range };
    }
    return { label, figure: { ...figure, layout } };
  });
}
