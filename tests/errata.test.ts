import assert from "node:assert/strict";
import { test } from "node:test";
import { ELECTRODE } from "../lib/electrode";
import { marginalGaussian, sampledGaussian } from "../lib/evaluation/gaussianSampling";
import { reverseForms, reverseVariances, uniformGrid } from "../lib/evaluation/reverseForms";
import { concentrationAt, decayTime } from "../lib/evaluation/transient";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { samplerByName } from "../lib/presets/samplers";
import { simulateAt } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { quadraticGrid } from "../lib/samplers";
import { vpSchedule } from "../lib/schedule";
import { ReverseForm } from "../lib/sde";
import {
  eliminate,
  eliminationError,
  potentialByElimination,
  reactionShare,
} from "../notebooks/support/11/elimination";
import { concentrationAtPotential, totalReaction } from "../notebooks/support/11/givenPotential";
import { gridReadingError, readPositions } from "../notebooks/support/11/gridReading";
import { simulatedReverseVariances, smallestScoreLoss } from "../notebooks/support/11/linearLaw";
import { firstModulation } from "../notebooks/support/11/modulation";

const set = simulateAt(porousElectrode("figures"), [1e-5, 0, 25], 20, 1);
const cells = 100;
const porosity = set.latent!.subarray(0, cells);
const c = set.fields.subarray(0, cells);
const phi = set.fields.subarray(cells, 2 * cells);
const schedule = vpSchedule();

test("elimination solves the system, in both forms and precisions", () => {
  // (links 2, 3; excess 1, 1, 1): the matrix [[3, -2, 0], [-2, 6, -3], [0, -3, 4]] times (1, 2, 3).
  const [links, excess, load] = [Float64Array.of(2, 3), Float64Array.of(1, 1, 1), Float64Array.of(-1, 1, 6)];
  for (const form of ["difference", "excess"] as const) {
    for (const [precision, tolerance] of [
      ["float64", 1e-14],
      ["float32", 1e-5], // a few units of round-off, 6e-8, times the condition
    ] as const) {
      const x = eliminate(form, precision, links, excess, load);
      x.forEach((value, i) => assert.ok(Math.abs(value - (i + 1)) < tolerance, `${form} ${precision}: ${x}`));
    }
  }
  assert.throws(
    () =>
      eliminate("difference", "float32", Float64Array.of(1), Float64Array.of(0, 0), Float64Array.of(1, -1)),
    /Pivot 1 is 0/,
  );
});

test("the accurate elimination is the solver's, and float32 hurts where pivots are differences", () => {
  const own = potentialByElimination("excess", "float64", porosity, 25);
  own.forEach((value, i) => assert.ok(Math.abs(value - phi[i]) < 1e-10, `cell ${i}`));
  const error = (form: "difference" | "excess", precision: "float32" | "float64", reactionFactor = 1) =>
    eliminationError(form, precision, set.latent!, cells, { reactionFactor });
  assert.equal(error("excess", "float64"), 0);
  assert.ok(error("difference", "float64") < 1e-9);
  // Twenty porosities: 0.4 mV within a factor of two.
  assert.ok(Math.abs(Math.log2(error("difference", "float32") / 4e-4)) < 1);
  assert.ok(error("excess", "float32") < 0.05 * error("difference", "float32"));
  // A tenth of the reaction leaves no positive pivot in some of them.
  assert.ok(Number.isNaN(error("difference", "float32", 0.1)));
  // a k_rn dx^2 = 3.25e-8 S/m beside k = 0.207 S/m
  assert.ok(Math.abs(reactionShare(0.35, 100) - 3.25e-8 / 0.35 ** 1.5) < 1e-15);
});

test("c at the solver's potential is the solver's, and the reaction carries the current in the convention text", () => {
  concentrationAtPotential(porosity, phi, 0).forEach((value, i) =>
    assert.ok(Math.abs(value - c[i]) < 1e-9, `cell ${i}`),
  );
  // A potential that is higher by 1 V everywhere, as U0 higher by 1 V: only their sum counts.
  const shifted = concentrationAtPotential(
    porosity,
    phi.map((value) => value + 1),
    0,
  );
  concentrationAtPotential(porosity, phi, 1).forEach((value, i) =>
    assert.ok(Math.abs(value - shifted[i]) < 1e-9),
  );
  // phi_s - phi = 1 V everywhere: the integral is a k_rn L of the mean surface.
  const solid = Float64Array.from({ length: cells }, (_, i) => -1000 * 1e-6 * (i + 0.5) - 1);
  const surface = porosity.reduce((sum, value) => sum + (5e5 * (1 - value) * 0.1 * 1e-4) / cells, 0);
  assert.ok(Math.abs(totalReaction(porosity, solid, 0) / surface - 1) < 1e-12);
});

