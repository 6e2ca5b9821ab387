/** Figures of denoising score matching: regression on noise, the loss and its floor, errors over noise levels. */
import {
  colour,
  faded,
  type Figure,
  line,
  panels,
  points,
  rounded,
  type Trace,
} from "../../../lib/figures/figure";

/** Noise against the noisy state: draws, means in bins with two standard errors, and the exact conditional mean. */
export function regressionFigure(
  draws: { readonly x: Float64Array; readonly z: Float64Array },
  bins: { readonly centres: Float64Array; readonly mean: Float64Array; readonly error: Float64Array },
  exact: { readonly x: Float64Array; readonly z: Float64Array },
  most = 400,
): Figure {
  const known = Array.from(bins.mean.keys()).filter((k) => Number.isFinite(bins.mean[k]));
  const pick = (values: Float64Array) => known.map((k) => values[k]);
  const traces: Trace[] = [
    {
      ...points(draws.x.subarray(0, most), draws.z.subarray(0, most), { name: "draws" }),
      x: rounded(draws.x.subarray(0, most), 3),
      y: rounded(draws.z.subarray(0, most), 3),
      marker: { size: 4, color: faded(colour.grey, 0.35) },
      hovertemplate: "x = %{x:.2f}<br>z = %{y:.2f}<extra>one draw</extra>",
    },
    line(exact.x, exact.z, {
      name: "−√v × score, exact",
      x: rounded(exact.x, 4),
      y: rounded(exact.z, 4),
      line: { color: colour.third, width: 3 },
      hovertemplate: "x = %{x:.2f}<br>%{y:.3f}<extra>exact</extra>",
    }),
    {
      ...points(pick(bins.centres), pick(bins.mean), { name: "mean of the draws in a bin" }),
      x: rounded(pick(bins.centres), 4),
      y: rounded(pick(bins.mean), 4),
      marker: { size: 8, color: colour.sgm },
      error_y: {
        type: "data",
        array: rounded(
          pick(bins.error).map((value) => 2 * value),
          3,
        ),
        color: colour.sgm,
      },
      hovertemplate: "x = %{x:.2f}<br>mean of z = %{y:.3f}<extra>bin</extra>",
    },
  ];
  const panel = {
    x: "noisy state x (1)",
    y: "noise z in it (1)",
    xRange: [-3, 3] as const,
    yRange: [-3, 3] as const,
    traces,
  };
  return panels([panel], { width: 760, height: 430, text: "The mean of the noise given the noisy state" });
}

/** Loss of a training so far, one point for every `every` steps, with the smallest value it can take as a line. */
export class PointHistory {
  private readonly steps: number[] = [];
  private readonly losses: number[] = [];
  private sum = 0;

  constructor(
    private readonly floor: number,
    private readonly all: number,
    private readonly every = 20,
  ) {}

  add({ step, loss }: { readonly step: number; readonly loss: number }): void {
    this.sum += loss;
    if (step % this.every !== 0) return;
    this.steps.push(step);
    this.losses.push(this.sum / this.every);
    this.sum = 0;
  }

  figure(): Figure {
    const floor = [this.floor, this.floor];
    const traces = [
      line(this.steps, this.losses, {
        name: "training loss",
        line: { color: colour.sgm, width: 2 },
        hovertemplate: "step %{x}<br>loss %{y:.3f}<extra></extra>",
      }),
      line([0, this.all], floor, { name: "its floor", line: { color: colour.grey, width: 2, dash: "dash" } }),
    ];
    const panel = { x: "step (1)", y: "loss (squared noise, 1)", xRange: [0, this.all] as const, traces };
    const last = this.losses[this.losses.length - 1];
    const text = `step ${this.steps[this.steps.length - 1] ?? 0}, loss ${last?.toFixed(3) ?? ""}, floor ${this.floor.toFixed(3)}`;
    return panels([{ ...panel, yRange: [0, 1.1] as const }], { width: 760, height: 380, text });
  }
}

/** Curves over the noise level on a logarithmic axis, in one panel or several. */
export function overNoiseFigure(
  list: readonly {
    readonly title?: string;
    readonly y: string;
    readonly log?: boolean;
    readonly curves: readonly {
      readonly name: string;
      readonly hex: string;
      readonly levels: ArrayLike<number>;
      readonly values: ArrayLike<number>;
      readonly dash?: string;
    }[];
  }[],
): Figure {
  return panels(
    list.map(({ title, y, log, curves }) => ({
      title,
      x: "noise level √v / m (1)",
      y,
      xType: "log" as const,
      yType: log ? ("log" as const) : ("linear" as const),
      traces: curves.map(({ name, hex, levels, values, dash = "solid" }) =>
        line(levels, values, {
          name,
          x: rounded(levels, 4),
          y: rounded(values, 4),
          line: { color: hex, width: 2.5, dash },
          hovertemplate: `noise level %{x:.3g}<br>%{y:.3g}<extra>${name}</extra>`,
        }),
      ),
    })),
    { width: list.length > 1 ? 900 : 760, height: 430, text: list.map(({ y }) => y).join(", ") },
  );
}
