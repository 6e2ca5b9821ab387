/** Figures of scores on a line and of the way from noise to data. */
import type { GaussianMixture } from "../../../lib/evaluation/gaussianMixture";
import { colour, type Figure, line, panels, rounded, type Trace } from "../../../lib/figures/figure";
import type { Schedule } from "../../../lib/schedule";

/** White to blue-grey: arrows and points stay visible on it. */
const DENSITY_SCALE = [
  [0, "#ffffff"],
  [1, "#8fb4cc"],
] as const;

/** A density on a line, its logarithm and the slope of the logarithm: the score. */
export function scoreLineFigure(mixture: GaussianMixture, reach = 2.5): Figure {
  const x = Float64Array.from({ length: 201 }, (_, i) => -reach + (2 * reach * i) / 200);
  const log = mixture.logDensity(x);
  const panel = (y: string, values: Float64Array, color: string) => ({
    x: "x (1)",
    y,
    traces: [
      line(x, values, {
        line: { color, width: 2.5 },
        hovertemplate: "x = %{x:.2f}<br>%{y:.3f}<extra></extra>",
      }),
    ],
  });
  return panels(
    [
      panel("density p (1)", log.map(Math.exp), colour.pde),
      panel("log p (1)", log, colour.third),
      panel("score: slope of log p (1)", mixture.score(x), colour.fourth),
    ],
    { width: 900, height: 330, legend: false, text: "A density, its logarithm and its score" },
  );
}

/** Paths of points on a line over time, from noise (left) to data (right), on the density of x_t. */
export function spaceTimeFigure(
  groups: readonly {
    readonly title: string;
    readonly times: Float64Array;
    readonly paths: readonly Float64Array[]; // values at the times
  }[],
  data: GaussianMixture, // of x_0, in one dimension
  schedule: Schedule,
  reach = 2.6,
): Figure {
  const side = 31;
  const x = Float64Array.from({ length: side }, (_, i) => -reach + (2 * reach * i) / (side - 1));
  const times = Float64Array.from({ length: side }, (_, i) => (schedule.endTime * i) / (side - 1));
  const columns = Array.from(times, (t) => data.marginal(schedule, t).logDensity(x).map(Math.exp));
  const z = Array.from(x, (_, row) =>
    columns.map((column) => Number((column[row] / Math.max(...column)).toFixed(2))),
  );
  const background: Trace = {
    type: "contour", // flat colours: a smaller picture than a heat map's
    x: rounded(times, 4),
    y: rounded(x, 4),
    z,
    zmin: 0,
    zmax: 1,
    contours: { start: 0.1, end: 0.9, size: 0.1 },
    line: { width: 0 },
    colorscale: DENSITY_SCALE,
    showscale: false,
    hovertemplate: "t = %{x:.2f}, X = %{y:.2f}<br>density %{z} of its largest<extra></extra>",
  };
  const list = groups.map(({ title, times: own, paths }) => ({
    title,
    x: "diffusion time t (1)",
    y: "X (1)",
    xRange: [schedule.endTime, 0] as const,
    yRange: [-reach, reach] as const,
    traces: [
      background,
      ...paths.map((path) => ({
        x: rounded(own, 3),
        y: rounded(path, 3),
        line: { color: colour.sgm, width: 1.1 },
        showlegend: false,
        hovertemplate: "t = %{x:.2f}<br>X = %{y:.2f}<extra></extra>",
      })),
    ],
  }));
  return panels(list, { width: 800, height: 360, legend: false, text: "Paths from noise to data" });
}

/** Root mean square distance from the origin on the way from noise to data, one curve a process. */
export function radiusFigure(
  curves: readonly {
    readonly name: string;
    readonly hex: string;
    readonly times: readonly number[];
    readonly radii: readonly number[];
    readonly dash?: string;
  }[],
): Figure {
  const traces = curves.map(({ name, hex, times, radii, dash = "solid" }) =>
    line(times, radii, {
      name,
      line: { color: hex, width: 2.5, dash },
      hovertemplate: `t = %{x:.2f}<br>distance %{y:.3g}<extra>${name}</extra>`,
    }),
  );
  const first = Math.max(...curves.flatMap(({ times }) => times));
  const panel = {
    x: "diffusion time t (1)",
    y: "rms distance from the origin (1)",
    xRange: [first, 0] as const,
    yType: "log" as const,
    traces,
  };
  return panels([panel], {
    width: 760,
    height: 430,
    text: "How far points are from the origin on their way",
  });
}
