/** Figures of the errata that concern the network and the data set. */
import type { Modulation } from "./modulation";
import { type Curve, curvesFigure } from "../../../lib/figures/curves";
import { printed, right } from "./errataPhysicsFigures";
import { colour, type Figure } from "../../../lib/figures/figure";

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
