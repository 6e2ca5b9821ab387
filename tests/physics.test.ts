import assert from "node:assert/strict";
import { test } from "node:test";
import { Matrix, solve as solveDense } from "ml-matrix";
import { KrylovEuler } from "../lib/backend/krylov";
import { rowField } from "../lib/data/rows";
import { type Convention, CONVENTIONS, ELECTRODE, PorousElectrode } from "../lib/electrode";
import { InputError } from "../lib/backend/errors";
import { DiffusionSolver, TridiagonalFactors, uniformGrid } from "../lib/finiteVolumes";
import { GaussianProcess, squaredExponential, squashToPorosity } from "../lib/gaussianProcess";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import {
  concentrationError,
  manufacturedCoefficient,
  manufacturedSlope,
  manufacturedSolution,
  manufacturedSource,
  observedOrders,
  potentialError,
} from "../notebooks/support/02/manufactured";
import { electrodeResponses, solveElectrode } from "../notebooks/support/02/solve";
import { potentialInFloat32 } from "../lib/evaluation/roundoff";

const { cells, length: L } = ELECTRODE;
const grid = uniformGrid(cells, L);

function porosity(seed: number, correlationLength = L / 10): Float64Array {
  const process = new GaussianProcess(grid.centres, correlationLength);
  return squashToPorosity(process.draw(new Random(seed), new Float64Array(cells)));
}

function maxAbs(values: Float64Array): number {
  return values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

function maxDifference(a: Float64Array, b: Float64Array): number {
  return maxAbs(a.map((value, i) => value - b[i]));
}

test("the tridiagonal solver agrees with a dense one", () => {
  const n = 40;
  const random = new Random(1);
  const links = Float64Array.from({ length: n - 1 }, () => random.uniform());
  const excess = Float64Array.from({ length: n }, () => random.uniform());
  const b = random.fillNormal(new Float64Array(n));
  const dense = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++) {
    const left = i > 0 ? links[i - 1] : 0;
    const right = i < n - 1 ? links[i] : 0;
    dense.set(i, i, left + right + excess[i]);
    if (i > 0) dense.set(i, i - 1, -left);
    if (i < n - 1) dense.set(i, i + 1, -right);
  }
  const expected = Float64Array.from(solveDense(dense, Matrix.columnVector(Array.from(b))).to1DArray());
  const x = new Float64Array(n);
  new TridiagonalFactors(n).factor(links, excess).solve(b, x);
  // The condition number is below 1e3 here, so both answers carry at most some 1e-13.
  assert.ok(maxDifference(x, expected) < 1e-12 * maxAbs(expected));
  // In place, and again with the same factors.
  new TridiagonalFactors(n).factor(links, excess).solve(b, b);
  assert.deepEqual(b, x);
});

test("elimination by the excess keeps the digits that ordinary elimination loses", (t) => {
  // (A 1)_i = h_i, so b = h has the solution 1. With h = 1e-10 g the condition number is about 1e11.
  const n = 100;
  const links = new Float64Array(n - 1).fill(1);
  const excess = new Float64Array(n).fill(1e-10);
  const x = new Float64Array(n);
  new TridiagonalFactors(n).factor(links, excess).solve(excess, x);
  const error = maxAbs(x.map((value) => value - 1));
  let pivot = 1 + 1e-10;
  let load = 1e-10;
  for (let i = 1; i < n; i++) {
    load = 1e-10 + load / pivot;
    pivot = (i < n - 1 ? 2 : 1) + 1e-10 - 1 / pivot;
  }
  const ordinary = Math.abs(load / pivot - 1);
  t.diagnostic(`error ${error.toExponential(1)}, of ordinary elimination ${ordinary.toExponential(1)}`);
  assert.ok(error < 4 * n * Number.EPSILON); // a few round-offs for each cell, whatever the condition number
  assert.ok(ordinary > 1e-8); // about condition number times round-off
});

test("a singular matrix is refused", () => {
  assert.throws(
    () => new TridiagonalFactors(3).factor(Float64Array.of(1, 1), Float64Array.of(0, 0, 0)),
    RangeError,
  );
  assert.throws(
    () => new TridiagonalFactors(3).factor(Float64Array.of(1, 0), Float64Array.of(1, 1, NaN)),
    RangeError,
  );
});

const SIZES = [50, 100, 200, 400];

/** Observed orders of convergence between successive grids. */
const orders = (error: (cells: number) => number): number[] => observedOrders(SIZES, SIZES.map(error));

function assertOrder(values: readonly number[], order: number): void {
  // On these grids the next term of the error changes the order by a few times dx; 0.1 leaves a factor of two.
  for (const value of values) assert.ok(Math.abs(value - order) < 0.1, `order ${value}, not ${order}`);
}

