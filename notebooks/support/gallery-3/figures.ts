/** Figures of the gallery's notebook 3: vorticities as maps, and spectra. */
import { colour, type Figure, panels, type PanelOptions, type Trace } from "../../../lib/figures/figure";
import { curvesFigure } from "../../../lib/figures/curves";
import { type SliderPosition, withSlider } from "../../../lib/figures/slider";

/** A field of n x n points, x by y, and what it is called. */
export interface Field {
  readonly title: string;
  readonly values: ArrayLike<number>;
}

/** Values beyond this have its colour. */
const REACH = 10;

function map(values: ArrayLike<number>, reach: number): Trace {
  const n = Math.round(Math.sqrt(values.length));
  // One digit more than a colour shows; rows of a heatmap are y
  const z = Array.from({ length: n }, (_, j) =>
    Array.from({ length: n }, (_, i) => Math.round((10 * values[i * n + j]) / reach) * (reach / 10)),
  );
  const step = Number(((2 * Math.PI) / n).toFixed(4));
  return {
    type: "heatmap",
    z,
    x0: 0,
    dx: step,
    y0: 0,
    dy: step,
    zmin: -reach,
    zmax: reach,
    colorscale: [[0, colour.pde], [0.5, "#ffffff"], [1, colour.sgm]], // prettier-ignore
    showscale: false,
    hovertemplate: "x = %{x:.1f}, y = %{y:.1f}<br>%{z:.0f}<extra></extra>",
  };
}

function panelOf({ title, values }: Field, reach: number): PanelOptions {
  const ticks = [0, 3, 6];
  return { title, x: "x (1)", y: "y (1)", square: true, xTicks: ticks, traces: [map(values, reach)] };
}

/** Fields side by side, in rows of so many. */
export function mapsFigure(
  fields: readonly Field[],
  { columns = fields.length, reach = REACH, text = "" } = {},
): Figure {
  const rows = Math.ceil(fields.length / columns);
  const list = fields.map((field) => panelOf(field, reach));
  const [width, height] = [80 + (columns === 4 ? 200 : 260) * columns, 130 + (rows > 1 ? 190 : 235) * rows];
  return panels(list, {
    width,
    height,
    columns,
    legend: false,
    text: text || fields.map(({ title }) => title).join(", "),
  });
}

/** The same fields at several times, with a slider. */
export function movie(
  times: readonly number[],
  fieldsAt: (k: number) => readonly Field[],
  active: number,
): Figure {
  const positions = times.map((t, k): SliderPosition => ({
    label: String(t),
    figure: mapsFigure(fieldsAt(k)),
  }));
  return withSlider(positions, { prefix: "t = ", active, text: "Vorticity over time" });
}

/** Energies by shell, from shell 1, and what they are of the first ones. */
export function spectraFigure(
  list: readonly {
    name: string;
    shells: readonly number[];
    low?: readonly number[];
    high?: readonly number[];
  }[],
): Figure {
  const hexes = [colour.grey, colour.pde, colour.third, colour.sgm, colour.fourth];
  const curves = (of: (shells: readonly number[]) => readonly number[]) =>
    list.map(({ name, shells, low, high }, k) => ({
      name,
      x: shells.map((_, s) => s + 1),
      y: of(shells),
      hex: hexes[k],
      mode: "lines+markers" as const,
      ...(low && high ? { low: of(low), high: of(high), bandName: "range" } : {}),
    }));
  const [{ shells: exact }] = list;
  const ratio = (shells: readonly number[]) => shells.map((energy, k) => energy / exact[k]);
  return curvesFigure(
    [
      {
        title: "energy by shell",
        x: "k (1)",
        y: "E(k) (1)",
        yType: "log",
        curves: curves((shells) => shells),
      },
      { title: "over the direct one's", x: "k (1)", y: "ratio (1)", yType: "log", curves: curves(ratio) },
    ],
    { width: 900, height: 380 },
  );
}
