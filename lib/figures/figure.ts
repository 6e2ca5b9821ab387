/** A Plotly figure as plain data, and the style that all figures of the project share. */

export type Json =
  string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json };

/** One Plotly trace: https://plotly.com/javascript/reference/ */
export type Trace = { readonly [key: string]: Json };

export interface Figure {
  readonly data: readonly Trace[];
  readonly layout: { readonly [key: string]: Json };
  /** What a slider or a button changes, by name. */
  readonly frames?: readonly Trace[];
  /** What to read instead of the picture. */
  readonly text?: string;
}

/** Okabe and Ito's colours, told apart by colour-blind readers; PDE and SGM have the same ones in every figure. */
export const colour = {
  pde: "#0072B2",
  sgm: "#D55E00",
  third: "#009E73",
  fourth: "#CC79A7",
  fifth: "#E69F00",
  grey: "#6b6b6b",
} as const;

/** A colour made transparent, for bands. */
export function faded(hex: string, alpha = 0.2): string {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${alpha})`;
}

/** Numbers for a figure: float64 noise digits cost space and show nothing. */
export function rounded(values: ArrayLike<number>, digits = 6): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(digits)));
}

export interface PanelOptions {
  readonly x: string;
  readonly y: string;
  readonly title?: string;
  readonly xType?: "linear" | "log";
  readonly yType?: "linear" | "log";
  readonly xRange?: readonly [number, number];
  readonly yRange?: readonly [number, number];
  /** Where the x axis has numbers, and no others; of a logarithmic axis the default is what fits its decades. */
  readonly xTicks?: readonly number[];
  /** Same unit length on both axes. */
  readonly square?: boolean;
  readonly traces: readonly Trace[];
}

/** A row (or a grid) of panels with titles, axes with units and one legend below. */
export function panels(
  list: readonly PanelOptions[],
  options: {
    title?: string;
    width?: number;
    height?: number;
    columns?: number;
    text?: string;
    legend?: boolean;
  } = {},
): Figure {
  const { width = 860, height = 400, columns = list.length } = options;
  const rows = Math.ceil(list.length / columns);
  const gap = { x: columns > 1 ? 0.11 : 0, y: rows > 1 ? 0.19 : 0 };
  const size = { x: (1 - gap.x * (columns - 1)) / columns, y: (1 - gap.y * (rows - 1)) / rows };
  const layout: Record<string, Json> = {};
  const annotations: Json[] = [];
  const data: Trace[] = [];
  const named = new Set<Json>();
  list.forEach((panel, index) => {
    const suffix = index === 0 ? "" : String(index + 1);
    const left = (index % columns) * (size.x + gap.x);
    const top = 1 - Math.floor(index / columns) * (size.y + gap.y);
    const line = {
      showline: true,
      mirror: true,
      linecolor: "#444",
      ticks: "outside",
      gridcolor: "#e8e8e8",
      zeroline: false,
    };
    layout[`xaxis${suffix}`] = {
      ...line,
      domain: [left, left + size.x],
      anchor: `y${suffix}`,
      title: { text: panel.x, standoff: 8 },
      type: panel.xType ?? "linear",
      range: panel.xRange,
      ...(panel.xTicks ? ticksAt(panel.xTicks) : panel.xType === "log" ? logTicks(panel.traces, "x") : {}),
    };
    layout[`yaxis${suffix}`] = {
      ...line,
      domain: [top - size.y, top],
      anchor: `x${suffix}`,
      title: { text: panel.y, standoff: 8 },
      type: panel.yType ?? "linear",
      range: panel.yRange,
      ...(panel.yType === "log" ? logTicks(panel.traces, "y") : {}),
      ...(panel.square ? { scaleanchor: `x${suffix}`, scaleratio: 1 } : {}),
    };
    if (panel.title) {
      annotations.push({
        text: `<b>${panel.title}</b>`,
        x: left + size.x / 2,
        y: top,
        xref: "paper",
        yref: "paper",
        xanchor: "center",
        yanchor: "bottom",
        yshift: 4,
        showarrow: false,
      });
    }
    for (const trace of panel.traces) {
      // One legend entry a name, however many panels show it.
      const repeated = trace["name"] === undefined || named.has(trace["name"]);
      named.add(trace["name"]);
      data.push({
        type: "scatter",
        mode: "lines",
        legendgroup: trace["name"],
        ...(repeated ? { showlegend: false } : {}),
        ...trace,
        xaxis: `x${suffix}`,
        yaxis: `y${suffix}`,
      });
    }
  });
  return {
    data,
    layout: {
      width,
      height,
      ...layout,
      annotations,
      title: options.title ? { text: options.title, x: 0.5, xanchor: "center" } : undefined,
      font: { family: "Lato, Helvetica, Arial, sans-serif", size: 14, color: "#222" },
      paper_bgcolor: "white",
      plot_bgcolor: "white",
      margin: { l: 75, r: 20, t: options.title ? 80 : 45, b: 95 },
      showlegend: options.legend ?? true,
      legend: {
        orientation: "h",
        x: 0.5,
        xanchor: "center",
        y: -55 / Math.max(height - 140, 60),
        yanchor: "top",
      },
      hovermode: "closest",
    },
    text: options.text,
  };
}

/** Ticks of a logarithmic axis: powers of ten, or 1, 2 and 5 times them where the traces cover few decades. */
function logTicks(traces: readonly Trace[], variable: "x" | "y"): Record<string, Json> {
  const values = traces.flatMap((trace) => (trace[variable] as readonly (number | null)[]) ?? []);
  const positive = values.filter((value): value is number => typeof value === "number" && value > 0);
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  if (!(high / low < 100)) return { exponentformat: "power", dtick: 1 };
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of [1, 2, 5]) ticks.push(Number((digit * 10 ** power).toPrecision(1)));
  }
  return ticksAt(ticks);
}

function ticksAt(places: readonly number[]): Record<string, Json> {
  return { tickmode: "array", tickvals: places, ticktext: places.map(String) };
}

/** A line. */
export function line(x: ArrayLike<number>, y: ArrayLike<number>, trace: Trace = {}): Trace {
  return { type: "scatter", mode: "lines", x: rounded(x), y: rounded(y), ...trace };
}

/** Points. */
export function points(x: ArrayLike<number>, y: ArrayLike<number>, trace: Trace = {}): Trace {
  return { type: "scatter", mode: "markers", x: rounded(x), y: rounded(y), marker: { size: 5 }, ...trace };
}

/** A shaded band between two curves. */
export function band(
  x: ArrayLike<number>,
  low: ArrayLike<number>,
  high: ArrayLike<number>,
  hex: string,
  name?: string,
): Trace {
  const forth = rounded(x);
  return {
    type: "scatter",
    mode: "lines",
    x: [...forth, ...forth.slice().reverse()],
    y: [...rounded(high), ...rounded(low).reverse()],
    fill: "toself",
    fillcolor: faded(hex),
    line: { width: 1, color: faded(hex, 0.5) },
    hoverinfo: "skip",
    name,
  };
}

/** Gives every line and point of a figure a hover text with symbols and units, unless it has one. */
export function withHover(figure: Figure): Figure {
  const { data, layout } = figure;
  const part = (trace: Trace, variable: "x" | "y") => {
    const axis = String(trace[`${variable}axis`] ?? variable).replace(variable, `${variable}axis`);
    const { title } = (layout[axis] ?? {}) as { title?: { readonly text?: string } };
    return hoverLabel(title?.text ?? variable, variable);
  };
  const hovered = data.map((trace) => {
    if (trace["type"] !== "scatter" || trace["hoverinfo"] || trace["hovertemplate"]) return trace;
    // Without <extra> the box names the trace, which says nothing where the trace has no name.
    const extra = trace["name"] ? "" : "<extra></extra>";
    return { ...trace, hovertemplate: `${part(trace, "x")}<br>${part(trace, "y")}${extra}` };
  });
  return { ...figure, data: hovered };
}

/** What hovering shows for an axis's title: "x (µm)" -> "x = 12.5 µm", with Plotly's placeholder for the number. */
export function hoverLabel(title: string, variable: "x" | "y"): string {
  const [, symbol, unit = "1"] = /^(.*?)(?: \(([^()]*)\))?$/.exec(title) ?? [undefined, title];
  return `${symbol} = %{${variable}:.5~g}${unit === "1" ? "" : ` ${unit}`}`;
}