test("the manufactured source is minus the derivative of k u'", () => {
  const flux = (x: number) => manufacturedCoefficient(x) * manufacturedSlope(x);
  for (const x of [0.1, 0.5, 0.9]) {
    const h = 1e-4; // central differences: their error is some h^2, their round-off 1e-16 / h
    const slope = (manufacturedSolution(x + h) - manufacturedSolution(x - h)) / (2 * h);
    assert.ok(Math.abs(slope - manufacturedSlope(x)) < 1e-7);
    assert.ok(Math.abs(-(flux(x + h) - flux(x - h)) / (2 * h) - manufacturedSource(x)) < 1e-6);
  }
});

test("the potential converges with order 2, up to the boundary", (t) => {
  const observed = orders(potentialError);
  t.diagnostic(`orders ${observed.map((value) => value.toFixed(3)).join(", ")}`);
  assertOrder(observed, 2);
});

test("the steady concentration converges with order 2 where it is fixed at the face (text)", (t) => {
  const observed = orders((n) => concentrationError(n, "face"));
  t.diagnostic(`orders ${observed.map((value) => value.toFixed(3)).join(", ")}`);
  assertOrder(observed, 2);
});

test("fixing the last cell (figures) costs an order at the boundary, while the interior keeps order 2", (t) => {
  const boundary = orders((n) => concentrationError(n, "last cell"));
  // Against the solution that does take the fixed value in the last centre, the scheme is second order.
  const interior = orders((n) =>
    concentrationError(n, "last cell", (x, last) => manufacturedSolution(x) - manufacturedSolution(last)),
  );
  t.diagnostic(`orders ${boundary.map((value) => value.toFixed(3)).join(", ")} with the boundary`);
  t.diagnostic(`orders ${interior.map((value) => value.toFixed(3)).join(", ")} in the interior`);
  assertOrder(boundary, 1);
  assertOrder(interior, 2);
});

test("implicit Euler converges with order 1 in the time step", (t) => {
  const eps = porosity(2);
  const solver = new DiffusionSolver(grid, "last cell");
  solver.factor(eps.map((value) => ELECTRODE.diffusivity * value ** 1.5));
  const source = eps.map((value) => 0.01 * value);
  const end = (steps: number): Float64Array => {
    const rise = new Float64Array(cells);
    solver.euler(eps, source, 100 / steps, steps, rise);
    return rise;
  };
  const [coarse, middle, fine] = [250, 500, 1000].map(end);
  const order = Math.log2(maxDifference(coarse, middle) / maxDifference(middle, fine));
  t.diagnostic(`order ${order.toFixed(4)}`);
  assert.ok(Math.abs(order - 1) < 0.01); // the next term is of the relative size dt / 230 s, about 1e-3
});

test("charge and mass are conserved to 1e-12", () => {
  const eps = porosity(3);
  const flux = 25;
  const { cells: n, spacing } = grid;

  // The reaction current of the self-consistent potential is the current that flows out at x = L.
  const electrode = new PorousElectrode("text").setPorosity(eps);
  const { reaction } = electrode;
  const solver = new DiffusionSolver(grid, "flux");
  solver.factor(electrode.effectiveConductivity, reaction);
  const solid = grid.centres.map((x) => ELECTRODE.solidPotentialSlope * x);
  const phi = new Float64Array(n);
  solver.solve(
    reaction.map((value, i) => value * solid[i]),
    phi,
    -flux,
  );
  const current = reaction.reduce((sum, value, i) => sum + value * (solid[i] - phi[i]) * spacing, 0);
  assert.ok(Math.abs(current / flux - 1) < 1e-12);

  // In the steady state all that the reaction makes of salt leaves through the face x = L.
  const { c } = solveElectrode(eps, { equilibriumPotential: 0.1, flux }, "text");
  const diffusivity = ELECTRODE.diffusivity * eps[n - 1] ** ELECTRODE.bruggeman;
  const outflow = ((2 * diffusivity) / spacing) * (c[n - 1] - ELECTRODE.rightConcentration);
  const made = ((1 - ELECTRODE.transferenceNumber) / ELECTRODE.faraday) * flux;
  assert.ok(Math.abs(outflow / made - 1) < 1e-12);

  // In a time step, what is made is stored or leaves for the fixed cell.
  const transient = new DiffusionSolver(grid, "last cell");
  const effective = eps.map((value) => ELECTRODE.diffusivity * value ** ELECTRODE.bruggeman);
  transient.factor(effective);
  const source = reaction.map((value) => 1e-8 * value);
  const before = new Float64Array(n);
  const after = new Float64Array(n);
  transient.euler(eps, source, 0.1, 9, before);
  transient.euler(eps, source, 0.1, 10, after);
  let balance = 0;
  let total = 0;
  for (let i = 0; i < n - 1; i++) {
    balance += (eps[i] * spacing * (after[i] - before[i])) / 0.1 - source[i] * spacing;
    total += source[i] * spacing;
  }
  const [a, b] = [effective[n - 2], effective[n - 1]];
  balance += ((2 * a * b) / (a + b) / spacing) * after[n - 2];
  assert.ok(Math.abs(balance / total) < 1e-12);
});

