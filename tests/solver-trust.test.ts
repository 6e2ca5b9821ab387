import assert from "node:assert/strict";
import { test } from "node:test";
import { ELECTRODE } from "../lib/electrode";
import { InputError } from "../lib/backend/errors";
import { ScaledProcess } from "../lib/evaluation/scaledProcess";
import { concentrationAt, decayTime } from "../lib/evaluation/transient";
import { uniformGrid } from "../lib/finiteVolumes";
import { squaredExponential, squashToPorosity } from "../lib/gaussianProcess";
import { Random } from "../lib/random";
import { chargeBalance, saltBalance } from "../notebooks/support/02/balance";
import { largestDifference, observedOrders } from "../notebooks/support/02/manufactured";
import { gridError } from "../notebooks/support/02/refinement";
import { solveElectrode } from "../notebooks/support/02/solve";
import {
  arithmeticMean,
  harmonicMean,
  solveTwoLayers,
  twoLayersExact,
} from "../notebooks/support/02/twoLayers";

const { cells, length: L } = ELECTRODE;
const { centres } = uniformGrid(cells, L);

test("the sum of bumps has the squared exponential covariance, to eight digits", () => {
  // The process is linear in its heights: one height at a time gives the bumps, whose products sum to the covariance.
  class OneHeight extends Random {
    constructor(readonly index: number) {
      super(1);
    }
    override fillNormal(out: Float64Array): Float64Array {
      out.fill(0);
      out[this.index] = 1;
      return out;
    }
  }
  const points = Float64Array.of(0, 0.3e-5, 1e-5, 2.2e-5);
  const sums = new Float64Array(points.length ** 2);
  const reach = 2;
  const count = 2 * Math.ceil((reach + 6) / 0.5) + 1;
  for (let k = 0; k < count; k++) {
    const bump = new ScaledProcess(new OneHeight(k), reach).at(points, 1e-5, 0.5e-5);
    for (let i = 0; i < points.length; i++)
      for (let j = 0; j < points.length; j++) sums[i * points.length + j] += bump[i] * bump[j];
  }
  const covariance = squaredExponential(points, 1e-5, 0);
  sums.forEach((sum, k) => {
    const expected = covariance.get(Math.floor(k / points.length), k % points.length);
    assert.ok(Math.abs(sum - expected) < 1e-8, `${sum} is not ${expected}`); // 5e-9 by Poisson's formula
  });
});

test("a scaled process widens about its origin, and is refused beyond its reach", () => {
  const process = new ScaledProcess(new Random(3), 10);
  const points = Float64Array.of(-2e-5, 0, 1e-5);
  const wide = process.at(
    points.map((x) => 2 * x),
    2e-5,
    0,
  );
  assert.ok(largestDifference(process.at(points, 1e-5, 0), wide) < 1e-12);
  assert.throws(() => process.at(points, 1e-6, 0), InputError);
  assert.throws(() => process.at(points, 0, 0), InputError);
});

test("harmonic means give two layers exactly on any grid, arithmetic ones with order 1", (t) => {
  const error = (n: number, mean: typeof harmonicMean) => {
    const { centres: x, phi } = solveTwoLayers(n, mean);
    return largestDifference(phi, twoLayersExact(x));
  };
  // The potential is some 20 mV, and the grid of 512 cells adds up as many rounded drops.
  for (const n of [2, 10, 512]) assert.ok(error(n, harmonicMean) < 1e-14);
  const sizes = [8, 16, 32];
  const orders = observedOrders(
    sizes,
    sizes.map((n) => error(n, arithmeticMean)),
  );
  t.diagnostic(`orders ${orders.map((value) => value.toFixed(6)).join(", ")}`);
  for (const order of orders) assert.ok(Math.abs(order - 1) < 1e-9); // one wrong face: exactly proportional to dx
  assert.throws(() => solveTwoLayers(7, harmonicMean), InputError);
});

test("orders are the slopes between errors", () => {
  assert.deepEqual(observedOrders([10, 20, 40], [16, 4, 2]), [2, 1]);
  assert.throws(() => observedOrders([10, 20], [1]), InputError);
});

test("the electrode's fields converge with order 2, but for c where it is fixed in the last cell", (t) => {
  const process = new ScaledProcess(new Random(1), 5);
  const porosityAt = (x: Float64Array) => squashToPorosity(process.at(x, L / 10, L / 2));
  const sizes = [40, 80, 160];
  for (const [convention, key, order] of [
    ["text", "c", 2],
    ["text", "phi", 2],
    ["figures", "c", 1],
    ["figures", "phi", 2],
  ] as const) {
    const errors = sizes.map(
      (n) => gridError(n, convention, porosityAt, { equilibriumPotential: 0.1, flux: 25 })[key],
    );
    const orders = observedOrders(sizes, errors);
    t.diagnostic(`${convention} ${key}: ${orders.map((value) => value.toFixed(3)).join(", ")}`);
    // Four cells a correlation length on the coarsest grid: the next term of the error is felt.
    for (const value of orders) assert.ok(Math.abs(value - order) < 0.1, `${convention} ${key} ${value}`);
  }
});

test("at every face the current is the reaction left of it, and steady salt leaves as fast as it is made", () => {
  const process = new ScaledProcess(new Random(2), 5);
  const porosity = squashToPorosity(process.at(centres, L / 10, L / 2));
  for (const convention of ["figures", "text"] as const) {
    const { current, made } = chargeBalance(porosity, 25, convention);
    // Inner faces: g is 2e5 S/m2, so that a round-off of phi (some V) times the sweep's length is felt at 1e-8 of 25.
    assert.ok(largestDifference(current, made) < 25e-8);
    assert.ok(Math.abs(made[cells - 1] - (convention === "figures" ? -25 : 25)) < 25e-12);
  }
  const salt = saltBalance(porosity, 25);
  assert.ok(Math.abs(salt.left / salt.made - 1) < 1e-12);
});

test("the transient at 100 s is the data set's c, and ends in the steady state of its source", () => {
  const porosity = new Float64Array(cells).fill(0.35);
  const conditions = { equilibriumPotential: 0.1, flux: 25 };
  assert.deepEqual(
    concentrationAt(100, porosity, conditions),
    solveElectrode(porosity, conditions, "figures").c,
  );
  const [late, steady] = [5000, Infinity].map((t) => concentrationAt(t, porosity, conditions));
  assert.ok(largestDifference(late, steady) < 1e-6 * Math.abs(steady[0] - 1000)); // 5000 s are 20 decay times
  // Uniform, the slowest mode is cos(pi x / 2 L'), with c fixed in the last centre: L' = L - dx / 2.
  const { diffusivity, bruggeman } = ELECTRODE;
  const exact = (0.35 * ((L - L / cells / 2) / (Math.PI / 2)) ** 2) / (diffusivity * 0.35 ** bruggeman);
  assert.ok(Math.abs(decayTime(porosity) / exact - 1) < 1e-3); // the grid is of second order
  assert.throws(() => concentrationAt(-1, porosity, conditions), InputError);
});
