/** Figures of the Gaussian process behind the porosity: its covariance, the root of it, their spectra, its sigmoid. */
import { CholeskyDecomposition, EigenvalueDecomposition } from "ml-matrix";
import {
  colour,
  type Figure,
  line,
  panels,
  rounded,
  type Trace,
  withHover,
} from "../../../lib/figures/figure";
import {
  JITTER,
  POROSITY_MAX,
  POROSITY_MIN,
  squaredExponential,
  squashToPorosity,
} from "../../../lib/gaussianProcess";

/** Colours of curves that are neither PDE's nor model's. */
const SHADES = [colour.pde, colour.fifth, colour.third, colour.fourth];

/** The covariance matrix of a correlation length and its Cholesky factor, as pictures. positions in m (cells). */
export function covarianceFigure(positions: Float64Array, correlationLength: number): Figure {
  const covariance = squaredExponential(positions, correlationLength);
  const factor = new CholeskyDecomposition(covariance).lowerTriangularMatrix;
  // Every second row and column: the picture is the same, and the file a quarter of it.
  const every = Array.from({ length: Math.ceil(positions.length / 2) }, (_, k) => 2 * k);
  const centres = rounded(
    every.map((i) => positions[i] * 1e6),
    4,
  );
  const list = [covariance, factor].map((matrix, k) => ({
    title: ["covariance matrix K", "its Cholesky factor R"][k],
    x: ["x′ (µm)", "number of the normal z"][k],
    y: "x (µm)",
    traces: [
      {
        type: "heatmap",
        x: k === 0 ? centres : every.map((i) => i + 1),
        y: centres,
        z: every.map((i) =>
          rounded(
            every.map((j) => matrix.get(i, j)),
            2,
          ),
        ),
        colorscale: "Blues",
        reversescale: true,
        zmin: 0,
        zmax: 1,
        showscale: k === 1,
        colorbar: { thickness: 14 },
        hovertemplate: "row x = %{y} µm<br>column %{x}<br>%{z}<extra></extra>",
      },
    ],
  }));
  const options = { width: 860, height: 430, legend: false, text: "Covariance matrix and Cholesky factor" };
  const figure = panels(list, options);
  const whole = (key: string) => ({
    ...(figure.layout[key] as object),
    tickmode: "array",
    tickvals: [0, 25, 50, 75, 100],
  });
  const x = { range: [0, 100] };
  const y = { range: [100, 0] }; // row 1 above
  const axes = {
    xaxis: { ...whole("xaxis"), ...x },
    xaxis2: { ...whole("xaxis2"), ...x },
    yaxis: { ...whole("yaxis"), ...y },
    yaxis2: { ...whole("yaxis2"), ...y },
  };
  return { ...figure, layout: { ...figure.layout, ...axes } };
}

/** Eigenvalues of the covariance without jitter for some correlation lengths (m), and the jitter. */
export function eigenvaluesFigure(positions: Float64Array, lengths: readonly number[]): Figure {
  const n = positions.length;
  const numbers = Array.from({ length: n }, (_, k) => k + 1);
  const traces: Trace[] = lengths.map((length, k) => {
    const matrix = squaredExponential(positions, length, 0);
    const { realEigenvalues } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
    const falling = realEigenvalues
      .slice()
      .sort((a, b) => b - a)
      .map((value) => Math.abs(value)); // round-off leaves some negative
    return line(numbers, rounded(falling, 4), {
      name: `l = ${Number((length * 1e6).toPrecision(3))} µm`,
      line: { color: SHADES[k], width: 2.5 },
    });
  });
  const jitter = line([1, n], [JITTER, JITTER], {
    name: "jitter",
    line: { color: colour.grey, width: 2, dash: "dash" },
  });
  const panel = {
    x: "number of the eigenvalue",
    y: "size of the eigenvalue (1)",
    yType: "log" as const,
    yRange: [-20, 2] as const,
    traces: [...traces, jitter],
  };
  const figure = panels([panel], { width: 760, height: 430, text: "Eigenvalues of the covariance" });
  // A label every five decades: the usual one a decade would be a wall of numbers.
  const axis = figure.layout["yaxis"] as { readonly [key: string]: string };
  const margin = { ...(figure.layout["margin"] as object), l: 95 };
  return withHover({ ...figure, layout: { ...figure.layout, margin, yaxis: { ...axis, dtick: 5 } } });
}

/** The sigmoid with the values of one draw on it, and that draw before and after. positions in m (cells). */
export function squashFigure(positions: Float64Array, values: Float64Array): Figure {
  const axis = Float64Array.from({ length: 81 }, (_, k) => -4 + k / 10);
  const x = positions.map((value) => value * 1e6);
  const porosity = squashToPorosity(values.slice());
  const style = (color: string, width = 2.5) => ({ line: { color, width }, showlegend: false });
  const dots = {
    mode: "markers",
    marker: { size: 6, color: colour.fifth, opacity: 0.7 },
    showlegend: false,
  };
  const yRange = [POROSITY_MIN - 0.01, POROSITY_MAX + 0.01] as const;
  const list = [
    { title: "a draw g(x)", x: "x (µm)", y: "g (1)", traces: [line(x, values, style(colour.fifth))] },
    {
      title: "the sigmoid",
      x: "g (1)",
      y: "porosity ε",
      yRange,
      traces: [line(axis, squashToPorosity(axis.slice()), style(colour.grey)), line(values, porosity, dots)],
    },
    {
      title: "the porosity ε(x)",
      x: "x (µm)",
      y: "porosity ε",
      yRange,
      traces: [line(x, porosity, style(colour.pde))],
    },
  ];
  return withHover(panels(list, { height: 340, legend: false, text: "From a Gaussian draw to a porosity" }));
}