test("both fields are affine in U0 and F_right to 1e-10", () => {
  for (const convention of CONVENTIONS) {
    const eps = porosity(4);
    const [r0, r1, r2] = electrodeResponses(eps, convention);
    for (const [equilibriumPotential, flux] of [
      [0.2, 50],
      [-0.13, 7],
    ]) {
      const fields = solveElectrode(eps, { equilibriumPotential, flux }, convention);
      for (const name of ["c", "phi"] as const) {
        const sum = r0[name].map(
          (value, i) => value + equilibriumPotential * r1[name][i] + flux * r2[name][i],
        );
        const rise = fields[name].map((value) => value - fields[name][0]);
        assert.ok(maxDifference(sum, fields[name]) < 1e-10 * maxAbs(rise)); // relative to the variation
      }
    }
  }
});

test("U0 leaves the text's fields alone, exactly, and moves c of the figures", () => {
  const eps = porosity(5);
  const at = (convention: Convention, equilibriumPotential: number) =>
    solveElectrode(eps, { equilibriumPotential, flux: 25 }, convention);
  assert.deepEqual(at("text", 0.2), at("text", -0.2));
  assert.deepEqual(at("figures", 0.2).phi, at("figures", -0.2).phi);
  // U0 = 0.1 V takes about 0.6/F a_s k_rn 0.1 V / eps = 0.05 mol/(m3 s) away, for 100 s: some mol/m3 at x = 0.
  assert.ok(at("figures", 0.1).c[0] < at("figures", 0).c[0] - 1);
});

test("the signs of the conventions: phi rises in the figures and falls in the text", () => {
  const eps = porosity(6);
  const conditions = { equilibriumPotential: 0, flux: 25 };
  const figures = solveElectrode(eps, conditions, "figures");
  const text = solveElectrode(eps, conditions, "text");
  assert.equal(figures.phi[0], 0);
  assert.equal(text.phi[0], 0);
  assert.ok(figures.phi[cells - 1] > 0.003 && text.phi[cells - 1] < -0.003); // about 6 mV each way
  assert.equal(figures.c[cells - 1], 1000); // fixed in the last cell
  assert.ok(text.c[cells - 1] > 1000); // fixed half a cell further
});

test("the fast transient is the plain time loop", (t) => {
  let worst = 0;
  const check = (eps: Float64Array, source: Float64Array): void => {
    const solver = new DiffusionSolver(grid, "last cell");
    solver.factor(eps.map((value) => ELECTRODE.diffusivity * value ** ELECTRODE.bruggeman));
    const fast = new Float64Array(cells);
    const plain = new Float64Array(cells);
    new KrylovEuler(solver).euler(eps, source, ELECTRODE.timeStep, ELECTRODE.timeSteps, fast);
    solver.euler(eps, source, ELECTRODE.timeStep, ELECTRODE.timeSteps, plain);
    worst = Math.max(worst, maxDifference(fast, plain));
  };
  // Drawn porosities, with the sources of the extreme conditions: about 0.04 mol/(m3 s).
  for (let seed = 0; seed < 20; seed++) {
    const eps = porosity(seed, seed % 2 ? L / 50 : L / 5);
    check(
      eps,
      eps.map((value, i) => 0.06 * (1 - value) * (0.2 + 1000 * grid.centres[i]) * (seed % 3 ? 1 : -1)),
    );
  }
  t.diagnostic(`largest difference ${worst.toExponential(1)} mol/m3`);
  assert.ok(worst < 1e-9); // rises are some 10 mol/m3: ten digits, of which the loop's own round-off leaves eleven
  // Far from the drawn range, where more modes survive, and in the degenerate cases.
  const rough = new Random(9);
  check(new Float64Array(cells).fill(0.3), new Float64Array(cells).fill(0.01));
  check(
    Float64Array.from({ length: cells }, () => rough.uniform()),
    rough.fillNormal(new Float64Array(cells)),
  );
  check(new Float64Array(cells).fill(0.001), new Float64Array(cells).fill(0.01));
  check(new Float64Array(cells).fill(0.999), new Float64Array(cells).fill(0.01));
  check(porosity(1), new Float64Array(cells));
  assert.ok(worst < 1e-9);
});

