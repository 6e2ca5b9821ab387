/** The porosity of the electrode read back from its potential. */
import { type Convention, ELECTRODE } from "../electrode";
import { power } from "../backend/power";

/** In the last round the porosity changes by less than this. */
const CONVERGED = 1e-12;
const MOST_ROUNDS = 200;
/** Of a round on the way: some solid has to be left that reacts. */
const MOST_POROSITY = 0.999;

/** How resistivities of cells are found from those of faces: see {@link PotentialInversion}. */
export type FaceToCell = "smoothest" | "mean of neighbours";

/**
 * Finds the porosity that a potential belongs to: the inverse of the potential's equation, which needs no training data.
 *
 * With phi = u - u(0), where u solves -(k u')' + r u = r phi_s, and r_i = a_s0 (1 - eps_i) k_rn, the balances of the cells
 * give the flux of each face by summation from x = 0,
 *
 *     q_{i+1/2} = q_{i-1/2} - r_i dx (phi_s(x_i) - phi_i - C),   q_{1/2} = 0,
 *
 * and the flux at x = L gives C. Then the resistivity of a face is (phi_{i+1} - phi_i) / (q_{i+1/2} dx). As r depends on the
 * porosity, all this is repeated from a constant one until nothing changes; q hardly depends on it, so a few rounds do.
 *
 * A face's resistivity is the mean of those of its two cells (the harmonic mean of the conductivities), 99 equations for
 * 100 cells: what is missing is how much the cells alternate. "smoothest" takes, among the resistivities rho that belong to the
 * faces, the ones with the smallest second differences, by minimising
 *
 *     sum_faces ((rho_i + rho_{i+1}) / 2 - rho_face)^2 + weight sum (rho_{i-1} - 2 rho_i + rho_{i+1})^2,
 *
 * so that noise of single faces, which an exact inverse adds up along the electrode, is damped as well. "mean of neighbours" takes
 * the mean of a cell's two faces, and extrapolates at the ends: second order, too, but it smooths fields of short correlation
 * lengths.
 */
export class PotentialInversion {
  private readonly flux: Float64Array;
  private readonly resistivity: Float64Array;
  private readonly cellResistivity: Float64Array;
  private readonly smoothest: SmoothestCells;

  /** constants: those of the solver whose fields are read. */
  constructor(
    readonly convention: Convention,
    private readonly constants: Readonly<typeof ELECTRODE> = ELECTRODE,
    private readonly faceToCell: FaceToCell = "smoothest",
  ) {
    this.flux = new Float64Array(constants.cells - 1);
    this.resistivity = new Float64Array(constants.cells - 1);
    this.cellResistivity = new Float64Array(constants.cells);
    this.smoothest = new SmoothestCells(constants.cells);
  }

  /**
   * Reads the porosity (cells, written) from a grounded potential (cells), V, at a flux F_right, A/m2. start: the constant
   * porosity that the rounds start from.
   *
   * Returns undefined or, where no porosity has this potential, the first face (from 1) at which flux and slope have opposite
   * signs, or porosity would not lie between 0 and 1; porosity is then not to be read.
   */
  recover(phi: Float64Array, flux: number, porosity: Float64Array, start = 0.35): number | undefined {
    const { cells, length, bruggeman, conductivity } = this.constants;
    const { resistivity, cellResistivity } = this;
    const spacing = length / cells;
    porosity.fill(start);
    let relaxation = 0.6; // a higher porosity lowers the flux, which raises the porosity: full steps would swing
    let last = Infinity;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      this.fluxes(phi, flux, porosity);
      let impossible: number | undefined;
      for (let i = 0; i + 1 < cells; i++) {
        resistivity[i] = (phi[i + 1] - phi[i]) / (this.flux[i] * spacing);
        // A porosity of 1 has the resistivity of the electrolyte alone, and nothing conducts better.
        const relative = resistivity[i] * conductivity;
        if (!(relative > 1 && relative < Infinity)) impossible ??= i + 1;
      }
      if (this.faceToCell === "smoothest") this.smoothest.solve(resistivity, cellResistivity);
      else meanOfNeighbours(resistivity, cellResistivity);
      let change = 0;
      for (let i = 0; i < cells; i++) {
        const value = power(Math.max(cellResistivity[i] * conductivity, 1), -1 / bruggeman);
        const step = Math.min(value, MOST_POROSITY) - porosity[i];
        change = Math.max(change, Math.abs(step));
        porosity[i] += relaxation * step;
      }
      if (!Number.isFinite(change)) return impossible ?? 1;
      if (change < CONVERGED) return impossible;
      if (change > last) relaxation /= 2;
      last = change;
    }
    return 1;
  }

  /** The flux k u' at each interior face for a given porosity. */
  private fluxes(phi: Float64Array, right: number, porosity: Float64Array): void {
    const { cells, length, specificSurface, reactionRate, solidPotentialSlope } = this.constants;
    const spacing = length / cells;
    const onRight = this.convention === "figures" ? right : -right;
    const reaction = (i: number) => specificSurface * (1 - porosity[i]) * reactionRate * spacing;
    const above = (i: number) => solidPotentialSlope * (i + 0.5) * spacing - phi[i];
    let [driven, whole] = [0, 0];
    for (let i = 0; i < cells; i++) {
      driven += reaction(i) * above(i);
      whole += reaction(i);
    }
    const offset = (driven + onRight) / whole; // C
    let flux = 0;
    for (let i = 0; i + 1 < cells; i++) this.flux[i] = flux -= reaction(i) * (above(i) - offset);
  }
}

