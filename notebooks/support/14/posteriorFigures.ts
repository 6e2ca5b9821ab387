import fs from "fs";
import { columnMean, columnPercentiles } from "../../../lib/comparison";
import type { PosteriorStudy } from "../../../lib/evaluation/studies";
import { colour, type Figure, type Json } from "../../../lib/figures/figure";
import { type Curve, type CurvePanel, curvesFigure } from "../../../lib/figures/curves";
import type { Sensor } from "../../../lib/posterior/observation";

/** Mean and 95 % band of rows of one quantity (rows, cells), times a factor. */
export interface Ensemble {
  readonly name: string;
  readonly hex: string;
  readonly dash?: string;
  readonly fields: Float64Array;
  readonly porosity: Float64Array;
}

const FACTORS = { c: 1, phi: 1000 };

/** Both fields and the porosity of some ensembles, beside the truth and the sensors. x: (cells), µm. */
export function posteriorFigure(
  x: Float64Array,
  ensembles: readonly Ensemble[],
  truth: { readonly fields: Float64Array; readonly porosity: Float64Array },
  sensors: readonly Sensor[],
  options: { title?: string } = {},
): Figure {
  const cells = x.length;
  const part = (values: Float64Array, offset: number, factor: number): Float64Array =>
    values
      .filter((_, i) => i % (2 * cells) >= offset && i % (2 * cells) < offset + cells)
      .map((v) => factor * v);
  const kinds = [
    {
      title: "concentration",
      y: "c (mol/m³)",
      of: (e: Ensemble) => part(e.fields, 0, 1),
      truth: part(truth.fields, 0, 1),
      field: "c",
    },
    {
      title: "potential",
      y: "φ (mV)",
      of: (e: Ensemble) => part(e.fields, cells, 1000),
      truth: part(truth.fields, cells, 1000),
      field: "phi",
    },
    { title: "porosity", y: "ε", of: (e: Ensemble) => e.porosity, truth: truth.porosity, field: undefined },
  ];
  const list = kinds.map(({ title, y, of, truth: exact, field }): CurvePanel => {
    const curves = ensembles.map((ensemble): Curve => {
      const values = of(ensemble);
      const [low, high] = columnPercentiles(values, cells);
      const { name, hex, dash } = ensemble;
      return { name, hex, dash, x, y: columnMean(values, cells), low, high };
    });
    const own: Curve = { name: "truth", hex: "#222222", dash: "dot", width: 2, x, y: exact };
    const seen = sensors.filter((sensor) => sensor.field === field && sensor.x !== undefined);
    const factor = field === "phi" ? FACTORS.phi : FACTORS.c;
    const marks: Curve = {
      name: "sensors",
      hex: "#222222",
      mode: "markers",
      symbol: "diamond",
      x: seen.map((sensor) => 1e6 * sensor.x!),
      y: seen.map(({ value }) => factor * value),
    };
    return { title, x: "x (µm)", y, curves: [...curves, own, ...(seen.length > 0 ? [marks] : [])] };
  });
  return curvesFigure(list, {
    width: 980,
    height: 420,
    text: "Fields and porosity given the sensors",
    ...options,
  });
}

/** A study, or what has been done of it; empty where there is no file. */
export function readStudy(file: string): PosteriorStudy {
  const parts = fs.existsSync(file)
    ? (JSON.parse(fs.readFileSync(file, "utf8")) as Partial<PosteriorStudy>)
    : {};
  return { accuracy: [], calibration: [], ...parts } as PosteriorStudy;
}

/** p-values of a method's functionals, its mean CRPS, and the root of mean variance over mean squared error. */
export function scoreRow(study: PosteriorStudy, method: string, functionals: number): string[] {
  const found = study.calibration.map((run) => run.results.find((result) => result.method === method)!);
  const total = (pick: (result: (typeof found)[number]) => number) =>
    found.reduce((sum, result) => sum + pick(result), 0);
  const p = Array.from({ length: functionals }, (_, k) => uniformPValue(rankCounts(study, method, k)));
  return [
    ...p.map((value) => value.toPrecision(2)),
    (total(({ crps }) => crps) / found.length).toPrecision(3),
    Math.sqrt(total(({ spread }) => spread) / total(({ error }) => error)).toFixed(2),
  ];
}

const HEX: Readonly<Record<string, string>> = {
  twisted: colour.sgm,
  jfps: colour.third,
  mmps: colour.fifth,
  kalman: colour.pde,
  dps: colour.fourth,
};

