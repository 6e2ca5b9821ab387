/** A linear system of which one part is not resolved, and whose ideal closure has a formula. */
import { Matrix, solve } from "ml-matrix";
import type { Diffusion } from "../diffusion";

/** dv = (-0.5 v + w) dt is resolved; dw = (-2 w - 0.5 v) dt + dW is not. N_c(v) = -0.5 v, so what it lacks is w. */
export const linearSystem: Diffusion = {
  dimension: 2,
  drift: (x) => x.map((_, k) => (k % 2 === 0 ? -0.5 * x[k] + x[k + 1] : -2 * x[k] - 0.5 * x[k - 1])),
  spread: (x) => x.map((_, k) => k % 2),
  jacobian: () => Float64Array.of(-0.5, 1, -0.5, -2),
};

/** Stationary covariance C of (v, w): A C + C A^T + diag(q) = 0 (Lyapunov). */
export function stationaryCovariance({ jacobian, spread }: Diffusion = linearSystem): Matrix {
  const origin = new Float64Array(2);
  const [[a, b, c, d], [q, r]] = [jacobian(origin), spread(origin)];
  // Unknowns: C_vv, C_vw, C_ww
  const equations = new Matrix([[2 * a, 2 * b, 0], [c, a + d, b], [0, 2 * c, 2 * d]]); // prettier-ignore
  const [vv, vw, ww] = solve(equations, Matrix.columnVector([-q, 0, -r])).to1DArray();
  return new Matrix([[vv, vw], [vw, ww]]); // prettier-ignore
}

/** The slope of E[w | v], which is linear: C_vw / C_vv. */
export function idealSlope(): number {
  const covariance = stationaryCovariance();
  return covariance.get(0, 1) / covariance.get(0, 0);
}
