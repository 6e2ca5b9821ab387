/** Figures of the diffusion: fields dissolving into noise, score vectors in the plane, points against density. */

import type { Schedule } from "../diffusion/schedule";
import { colour, faded, type Figure, line, panels, points, type Trace } from "./figure";

const SHADES = [colour.pde, colour.fifth, colour.third, colour.fourth, colour.sgm];

/** Some states at several times side by side: states[k] holds rows x cells values at times[k]. */
export function dissolvingFigure(
  positions: Float64Array,
  times: readonly number[],
  states: readonly Float64Array[],
  axis: string,
): Figure {
  const cells = positions.length;
  const x = positions.map((value) => value * 1e6);
  const list = states.map((state, k) => ({
    title: `t = ${times[k]}`,
    x: "x (µm)",
    y: k === 0 ? axis : "",
    yRange: [-4, 4] as const,
    traces: Array.from({ length: state.length / cells }, (_, row) =>
      line(x, state.subarray(row * cells, (row + 1) * cells), {
        line: { color: SHADES[row % SHADES.length], width: 1.5 },
        showlegend: false,
      }),
    ),
  }));
  return panels(list, { width: 900, height: 300, legend: false, text: "Fields dissolving into noise" });
}

/** The factors of the forward process over time, and the noise level. */
export function scheduleFigure(schedule: Schedule): Figure {
  const t = Float64Array.from({ length: 200 }, (_, i) => (schedule.endTime * (i + 1)) / 200);
  return panels(
    [
      {
        x: "t",
        y: "factor",
        traces: [
          line(t, t.map(schedule.mean), { name: "mean m", line: { color: colour.pde, width: 2.5 } }),
          line(t, t.map(schedule.std), {
            name: "standard deviation √v",
            line: { color: colour.sgm, width: 2.5 },
          }),
        ],
      },
      {
        x: "t",
        y: "noise level √v / m",
        yType: "log",
        traces: [
          line(t, t.map(schedule.noiseLevel), {
            showlegend: false,
            line: { color: colour.third, width: 2.5 },
          }),
        ],
      },
    ],
    { height: 380, text: "Mean, standard deviation and noise level over time" },
  );
}

/** Arrows of a vector field in the plane on a square lattice, with points behind them. */
export function vectorFieldFigure(
  fields: readonly {
    readonly title: string;
    /** x, y pairs -> vectors, pairs */
    readonly vectors: (points: Float64Array) => Float64Array;
    readonly cloud: Float64Array;
  }[],
  reach = 3,
  lattice = 17,
): Figure {
  const at: number[] = [];
  for (let i = 0; i < lattice; i++) {
    for (let j = 0; j < lattice; j++)
      at.push(-reach + (2 * reach * i) / (lattice - 1), -reach + (2 * reach * j) / (lattice - 1));
  }
  const places = Float64Array.from(at);
  const spacing = (2 * reach) / (lattice - 1);
  const list = fields.map(({ title, vectors, cloud }) => {
    const values = vectors(places);
    const [x, y]: (number | null)[][] = [[], []];
    for (let i = 0; i < places.length; i += 2) {
      const length = Math.hypot(values[i], values[i + 1]);
      // Scores range over decades: the length shown grows with the logarithm.
      const scale = length > 0 ? (0.9 * spacing * Math.min(1, Math.log1p(length) / 3)) / length : 0;
      const [dx, dy] = [scale * values[i], scale * values[i + 1]];
      const [tipX, tipY] = [places[i] + dx, places[i + 1] + dy];
      x.push(places[i], tipX, tipX - 0.35 * dx + 0.18 * dy, null, tipX, tipX - 0.35 * dx - 0.18 * dy, null);
      y.push(
        places[i + 1],
        tipY,
        tipY - 0.35 * dy - 0.18 * dx,
        null,
        tipY,
        tipY - 0.35 * dy + 0.18 * dx,
        null,
      );
    }
    const short = (list: (number | null)[]) =>
      list.map((value) => (value === null ? null : Number(value.toFixed(3))));
    const traces: Trace[] = [
      cloudTrace(cloud, colour.pde, "points", 400),
      {
        x: short(x),
        y: short(y),
        mode: "lines",
        name: "score",
        line: { color: "#333", width: 1.2 },
        hoverinfo: "skip",
      },
    ];
    const range = [-reach - 0.3, reach + 0.3] as const;
    return { title, x: "x₁", y: "x₂", xRange: range, yRange: range, traces };
  });
  return panels(list, { width: 900, height: 400, text: "Score vectors" });
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
  most = 800,
): Figure {
  const range = [-reach, reach] as const;
  const list = clouds.map(({ title, points: cloud, hex, name }) => ({
    title,
    x: "x₁",
    y: "x₂",
    xRange: range,
    yRange: range,
    traces: [cloudTrace(cloud, hex, name, most)],
  }));
  return panels(list, { width: 900, height: 380, text: clouds.map(({ title }) => title).join(", ") });
}

function cloudTrace(cloud: Float64Array, hex: string, name: string, most: number): Trace {
  const rows = Math.min(most, cloud.length / 2);
  const [x, y] = [0, 1].map((k) => Array.from({ length: rows }, (_, i) => cloud[2 * i + k]));
  return points(x, y, { name, marker: { size: 4, color: faded(hex, 0.5) } });
}
