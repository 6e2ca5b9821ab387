/** Figures of flow matching: lines and paths, and what a number of steps costs. */
import { colour, type Figure, line, panels, rounded, type Trace } from "../../../lib/figures/figure";

const SHADES = [colour.sgm, colour.pde, colour.third, colour.grey, colour.grey];

/** Pairs of data and noise joined by lines, and paths of the flow (states over r) on a line. */
export function linesAndFlowFigure(
  { x0, z }: { readonly x0: Float64Array; readonly z: Float64Array },
  { r, states }: { readonly r: readonly number[]; readonly states: readonly Float64Array[] },
): Figure {
  const thin = Array.from(r.keys()).filter((k) => k % 4 === 0);
  const path = (x: ArrayLike<number>, y: ArrayLike<number>): Trace =>
    line(x, y, {
      x: rounded(x, 3),
      y: rounded(y, 3),
      line: { color: colour.sgm, width: 1.3 },
      showlegend: false,
      hovertemplate: "r = %{x:.2f}<br>x = %{y:.2f}<extra></extra>",
    });
  const panel = { x: "flow time r (1)", xRange: [1, 0] as const, yRange: [-2.6, 2.6] as const };
  return panels(
    [
      {
        ...panel,
        title: "lines of the training",
        y: "x (1)",
        traces: Array.from(z, (noise, i) => path([1, 0], [noise, x0[i]])),
      },
      {
        ...panel,
        title: "the flow",
        y: "x (1)",
        traces: Array.from(z, (_, i) =>
          path(
            thin.map((k) => r[k]),
            thin.map((k) => states[k][i]),
          ),
        ),
      },
    ],
    { width: 860, height: 380, legend: false, text: "Lines from noise to data, and the flow" },
  );
}

/** Errors or distances over the number of steps, both on logarithmic axes. */
export function stepsFigure(
  { y, text }: { readonly y: string; readonly text: string },
  curves: readonly {
    readonly name: string;
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly dash?: string;
  }[],
): Figure {
  const traces = curves.map((curve, i) =>
    line(curve.x, curve.y, {
      name: curve.name,
      mode: "lines+markers",
      y: rounded(curve.y, 4),
      line: { color: SHADES[i % SHADES.length], width: 2.5, dash: curve.dash ?? "solid" },
      marker: { size: 7 },
      hovertemplate: `%{x} steps: %{y:.3g}<extra>${curve.name}</extra>`,
    }),
  );
  const panel = {
    x: "steps, one network call each (1)",
    y,
    xType: "log" as const,
    yType: "log" as const,
    xTicks: curves[0].x,
    traces,
  };
  return panels([panel], { width: 800, height: 460, text });
}
