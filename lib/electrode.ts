import { oneOf } from "./backend/errors";
import { KrylovEuler } from "./backend/krylov";
import { power } from "./backend/power";
import { DiffusionSolver, type Grid, ground, uniformGrid } from "./finiteVolumes";

/**
 * The two readings of the porous-electrode problem.
 *
 * "text" follows the equations as printed: -k phi'(L) = F_right; the reaction sees the solve's own phi, from which U0
 * cancels; c is steady and fixed at the face x = L.
 * "figures" follows the published figures: +k phi'(L) = F_right; the reaction in the equation of c sees the grounded
 * phi; c is the state after 100 s of implicit Euler, fixed in the last cell.
 */
export type Convention = "figures" | "text";
export const CONVENTIONS: readonly Convention[] = ["figures", "text"];

/** Constants of the model. */
export const ELECTRODE = {
  /** number of cells N */
  cells: 100,
  /** thickness L, m */
  length: 1e-4,
  /** transference number t+ */
  transferenceNumber: 0.4,
  /** specific surface a_s0, 1/m */
  specificSurface: 5e5,
  /** linearised reaction rate k_rn, A/(m2 V) */
  reactionRate: 0.1,
  /** slope of the solid potential phi_s(x), V/m */
  solidPotentialSlope: -1000,
  /** conductivity kappa_0, S/m */
  conductivity: 1,
  /** diffusivity D_0, m2/s */
  diffusivity: 3e-11,
  /** Bruggeman exponent b of the effective conductivity and diffusivity */
  bruggeman: 1.5,
  /** Faraday constant, C/mol */
  faraday: 96485.33212,
  /** concentration at x = L and, for the transient, at t = 0; mol/m3 */
  rightConcentration: 1000,
  /** time step of the transient, s */
  timeStep: 0.1,
  /** number of time steps: 100 s in all */
  timeSteps: 1000,
};

/**
 * Solver for the fields c and phi of one porosity after another: setPorosity factorises, then any number of conditions
 * can be solved. Both fields are affine in U0 and F_right, and the parts are computed by one routine:
 * the answer to a combination of the drives (1, U0, F_right), where the 1 stands for phi_s.
 */
export class PorousElectrode {
  readonly grid: Grid;
  /** k in S/m, a k_rn in S/m3, both for the present porosity (cells) */
  readonly effectiveConductivity: Float64Array;
  readonly reaction: Float64Array;
  private readonly porosity: Float64Array;
  private readonly effectiveDiffusivity: Float64Array;
  private readonly source: Float64Array;
  private readonly potential: DiffusionSolver;
  private readonly concentration: DiffusionSolver;
  private readonly transient: KrylovEuler;

  /** Throws InputError for an unknown convention. */
  constructor(
    readonly convention: Convention,
    readonly constants: Readonly<typeof ELECTRODE> = ELECTRODE,
  ) {
    oneOf("The convention", convention, CONVENTIONS);
    const { cells, length } = constants;
    this.grid = uniformGrid(cells, length);
    this.effectiveConductivity = new Float64Array(cells);
    this.reaction = new Float64Array(cells);
    this.porosity = new Float64Array(cells);
    this.effectiveDiffusivity = new Float64Array(cells);
    this.source = new Float64Array(cells);
    this.potential = new DiffusionSolver(this.grid, "flux");
    this.concentration = new DiffusionSolver(this.grid, convention === "figures" ? "last cell" : "face");
    this.transient = new KrylovEuler(this.concentration);
  }

  /** Takes a porosity field (cells), each value in (0, 1), and factorises both equations. */
  setPorosity(porosity: Float64Array): this {
    const { constants, effectiveConductivity, effectiveDiffusivity, reaction } = this;
    this.porosity.set(porosity);
    for (let i = 0; i < porosity.length; i++) {
      const tortuosity = power(porosity[i], constants.bruggeman);
      effectiveConductivity[i] = constants.conductivity * tortuosity;
      effectiveDiffusivity[i] = constants.diffusivity * tortuosity;
      reaction[i] = constants.specificSurface * (1 - porosity[i]) * constants.reactionRate;
    }
    this.potential.factor(effectiveConductivity, reaction);
    this.concentration.factor(effectiveDiffusivity);
    return this;
  }

  /** Solves for U0 in V and F_right in A/m2. c in mol/m3 and phi in V: written (cells). */
  solve(equilibriumPotential: number, flux: number, c: Float64Array, phi: Float64Array): void {
    this.respond(1, equilibriumPotential, flux, c, phi);
    for (let i = 0; i < c.length; i++) c[i] += this.constants.rightConcentration;
  }

  /**
   * The three parts of the fields: field = r0 + U0 r1 + F r2.
   * c, phi: three arrays each (cells), written; r0 in the field's unit, r1 per V, r2 per A/m2.
   */
  responses(c: readonly Float64Array[], phi: readonly Float64Array[]): void {
    this.solve(0, 0, c[0], phi[0]);
    this.respond(0, 1, 0, c[1], phi[1]);
    this.respond(0, 0, 1, c[2], phi[2]);
  }

  /** Rise of c above c_right and grounded phi for `solid` times phi_s, U0 and F_right: linear in the three. */
  private respond(
    solid: number,
    equilibriumPotential: number,
    flux: number,
    rise: Float64Array,
    phi: Float64Array,
  ): void {
    const { constants, convention, grid, reaction, source } = this;
    const slope = solid * constants.solidPotentialSlope;
    // The unknown is phi + U0, whose equation is free of U0: -(k phi')' = a k_rn (phi_s - (phi + U0)).
    // So U0 cancels exactly, not to round-off, when phi is grounded.
    for (let i = 0; i < grid.cells; i++) source[i] = reaction[i] * slope * grid.centres[i];
    this.potential.solve(source, phi, convention === "figures" ? flux : -flux);
    const seesGrounded = convention === "figures";
    if (seesGrounded) ground(phi);
    // Reaction current a j = a k_rn (phi_s - phi - U0) in A/m3, then the source of c in mol/(m3 s).
    const perCharge = (1 - constants.transferenceNumber) / constants.faraday;
    for (let i = 0; i < grid.cells; i++) {
      const driving = slope * grid.centres[i] - phi[i] - (seesGrounded ? equilibriumPotential : 0);
      source[i] = perCharge * reaction[i] * driving;
    }
    if (seesGrounded) {
      this.transient.euler(this.porosity, source, constants.timeStep, constants.timeSteps, rise);
    } else {
      this.concentration.solve(source, rise);
      ground(phi);
    }
  }
}
