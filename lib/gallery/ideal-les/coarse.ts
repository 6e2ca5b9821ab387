/** The large-eddy simulation as tensors, so that a closure can be trained through its steps. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../backend/tensors";
import { type Physics, physics } from "./flow";

type Tensor = tfTypes.Tensor;

/** x [..., a] times a matrix (a, b), given row by row: [..., b] */
function times(x: Tensor, matrix: number[][]): Tensor {
  const shape = x.shape.slice(0, -1);
  const product = tf.matMul(x.reshape([-1, matrix.length]) as tfTypes.Tensor2D, tf.tensor2d(matrix));
  return product.reshape([...shape, matrix[0].length]);
}

const turned = (x: Tensor): Tensor => tf.transpose(x, [0, 2, 1]);

/**
 * The flow of flow.ts on n x n points. A state holds the coefficients [batch, m, m], m = 2 kept + 1, of products of
 * 1, cos x, sin x, cos 2x, ... in x and in y: all that is kept, as real numbers, and a transform is two products with matrices.
 * (A gradient cannot pass through tfjs's own transforms.)
 */
export class CoarseFlow {
  /** Wavenumbers of the m functions. */
  readonly wavenumbers: readonly number[];
  /** The shell of each coefficient, |k| rounded: (m, m) */
  readonly shells: readonly (readonly number[])[];
  private readonly rates: number[][];
  private readonly inverseSquares: number[][];
  private readonly anisotropy: number[][];
  private readonly force: number[][];
  /** Values of the functions and of their derivatives at the points, (m, n), and the ways back, (n, m). */
  private readonly values: number[][];
  private readonly slopes: number[][];
  private readonly project: number[][];
  private readonly projectSlope: number[][];

  constructor(
    readonly n: number,
    own: Physics = physics,
  ) {
    const kept = Math.ceil(n / 3) - 1;
    const k = [0, ...Array.from({ length: 2 * kept }, (_, i) => Math.floor(i / 2) + 1)];
    const points = Array.from({ length: n }, (_, j) => (2 * Math.PI * j) / n);
    const even = (i: number) => i % 2 === 1 || i === 0;
    this.wavenumbers = k;
    this.values = k.map((own, i) => points.map((x) => (even(i) ? Math.cos(own * x) : Math.sin(own * x))));
    this.slopes = k.map((own, i) =>
      points.map((x) => own * (even(i) ? -Math.sin(own * x) : Math.cos(own * x))),
    );
    const norms = k.map((own) => (own === 0 ? 1 : 2) / n);
    this.project = points.map((_, j) => k.map((_, i) => norms[i] * this.values[i][j]));
    this.projectSlope = points.map((_, j) => k.map((_, i) => -norms[i] * this.slopes[i][j])); // by parts
    const table = (of: (kx: number, ky: number) => number) => k.map((kx) => k.map((ky) => of(kx, ky)));
    const square = (kx: number, ky: number) => kx * kx + ky * ky;
    this.shells = table((kx, ky) => Math.round(Math.sqrt(square(kx, ky))));
    this.rates = table((kx, ky) => -own.viscosity * square(kx, ky) - own.drag);
    this.inverseSquares = table((kx, ky) => (kx + ky === 0 ? 0 : 1 / square(kx, ky)));
    this.anisotropy = table((kx, ky) => kx * kx - ky * ky);
    const { forcing, forcingWavenumber } = own;
    const driven = 2 * forcingWavenumber - 1;
    this.force = k.map((_, i) =>
      k.map((_, j) => (i === 0 && j === driven ? -forcing * forcingWavenumber : 0)),
    );
  }

  /** Values at the points, [batch, n, n], x by y. */
  fields(w: Tensor): Tensor {
    return turned(times(turned(times(w, this.values)), this.values));
  }

  /** Coefficients of a field [batch, n, n]; what is not kept is cut off. */
  coefficients(fields: Tensor): Tensor {
    return turned(times(turned(times(fields, this.project)), this.project));
  }

  /** - u . grad w and the force, as KolmogorovFlow forms them. */
  tendency(w: Tensor): Tensor {
    const { values, slopes, project, projectSlope } = this;
    const psi = turned(w.mul(tf.tensor2d(this.inverseSquares))); // [batch, y, x], -Laplace psi = w
    const both = times(
      psi,
      values.map((row, i) => [...row, ...slopes[i]]),
    ); // at the points of x
    const [psiX, slopeX] = tf.split(both, 2, 2).map(turned);
    const [u, v] = [times(psiX, slopes), tf.neg(times(slopeX, values))];
    const uv = times(u.mul(v), project);
    const difference = times(v.square().sub(u.square()), projectSlope);
    const first = turned(times(turned(uv), project)).mul(tf.tensor2d(this.anisotropy));
    const second = turned(times(turned(difference), projectSlope));
    return first.sub(second).add(tf.tensor2d(this.force));
  }

  /** So many steps of length dt under a closure [batch, m, m] (or none) that stays as it is; the same method as in flow.ts. */
  advance(w: Tensor, dt: number, steps: number, closure?: Tensor): Tensor {
    const half = tf.tensor2d(this.rates.map((row) => row.map((rate) => Math.exp((rate * dt) / 2))));
    const rate = (state: Tensor) => (closure ? this.tendency(state).add(closure) : this.tendency(state));
    let state = w;
    for (let step = 0; step < steps; step++) {
      const carried = state.mul(half);
      const a = rate(state);
      const b = rate(carried.add(a.mul(half).mul(dt / 2)));
      const c = rate(carried.add(b.mul(dt / 2)));
      const d = rate(carried.add(c.mul(dt)).mul(half));
      state = carried.add(a.mul(half).mul(dt / 6)).add(b.add(c).mul(dt / 3)).mul(half).add(d.mul(dt / 6)); // prettier-ignore
    }
    return state;
  }
}
