import type { Problem } from "../../../lib/problem";
import type { ConditionalSpread } from "./conditionalSpread";
import { colour, type Figure, panels, points } from "../../../lib/figures/figure";

/** Spread of each field within a condition, as a share of its one global scale, against the correlation length. */
export function scalingFigure(problem: Problem, spreads: readonly ConditionalSpread[]): Figure {
  const x = spreads.map(({ conditions }) => 1e6 * conditions[0]);
  const shades = [colour.third, colour.fourth];
  const traces = problem.fields.map(({ symbol }, f) =>
    points(
      x,
      spreads.map(({ shares }) => 100 * shares[f]),
      {
        name: symbol,
        marker: { size: 7, color: shades[f], opacity: 0.7 },
        customdata: spreads.map(({ conditions }) => [conditions[1], Number(conditions[2].toPrecision(3))]),
        hovertemplate: `${symbol}: %{y:.2g} %<br>l = %{x:.3g} µm, U0 = %{customdata[0]:.2f} V, F = %{customdata[1]} A/m²<extra></extra>`,
      },
    ),
  );
  const panel = {
    x: "correlation length l (µm)",
    y: "spread (% of the global scale)",
    xType: "log" as const,
    yType: "log" as const,
    traces,
  };
  return panels([panel], {
    width: 760,
    height: 450,
    text: "Spread of the fields within one condition",
  });
}
