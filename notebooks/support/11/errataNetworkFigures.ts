/** Figures of the errata that concern the network and the data set. */
import type { Modulation } from "./modulation";
import { type Curve, curvesFigure } from "../../../lib/figures/curves";
import { printed, right } from "./errataPhysicsFigures";
import { colour, type Figure } from "../../../lib/figures/figure";

/** Measured reach of networks of so many layers beside (kernel - 1) / 2 cells a layer and a whole kernel a layer. */
export function convolutionReachFigure(
  cells: number,
  kernel: number,
  layers: readonly number[],
  reach: readonly number[],
): Figure {
  const all = cells - 1;
  const line = (perLayer: number) => ({ x: [0, all / perLayer, 36], y: [0, all, all] });
  return curvesFigure(
    [
      {
        x: `convolution layers, kernel of ${kernel} cells`,
        y: "reach (cells)",
        curves: [
          { name: `${kernel} cells a layer`, hex: printed, dash: "dash", ...line(kernel) },
          { name: `${(kernel - 1) / 2} cells a layer`, hex: right, ...line((kernel - 1) / 2) },
          { name: "measured", hex: "#222222", mode: "markers", x: layers, y: reach },
        ],
      },
    ],
    { height: 345, text: "How far convolutions reach" },
  );
}

/** Features after FiLM against those before, every other cell of some channels: one line a channel. */
export function modulationFigure({ before, after, channels }: Modulation, shown = 4): Figure {
  const symbols = ["circle", "square", "diamond", "x", "triangle-up"];
  const hexes = [colour.pde, colour.sgm, colour.third, colour.fourth, colour.fifth];
  const curves = Array.from({ length: shown }, (_, channel): Curve => {
    const column = (values: Float64Array) =>
      values.filter((_value, i) => i % channels === channel && Math.floor(i / channels) % 2 === 0);
    return {
      name: `channel ${channel + 1}`,
      hex: hexes[channel % hexes.length],
      symbol: symbols[channel % symbols.length],
      mode: "markers",
      x: column(before),
      y: column(after),
    };
  });
  return curvesFigure([{ x: "feature before FiLM", y: "feature after FiLM", curves }], {
    height: 345,
    text: "FiLM multiplies channels",
  });
}

/** Share of conditions, %, that have a training condition within a distance, a curve a data set; distances sorted. */
export function nearestConditionFigure(
  sets: readonly { readonly name: string; readonly distances: Float64Array }[],
): Figure {
  const curves = sets.map(({ name, distances }, k): Curve => {
    const every = Math.ceil(distances.length / 50);
    const y = distances.map((_, i) => (100 * (i + 0.5)) / distances.length);
    const thin = (values: Float64Array) => values.filter((_, i) => i % every === 0);
    return {
      name,
      hex: [printed, right][k % 2],
      dash: k === 0 ? "dash" : "solid",
      x: thin(distances),
      y: thin(y),
    };
  });
  const axes = { x: "distance to the nearest training condition", y: "share of new conditions (%)" };
  return curvesFigure([{ ...axes, curves }], { height: 345, text: "Distances to training data" });
}

/** Values predicted against values solved for: points on the diagonal where they agree. */
export function parityFigure(
  list: readonly {
    /** Symbol and unit. */
    readonly title: string;
    readonly solved: readonly number[];
    readonly predicted: readonly number[];
  }[],
): Figure {
  const drawn = list.map(({ title, solved, predicted }) => {
    const ends = [Math.min(...solved), Math.max(...solved)];
    return {
      x: title.replace(" (", ", solved ("),
      y: title.replace(" (", ", predicted ("),
      curves: [
        { name: "equal", hex: colour.grey, dash: "dot", x: ends, y: ends },
        { name: "random conditions", hex: colour.pde, mode: "markers" as const, x: solved, y: predicted },
      ],
    };
  });
  return curvesFigure(drawn, { height: 345, text: "Affine prediction against the solver" });
}
