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
    curves.push({
      name: "variance of X<sub>t</sub>",
      hex: "#222222",
      dash: "dash",
      x: thin(times),
      y: truth,
    });
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
        y: "standard deviation of X<sub>t</sub>",
        curves: [
          { name: "√v", hex: right, x: t, y: v.map(Math.sqrt) },
          { name: "v", hex: printed, dash: "dash", x: t, y: v },
          { name: "simulated", hex: "#222222", mode: "markers", x: measured.t, y: measured.std },
        ],
      },
      {
        title: "X₀ of variance 1",
        x: "t",
        y: "variance of X<sub>t</sub>",
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