test("20,000 draws of the Gaussian process have its covariance within the sampling error", (t) => {
  const draws = 20_000;
  const process = new GaussianProcess(grid.centres, L / 10);
  const covariance = squaredExponential(grid.centres, L / 10);
  const random = new Random(11);
  const sums = new Float64Array(cells);
  const products = new Float64Array(cells * cells);
  const values = new Float64Array(cells);
  for (let draw = 0; draw < draws; draw++) {
    process.draw(random, values);
    for (let i = 0; i < cells; i++) {
      sums[i] += values[i];
      for (let j = 0; j <= i; j++) products[i * cells + j] += values[i] * values[j];
    }
  }
  let worst = 0;
  for (let i = 0; i < cells; i++) {
    worst = Math.max(worst, Math.abs(sums[i]) / Math.sqrt(draws * covariance.get(i, i)));
    for (let j = 0; j <= i; j++) {
      // Isserlis: the variance of x_i x_j is C_ii C_jj + C_ij^2.
      const variance = covariance.get(i, i) * covariance.get(j, j) + covariance.get(i, j) ** 2;
      const error = products[i * cells + j] / draws - covariance.get(i, j);
      worst = Math.max(worst, Math.abs(error) / Math.sqrt(variance / draws));
    }
  }
  t.diagnostic(`largest deviation ${worst.toFixed(2)} standard errors`);
  assert.ok(worst < 5); // 5050 entries, of which a few hundred independent: chance of 5 standard errors below 1e-3
});

test("the porosity stays within its bounds and the process needs a positive length", () => {
  const eps = porosity(12, L / 50);
  assert.ok(eps.every((value) => value > 0.2 && value < 0.5));
  for (const bad of [0, -1e-6, NaN, Infinity]) {
    assert.throws(() => new GaussianProcess(grid.centres, bad), InputError);
  }
});

test("mean values at l = L/10, U0 = 0, F = 25 agree with an independent solver", (t) => {
  // Means by an independent implementation (batched numpy), to the digits given: c in mol/m3, phi in mV.
  const expected: [Convention, "c" | "phi", number, number, number][] = [
    ["figures", "c", 0, 998.44, 0.005],
    ["figures", "c", 50, 997.94, 0.005],
    ["figures", "phi", cells - 1, 6.35, 0.005],
    ["text", "c", 0, 2335, 0.5],
    ["text", "phi", cells - 1, -6.38, 0.005],
  ];
  const rows = 2000;
  for (const convention of CONVENTIONS) {
    const data = simulateAt(porousElectrode(convention), [L / 10, 0, 25], rows, 1);
    for (const [of, name, cell, value, rounding] of expected.filter(([other]) => other === convention)) {
      const samples = Float64Array.from({ length: rows }, (_, row) =>
        name === "c" ? rowField(data, row, 0)[cell] : 1000 * rowField(data, row, 1)[cell],
      );
      const mean = samples.reduce((sum, x) => sum + x, 0) / rows;
      const error = Math.sqrt(samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / rows / rows);
      t.diagnostic(`${of} ${name}[${cell}] ${mean.toFixed(3)} +- ${error.toFixed(3)}, expected ${value}`);
      // The expected values are means of a sample too: four standard errors of the difference, and their rounding.
      assert.ok(Math.abs(mean - value) < 4 * Math.SQRT2 * error + rounding);
    }
  }
});

test("single precision drowns the potential: 0.43 mV of error beside 0.37 mV of true spread", (t) => {
  const rows = 1000;
  const middle = 50;
  const { latent, ...data } = simulateAt(porousElectrode("figures"), [L / 10, 0, 25], rows, 2);
  assert.ok(latent);
  let [errors, sum, squares] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const right = rowField(data, row, 1)[middle];
    const rounded = potentialInFloat32(latent.subarray(row * cells, (row + 1) * cells), 0, 25)[middle];
    errors += (rounded - right) ** 2;
    sum += right;
    squares += right ** 2;
  }
  const rms = Math.sqrt(errors / rows);
  const spread = Math.sqrt(squares / rows - (sum / rows) ** 2);
  t.diagnostic(`error ${(1000 * rms).toFixed(3)} mV, spread ${(1000 * spread).toFixed(3)} mV`);
  // A standard deviation of 1000 samples has a relative error of 1/sqrt(2000) = 2.2 %: four of them.
  assert.ok(Math.abs(rms / 0.43e-3 - 1) < 0.09);
  assert.ok(Math.abs(spread / 0.37e-3 - 1) < 0.09);
});

test("an unknown convention is refused with the known ones", () => {
  assert.throws(() => new PorousElectrode("blog" as Convention), {
    name: "InputError",
    message: 'The convention is "blog"; give one of figures, text.',
  });
});
