/** Kolmogorov's flow: two-dimensional turbulence that a wave drives, by a pseudo-spectral method. */
import { InputError } from "../../backend/errors";
import { Random } from "../../random";
import { Fourier, wavenumber } from "../fourier";

/** A vorticity as Fourier coefficients, (n, n) each, x by y; only |k_x|, |k_y| <= kept are not 0. */
export interface Spectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** What the equation of a flow consists of. */
export interface Physics {
  readonly viscosity: number;
  readonly drag: number;
  /** Amplitude of the force sin(k y) e_x, and its wavenumber. */
  readonly forcing: number;
  readonly forcingWavenumber: number;
}

/** Chaotic, and small enough to be resolved by 64 x 64 points. */
export const physics: Physics = { viscosity: 0.005, drag: 0.1, forcing: 1, forcingWavenumber: 4 };

/** Points a side of the direct simulation and of the large-eddy simulation. */
export const sides = { dns: 64, les: 24 };

/**
 * w_t + u . grad w = nu Lap w - drag w - forcing k cos(k y) on [0, 2 pi]^2, with periodic boundaries.
 *
 * Products are formed on n x n points and free of aliasing (the two-thirds rule: 3 kept < n); a step is the classical
 * Runge-Kutta method on exp(-L t) w, so viscosity and drag are exact.
 */
export class KolmogorovFlow {
  /** Largest wavenumber in x and in y. */
  readonly kept: number;
  /** k^2 and the rate L = -nu k^2 - drag: (n, n) */
  readonly squares: Float64Array;
  readonly rates: Float64Array;
  private readonly fourier: Fourier;
  /** Where the kept wavenumbers are; of all, where their opposites are, and what they are. */
  private readonly places: Int32Array;
  private readonly opposites: Int32Array;
  private readonly kx: Float64Array;
  private readonly ky: Float64Array;
  private readonly product: Spectrum;

