/** Figures of the gallery's notebook 4: drifts in the plane, densities and their Gaussians, one-dimensional references. */
import {
  colour,
  faded,
  type Figure,
  line,
  panels,
  points,
  rounded,
  type Trace,
} from "../../../lib/figures/figure";
import type { Density } from "../../../lib/gallery/fokkerPlanck";
import { gaussianProcessDrift, type Velocities } from "../../../lib/gallery/direct-matching/system";
import type { Gaussian } from "../../../lib/gallery/gaussianMoments";

const axes = { x: "x₁ (1)", y: "x₂ (1)", square: true } as const;

/** Arrows (segments with a head) from places (count, 2) along vectors times `scale`. */
function arrows(
  places: Float64Array,
  vectors: Float64Array,
  scale: number,
  hex: string,
  name: string,
): Trace {
  const [x, y]: (number | null)[][] = [[], []];
  for (let k = 0; k < places.length; k += 2) {
    const [px, py, dx, dy] = [places[k], places[k + 1], scale * vectors[k], scale * vectors[k + 1]];
    const [hx, hy] = [px + dx, py + dy];
    x.push(px, hx, hx - 0.3 * dx + 0.15 * dy, hx, hx - 0.3 * dx - 0.15 * dy, null);
    y.push(py, hy, hy - 0.3 * dy - 0.15 * dx, hy, hy - 0.3 * dy + 0.15 * dx, null);
  }
  const short = (values: (number | null)[]) => values.map((v) => (v === null ? null : Number(v.toFixed(3))));
  return { x: short(x), y: short(y), name, line: { color: hex, width: 1.5 }, hoverinfo: "skip" };
}

function lattice(
  low: readonly [number, number],
  high: readonly [number, number],
  side: number,
): Float64Array {
  const at = (k: number, i: number) => low[i] + ((high[i] - low[i]) * k) / (side - 1);
  return Float64Array.from({ length: 2 * side * side }, (_, k) =>
    k % 2 === 0 ? at((k >> 1) % side, 0) : at(Math.floor((k >> 1) / side), 1),
  );
}

/** Drifts that come from velocities, side by side, over the standard deviation that their noise adds in a unit of time. */
export function driftsFigure(
  list: readonly { title: string; velocities: Velocities; cloud?: Float64Array; seen?: boolean }[],
): Figure {
  const places = lattice([-0.9, -0.7], [1, 0.9], 14);
  const cells = lattice([-0.95, -0.75], [1.05, 0.95], 40);
  const built = list.map(({ title, velocities, cloud, seen = true }) => {
    const diffusion = gaussianProcessDrift(velocities);
    const spread = diffusion.spread(cells);
    const z = Array.from({ length: 40 }, (_, j) =>
      Array.from({ length: 40 }, (_, i) => Number(Math.sqrt(spread[2 * (40 * j + i)]).toFixed(3))),
    );
    const traces: Trace[] = [
      {
        type: "heatmap",
        z,
        x: Array.from({ length: 40 }, (_, i) => Number(cells[2 * i].toFixed(3))),
        y: Array.from({ length: 40 }, (_, j) => Number(cells[80 * j + 1].toFixed(3))),
        colorscale: [[0, "#ffffff"], [1, "#c9c9c9"]], // prettier-ignore
        showscale: false,
        hovertemplate: "x₁ = %{x:.2f}, x₂ = %{y:.2f}<br>√q = %{z:.2f}<extra></extra>",
      },
      arrows(places, diffusion.drift(places), 0.09, "#555", "drift f"),
    ];
    if (cloud) traces.push(scatterOf(cloud, "points seen"));
    if (seen)
      traces.push(
        arrows(velocities.places, velocities.values, 0.09, colour.sgm, "velocities at the nine places"),
      );
    return { title, ...axes, xRange: [-0.95, 1.05] as const, yRange: [-0.75, 0.95] as const, traces };
  });
  return panels(built, {
    width: 20 + 420 * list.length,
    height: 480,
    text: list.map(({ title }) => title).join(", "),
  });
}

function scatterOf(cloud: Float64Array, name: string, most = 300): Trace {
  const own = cloud.subarray(0, 2 * most);
  const part = (i: number) => Array.from(own).filter((_, k) => k % 2 === i);
  return points(part(0), part(1), {
    name,
    x: rounded(part(0), 3),
    y: rounded(part(1), 3),
    marker: { size: 3, color: faded(colour.pde, 0.6) },
    hoverinfo: "skip",
  });
}

/** Ellipse at two standard deviations around a Gaussian's mean, with a cross in the mean. */
function ellipse({ mean, covariance }: Gaussian, hex: string, name: string, dash = "solid"): Trace {
  const [a, b, c] = [covariance.get(0, 0), covariance.get(0, 1), covariance.get(1, 1)];
  const [l11, l21] = [Math.sqrt(a), b / Math.sqrt(a)];
  const l22 = Math.sqrt(c - l21 * l21);
  const angles = Array.from({ length: 49 }, (_, k) => (2 * Math.PI * k) / 48);
  const x = angles.map((t) => mean[0] + 2 * l11 * Math.cos(t));
  const y = angles.map((t) => mean[1] + 2 * (l21 * Math.cos(t) + l22 * Math.sin(t)));
  return line(x, y, {
    name,
    x: rounded(x, 4),
    y: rounded(y, 4),
    line: { color: hex, width: 2, dash },
    hoverinfo: "skip",
  });
}

/** A density of the plane with particles and Gaussians over it. */
export function densityFigure(
  density: Density,
  cloud: Float64Array,
  gaussians: Readonly<Record<string, Gaussian>>,
  title: string,
): Figure {
  const { side, centres, values } = density;
  const shown = Array.from(centres.keys()).filter((k) => Math.abs(centres[k]) < 1.6 && k % 2 === 0);
  const peak = values.reduce((most, value) => Math.max(most, value), 0);
  const hexes = [colour.sgm, colour.third, colour.fourth];
  const traces: Trace[] = [
    {
      type: "contour",
      z: shown.map((j) => shown.map((i) => Number(values[j * side + i].toPrecision(3)))),
      x: rounded(
        shown.map((k) => centres[k]),
        4,
      ),
      y: rounded(
        shown.map((k) => centres[k]),
        4,
      ),
      contours: { start: 0.05 * peak, end: 0.95 * peak, size: 0.1 * peak, coloring: "heatmap" },
      colorscale: [[0, "#ffffff"], [1, colour.pde]], // prettier-ignore
      line: { width: 0.5, color: "#8aa" },
      showscale: false,
      hovertemplate: "x₁ = %{x:.2f}, x₂ = %{y:.2f}<br>density %{z:.2f}<extra></extra>",
    },
    scatterOf(cloud, "Euler-Maruyama", 200),
    ...Object.entries(gaussians).map(([name, gaussian], k) =>
      ellipse(gaussian, hexes[k], name, k === 0 ? "dot" : "solid"),
    ),
  ];
  const panel = { title, ...axes, xRange: [-1.5, 1.5] as const, yRange: [-1.5, 1.5] as const, traces };
  return panels([panel], { width: 620, height: 620, text: `Density and its Gaussians, ${title}` });
}
