import type { SamplerStudy } from "../../../lib/evaluation/studies";
import { colour, type Figure, line, panels, points } from "../../../lib/figures/figure";

/** Energy distance to the reference against network calls, one curve a sampler, with the floors as lines. */
export function samplerFigure({ results, floors, reference }: SamplerStudy): Figure {
  const shades = [colour.grey, colour.fourth, colour.third, colour.fifth, colour.sgm];
  const names = [...new Set(results.map(({ sampler }) => sampler))];
  const curves = names.map((name, i) => {
    const own = results.filter(({ sampler }) => sampler === name);
    return points(
      own.map(({ networkCalls }) => networkCalls),
      own.map(({ energyDistance }) => energyDistance),
      {
        name,
        mode: "lines+markers",
        line: { color: shades[i % shades.length], width: 2 },
        customdata: own.map(({ stdRatio }) => Number(stdRatio.toPrecision(3))),
        hovertemplate: `${name}<br>%{x} calls: %{y:.2g}<br>std × %{customdata}<extra></extra>`,
      },
    );
  });
  const calls = results.map(({ networkCalls }) => networkCalls);
  const ends = [Math.min(...calls), Math.max(...calls)];
  const lines = floors.map(({ rows, energyDistance }, i) =>
    line(ends, [energyDistance, energyDistance], {
      name: `sampling floor, n = ${rows}`,
      line: { color: colour.pde, width: 1.5, dash: i === 0 ? "dot" : "dash" },
      hovertemplate: `sampling floor, n = ${rows}: %{y:.2g}<extra></extra>`,
    }),
  );
  const panel = {
    x: "network calls",
    y: "energy distance (standardised fields)",
    xType: "log" as const,
    xTicks: [...new Set(calls)],
    yType: "log" as const,
    traces: [...curves, ...lines],
  };
  const text = `Samplers against ${reference.steps} steps of ${reference.sampler}, same starting noise`;
  return panels([panel], { width: 760, height: 460, text });
}
