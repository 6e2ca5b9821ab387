/** Figures of points in the plane: vector fields, clouds, distances to a sample. */
import type { GaussianMixture } from "../evaluation/gaussianMixture";
import { colour, faded, type Figure, line, panels, points, rounded, type Trace } from "./figure";

/** A vector field in the plane to be drawn. */
export interface PlaneField {
  readonly title: string;
  /** x, y pairs -> vectors, pairs */
  readonly vectors: (points: Float64Array) => Float64Array;
  /** Points behind the arrows, pairs. */
  readonly cloud?: Float64Array;
  /** A density behind both. */
  readonly density?: GaussianMixture;
}

/**
 * Arrows of vector fields in the plane on a square lattice, over a density, points or both.
 *
 * The length of an arrow grows with the logarithm of the vector's length, as scores range over decades.
 */
export function vectorFieldFigure(fields: readonly PlaneField[], reach = 3, lattice = 11): Figure {
  const places = square(reach, lattice);
  const range = [-reach - 0.3, reach + 0.3] as const;
  const list = fields.map(({ title, vectors, cloud, density }) => {
    const traces: Trace[] = arrows(places, vectors(places));
    if (cloud) traces.unshift(cloudTrace(cloud, colour.pde, "points", 400));
    if (density) traces.unshift(ellipses(density, 2), ellipses(density, 1));
    return { title, x: "x₁ (1)", y: "x₂ (1)", xRange: range, yRange: range, square: true, traces };
  });
  return panels(list, {
    width: 20 + 410 * fields.length,
    height: 480,
    legend: false,
    text: `Score vectors: ${fields.map(({ title }) => title).join(", ")}`,
  });
}

/**
 * Arrows as two traces of markers, shafts and heads, whose angles and sizes are all that a slider has to change.
 *
 * An arrow ends at its place. Even the shortest has a shaft: without one nobody sees where it points.
 */
function arrows(places: Float64Array, values: Float64Array): Trace[] {
  const of = (k: number) => Array.from({ length: places.length / 2 }, (_, i) => values[2 * i + k]);
  const [dx, dy] = [of(0), of(1)];
  const lengths = dx.map((value, i) => Math.hypot(value, dy[i]));
  const shafts = lengths.map((length) => Number((9 + 13 * Math.min(1, Math.log1p(length) / 4)).toFixed(1)));
  const common = {
    x: rounded(places.filter((_, i) => i % 2 === 0)),
    y: rounded(places.filter((_, i) => i % 2 === 1)),
    mode: "markers",
    name: "score",
  };
  const angle = dx.map((value, i) => Math.round((Math.atan2(value, dy[i]) * 180) / Math.PI)); // clockwise from above
  const color = "#333";
  const shaft = {
    ...common,
    // Of a "line-ns" the size is half its length; the standoff moves it back, so that it ends at its place.
    marker: {
      symbol: "line-ns",
      angle,
      size: shafts.map((length) => Number((length / 2).toFixed(1))),
      standoff: shafts.map((length) => Number((length / 2).toFixed(1))),
      opacity: 1,
      line: { width: 1.3, color },
    },
    hoverinfo: "skip",
  };
  const head = {
    ...common,
    marker: { symbol: "arrow", angle, size: 7, color, opacity: 1, line: { width: 0 } },
    customdata: dx.map((value, i) => [value, dy[i]].map((v) => Number(v.toPrecision(3)))),
    hovertemplate:
      "x₁ = %{x:.2f}, x₂ = %{y:.2f}<br>score (%{customdata[0]}, %{customdata[1]})<extra></extra>",
  };
  return [shaft, head];
}

/** Ellipses so many standard deviations around the Gaussians of a mixture, filled. */
function ellipses(mixture: GaussianMixture, deviations: number, corners = 24): Trace {
  const [x, y]: (number | null)[][] = [[], []];
  for (const { mean, variances, axes } of mixture.components) {
    for (let k = 0; k <= corners; k++) {
      const angle = (2 * Math.PI * k) / corners;
      const [a, b] = [Math.cos(angle), Math.sin(angle)].map(
        (v, j) => deviations * v * Math.sqrt(variances[j]),
      );
      x.push(Number((mean[0] + axes[0] * a + axes[1] * b).toFixed(2)));
      y.push(Number((mean[1] + axes[2] * a + axes[3] * b).toFixed(2)));
    }
    x.push(null);
    y.push(null);
  }
  const fillcolor = faded(colour.pde, 0.22);
  return { x, y, fill: "toself", fillcolor, line: { width: 0 }, hoverinfo: "skip", showlegend: false };
}

/** Points (x, y pairs) of a square lattice. */
function square(reach: number, side: number): Float64Array {
  const at = (k: number) => -reach + (2 * reach * k) / (side - 1);
  return Float64Array.from({ length: 2 * side * side }, (_, i) => {
    const point = i >> 1;
    return at(i % 2 === 0 ? point % side : Math.floor(point / side));
  });
}

/** Clouds of points in the plane, side by side. */
export function cloudsFigure(
  clouds: readonly {
    readonly title: string;
    readonly points: Float64Array;
    readonly hex: string;
    readonly name: string;
  }[],
  reach = 3,
  most = 200,
): Figure {
  const range = [-reach, reach] as const;
  const list = clouds.map(({ title, points: cloud, hex, name }) => ({
    title,
    x: "x₁ (1)",
    y: "x₂ (1)",
    xRange: range,
    yRange: range,
    square: true,
    traces: [cloudTrace(cloud, hex, name, most)],
  }));
  return panels(list, { width: 900, height: 400, text: clouds.map(({ title }) => title).join(", ") });
}

function cloudTrace(cloud: Float64Array, hex: string, name: string, most: number): Trace {
  const rows = Math.min(most, cloud.length / 2);
  const [x, y] = [0, 1].map((k) => Array.from({ length: rows }, (_, i) => cloud[2 * i + k]));
  return points(x, y, {
    name,
    x: rounded(x, 4),
    y: rounded(y, 4),
    marker: { size: 4, color: faded(hex, 0.5) },
    hovertemplate: `x₁ = %{x:.2f}, x₂ = %{y:.2f}<extra>${name}</extra>`,
  });
}

/** Shares of points that lie nearer than a distance to the nearest point of a sample. */
export function nearestFigure(
  sets: readonly {
    readonly name: string;
    readonly hex: string;
    readonly distances: Float64Array;
    readonly dash?: string;
  }[],
  smallest?: number, // nearer ones, and 0, which has no logarithm, are drawn here
): Figure {
  const count = 100;
  const traces = sets.map(({ name, hex, distances, dash = "solid" }) => {
    const sorted = distances.map((d) => (smallest === undefined ? d : Math.max(d, smallest))).sort();
    const share = Float64Array.from({ length: count }, (_, i) => (i + 0.5) / count);
    const x = share.map((u) => sorted[Math.floor(u * sorted.length)]);
    return line(x, share, {
      name,
      line: { color: hex, width: 2.5, dash },
      hovertemplate: `%{y:.0%} lie nearer than %{x:.3g}<extra>${name}</extra>`,
    });
  });
  const panel = {
    x: "distance to the nearest sample (1)",
    y: "share of points (1)",
    xType: "log" as const,
    xRange: smallest === undefined ? undefined : ([Math.log10(smallest / 2), 0.3] as const), // off the frame
    traces,
  };
  return panels([panel], { width: 760, height: 420, text: "Distance to the nearest sample" });
}
