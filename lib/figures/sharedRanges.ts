import type { Json } from "./figure";
import type { SliderPosition } from "./slider";

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
