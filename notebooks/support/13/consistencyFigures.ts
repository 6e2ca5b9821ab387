import { colour, type Figure, line, panels } from "../../../lib/figures/figure";
import { curvesFigure } from "../../../lib/figures/curves";
import { rowColours } from "../../../lib/figures/fieldFigures";

/** Some porosities (rows, cells) of two kinds side by side, one colour a row. x: (cells), µm. */
export function porositiesFigure(
  x: ArrayLike<number>,
  kinds: readonly { readonly title: string; readonly porosity: Float64Array }[],
  rows = 5,
): Figure {
  const cells = x.length;
  const list = kinds.map(({ title, porosity }) => ({
    title,
    x: "x (µm)",
    y: "ε",
    yRange: [0.18, 0.52] as const,
    traces: Array.from({ length: rows }, (_, row) =>
      line(x, porosity.subarray(row * cells, (row + 1) * cells), {
        line: { color: rowColours[row % rowColours.length], width: 2 },
        showlegend: false,
        hovertemplate: "x = %{x} µm<br>ε = %{y:.3f}<extra></extra>",
      }),
    ),
  }));
  return panels(list, {
    height: 350,
    legend: false,
    text: `Porosities: ${kinds.map(({ title }) => title).join("; ")}`,
  });
}

/** The process behind porosities, logit((eps - 0.2) / 0.3); NaN outside of the bounds. */
export function processOf(porosity: Float64Array): Float64Array {
  return porosity.map((value) => Math.log((value - 0.2) / (0.5 - value)));
}

/** Mean square of the process in each cell, and its covariance at each distance in cells, from rows of it (rows, cells). */
export function processMoments(
  process: Float64Array,
  cells: number,
): { square: number[]; covariance: number[] } {
  const mean = (from: (row: number) => readonly number[]): number => {
    let [sum, count] = [0, 0];
    for (let row = 0; row * cells < process.length; row++) {
      for (const value of from(row)) {
        if (!Number.isFinite(value)) continue;
        sum += value;
        count++;
      }
    }
    return sum / count;
  };
  const at = (row: number, i: number) => process[row * cells + i];
  const range = (length: number) => Array.from({ length }, (_, i) => i);
  return {
    square: range(cells).map((i) => mean((row) => [at(row, i) ** 2])),
    covariance: range(cells / 2).map((lag) =>
      mean((row) => range(cells - lag).map((i) => at(row, i) * at(row, i + lag))),
    ),
  };
}

/** Density of all values, variance along x, and covariance over the distance beside exp(-d^2 / 2 l^2). length: l, µm. */
export function processFigure(
  x: Float64Array,
  length: number,
  kinds: readonly { readonly name: string; readonly process: Float64Array }[],
): Figure {
  const hexes = [colour.pde, colour.sgm];
  const moments = kinds.map(({ name, process }, k) => ({
    name,
    hex: hexes[k],
    dash: k > 0 ? "dash" : undefined,
    ...processMoments(process, x.length),
  }));
  const distance = Array.from(x.subarray(0, x.length / 2), (value) => value - x[0]);
  const law = distance.map((d) => Math.exp(-(d * d) / (2 * length * length)));
  const exact = { hex: colour.grey, dash: "dot" };
  const bins = Array.from({ length: 25 }, (_, k) => -3 + 0.25 * k);
  const density = (process: Float64Array): number[] => {
    const known = process.filter(Number.isFinite);
    return bins.map(
      (z) => known.filter((value) => Math.abs(value - z) < 0.125).length / (0.25 * known.length),
    );
  };
  const normal = bins.map((z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI));
  return curvesFigure(
    [
      {
        title: "values",
        x: "z (1)",
        y: "density (1)",
        curves: [
          { name: "exact", x: bins, y: normal, ...exact },
          ...kinds.map(({ name, process }, k) => ({ ...moments[k], name, x: bins, y: density(process) })),
        ],
      },
      {
        title: "variance of the process",
        x: "x (µm)",
        y: "variance (1)",
        yRange: [0, 1.6],
        curves: [
          { name: "exact", x: [x[0], x[x.length - 1]], y: [1, 1], ...exact },
          ...moments.map(({ square, ...curve }) => ({ ...curve, x, y: square })),
        ],
      },
      {
        title: "covariance",
        x: "distance (µm)",
        y: "covariance (1)",
        curves: [
          { name: "exact", x: distance, y: law, ...exact },
          ...moments.map(({ covariance, ...curve }) => ({ ...curve, x: distance, y: covariance })),
        ],
      },
    ],
    { width: 1000, text: "Values, variance and covariance of the process behind the recovered porosities" },
  );
}

/** Shares of fields whose residual is at most so large, one curve for each kind. residuals: in standard deviations of c. */
export function residualsFigure(
  kinds: readonly {
    readonly name: string;
    readonly residuals: readonly number[];
    readonly hex: string;
    readonly dash?: string;
  }[],
): Figure {
  const curves = kinds.map(({ name, residuals, hex, dash }) => {
    const sorted = [...residuals].sort((a, b) => a - b);
    return { name, hex, dash, x: sorted, y: sorted.map((_, i) => (100 * (i + 1)) / sorted.length) };
  });
  const panel = { x: "residual (std of c)", y: "share of fields (%)", xType: "log" as const, curves };
  return curvesFigure([panel], { width: 720, height: 420, text: "Residuals of single fields" });
}
