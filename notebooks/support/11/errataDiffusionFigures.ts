/** Figures of the errata that concern the diffusion: its reverse equation, its marginals, its loss and its samplers. */
import { type Gaussian, marginalGaussian } from "../../../lib/evaluation/gaussianSampling";
import { reverseVariances } from "../../../lib/evaluation/reverseForms";
import { type Curve, curvesFigure } from "../../../lib/figures/curves";
import type { Figure } from "../../../lib/figures/figure";
import type { Schedule } from "../../../lib/schedule";
import type { ReverseForm } from "../../../lib/sde";
import { printed, right } from "./errataPhysicsFigures";

/** Simulated variances of one reverse equation, and what it takes to know them. */
export interface ReverseRun {
  readonly form: ReverseForm;
  readonly data: Gaussian;
  readonly schedule: Schedule;
  readonly name: string;
  readonly hex: string;
  readonly symbol?: string;
  readonly times: Float64Array;
  readonly simulated: Float64Array;
}

/** Variances of reverse equations, a panel a schedule: points simulated, lines the law, dashed what they should be. */
export function reverseVariancesFigure(
  list: readonly { readonly title: string; readonly runs: readonly ReverseRun[] }[],
): Figure {
  // Variances within these powers of ten; what leaves them explodes.
  const range = [-1, 1.5] as const;
  const shown = list.map(({ title, runs }) => {
    const { schedule, data, times } = runs[0];
    const thin = <T extends Float64Array>(values: T) => values.filter((_, k) => k % 50 === 0);
    const curves = runs.flatMap(({ form, name, hex, symbol, simulated }): Curve[] => {
      const known = thin(reverseVariances(form, data, schedule, times));
      const inside = (values: Float64Array) =>
        values.map((value) => (value < 10 ** range[1] * 2 ? value : NaN));
      return [
        { name: `${name}, law`, hex, x: thin(times), y: inside(known), width: 1.5, unnamed: true },
        { name, hex, symbol, x: thin(times), y: inside(thin(simulated)), mode: "markers" },
      ];
    });
    const truth = thin(times).map((t) => marginalGaussian(data, schedule, t).variance);
    curves.push({ name: "variance of X_t", hex: "#222222", dash: "dash", x: thin(times), y: truth });
    const axes = {
      x: "t, sampled from right to left",
      y: "variance of Y",
      yType: "log",
      yRange: range,
    } as const;
    return { title, ...axes, curves };
  });
  return curvesFigure(shown, { height: 345, text: "Variance along the reverse equations" });
}

/** Left: measured standard deviations of x_t for x_0 = 1 beside v and its root; right: what becomes of a variance of 1. */
export function varianceFigure(
  schedule: Schedule,
  measured: { readonly t: readonly number[]; readonly std: readonly number[] },
): Figure {
  const t = Float64Array.from({ length: 101 }, (_, k) => (schedule.endTime * k) / 100);
  const v = t.map((time) => schedule.std(time) ** 2);
  const kept = t.map((time) => schedule.mean(time) ** 2);
  const sum = (noise: Float64Array) => kept.map((value, k) => value + noise[k]);
  return curvesFigure(
    [
      {
        title: "X₀ fixed",
        x: "t",
        y: "standard deviation of X_t",
        curves: [
          { name: "√v", hex: right, x: t, y: v.map(Math.sqrt) },
          { name: "v", hex: printed, dash: "dash", x: t, y: v },
          { name: "simulated", hex: "#222222", mode: "markers", x: measured.t, y: measured.std },
        ],
      },
      {
        title: "X₀ of variance 1",
        x: "t",
        y: "variance of X_t",
        yRange: [0, 1.1],
        curves: [
          { name: "m X₀ + √v Z", hex: right, x: t, y: sum(v) },
          { name: "m X₀ + v Z", hex: printed, dash: "dash", x: t, y: sum(v.map((value) => value * value)) },
        ],
      },
    ],
    { height: 345, text: "v is a variance" },
  );
}

/** Smallest possible losses over time, lines the closed form and points a Monte Carlo estimate. */
export function smallestLossFigure(
  times: readonly number[],
  losses: readonly {
    readonly name: string;
    readonly known: readonly number[];
    readonly drawn: readonly number[];
  }[],
): Figure {
  const curves = losses.flatMap(({ name, known, drawn }, k): Curve[] => {
    const hex = [printed, right][k];
    return [
      { name, hex, x: times, y: known },
      { name: `${name}, drawn`, hex, x: times, y: drawn, mode: "markers", unnamed: true },
    ];
  });
  const axes = { x: "t", y: "smallest possible loss", xType: "log", yType: "log" } as const;
  const figure = curvesFigure([{ ...axes, curves }], { height: 345, text: "Loss of the exact score" });
  // Twelve decades: a label at each would lie on its neighbours.
  const yaxis = { ...(figure.layout["yaxis"] as object), dtick: 3 };
  return { ...figure, layout: { ...figure.layout, yaxis } };
}

/** Errors of two samplers against their number of steps. */
export function samplerOrdersFigure(
  steps: readonly number[],
  samplers: readonly { readonly name: string; readonly errors: readonly number[] }[],
): Figure {
  const curves = samplers.map(({ name, errors }, k): Curve => ({
    name,
    hex: [printed, right][k],
    symbol: ["square", "circle"][k],
    mode: "lines+markers",
    x: steps,
    y: errors.map(Math.abs),
  }));
  const axes = { x: "steps", y: "relative error of the variance", xType: "log", yType: "log" } as const;
  return curvesFigure([{ ...axes, xTicks: steps, curves }], { height: 345, text: "Orders of samplers" });
}
