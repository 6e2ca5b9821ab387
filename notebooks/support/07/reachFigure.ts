import { colour, type Figure, line, panels } from "../../../lib/figures/figure";

/** Influence of the first cell on every cell, for one or more networks; zero influence is left out. */
export function reachFigure(
  curves: readonly { readonly name: string; readonly influence: Float64Array }[],
): Figure {
  const shades = [colour.third, colour.fourth, colour.fifth];
  const traces = curves.map(({ name, influence }, i) =>
    line(
      influence.map((_, cell) => cell),
      influence.map((value) => (value > 0 ? value : NaN)),
      {
        name,
        line: { color: shades[i % shades.length], width: 2.5 },
        hovertemplate: `${name}<br>cell %{x}: %{y:.1e}<extra></extra>`,
      },
    ),
  );
  const panel = { x: "cell", y: "influence of cell 0 (largest = 1)", yType: "log" as const, traces };
  return panels([panel], { width: 760, height: 380, text: "How far one cell's influence reaches" });
}
