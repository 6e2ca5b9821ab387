/** Discrete Fourier transforms of square fields, in typed arrays. */
import { InputError } from "../backend/errors";

/**
 * Transforms of complex fields (n, n), n = 2^a 3^b, in place.
 *
 * forward: X_kl = 1/n^2 sum_ij x_ij exp(-2 pi i (i k + j l) / n), so that X_00 is the mean; inverse: the sum without 1/n^2, with
 * exp(+...). Throws InputError for other n. Source: Stockham's form of Cooley and Tukey's algorithm, which needs no reordering;
 * all columns go through it side by side.
 */
export class Fourier {
  private readonly radices: (2 | 3 | 4)[] = [];
  /** exp(2 pi i k / n) */
  private readonly roots: { readonly cos: Float64Array; readonly sin: Float64Array };
  private readonly spare: readonly [Float64Array, Float64Array];

  constructor(readonly n: number) {
    let left = n;
    for (const radix of [4, 2, 3] as const) {
      for (; left > 1 && left % radix === 0; left /= radix) this.radices.push(radix);
    }
    if (left !== 1) {
      throw new InputError(
        `A transform of ${n} points is not possible; give a number 2^a 3^b, such as 24 or 64.`,
      );
    }
    const angles = Float64Array.from({ length: n }, (_, k) => (2 * Math.PI * k) / n);
    this.roots = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
    this.spare = [new Float64Array(n * n), new Float64Array(n * n)];
  }

  forward(re: Float64Array, im: Float64Array): void {
    this.transform(re, im, -1);
    const scale = 1 / this.n ** 2;
    for (let k = 0; k < re.length; k++) {
      re[k] *= scale;
      im[k] *= scale;
    }
  }

  inverse(re: Float64Array, im: Float64Array): void {
    this.transform(re, im, 1);
  }

  /** Columns, then what were the rows. */
  private transform(re: Float64Array, im: Float64Array, sign: number): void {
    for (let axis = 0; axis < 2; axis++) {
      let [from, to]: (readonly [Float64Array, Float64Array])[] = [[re, im], this.spare];
      let done = 1; // product of the radices so far
      for (const radix of this.radices) {
        for (let j = 0; j < this.n / radix; j++) this.butterflies(radix, done, j, sign, from, to);
        [from, to] = [to, from];
        done *= radix;
      }
      transpose(from[0], re, this.n);
      transpose(from[1], im, this.n);
    }
  }

  /** The j-th butterfly of a pass, of all columns. */
  private butterflies(
    radix: 2 | 3 | 4,
    done: number,
    j: number,
    sign: number,
    [a, b]: readonly [Float64Array, Float64Array],
    [c, d]: readonly [Float64Array, Float64Array],
  ): void {
    const { n } = this;
    const { cos, sin } = this.roots;
    const k = j % done;
    const turn = (k * n) / (radix * done);
    const [w1, v1] = [cos[turn], sign * sin[turn]];
    const [w2, v2] = [cos[(2 * turn) % n], sign * sin[(2 * turn) % n]];
    const [w3, v3] = [cos[(3 * turn) % n], sign * sin[(3 * turn) % n]];
    const i0 = j * n; // where the numbers of the first column are, and where they go
    const [i1, i2, i3] = [1, 2, 3].map((q) => i0 + q * (n / radix) * n);
    const o0 = ((j - k) * radix + k) * n;
    const [o1, o2, o3] = [1, 2, 3].map((q) => o0 + q * done * n);
    const half = (sign * Math.sqrt(3)) / 2;
    for (let y = 0; y < n; y++) {
      const x0 = a[i0 + y];
      const y0 = b[i0 + y];
      const x1 = a[i1 + y] * w1 - b[i1 + y] * v1;
      const y1 = a[i1 + y] * v1 + b[i1 + y] * w1;
      if (radix === 2) {
        c[o0 + y] = x0 + x1;
        d[o0 + y] = y0 + y1;
        c[o1 + y] = x0 - x1;
        d[o1 + y] = y0 - y1;
        continue;
      }
      const x2 = a[i2 + y] * w2 - b[i2 + y] * v2;
      const y2 = a[i2 + y] * v2 + b[i2 + y] * w2;
      if (radix === 3) {
        const dx = half * (x1 - x2);
        const dy = half * (y1 - y2);
        c[o0 + y] = x0 + x1 + x2;
        d[o0 + y] = y0 + y1 + y2;
        c[o1 + y] = x0 - (x1 + x2) / 2 - dy;
        d[o1 + y] = y0 - (y1 + y2) / 2 + dx;
        c[o2 + y] = x0 - (x1 + x2) / 2 + dy;
        d[o2 + y] = y0 - (y1 + y2) / 2 - dx;
        continue;
      }
      const x3 = a[i3 + y] * w3 - b[i3 + y] * v3;
      const y3 = a[i3 + y] * v3 + b[i3 + y] * w3;
      const hx = sign * (x1 - x3);
      const hy = sign * (y1 - y3);
      c[o0 + y] = x0 + x2 + x1 + x3;
      d[o0 + y] = y0 + y2 + y1 + y3;
      c[o1 + y] = x0 - x2 - hy;
      d[o1 + y] = y0 - y2 + hx;
      c[o2 + y] = x0 + x2 - x1 - x3;
      d[o2 + y] = y0 + y2 - y1 - y3;
      c[o3 + y] = x0 - x2 + hy;
      d[o3 + y] = y0 - y2 - hx;
    }
  }
}

function transpose(from: Float64Array, to: Float64Array, n: number): void {
  if (from === to) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        const kept = to[i * n + j];
        to[i * n + j] = to[j * n + i];
        to[j * n + i] = kept;
      }
    }
    return;
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) to[j * n + i] = from[i * n + j];
  }
}

/** The wavenumber of the k-th of n numbers of a transform: 0, 1, ..., -2, -1. */
export function wavenumber(k: number, n: number): number {
  return k <= n / 2 ? k : k - n;
}