/** Weight of the second differences: it leaves fields of the shortest correlation length (two cells) as they are to 0.1 %. */
const SMOOTHNESS = 1e-4;

/** The banded least-squares problem of "smoothest", factorised once: its matrix has two bands beside the diagonal. */
class SmoothestCells {
  /** Cholesky factor: diagonal, first and second band below it. */
  private readonly diagonal: Float64Array;
  private readonly first: Float64Array;
  private readonly second: Float64Array;

  constructor(private readonly cells: number) {
    const [d, e, f] = [0, 1, 2].map(() => new Float64Array(cells));
    const add = (at: number, row: readonly number[], weight: number): void => {
      row.forEach((a, i) => {
        d[at + i] += weight * a * a;
        if (i + 1 < row.length) e[at + i + 1] += weight * a * row[i + 1];
        if (i + 2 < row.length) f[at + i + 2] += weight * a * row[i + 2];
      });
    };
    for (let i = 0; i + 1 < cells; i++) add(i, [0.5, 0.5], 1);
    for (let i = 0; i + 2 < cells; i++) add(i, [1, -2, 1], SMOOTHNESS);
    for (let i = 0; i < cells; i++) {
      if (i >= 2) f[i] /= d[i - 2];
      if (i >= 1) e[i] = (e[i] - (i >= 2 ? f[i] * e[i - 1] : 0)) / d[i - 1];
      d[i] = Math.sqrt(d[i] - e[i] ** 2 - f[i] ** 2);
    }
    [this.diagonal, this.first, this.second] = [d, e, f];
  }

  /** faces: (cells - 1); x: (cells), written. */
  solve(faces: Float64Array, x: Float64Array): void {
    const { cells: n, diagonal: d, first: e, second: f } = this;
    for (let i = 0; i < n; i++) x[i] = 0.5 * ((i > 0 ? faces[i - 1] : 0) + (i + 1 < n ? faces[i] : 0));
    for (let i = 0; i < n; i++) {
      x[i] = (x[i] - (i >= 1 ? e[i] * x[i - 1] : 0) - (i >= 2 ? f[i] * x[i - 2] : 0)) / d[i];
    }
    for (let i = n - 1; i >= 0; i--) {
      x[i] = (x[i] - (i + 1 < n ? e[i + 1] * x[i + 1] : 0) - (i + 2 < n ? f[i + 2] * x[i + 2] : 0)) / d[i];
    }
  }
}

function meanOfNeighbours(faces: Float64Array, x: Float64Array): void {
  const n = x.length;
  for (let i = 1; i + 1 < n; i++) x[i] = 0.5 * (faces[i - 1] + faces[i]);
  x[0] = 1.5 * faces[0] - 0.5 * faces[1];
  x[n - 1] = 1.5 * faces[n - 2] - 0.5 * faces[n - 3];
}