test("the slowest decay time is that of a constant porosity in closed form, and of the transient", () => {
  const constant = new Float64Array(cells).fill(0.35);
  const diffusivity = ELECTRODE.diffusivity * 0.35 ** 1.5;
  // eps L^2 / D (2 / pi)^2, up to the grid's second order.
  const closed = ((0.35 * 1e-8) / diffusivity) * (2 / Math.PI) ** 2;
  assert.ok(Math.abs(decayTime(constant, "face") / closed - 1) < 1e-4);
  const tau = decayTime(porosity, "last cell");
  const at = (seconds: number) =>
    concentrationAt(seconds, porosity, { equilibriumPotential: 0, flux: 25 })[0];
  const left = [1000, 1100].map((seconds) => at(seconds) - at(Infinity));
  // Implicit Euler of 0.1 s decays by 1 + 0.1 / tau a step: 0.03 % slower than the exponential here.
  assert.ok(Math.abs(Math.log(left[0] / left[1]) / (100 / tau) - 1) < 1e-3);
});

test("values on nodes instead of centres are of first order, and so is a value fixed in the last cell", () => {
  assert.deepEqual(readPositions(3, 2, "nodes"), Float64Array.of(0, 1, 2));
  readPositions(2, 2, "centres").forEach((x, i) => assert.ok(Math.abs(x - (i + 0.5)) < 1e-15));
  const order = (...how: ["face" | "last cell", "centres" | "nodes"]) =>
    Math.log2(gridReadingError(100, ...how) / gridReadingError(200, ...how));
  assert.ok(Math.abs(order("face", "centres") - 2) < 0.01);
  assert.ok(Math.abs(order("face", "nodes") - 1) < 0.01);
  assert.ok(Math.abs(order("last cell", "centres") - 1) < 0.01);
});

test("the reverse SDE has the forward marginals with factor 1 alone", () => {
  const times = uniformGrid(schedule, 2000, 1e-3);
  const data = { mean: 0, variance: 0.25 };
  const { sde, halfScore, wrongSign } = reverseForms;
  const end = marginalGaussian(data, schedule, 1e-3).variance;
  const last = (form: ReverseForm, variance: number) =>
    reverseVariances(form, { mean: 0, variance }, schedule, times).at(-1)!;
  assert.ok(Math.abs(last(sde, 0.25) / end - 1) < 1e-4); // second order in 2000 steps
  // With variance 1 and half the score only noise is left.
  assert.ok(Math.abs(last(halfScore, 1) / (1 + schedule.alpha(1) - schedule.alpha(1e-3)) - 1) < 1e-6);
  assert.ok(last(wrongSign, 0.25) > 1e6);
  const particles = 4000;
  const simulated = simulatedReverseVariances(sde, data, schedule, times, particles, new Random(1));
  // Four standard errors sqrt(2 / particles), and Euler-Maruyama's own 1 %.
  assert.ok(Math.abs(simulated.at(-1)! / end - 1) < 4 * Math.sqrt(2 / particles) + 0.01);
});

test("a sampler's law has its order, counts its calls and agrees with the marginal", () => {
  const data = { mean: 0, variance: 0.25 };
  for (const [name, order, calls] of [
    ["euler-maruyama", 1, 1],
    ["stochastic-heun", 2, 2],
  ] as const) {
    const laws = [250, 500].map((steps) =>
      sampledGaussian(samplerByName(name), schedule, quadraticGrid(schedule, steps), data),
    );
    const exact = marginalGaussian(data, schedule, 1e-4).variance;
    const errors = laws.map(({ variance }) => Math.abs(variance - exact));
    assert.ok(Math.abs(Math.log2(errors[0] / errors[1]) - order) < 0.05, name);
    assert.equal(laws[0].networkCalls, 250 * calls);
  }
});

test("the smallest loss is what a Monte Carlo estimate of the target's remaining variance finds", () => {
  const [t, dataStd, count] = [0.3, 0.5, 100_000];
  const data = { mean: 0, variance: dataStd ** 2 };
  const [m, std] = [schedule.mean(t), schedule.std(t)];
  const random = new Random(3);
  const [x0, z] = [0, 1].map(() => random.fillNormal(new Float64Array(count)));
  const sum = x0.reduce((total, value, i) => {
    const x = m * dataStd * value + std * z[i];
    return total + (-z[i] / std + x / marginalGaussian(data, schedule, t).variance) ** 2;
  }, 0);
  // The square of a normal number has a relative standard error of sqrt(2 / count); five of them.
  assert.ok(Math.abs(sum / count / smallestScoreLoss(data, schedule, t) - 1) < 5 * Math.sqrt(2 / count));
});

test("FiLM acts on a channel by one affine map, the same in all cells", () => {
  const { before, after, channels, numbers } = firstModulation(12, [1, -1, 1]);
  assert.equal(channels, 64);
  assert.equal(numbers, 128);
  let steepest = 0;
  for (let channel = 0; channel < channels; channel++) {
    const at = (values: Float64Array, cell: number) => values[cell * channels + channel];
    const slope = (at(after, 1) - at(after, 0)) / (at(before, 1) - at(before, 0));
    steepest = Math.max(steepest, Math.abs(slope - 1));
    const offset = at(after, 0) - slope * at(before, 0);
    // float32, and a slope from two features that may lie close.
    for (let cell = 2; cell < 12; cell++)
      assert.ok(Math.abs(at(after, cell) - slope * at(before, cell) - offset) < 1e-3, `${channel} ${cell}`);
  }
  assert.ok(steepest > 0.01, "the modulation does nothing");
});
