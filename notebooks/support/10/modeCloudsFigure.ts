import { colour, type Figure, panels, rounded, type Trace } from "../../../lib/figures/figure";

/** Coordinates along the leading modes, each in its standard deviations: (rows, modes). */
export interface ModeCloud {
  readonly name: "PDE" | "SGM";
  readonly coordinates: Float64Array;
  readonly modes: number;
}

/** Two-dimensional marginals: clouds of PDE and SGM along pairs of modes, numbered from 0, a panel a pair. */
export function modeCloudsFigure(
  clouds: readonly ModeCloud[],
  pairs: readonly (readonly [number, number])[],
  rows = 400,
): Figure {
  const list = pairs.map(([a, b]) => {
    const traces = clouds.map(({ name, coordinates, modes }): Trace => {
      const along = (mode: number) =>
        rounded(coordinates.filter((_, i) => i % modes === mode).subarray(0, rows), 3);
      const marker =
        name === "PDE"
          ? { color: colour.pde, size: 5, opacity: 0.6 }
          : { color: colour.sgm, size: 6, opacity: 0.7, symbol: "x-thin-open", line: { width: 1 } };
      return {
        name,
        mode: "markers",
        x: along(a),
        y: along(b),
        marker,
        hovertemplate: `${name}<br>mode ${a + 1}: %{x}<br>mode ${b + 1}: %{y}<extra></extra>`,
      };
    });
    const range = [-3.7, 3.7] as const;
    return {
      x: `mode ${a + 1} (standard deviations)`,
      y: `mode ${b + 1} (standard deviations)`,
      xRange: range,
      yRange: range,
      traces,
    };
  });
  return panels(list, { width: 780, height: 440, text: "PDE and SGM along pairs of leading modes" });
}
