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
