import assert from "node:assert/strict";
import { test } from "node:test";
import { Matrix } from "ml-matrix";
import { type Diffusion, normalDraws, paths } from "../lib/gallery/diffusion";
import { densityMoments, fokkerPlanck } from "../lib/gallery/fokkerPlanck";
import {
  closures,
  costAtEqualError,
  driftError,
  lastOf,
  learnVelocities,
} from "../lib/gallery/direct-matching/method";
import {
  bean,
  beanStart,
  benes,
  benesDensity,
  benesMoments,
  gaussianProcessDrift,
} from "../lib/gallery/direct-matching/system";
import {
  choleskyFactor,
  cloudMoments,
  coordinatewise,
  cubature,
  type Gaussian,
  gaussHermite,
  linearised,
  matched,
  moments,
} from "../lib/gallery/gaussianMoments";

import { cubatureMean, linearisedRates } from "../notebooks/support/gallery-4/exercises";

const diffusion = gaussianProcessDrift(bean());
const numbers = ({ mean, covariance: p }: Gaussian) => [...mean, p.get(0, 0), p.get(0, 1), p.get(1, 1)];
const near = (found: readonly number[], expected: readonly number[], tolerance: number) =>
  found.forEach((value, i) =>
    assert.ok(
      Math.abs(value - expected[i]) <= tolerance,
      `${found.join(", ")} and not ${expected.join(", ")}`,
    ),
  );

test("moments on the bean are those of an independent program, to its four digits", () => {
  // Made with NumPy: the same equations, written by another hand, Euler steps of 0.001.
  const expected = {
    linearised: [0.267, -0.5208, 0.0302, 0.005, 0.0408],
    cubature: [0.1352, -0.494, 0.0665, 0.0091, 0.0794],
  };
  for (const name of ["linearised", "cubature"] as const) {
    const end = lastOf(moments(diffusion, closures(2)[name], beanStart, { endTime: 1, steps: 100 }));
    near(numbers(end), expected[name], 5e-4); // three decimals
  }
});

test("the density keeps its mass and its sign, and its moments converge in second order to the particles'", () => {
  const at = [61, 121, 241].map((side) => {
    const density = lastOf(fokkerPlanck(diffusion, beanStart, [0.5], { reach: 2, side }));
    const mass = density.values.reduce((sum, value) => sum + value, 0) * (4 / side) ** 2;
    assert.ok(Math.abs(mass - 1) < 1e-12, `mass ${mass}`);
    assert.ok(density.values.every((value) => value >= 0));
    return numbers(densityMoments(density));
  });
  // The sides' ratio is 2 (almost), so the error falls by 4; the limiter costs some of it at the density's peak.
  for (const k of [0, 1, 2, 4]) {
    const order = Math.log2(Math.abs(at[0][k] - at[1][k]) / Math.abs(at[1][k] - at[2][k]));
    assert.ok(order > 1.4, `order ${order} in number ${k}`);
  }
  const rows = 20_000;
  const starts = normalDraws(beanStart.mean, choleskyFactor(beanStart.covariance), rows, 3);
  const simulated = cloudMoments(lastOf(paths(diffusion, starts, { endTime: 0.5, steps: 100, seed: 3 })), 2);
  simulated.mean.forEach((value, i) => {
    const error = 4 * Math.sqrt(simulated.covariance.get(i, i) / rows) + Math.abs(at[2][i] - at[1][i]);
    assert.ok(Math.abs(value - at[2][i]) < error, `${value} and ${at[2][i]}`);
  });
});

test("a linear equation's moments are those of its closed form", () => {
  // A damped oscillator, x' = v, v' = -x - v + noise: exp(A t) = e^{-t/2} (cos wt I + sin wt / w (A + I/2)), w = sqrt(3)/2.
  const linear: Diffusion = {
    dimension: 2,
    drift: (x) => x.map((_, k) => (k % 2 === 0 ? x[k + 1] : -x[k - 1] - x[k])),
    spread: (x) => x.map((_, k) => k % 2),
    jacobian: () => Float64Array.of(0, 1, -1, -1),
  };
  const start = { mean: Float64Array.of(1, 0.5), covariance: new Matrix([[0.3, 0.1], [0.1, 0.2]]) }; // prettier-ignore
  const w = Math.sqrt(3) / 2;
  const flow = (t: number) => {
    const [c, s] = [Math.cos(w * t), Math.sin(w * t) / w];
    return new Matrix([[c + s / 2, s], [-s, c - s / 2]]).mul(Math.exp(-t / 2)); // prettier-ignore
  };
  const t = 1.3;
  const mean = flow(t).mmul(Matrix.columnVector(start.mean)).to1DArray();
  const covariance = flow(t).mmul(start.covariance).mmul(flow(t).transpose());
  const n = 2000; // Simpson's rule for the noise's part, of order 4
  for (let k = 0; k <= n; k++) {
    const column = flow((k * t) / n).subMatrix(0, 1, 1, 1);
    const weight = (k === 0 || k === n ? 1 : k % 2 === 1 ? 4 : 2) * (t / n / 3);
    covariance.add(column.mmul(column.transpose()).mul(weight));
  }
  const expected = numbers({ mean: Float64Array.from(mean), covariance });
  for (const closure of [linearised, matched(cubature(2)), matched(gaussHermite(3, 2))]) {
    near(numbers(lastOf(moments(linear, closure, start, { endTime: t, steps: 300 }))), expected, 1e-8);
  }
});

