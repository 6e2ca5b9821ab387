/** Whether fields belong together: each one against the solver's answer to the porosity that its own potential tells. */
import { columnStd } from "../comparison";
import { rowConditions, rowField } from "../data/rows";
import type { DataSet } from "../dataSet";
import { type Convention, ELECTRODE, PorousElectrode } from "../electrode";
import { InputError } from "../backend/errors";
import { POROSITY_MAX, POROSITY_MIN } from "../gaussianProcess";
import { porousElectrode } from "../presets/electrodeProblem";
import { PotentialInversion } from "../presets/recoveredPorosity";
import { simulateAt } from "../presets/simulate";
import type { Problem } from "../problem";

/** Fields of the solver at each set of conditions, which give the unit of the residual and the value to hold it against. */
const SOLVER_ROWS = 200;
/** Other than those of examples and tests, so that what is checked is not among them. */
const SOLVER_SEED = 2_000_003;

/** What one row's fields tell. */
export interface RowCheck {
  /** Root mean square over the cells of c - c(recovered porosity), in standard deviations of c; NaN where these are unknown */
  readonly residual: number;
  /** The same in mol/m3. */
  readonly residualInUnits: number;
  /** Cells whose porosity lies outside of the bounds of the process. */
  readonly outside: number;
  /** Mean square over the other cells of the recovered process, logit((eps - 0.2) / 0.3); NaN where there are none */
  readonly processSquare: number;
}

/** The convention of an electrode. Throws InputError for another problem. */
export function conventionOf({ name, settings }: Problem): Convention {
  if (name === "porous-electrode") return settings["convention"] as Convention;
  throw new InputError(`The fields are of the problem ${name}; give fields of the porous electrode.`);
}

/** Checks rows one by one, holding on to what belongs to a set of conditions. Throws InputError for another problem than the electrode. */
export class SelfConsistency {
  private readonly inversion: PotentialInversion;
  private readonly electrode: PorousElectrode;
  private readonly problem: Problem;
  private readonly deviations = new Map<string, Float64Array>();
  private readonly solved = Array.from({ length: 2 }, () => new Float64Array(ELECTRODE.cells));
  /** The solver's own fields, at each set of conditions that was asked for. */
  readonly solver = new CheckSummary();

  constructor(problem: Problem) {
    const convention = conventionOf(problem);
    this.problem = porousElectrode(convention);
    this.inversion = new PotentialInversion(convention);
    this.electrode = new PorousElectrode(convention);
  }

  /** Adds all rows to a summary; porosity (rows, cells), written: NaN in rows whose potential no porosity has. */
  check(data: DataSet, into: CheckSummary, porosity?: Float64Array): void {
    const { cells } = data.problem;
    const found = new Float64Array(cells);
    for (let row = 0; row < data.rows; row++) {
      const conditions = rowConditions(data, row);
      const deviation = this.deviationAt(conditions);
      into.add(this.row(rowField(data, row, 0), rowField(data, row, 1), conditions, deviation, found));
      porosity?.set(found, row * cells);
    }
  }

  /** One row. porosity (cells): written. Returns the first face whose flux and slope disagree where no porosity has the potential. */
  private row(
    c: Float64Array,
    phi: Float64Array,
    [, equilibriumPotential, flux]: Float64Array,
    deviation: Float64Array,
    porosity: Float64Array,
  ): RowCheck | number {
    const face = this.inversion.recover(phi, flux, porosity);
    if (face !== undefined) {
      porosity.fill(NaN);
      return face;
    }
    const [solvedC, solvedPhi] = this.solved;
    this.electrode.setPorosity(porosity).solve(equilibriumPotential, flux, solvedC, solvedPhi);
    let [squares, relative, free, outside, process] = [0, 0, 0, 0, 0];
    for (let i = 0; i < c.length; i++) {
      const square = (c[i] - solvedC[i]) ** 2;
      squares += square;
      if (deviation[i] !== 0) {
        relative += square / deviation[i] ** 2;
        free++;
      }
      const share = (porosity[i] - POROSITY_MIN) / (POROSITY_MAX - POROSITY_MIN);
      if (share > 0 && share < 1) process += Math.log(share / (1 - share)) ** 2;
      else outside++;
    }
    return {
      residual: Math.sqrt(relative / free),
      residualInUnits: Math.sqrt(squares / c.length),
      outside,
      processSquare: process / (c.length - outside),
    };
  }

