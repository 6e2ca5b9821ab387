/** Figure 4 from summaries instead of realisations, and the standard deviations behind it. */
import { type Curve, curvesFigure } from "../../../lib/figures/curves";
import { type Figure } from "../../../lib/figures/figure";
import type { FieldSummary, Summary } from "./published";

/** A summary with its name and its style. */
export interface Side {
  readonly name: string;
  readonly hex: string;
  readonly dash?: string;
  readonly summary: Summary;
}

const FIELDS = [
  { key: "c", title: "concentration", y: "c (mol/m³)", spread: "std of c (mol/m³)", factor: 1 },
  { key: "phi", title: "potential", y: "φ (mV)", spread: "std of φ (mV)", factor: 1000 },
] as const;

/** Mean and 95 % band of both fields. x: cell centres in µm. */
export function figure4(x: ArrayLike<number>, sides: readonly Side[], text: string): Figure {
  const list = FIELDS.map(({ key, title, y, factor }) => ({
    title,
    x: "x (µm)",
    y,
    curves: sides.map(({ summary, ...style }): Curve => {
      const scaled = (part: keyof FieldSummary) => times(summary[key][part], factor);
      return { ...style, x, y: scaled("mean"), low: scaled("low"), high: scaled("high") };
    }),
  }));
  return curvesFigure(list, { height: 430, width: 860, text });
}

/** Standard deviations of both fields along x. */
export function spreadsFigure(x: ArrayLike<number>, sides: readonly Side[], text: string): Figure {
  const list = FIELDS.map(({ key, title, spread, factor }) => ({
    title,
    x: "x (µm)",
    y: spread,
    curves: sides.map(({ summary, ...style }): Curve => ({
      ...style,
      x,
      y: times(summary[key].std, factor),
    })),
  }));
  return curvesFigure(list, { height: 420, width: 860, text });
}

function times(values: ArrayLike<number>, factor: number): number[] {
  return Array.from(values, (value) => factor * value);
}
