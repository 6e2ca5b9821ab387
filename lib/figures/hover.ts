/** What hovering shows: every value with its symbol and unit, taken from the titles of the axes. */
import type { Figure, Json, Trace } from "./figure";

/** Gives every line and point of a figure a hover text with units, unless it has one. */
export function withHover(figure: Figure): Figure {
  return { ...figure, data: figure.data.map((trace) => hovered(trace, figure)) };
}

function hovered(trace: Trace, { layout }: Figure): Trace {
  if (trace["type"] !== "scatter" || trace["hoverinfo"] || trace["hovertemplate"]) return trace;
  const part = (axis: "x" | "y") => {
    const name = String(trace[`${axis}axis`] ?? axis).replace(axis, `${axis}axis`);
    const { title } = (layout[name] ?? {}) as { title?: { readonly [key: string]: Json } };
    const [, label, unit] = /^(.*?)(?: \(([^()]*)\))?$/.exec(String(title?.["text"] ?? axis)) ?? [];
    return `${label} = %{${axis}:.5~g}${unit && unit !== "1" ? ` ${unit}` : ""}`;
  };
  // Without <extra> the box names the trace, which says nothing where the trace has no name.
  return {
    ...trace,
    hovertemplate: `${part("x")}<br>${part("y")}${trace["name"] ? "" : "<extra></extra>"}`,
  };
}
