/** Figures of conditional scores: densities over a condition, distances, gains of FiLM, and what guidance does. */
import { histogram } from "../../../lib/evaluation/histogram";
import type { GaussianMixture } from "../../../lib/evaluation/gaussianMixture";
import { colour, type Figure, line, panels, points, rounded } from "../../../lib/figures/figure";

const GRID = Float64Array.from({ length: 121 }, (_, i) => -2.4 + i / 25);
const SHADES = [colour.pde, colour.sgm, colour.third, colour.fourth, colour.fifth, colour.grey];

const densityOf = (law: GaussianMixture) => law.logDensity(GRID).map(Math.exp);

/** The density of x for some values of the condition. */
export function densitiesFigure(
  laws: readonly { readonly p: number; readonly law: GaussianMixture }[],
): Figure {
  const traces = laws.map(({ p, law }, i) =>
    line(GRID, densityOf(law), {
      name: `p = ${p}`,
      line: { color: SHADES[i % SHADES.length], width: 2.5 },
      hovertemplate: `x = %{x:.2f}<br>density %{y:.3f}<extra>p = ${p}</extra>`,
    }),
  );
  const panel = { x: "x (1)", y: "density p₀(x | p) (1)", traces };
  return panels([panel], { width: 760, height: 380, text: "Densities over the condition" });
}

/** The mean of the noise in bins of the noisy state, with two standard errors, and curves that it may lie on. */
export function conditionalMeansFigure(
  sets: readonly {
    readonly name: string;
    readonly bins: {
      readonly centres: Float64Array;
      readonly mean: Float64Array;
      readonly error: Float64Array;
    };
    readonly exact: (x: Float64Array) => Float64Array;
  }[],
): Figure {
  const traces = sets.flatMap(({ name, bins, exact }, i) => {
    const known = Array.from(bins.mean.keys()).filter((k) => Number.isFinite(bins.mean[k]));
    const pick = (values: Float64Array) => known.map((k) => values[k]);
    const color = SHADES[i % SHADES.length];
    return [
      line(GRID, exact(GRID), {
        name: `${name}: −√v × score`,
        line: { color, width: 2.5 },
        hovertemplate: `x = %{x:.2f}<br>%{y:.3f}<extra>${name}, exact</extra>`,
      }),
      {
        ...points(pick(bins.centres), pick(bins.mean), { name: `${name}: mean of z` }),
        marker: { size: 8, color },
        error_y: { type: "data", array: rounded(pick(bins.error).map((value) => 2 * value), 3), color }, // prettier-ignore
        hovertemplate: `x = %{x:.2f}<br>mean of z = %{y:.3f}<extra>${name}</extra>`,
      },
    ];
  });
  const panel = { x: "noisy state x (1)", y: "noise z in it (1)", yRange: [-2.2, 2.2] as const, traces };
  return panels([panel], {
    width: 760,
    height: 430,
    text: "The mean of the noise, given the condition or not",
  });
}

/** Distances in units of the floor over the condition; bands where the training saw it. */
export function ratiosFigure(
  ratios: readonly {
    readonly p: number;
    readonly mean: number;
    readonly low: number;
    readonly high: number;
  }[],
  trained: readonly (readonly [number, number])[],
): Figure {
  const inside = (p: number) => trained.some(([low, high]) => p >= low - 1e-9 && p <= high + 1e-9);
  const trace = (name: string, color: string, symbol: string, chosen: typeof ratios) => ({
    ...points(
      chosen.map(({ p }) => p),
      chosen.map(({ mean }) => mean),
      { name },
    ),
    marker: { size: 10, color, symbol },
    error_y: {
      type: "data",
      symmetric: false,
      array: rounded(chosen.map(({ mean, high }) => high - mean), 3), // prettier-ignore
      arrayminus: rounded(chosen.map(({ mean, low }) => mean - low), 3), // prettier-ignore
      color,
    },
    hovertemplate: `p = %{x}: %{y:.2f} × the floor<extra>${name}</extra>`,
  });
  const traces = [
    trace("p that the training saw", colour.third, "circle", ratios.filter(({ p }) => inside(p))), // prettier-ignore
    trace("p that it did not see", colour.sgm, "diamond", ratios.filter(({ p }) => !inside(p))), // prettier-ignore
    line([0, 1], [1, 1], { name: "the floor", line: { color: colour.grey, dash: "dash", width: 1.5 } }),
  ];
  const panel = {
    x: "condition p (1)",
    y: "energy distance / floor (1)",
    yType: "log" as const,
    xRange: [-0.04, 1.04] as const,
    traces,
  };
  const figure = panels([panel], { width: 760, height: 420, text: "Distance over the condition" });
  const shapes = trained.map(([low, high]) => ({
    type: "rect",
    xref: "x",
    yref: "paper",
    x0: low,
    x1: high,
    y0: 0,
    y1: 1,
    fillcolor: "rgba(0,158,115,0.10)",
    line: { width: 0 },
    layer: "below",
  }));
  return { ...figure, layout: { ...figure.layout, shapes } };
}

/** Histograms of generated numbers beside a density, a panel each. */
export function generatedFigure(
  list: readonly { readonly title: string; readonly values: Float64Array; readonly law: GaussianMixture }[],
): Figure {
  return panels(
    list.map(({ title, values, law }, k) => {
      const { centres, density } = histogram(values, -2.4, 2.4, 48);
      return {
        title,
        x: "x (1)",
        y: k === 0 ? "density (1)" : "",
        xRange: [-2.4, 2.4] as const,
        yRange: [0, 1.8] as const,
        traces: [
          {
            type: "bar",
            name: "generated",
            x: rounded(centres, 4),
            y: rounded(density, 4),
            width: 0.1,
            marker: { color: "#f0b48f" },
            hovertemplate: "x = %{x:.2f}<br>density %{y:.3f}<extra>generated</extra>",
          },
          line(GRID, densityOf(law), {
            name: "exact",
            line: { color: colour.pde, width: 2.5 },
            hovertemplate: "x = %{x:.2f}<br>density %{y:.3f}<extra>exact</extra>",
          }),
        ],
      };
    }),
    { width: list.length > 1 ? 900 : 760, height: 340, text: list.map(({ title }) => title).join(", ") },
  );
}

/** Curves over p or over the strength of guidance. */
export function curvesFigure(
  axes: { readonly x: string; readonly y: string; readonly text: string; readonly log?: boolean },
  curves: readonly {
    readonly name: string;
    readonly x: ArrayLike<number>;
    readonly y: ArrayLike<number>;
    readonly dash?: string;
  }[],
): Figure {
  const traces = curves.map(({ name, x, y, dash = "solid" }, i) =>
    line(x, y, {
      name,
      line: { color: SHADES[i % SHADES.length], width: 2.5, dash },
      hovertemplate: `%{x:.2f}<br>%{y:.3f}<extra>${name}</extra>`,
    }),
  );
  const panel = { x: axes.x, y: axes.y, yType: axes.log ? ("log" as const) : ("linear" as const), traces };
  return panels([panel], { width: 760, height: 420, text: axes.text });
}