  /**
   * Standard deviations of c (cells) at conditions: of the solver's fields, where the correlation length is known, else NaN. An
   * exact 0 stands for a cell where c is fixed.
   */
  private deviationAt(conditions: Float64Array): Float64Array {
    const key = conditions.join();
    const known = this.deviations.get(key);
    if (known) return known;
    const { cells } = this.problem;
    if (!conditions.every(Number.isFinite)) return new Float64Array(cells).fill(NaN);
    const data = simulateAt(this.problem, conditions, SOLVER_ROWS, SOLVER_SEED);
    const width = 2 * cells;
    const deviation = columnStd(data.fields, width).subarray(0, cells);
    const largest = deviation.reduce((most, value) => Math.max(most, value), 0);
    const free = deviation.map((value) => (value > 1e-9 * largest ? value : 0));
    this.deviations.set(key, free);
    this.check(data, this.solver);
    return free;
  }
}

/** What many rows told together. */
export class CheckSummary {
  rows = 0;
  /** Rows (from 1) whose potential no porosity has, with the first face (from 1) that shows it. */
  readonly impossible: { readonly row: number; readonly face: number }[] = [];
  /** Of the other rows. */
  readonly checks: RowCheck[] = [];

  add(found: RowCheck | number): void {
    this.rows++;
    if (typeof found === "number") this.impossible.push({ row: this.rows, face: found });
    else this.checks.push(found);
  }

  /** Plain numbers: root mean squares over rows, the residual that 95 % of them do not exceed, the largest. */
  numbers(): CheckNumbers {
    const { checks, rows, impossible } = this;
    const rms = (of: (check: RowCheck) => number) =>
      Math.sqrt(checks.reduce((sum, check) => sum + of(check) ** 2, 0) / checks.length);
    const sorted = Float64Array.from(checks, ({ residual }) => residual).sort();
    const inside = checks.filter(({ processSquare }) => Number.isFinite(processSquare));
    return {
      rows,
      impossible: impossible.length,
      residual: rms(({ residual }) => residual),
      residualBelow95: sorted[Math.max(0, Math.ceil(0.95 * sorted.length) - 1)] ?? NaN,
      residualLargest: sorted[sorted.length - 1] ?? NaN,
      residualInUnits: rms(({ residualInUnits }) => residualInUnits),
      outside: checks.reduce((sum, check) => sum + check.outside, 0) / (checks.length * ELECTRODE.cells),
      processVariance: inside.reduce((sum, check) => sum + check.processSquare, 0) / inside.length,
    };
  }
}

/** Numbers of {@link CheckSummary}: residuals in standard deviations of c, except for residualInUnits in mol/m3. */
export interface CheckNumbers {
  readonly rows: number;
  readonly impossible: number;
  readonly residual: number;
  readonly residualBelow95: number;
  readonly residualLargest: number;
  readonly residualInUnits: number;
  /** Share of cells whose porosity lies outside of (0.2, 0.5). */
  readonly outside: number;
  /** Mean square of the recovered process, which has variance 1. */
  readonly processVariance: number;
}

/** The check of a data set in memory, beside the solver's own fields at the same conditions. */
export function selfConsistency(data: DataSet): {
  readonly fields: CheckNumbers;
  readonly solver: CheckNumbers;
  /** (rows, cells) */
  readonly porosity: Float64Array;
} {
  const consistency = new SelfConsistency(data.problem);
  const summary = new CheckSummary();
  const porosity = new Float64Array(data.rows * data.problem.cells);
  consistency.check(data, summary, porosity);
  return { fields: summary.numbers(), solver: consistency.solver.numbers(), porosity };
}
