/** Figures of a sampler's bias: of its steps, of its start, and beside the error of a finite sample. */
import { colour, type Figure, line, panels, points, type Trace } from "../../../lib/figures/figure";

/** Errors of one sampler at rising numbers of network calls; those that are 0 but for round-off are left out. */
export interface BiasCurve {
  readonly name: string;
  readonly calls: readonly number[];
  readonly errors: readonly number[];
}

const SHADES = [colour.grey, colour.fourth, colour.third, colour.fifth, colour.sgm];
const ROUND_OFF = 1e-12;

/**
 * Bias of samplers against network calls, on logarithmic axes, with the statistical error of sets of `sizes` draws as
 * horizontal lines.
 *
 * errors: relative, of the standard deviation, whose statistical error is 1 / sqrt(2 n).
 */
export function biasFigure(curves: readonly BiasCurve[], sizes: readonly number[]): Figure {
  const traces: Trace[] = curves.map(({ name, calls, errors }, i) => {
    const kept = errors.map((error) => (error > ROUND_OFF ? 100 * error : NaN));
    return points(calls, kept, {
      name,
      mode: "lines+markers",
      line: { color: SHADES[i % SHADES.length], width: 2.5 },
      marker: { size: 7, color: SHADES[i % SHADES.length] },
      hovertemplate: `${name}<br>%{x} calls: %{y:.2g} %<extra></extra>`,
    });
  });
  const all = curves.flatMap(({ calls }) => calls);
  const ends = [Math.min(...all), Math.max(...all)];
  const floors = sizes.map((n, i) => {
    const floor = 100 / Math.sqrt(2 * n);
    const name = `statistical error of ${n.toLocaleString("en")} draws`;
    return line(ends, [floor, floor], {
      name,
      line: { color: colour.pde, width: 1.8, dash: ["dot", "dash"][i % 2] },
      hovertemplate: `${name}: %{y:.2g} %<extra></extra>`,
    });
  });
  const panel = {
    x: "network calls",
    y: "error of the standard deviation (%)",
    xType: "log" as const,
    xTicks: [...new Set(all)].sort((a, b) => a - b),
    yType: "log" as const,
    traces: [...traces, ...floors],
  };
  const figure = panels([panel], { width: 760, height: 520, text: "Bias of samplers against network calls" });
  const margin = { ...(figure.layout["margin"] as object), b: 130 };
  return { ...figure, layout: { ...figure.layout, margin } };
}

/** What two starts miss at the noise level where sampling begins, over that level. */
export function startFigure(
  levels: readonly number[],
  curves: readonly { readonly name: string; readonly missed: ArrayLike<number>; readonly hex: string }[],
  marked: readonly { readonly level: number; readonly name: string }[],
): Figure {
  const traces = curves.map(({ name, missed, hex }) =>
    line(levels, missed, {
      name,
      line: { color: hex, width: 2.5 },
      hovertemplate: `${name}<br>s = %{x:.3g}: %{y:.2g}<extra></extra>`,
    }),
  );
  const all = curves.flatMap(({ missed }) => Array.from(missed));
  const ends = [Math.min(...all), Math.max(...all)];
  const lines = marked.map(({ level, name }) =>
    line([level, level], ends, {
      name,
      line: { color: colour.grey, width: 1.5, dash: "dot" },
      hoverinfo: "skip",
    }),
  );
  const panel = {
    x: "noise level s at the start (standard deviations)",
    y: "what the start misses (1)",
    xType: "log" as const,
    yType: "log" as const,
    traces: [...traces, ...lines],
  };
  return panels([panel], {
    width: 760,
    height: 440,
    text: "What a start misses, over its noise level",
  });
}