  constructor(
    readonly n: number,
    readonly own: Physics = physics,
  ) {
    this.fourier = new Fourier(n);
    this.kept = Math.ceil(n / 3) - 1;
    if (own.forcingWavenumber > this.kept) {
      throw new InputError(
        `The force has wavenumber ${own.forcingWavenumber}; with ${n} points give at most ${this.kept}.`,
      );
    }
    const all = Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      const opposite = ((n - i) % n) * n + ((n - j) % n);
      return { at, opposite, kx: wavenumber(i, n), ky: wavenumber(j, n) };
    });
    const places = all.filter(({ kx, ky }) => Math.max(Math.abs(kx), Math.abs(ky)) <= this.kept);
    this.places = Int32Array.from(places, ({ at }) => at);
    this.opposites = Int32Array.from(all, ({ opposite }) => opposite);
    this.kx = Float64Array.from(all, ({ kx }) => kx);
    this.ky = Float64Array.from(all, ({ ky }) => ky);
    this.squares = Float64Array.from(all, ({ kx, ky }) => kx * kx + ky * ky);
    this.rates = this.squares.map((square) => -own.viscosity * square - own.drag);
    this.product = this.zero();
  }

  zero(): Spectrum {
    return { re: new Float64Array(this.n ** 2), im: new Float64Array(this.n ** 2) };
  }

  /** Large random eddies, |k| <= 5, with a root mean square vorticity of about 4. */
  start(seed: number, ...stream: number[]): Spectrum {
    const random = new Random(seed, ...stream);
    const [re, im] = [new Float64Array(this.n ** 2), new Float64Array(this.n ** 2)];
    for (const at of this.places) {
      const opposite = this.opposites[at];
      if (at > opposite || at === 0 || this.squares[at] > 25) continue;
      re[at] = re[opposite] = 0.3 * random.normal();
      im[at] = 0.3 * random.normal();
      im[opposite] = -im[at];
    }
    return { re, im };
  }

  /**
   * - u . grad w, truncated, and the force, into `out`. The velocities, packed into one complex field, take one transform to
   * the points, their products another back: u . grad w = (d_xx - d_yy) uv + d_xy (v^2 - u^2).
   */
  private tendency({ re, im }: Spectrum, out: Spectrum): void {
    const { n, places, opposites, kx, ky, product: z, squares, own } = this;
    z.re.fill(0);
    z.im.fill(0);
    for (const at of places) {
      if (at === 0) continue;
      // u + i v = (k_x + i k_y) w / k^2: each transform has the symmetry of a real field's
      const [a, b] = [re[at] / squares[at], im[at] / squares[at]];
      z.re[at] = kx[at] * a - ky[at] * b;
      z.im[at] = kx[at] * b + ky[at] * a;
    }
    this.fourier.inverse(z.re, z.im);
    for (let k = 0; k < n * n; k++) {
      const [u, v] = [z.re[k], z.im[k]];
      z.re[k] = u * v;
      z.im[k] = v * v - u * u;
    }
    this.fourier.forward(z.re, z.im);
    for (const at of places) {
      const opposite = opposites[at];
      const [a, b] = [(kx[at] ** 2 - ky[at] ** 2) / 2, (kx[at] * ky[at]) / 2];
      out.re[at] = a * (z.re[at] + z.re[opposite]) + b * (z.im[at] + z.im[opposite]);
      out.im[at] = a * (z.im[at] - z.im[opposite]) - b * (z.re[at] - z.re[opposite]);
    }
    const force = own.forcingWavenumber;
    for (const at of [force, n - force]) out.re[at] -= (own.forcing * force) / 2;
  }

  /** The right side of the equation without viscosity and drag. */
  nonlinear(state: Spectrum): Spectrum {
    const out = this.zero();
    this.tendency(state, out);
    return out;
  }

  /** So many steps of length dt from a state; a new one. */
  advance(state: Spectrum, dt: number, steps = 1): Spectrum {
    const half = this.rates.map((rate) => Math.exp((rate * dt) / 2));
    const w = { re: state.re.slice(), im: state.im.slice() };
    const [a, b, c, d, stage] = Array.from({ length: 5 }, () => this.zero());
    const parts = ["re", "im"] as const;
    for (let step = 0; step < steps; step++) {
      this.tendency(w, a);
      for (const part of parts) {
        for (const at of this.places) stage[part][at] = half[at] * (w[part][at] + (dt / 2) * a[part][at]);
      }
      this.tendency(stage, b);
      for (const part of parts) {
        for (const at of this.places) stage[part][at] = half[at] * w[part][at] + (dt / 2) * b[part][at];
      }
      this.tendency(stage, c);
      for (const part of parts) {
        for (const at of this.places)
          stage[part][at] = half[at] * (half[at] * w[part][at] + dt * c[part][at]);
      }
      this.tendency(stage, d);
      for (const part of parts) {
        const [own, k1, k2, k3, k4] = [w[part], a[part], b[part], c[part], d[part]];
        for (const at of this.places) {
          const h = half[at];
          own[at] =
            h * (h * (own[at] + (dt / 6) * k1[at]) + (dt / 3) * (k2[at] + k3[at])) + (dt / 6) * k4[at];
        }
      }
    }
    return w;
  }

  /** Vorticity at the points, (n, n), x by y. */
  values({ re, im }: Spectrum): Float64Array {
    const [a, b] = [re.slice(), im.slice()];
    this.fourier.inverse(a, b);
    return a;
  }

  /** The spectrum of a vorticity (n, n), truncated. */
  spectrum(values: ArrayLike<number>): Spectrum {
    const [re, im] = [Float64Array.from(values), new Float64Array(this.n ** 2)];
    this.fourier.forward(re, im);
    const out = this.zero();
    for (const at of this.places) [out.re[at], out.im[at]] = [re[at], im[at]];
    return out;
  }

  /** Energy, enstrophy, and the rates at which the force, viscosity and drag change the energy. */
  balance({ re, im }: Spectrum): { energy: number; enstrophy: number; rate: number } {
    const { squares, own } = this;
    let [energy, enstrophy] = [0, 0];
    for (const at of this.places) {
      const square = re[at] ** 2 + im[at] ** 2;
      enstrophy += square / 2;
      if (at > 0) energy += square / (2 * squares[at]);
    }
    const force = own.forcingWavenumber;
    const power = -(own.forcing / force) * re[force]; // sum of the conjugate of w / k^2 times the force's two coefficients
    return { energy, enstrophy, rate: power - 2 * own.viscosity * enstrophy - 2 * own.drag * energy };
  }

  /** Energy by shells, |k| rounded: (shells), from shell 0, which is 0. */
  shells({ re, im }: Spectrum): Float64Array {
    const out = new Float64Array(Math.round(Math.SQRT2 * this.kept) + 1);
    for (const at of this.places) {
      if (at === 0) continue;
      const square = this.squares[at];
      out[Math.round(Math.sqrt(square))] += (re[at] ** 2 + im[at] ** 2) / (2 * square);
    }
    return out;
  }
}

/** The filter F: a spectrum on fewer (or more) points, whose larger wavenumbers are cut off. */
export function filtered(state: Spectrum, from: KolmogorovFlow, to: KolmogorovFlow): Spectrum {
  const out = to.zero();
  const kept = Math.min(from.kept, to.kept);
  for (let kx = -kept; kx <= kept; kx++) {
    for (let ky = -kept; ky <= kept; ky++) {
      const place = (n: number) => ((kx + n) % n) * n + ((ky + n) % n);
      out.re[place(to.n)] = state.re[place(from.n)];
      out.im[place(to.n)] = state.im[place(from.n)];
    }
  }
  return out;
}
