/** Figures of the forward process: paths, marginals, schedule, fields dissolving into noise, modes that drown. */
import type { Problem } from "../../../lib/problem";
import type { GaussianMixture } from "../../../lib/evaluation/gaussianMixture";
import type { Schedule } from "../../../lib/schedule";
import { histogram } from "../../../lib/evaluation/histogram";
import { band, colour, type Figure, line, panels, points, rounded } from "../../../lib/figures/figure";

const SHADES = [colour.pde, colour.fifth, colour.third, colour.fourth, colour.sgm];

/** Paths that all start from one number, over the mean and the band of two standard deviations known in closed form. */
export function forwardPathsFigure(
  times: Float64Array, // from 0
  paths: readonly Float64Array[], // values at the times
  schedule: Schedule,
): Figure {
  const start = paths[0][0];
  const mean = times.map((t) => start * schedule.mean(t));
  const low = mean.map((value, i) => value - 2 * schedule.std(times[i]));
  const high = mean.map((value, i) => value + 2 * schedule.std(times[i]));
  const traces = [
    band(times, low, high, colour.grey, "m x₀ ± 2 √v"),
    ...paths.map((path, k) =>
      line(times, path, {
        name: k === 0 ? "simulated paths" : undefined,
        x: rounded(times, 4),
        y: rounded(path, 4),
        line: { color: SHADES[k % SHADES.length], width: 1 },
        hovertemplate: "t = %{x:.2f}<br>X = %{y:.2f}<extra></extra>",
      }),
    ),
    line(times, mean, { name: "m x₀", line: { color: "#222", width: 2.5 } }),
  ];
  const panel = { x: "diffusion time t (1)", y: "X (1)", traces };
  return panels([panel], { width: 760, height: 400, text: `${paths.length} paths of the forward SDE` });
}

/** Histograms of simulated numbers at several times beside the density that x_t has in closed form. */
export function marginalsFigure(
  simulated: readonly { readonly t: number; readonly values: Float64Array }[],
  data: GaussianMixture, // of x_0, in one dimension
  schedule: Schedule,
): Figure {
  const x = Float64Array.from({ length: 121 }, (_, i) => -3 + i / 20);
  const list = simulated.map(({ t, values }, k) => {
    const { centres, density } = histogram(values, -3, 3, 40);
    return {
      title: `t = ${Number(t.toFixed(3))}`,
      x: "X (1)",
      y: k === 0 ? "density (1)" : "",
      xRange: [-3, 3] as const,
      yRange: [0, 1.25] as const,
      traces: [
        {
          type: "bar",
          name: "simulated step by step",
          x: rounded(centres, 4),
          y: rounded(density, 4),
          width: 0.15,
          marker: { color: "#bdbdbd" },
          hovertemplate: "X = %{x:.2f}<br>density %{y:.3f}<extra>simulated</extra>",
        },
        line(x, data.marginal(schedule, t).logDensity(x).map(Math.exp), {
          name: "closed form",
          line: { color: colour.third, width: 2.5 },
          hovertemplate: "X = %{x:.2f}<br>density %{y:.3f}<extra>closed form</extra>",
        }),
      ],
    };
  });
  return panels(list, {
    width: 900,
    height: 330,
    text: "Histograms of the forward process at several times",
  });
}

/** Rate, factors and signal-to-noise ratio of a schedule over time. */
export function scheduleFigure(schedule: Schedule): Figure {
  const t = Float64Array.from({ length: 100 }, (_, i) => (schedule.endTime * (i + 1)) / 100);
  const hover = "t = %{x:.2f}<br>%{y:.3g}<extra>%{fullData.name}</extra>";
  const curve = (of: (t: number) => number, name: string, color: string, dash = "solid") =>
    line(t, t.map(of), { name, line: { color, width: 2.5, dash }, hovertemplate: hover });
  const ratio = (s: number) => schedule.noiseLevel(s) ** -2;
  return panels(
    [
      { x: "t (1)", y: "rate β (1)", traces: [curve(schedule.beta, "rate β", colour.third)] },
      {
        x: "t (1)",
        y: "factor (1)",
        traces: [
          curve(schedule.mean, "mean m", colour.pde),
          curve(schedule.std, "standard deviation √v", colour.fifth),
          curve((s) => schedule.std(s) ** 2, "variance v", colour.fifth, "dot"),
        ],
      },
      {
        x: "t (1)",
        y: "signal to noise m²/v (1)",
        yType: "log",
        traces: [
          curve(ratio, "signal to noise m²/v", colour.fourth),
          line([0, schedule.endTime], [1, 1], {
            showlegend: false,
            line: { color: colour.grey, dash: "dot" },
          }),
        ],
      },
    ],
    { width: 900, height: 360, text: "Rate, mean, standard deviation and signal-to-noise ratio over time" },
  );
}

