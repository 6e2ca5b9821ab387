/** Figures of the sampling floor: how far sets of one distribution differ, and how candidates stand beside it. */
import type { FloorRatio } from "../../../lib/evaluation/floorRatio";
import { columnStd } from "../../../lib/comparison";
import { type Curve, curvesFigure } from "../../../lib/figures/curves";
import { colour, type Figure, panels, rounded, type Trace } from "../../../lib/figures/figure";
import { withSlider } from "../../../lib/figures/slider";

export interface SpreadSets {
  /** Positions in micrometres (cells). */
  readonly x: Float64Array;
  /** Standard deviations of a set so large that it stands for the truth (cells). */
  readonly truth: Float64Array;
  /** Sets of the PDE, and one of the model, each (rows, cells) and at least as long as the largest size. */
  readonly pde: readonly Float64Array[];
  readonly sgm: Float64Array;
}

/**
 * Standard deviations of sets of n rows relative to the truth, with a slider over n: cell by cell, and, beside it, their
 * root mean square deviation from 1 against n with the law 1 / sqrt(2 n) of Gaussian values.
 */
export function spreadFloorFigure({ x, truth, pde, sgm }: SpreadSets, sizes: readonly number[]): Figure {
  const cells = x.length;
  const smallest = 1e-6 * truth.reduce((most, value) => Math.max(most, value), 0);
  const ratio = (values: Float64Array, n: number) =>
    columnStd(values.subarray(0, n * cells), cells).map((std, i) =>
      truth[i] > smallest ? std / truth[i] : NaN,
    );
  const rms = (ratios: Float64Array) => {
    const free = ratios.filter((value) => !Number.isNaN(value));
    return Math.sqrt(free.reduce((sum, value) => sum + (value - 1) ** 2 / free.length, 0));
  };
  const law: Curve = {
    name: "1/√(2n)",
    hex: colour.grey,
    dash: "dash",
    x: sizes,
    y: sizes.map((n) => (2 * n) ** -0.5),
  };
  const all = [
    ...pde.map((values) => ({ values, hex: colour.pde, name: "PDE" })),
    { values: sgm, hex: colour.sgm, name: "SGM" },
  ];
  const deviations = (name: string, hex: string, symbol: string): Curve => {
    const pairs = all
      .filter((set) => set.name === name)
      .flatMap(({ values }) => sizes.map((n): [number, number] => [n, rms(ratio(values, n))]));
    return {
      name,
      hex,
      symbol,
      mode: "markers",
      unnamed: true,
      x: pairs.map(([n]) => n),
      y: pairs.map(([, value]) => value),
    };
  };
  const scatter = [law, deviations("PDE", colour.pde, "circle"), deviations("SGM", colour.sgm, "diamond")];
  const positions = sizes.map((n) => {
    const curves = all.map(({ values, hex, name }, k): Curve => ({
      name,
      hex,
      x,
      y: ratio(values, n),
      width: name === "SGM" ? 3 : 1.2,
      unnamed: k > 0 && name === "PDE",
    }));
    const mark: Curve = { name: "n", hex: "#222222", width: 1, x: [n, n], y: [1e-3, 1], unnamed: true };
    const figure = curvesFigure(
      [
        { title: `sets of ${n} rows`, x: "x (µm)", y: "std of c / true std", yRange: [0.7, 1.3], curves },
        {
          title: "all sizes",
          x: "rows n",
          y: "rms deviation from 1",
          xType: "log",
          yType: "log",
          yRange: [-2.5, -0.5],
          curves: [...scatter, mark],
        },
      ],
      { width: 860, height: 390 },
    );
    return { label: String(n), figure };
  });
  const text = "Standard deviations of sets of n rows, PDE and SGM, against the true ones";
  return withSlider(positions, { prefix: "rows in each set: ", active: Math.max(0, sizes.length - 2), text });
}

/** Floor ratios, a row a candidate: open circles single pairs of sets, diamonds all pairs together. */
export function floorRatiosFigure(
  list: readonly { readonly name: string; readonly ratio: FloorRatio }[],
): Figure {
  const heights = list.map((_, k) => list.length - 1 - k);
  const single = list.flatMap(({ ratio }, k) =>
    ratio.values.map((value): [number, number] => [value, heights[k]]),
  );
  const hover = "floor ratio %{x:.3g}<extra></extra>";
  const marks = (name: string, x: number[], y: number[], marker: Trace): Trace => ({
    name,
    mode: "markers",
    x: rounded(x, 4),
    y,
    marker,
    hovertemplate: `${name}<br>${hover}`,
  });
  const traces: Trace[] = [
    {
      name: "floor",
      x: [1, 1],
      y: [-0.5, list.length - 0.5],
      line: { color: colour.grey, dash: "dash", width: 1.5 },
      hoverinfo: "skip",
    },
    marks(
      "one pair of sets",
      single.map(([x]) => x),
      single.map(([, y]) => y),
      { color: colour.pde, size: 9, symbol: "circle-open", line: { width: 1.5 } },
    ),
    marks(
      "all pairs together",
      list.map(({ ratio }) => ratio.pooled),
      heights,
      { color: "#222222", size: 11, symbol: "diamond" },
    ),
  ];
  const xTicks = [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500];
  const figure = panels([{ x: "floor ratio", y: "candidate", xType: "log", xTicks, traces }], {
    width: 760,
    height: 190 + 46 * list.length,
    text: "Floor ratios of the model and of its controls",
  });
  const layout = {
    ...figure.layout,
    yaxis: {
      ...(figure.layout["yaxis"] as object),
      title: undefined,
      tickvals: heights,
      ticktext: list.map(({ name }) => name),
      range: [-0.5, list.length - 0.5],
    },
    margin: { l: 210, r: 20, t: 20, b: 95 },
  };
  return { ...figure, layout };
}