/** Error of the mean of every method, in the posterior's standard deviations, one point for each truth. */
export function errorsFigure({ accuracy, conditions, sets }: PosteriorStudy): Figure {
  const places = conditions.flatMap(({ name }) => sets.map((set) => ({ name, set: set.name })));
  const methods = Object.keys(HEX);
  const list = sets.map((set): CurvePanel => {
    const curves = methods.map((method, m): Curve => {
      const found = places.flatMap((place, at) =>
        place.set !== set.name
          ? []
          : accuracy
              .filter((run) => run.condition === place.name && run.sensors === set.name)
              .map((run) => ({
                x: Math.floor(at / sets.length) + 1 + 0.12 * (m - 2),
                y: run.results.find((result) => result.method === method)!.error,
              })),
      );
      return {
        name: method,
        hex: HEX[method],
        mode: "markers",
        x: found.map(({ x }) => x),
        y: found.map(({ y }) => y),
      };
    });
    return {
      title: `${set.name} sensors`,
      x: "condition",
      y: "error of the mean (std)",
      yType: "log",
      xRange: [0.5, conditions.length + 0.5],
      curves,
    };
  });
  const figure = curvesFigure(list, { height: 400, text: "Errors of the posterior means" });
  const axes = Object.keys(figure.layout).filter((name) => name.startsWith("xaxis"));
  const ticks = { tickvals: conditions.map((_, i) => i + 1), ticktext: conditions.map(({ name }) => name) };
  const layout = Object.fromEntries(
    axes.map((name) => [name, { ...(figure.layout[name] as object), ...ticks } as Json]),
  );
  return { ...figure, layout: { ...figure.layout, ...layout } };
}

/** Bins of the ranks. */
const BINS = 16;

/** Counts of ranks in 16 bins, of one method and functional. */
export function rankCounts(
  { calibration, calibrationSettings }: PosteriorStudy,
  method: string,
  functional: number,
): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const run of calibration) {
    const rank = run.results.find((result) => result.method === method)!.ranks[functional];
    counts[Math.floor((rank * BINS) / (calibrationSettings.draws + 1))]++;
  }
  return counts;
}

/** p-value of uniform counts: chi-square, by the approximation of Wilson and Hilferty 1931. */
export function uniformPValue(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const square = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  const z = ((square / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
  return 0.5 * erfc(z / Math.SQRT2);
}

/** Complementary error function, to 1.2e-7. Source: Press et al., Numerical Recipes, section 6.2. */
function erfc(x: number): number {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ];
  const sum = terms.reduceRight((value, term) => value * t + term, 0);
  const value = t * Math.exp(-x * x + sum);
  return x >= 0 ? value : 2 - value;
}

/** Ranks of the truth among draws of the posterior: the share below each rank less the rank, which is noise about 0 if calibrated. */
export function ranksFigure(study: PosteriorStudy, functionals: readonly string[]): Figure {
  const { calibration, calibrationSettings } = study;
  const all = calibrationSettings.draws + 1;
  const list = functionals.map((title, k): CurvePanel => {
    const curves = ["twisted", "jfps", "kalman", "dps"].map((method): Curve => {
      const ranks = calibration.map(
        (run) => run.results.find((result) => result.method === method)!.ranks[k],
      );
      const x = Array.from({ length: all + 1 }, (_, i) => i / all);
      const y = x.map(
        (share) => ranks.filter((rank) => rank < share * all - 1e-9).length / ranks.length - share,
      );
      return { name: method, hex: HEX[method], x, y };
    });
    const half = 1.36 / Math.sqrt(calibration.length); // Kolmogorov's 95 % of the largest difference
    const limits = [half, -half].map((y): Curve => ({
      name: "95 % if calibrated",
      hex: colour.grey,
      dash: "dot",
      x: [0, 1],
      y: [y, y],
    }));
    return { title, x: "rank of the truth", y: "share below, less rank", curves: [...curves, ...limits] };
  });
  return curvesFigure(list, {
    columns: 2,
    width: 860,
    height: 640,
    text: "Ranks of the truth, of four functionals",
  });
}

/** Effective samples a second over the noise of the sensors: the model's, and the solver's at several prices of a solve. */
export function costFigure(
  noise: readonly number[],
  model: readonly number[],
  solver: readonly number[],
  prices: readonly number[],
): Figure {
  const greys = [colour.pde, "#4f9bcc", "#8fc1e3", "#bcd9ee"];
  const curves: Curve[] = prices.map((price, k) => ({
    name: price === 1 ? "solver" : `solver, ${price} times dearer`,
    hex: greys[k % greys.length],
    dash: ["solid", "dash", "dashdot", "dot"][k % 4],
    x: noise,
    y: solver.map((rate) => rate / price),
  }));
  curves.push({ name: "twisted sampler", hex: colour.sgm, mode: "lines+markers", x: noise, y: model });
  const panel = {
    x: "noise of the sensors (std of the prior)",
    y: "effective samples a second",
    xType: "log" as const,
    yType: "log" as const,
    curves,
  };
  return curvesFigure([panel], { width: 760, height: 430, text: "Effective samples a second" });
}
