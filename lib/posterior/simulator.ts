/** The exact prior: fields of the solver as a function of white noise. */
import { CholeskyDecomposition } from "ml-matrix";
import { squaredExponential, squashToPorosity } from "../gaussianProcess";
import type { Problem } from "../problem";

/** Fields (fields, cells) as a function of independent standard normal numbers. */
export interface Simulator {
  /** How many normal numbers. */
  readonly noise: number;
  /** Numbers of the fields. */
  readonly size: number;
  /** noise (noise) -> fields (size, written). */
  solve(noise: Float64Array, fields: Float64Array): void;
}

/**
 * The electrode at one set of conditions (conditions): porosity by the Cholesky factor of the Gaussian process, then the
 * solver. The last porosity (cells) is kept.
 */
export function electrodeSimulator(
  problem: Problem,
  conditions: Float64Array,
): Simulator & { readonly porosity: Float64Array } {
  const { cells, fields } = problem;
  const covariance = squaredExponential(problem.positions, conditions[0]);
  const factor = new CholeskyDecomposition(covariance).lowerTriangularMatrix.to1DArray();
  const porosity = new Float64Array(cells);
  return {
    noise: cells,
    size: fields.length * cells,
    porosity,
    solve(noise, out) {
      for (let i = 0; i < cells; i++) {
        let sum = 0;
        for (let j = 0; j <= i; j++) sum += factor[i * cells + j] * noise[j];
        porosity[i] = sum;
      }
      problem.solve(squashToPorosity(porosity), conditions, out);
    },
  };
}