/** Standardised fields at one time, a column of panels a field and a row of panels a set of states. */
export function dissolvingFigure(
  problem: Problem,
  sets: readonly { readonly title: string; readonly states: Float64Array }[], // states: rows x fields x cells
): Figure {
  const { cells, fields } = problem;
  const x = rounded(
    problem.positions.map((value) => value * 1e6),
    4,
  );
  const list = sets.flatMap(({ title, states }, set) =>
    fields.map(({ symbol }, f) => ({
      title: `${title}: ${symbol}`,
      x: set === sets.length - 1 ? "x (µm)" : "",
      y: `${symbol}, standardised (1)`,
      xRange: [0, problem.length * 1e6] as const,
      yRange: [-4, 4] as const,
      traces: Array.from({ length: states.length / (fields.length * cells) }, (_, row) => {
        const start = (row * fields.length + f) * cells;
        return {
          x,
          y: Array.from(states.subarray(start, start + cells), (value) => Number(value.toFixed(2))),
          line: { color: SHADES[row % SHADES.length], width: 1.5 },
          showlegend: false,
          hovertemplate: `x = %{x:.1f} µm<br>${symbol} = %{y:.2f} standard deviations<extra></extra>`,
        };
      }),
    })),
  );
  const options = { width: 860, height: 280 * sets.length + 20, columns: fields.length, legend: false };
  return panels(list, { ...options, text: "Fields and noise" });
}

/**
 * How long the modes of some fields stay above the noise: the share of data in x_t's variance over time for a few modes
 * of the first set, and the time at which each mode drowns (share one half) for all sets.
 */
export function drowningFigure(
  sets: readonly { readonly name: string; readonly variances: Float64Array }[],
  schedule: Schedule,
  shown: readonly number[] = [1, 2, 4, 8, 16],
): Figure {
  const t = Float64Array.from({ length: 101 }, (_, i) => (schedule.endTime * i) / 100);
  const shares = shown
    .filter((k) => k <= sets[0].variances.length)
    .map((k, i) => {
      const variance = sets[0].variances[k - 1];
      const share = t.map((s) => variance / (variance + schedule.noiseLevel(s) ** 2));
      return line(t, share, {
        name: `mode ${k}`,
        line: { color: SHADES[i % SHADES.length], width: 2.5 },
        hovertemplate: `t = %{x:.2f}<br>share of data %{y:.3f}<extra>mode ${k}</extra>`,
      });
    });
  const drowning = sets.map(({ name, variances }, i) => {
    const positive = variances.filter((variance) => variance > 1e-12); // a fixed cell leaves a mode of nothing
    return points(
      positive.map((_, k) => k + 1),
      positive.map((variance) => schedule.timeOf(Math.sqrt(variance))),
      {
        name,
        marker: {
          size: 6,
          color: i === 0 ? colour.pde : colour.grey,
          symbol: i === 0 ? "circle" : "diamond",
        },
        hovertemplate: `mode %{x}<br>drowns at t = %{y:.4f}<extra>${name}</extra>`,
      },
    );
  });
  return panels(
    [
      {
        title: `modes of ${sets[0].name}`,
        x: "diffusion time t (1)",
        y: "share of data in the variance (1)",
        traces: shares,
      },
      {
        title: "all modes",
        x: "number of the mode (1)",
        y: "time at which it drowns (1)",
        xType: "log",
        yType: "log",
        traces: drowning,
      },
    ],
    { width: 860, height: 440, text: "Which modes the noise hides when" },
  );
}
