import { colour, faded, type Figure, panels, rounded } from "../../../lib/figures/figure";

/** Noise levels of one batch, and the losses of many, drawn in two ways: shares of the draws in equal bins. */
export function levelsFigure(
  ways: readonly {
    readonly name: string;
    readonly levels: ArrayLike<number>;
    readonly losses: ArrayLike<number>;
  }[],
): Figure {
  const shades = [colour.fourth, colour.third];
  const histogram = (values: ArrayLike<number>, low: number, high: number, bins: number) => {
    const counts = new Array<number>(bins).fill(0);
    for (const value of Array.from(values)) {
      const bin = Math.floor((bins * (value - low)) / (high - low));
      counts[Math.max(0, Math.min(bins - 1, bin))] += 100 / values.length;
    }
    return { x: counts.map((_, k) => low + ((k + 0.5) * (high - low)) / bins), y: counts };
  };
  const bars = (pick: "levels" | "losses", bins: number, log: boolean, unit: string) => {
    const all = ways.flatMap((way) => Array.from(way[pick], log ? Math.log10 : Number));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return ways.map((way, i) => {
      const values = Array.from(way[pick], log ? Math.log10 : Number);
      const { x, y } = histogram(values, low, high, bins);
      return {
        type: "scatter",
        mode: "lines",
        name: way.name,
        x: rounded(log ? x.map((value) => 10 ** value) : x, 4),
        y: rounded(y, 4),
        line: { color: shades[i], width: 2, shape: "hvh" },
        fill: "tozeroy",
        fillcolor: faded(shades[i], 0.25),
        hovertemplate: `${way.name}<br>${unit} %{x:.3g}: %{y:.1f} %<extra></extra>`,
      };
    });
  };
  return panels(
    [
      { title: "one batch", x: "noise level s (standard deviations)", xType: "log", y: "share of the rows (%)", traces: bars("levels", 20, true, "s") }, // prettier-ignore
      { title: "many batches", x: "loss of a batch", y: "share of the batches (%)", traces: bars("losses", 30, false, "loss") }, // prettier-ignore
    ],
    {
      height: 420,
      text: "Noise levels of a batch and losses of batches, drawn independently and stratified",
    },
  );
}
