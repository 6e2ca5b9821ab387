import { colour, type Figure, line, panels } from "./figure";

/** Influence of the first cell on every cell, for one or more networks; zero influence is left out. */
export function reachFigure(
  curves: readonly { readonly name: string; readonly influence: Float64Array }[],
): Figure {
  const shades = [colour.sgm, colour.third, colour.fourth];
  const traces = curves.map(({ name, influence }, i) =>
    line(
      influence.map((_, cell) => cell),
      influence.map((value) => (value > 0 ? value : NaN)),
      { name, line: { color: shades[i % shades.length], width: 2.5 } },
    ),
  );
  const panel = { x: "cell", y: "influence of cell 0", yType: "log" as const, traces };
  return panels([panel], { width: 760, height: 380, text: "How far one cell's influence reaches" });
}
