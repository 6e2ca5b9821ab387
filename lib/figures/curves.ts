/** Panels of curves and points with names, whose hover labels come from the axes: what most small figures need. */
import { band, type Figure, hoverLabel, line, panels, type PanelOptions, points, type Trace } from "./figure";

export interface Curve {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly hex: string;
  /** Plotly's dash: "dash", "dot", ... */
  readonly dash?: string;
  /** Points instead of a line, or both. */
  readonly mode?: "lines" | "markers" | "lines+markers";
  readonly symbol?: string;
  readonly width?: number;
  /** Ends of a band around the curve. */
  readonly low?: ArrayLike<number>;
  readonly high?: ArrayLike<number>;
  /** What the band is; default "95 %". */
  readonly bandName?: string;
  /** Left out of the legend. */
  readonly unnamed?: boolean;
}

export interface CurvePanel extends Omit<PanelOptions, "traces"> {
  readonly curves: readonly Curve[];
}

/** One panel for each list of curves; an axis title "std of c (mol/m³)" gives the hover label its symbol and unit. */
export function curvesFigure(
  list: readonly CurvePanel[],
  options: Parameters<typeof panels>[1] = {},
): Figure {
  const drawn = list.map(({ curves, ...panel }) => ({
    ...panel,
    traces: curves.flatMap((curve): Trace[] => {
      const { name, x, y, hex, low, high, bandName = "95 %" } = curve;
      const main = mainTrace(curve, `${hoverLabel(panel.x, "x")}<br>${hoverLabel(panel.y, "y")}`);
      if (!low || !high) return [main];
      const shade = band(x, low, high, hex, `${name} ${bandName}`);
      return y.length === 0 ? [shade] : [shade, main];
    }),
  }));
  const text = options.text ?? list.map(({ title, y }) => title ?? y).join("; ");
  return panels(drawn, { width: list.length > 1 ? 800 : 580, height: 345, ...options, text });
}

function mainTrace(
  { name, x, y, hex, dash, mode = "lines", symbol, width = 2.5, unnamed }: Curve,
  hover: string,
): Trace {
  const shared = {
    name,
    mode,
    hovertemplate: `${name}<br>${hover}<extra></extra>`,
    ...(unnamed ? { showlegend: false } : {}),
  };
  if (mode === "markers") return points(x, y, { ...shared, marker: { size: 8, color: hex, symbol } });
  const style = { line: { color: hex, width, ...(dash ? { dash } : {}) } };
  return {
    ...line(x, y, { ...shared, ...style }),
    ...(mode === "lines" ? {} : { marker: { size: 8, color: hex, symbol } }),
  };
}