test("a Benes process: closed form, density, and where linearisation fails", () => {
  const at = (closure: Parameters<typeof moments>[1], x0: number, endTime: number) => {
    const start = { mean: Float64Array.of(x0), covariance: Matrix.diag([1e-12]) };
    const { mean, covariance } = lastOf(moments(benes(1), closure, start, { endTime, steps: 100 * endTime }));
    return [mean[0], covariance.get(0, 0)];
  };
  // The mean and the variance of the density, by the trapezoidal rule, which is exact to round-off here.
  const density = benesDensity(0.5, 1);
  const x = Array.from({ length: 4001 }, (_, k) => -20 + k / 100);
  const integral = (g: (v: number) => number) => x.reduce((sum, v) => sum + (g(v) * density(v)) / 100, 0);
  const { mean, variance } = benesMoments(0.5, 1);
  near([integral(() => 1), integral((v) => v), integral((v) => (v - mean) ** 2)], [1, mean, variance], 1e-10);
  const { linearised: linear, cubature: four, "Gauss-Hermite": hermite } = closures(1);
  near(at(linear, 0.5, 1), [1.148, 1.73], 1e-3);
  near(at(four, 0.5, 1), [0.884, 1.917], 1e-3);
  near(at(hermite, 0.5, 1), [0.959, 1.752], 1e-3);
  // P' = 2 P + 1 at the origin.
  near(at(linear, 0, 5).slice(1), [(Math.exp(10) - 1) / 2], 0.01);
  assert.equal(benesMoments(0, 5).variance, 30);
});

test("rules are exact for their polynomials, and a rule a coordinate equals the full one where the drift allows it", () => {
  const { points, weights } = gaussHermite(5, 1);
  for (const [power, moment] of [
    [0, 1],
    [2, 1],
    [4, 3],
    [6, 15],
    [8, 105],
    [9, 0],
  ]) {
    // prettier-ignore
    const sum = points.reduce((total, x, i) => total + weights[i] * x ** power, 0);
    assert.ok(Math.abs(sum - moment) < 1e-11, `power ${power}: ${sum}`);
  }
  const state = { mean: Float64Array.of(0.3, -0.8), covariance: new Matrix([[0.7, 0.4], [0.4, 1.1]]) }; // prettier-ignore
  const full = matched(gaussHermite(30, 2))(benes(2), state);
  const single = coordinatewise(gaussHermite(30, 1))(benes(2), state);
  near([...single.drift], [...full.drift], 5e-6); // tanh has poles: the rules converge slowly
  near(single.cross.to1DArray(), full.cross.to1DArray(), 5e-6);
});

test("velocities are learned back from exact moments, and the objective never falls", () => {
  const truth = bean();
  const settings = { endTime: 1, steps: 40, iterations: 20 };
  const exact = Array.from(moments(diffusion, matched(cubature(2)), beanStart, settings));
  const snapshots = [5, 10, 15, 20, 25, 30, 35, 40].map((step) => ({
    step,
    count: 1e6,
    seen: exact[step - 1],
  }));
  let last = -Infinity;
  let error = Infinity;
  const cloud = Float64Array.from(exact.flatMap(({ mean }) => [...mean]));
  for (const { velocities, objective } of learnVelocities(truth.places, beanStart, snapshots, settings)) {
    assert.ok(objective >= last, `${objective} after ${last}`);
    [last, error] = [objective, driftError(truth, velocities, cloud)];
  }
  assert.ok(error < 0.02, `error ${error}`); // a million points: the prior counts for nothing where the cloud went
});

test("what a solve costs beside paths: errors are measured, and paths follow from the variance", () => {
  const { error, paths: needed } = costAtEqualError(2, true, 10, 1);
  assert.ok(error > 1e-4 && error < 0.01, `error ${error}`);
  // Variances of Benes processes at t = 1 lie between 1 and 2.
  assert.ok(needed >= 1 / error ** 2 && needed <= 2 / error ** 2 + 1, `${needed} paths`);
});

test("exercises are judged right, and their usual slips are told", () => {
  const slope = (m: number) => 1 / Math.cosh(m) ** 2;
  const rates = (of: (m: number, p: number) => number) => (m: number, p: number) =>
    [Math.tanh(m), of(m, p)] as const;
  assert.equal(linearisedRates.fault(rates((m, p) => 2 * slope(m) * p + 1)), undefined);
  assert.match(String(linearisedRates.fault(rates((m, p) => slope(m) * p + 1))), /counts twice/);
  assert.match(String(linearisedRates.fault(rates((m, p) => 2 * slope(m) * p))), /noise adds/);
  const rule = (d: (p: number) => number) => (m: number, p: number) =>
    (Math.tanh(m + d(p)) + Math.tanh(m - d(p))) / 2;
  assert.equal(cubatureMean.fault(rule(Math.sqrt)), undefined);
  assert.match(String(cubatureMean.fault(rule((p) => p))), /standard deviation/);
  assert.match(String(cubatureMean.fault((m) => Math.tanh(m))), /at the mean/);
});
