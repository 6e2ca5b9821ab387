import assert from "node:assert/strict";
import test from "node:test";
import { InputError } from "../lib/backend/errors";
import { Random } from "../lib/random";
import { compare } from "../lib/evaluation/compare";
import { formatComparison } from "../lib/evaluation/report";
import {
  columnMean,
  columnPercentiles,
  columnStd,
  energyDistance,
  type FieldSample,
  meanDistance,
  standardiser,
} from "../lib/comparison";
import { forEachDistance } from "../lib/backend/distances";
import { pinnedColumns } from "../lib/evaluation/fieldSamples";
import { energyTest } from "../lib/evaluation/energyTest";
import { columnKurtosis, columnSkewness, roughness } from "../lib/evaluation/statistics";

/** |a - b| <= tolerance. */
function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);
}

function normals(rows: number, columns: number, ...stream: number[]): Float64Array {
  return new Random(11, ...stream).fillNormal(new Float64Array(rows * columns));
}

test("a column without spread but for round-off has neither skewness nor kurtosis", () => {
  const one = 0.1 + 0.2; // whose mean over seven rows is another number
  for (const values of [
    Float64Array.from({ length: 7 }, () => one),
    Float64Array.of(one, one * (1 + 2 ** -52), one),
  ]) {
    assert.ok(Number.isNaN(columnSkewness(values, 1)[0]));
    assert.ok(Number.isNaN(columnKurtosis(values, 1)[0]));
  }
});

test("summary: mean, std, skewness and kurtosis of a small table by hand", () => {
  // Columns (1, 2, 3, 6), whose deviations from 3 are -2, -1, 0, 3, and a constant.
  const values = Float64Array.of(1, 5, 2, 5, 3, 5, 6, 5);
  assert.deepEqual(columnMean(values, 2), Float64Array.of(3, 5));
  near(columnStd(values, 2)[0], Math.sqrt(14 / 3), 1e-15, "std with n - 1");
  assert.equal(columnStd(values, 2)[1], 0);
  assert.equal(columnStd(Float64Array.of(4), 1)[0], 0);
  near(columnSkewness(values, 2)[0], 18 / 4 / 3.5 ** 1.5, 1e-15, "skewness");
  near(columnKurtosis(values, 2)[0], 98 / 4 / 3.5 ** 2 - 3, 1e-15, "excess kurtosis");
  assert.ok(Number.isNaN(columnSkewness(values, 2)[1]) && Number.isNaN(columnKurtosis(values, 2)[1]));
});

test("summary: a large mean costs no digits", () => {
  const noise = normals(1000, 1);
  const shifted = noise.map((z) => 1e6 + 1e-3 * z);
  // The shifted values themselves are rounded to 1e-10, a part in 1e7 of the spread.
  near(columnStd(shifted, 1)[0] / columnStd(noise, 1)[0], 1e-3, 1e-9, "std");
  near(columnSkewness(shifted, 1)[0], columnSkewness(noise, 1)[0], 1e-6, "skewness");
});

test("summary: percentiles interpolate between order statistics", () => {
  const values = Float64Array.of(40, 10, 20, 30, 50); // numpy.percentile of the same gives the same
  const [low, quarter, median, high] = columnPercentiles(values, 1, [2.5, 25, 50, 97.5]);
  near(low[0], 11, 1e-13, "2.5 %"); // position 0.1
  assert.equal(quarter[0], 20);
  assert.equal(median[0], 30);
  near(high[0], 49, 1e-13, "97.5 %");
  const two = columnPercentiles(Float64Array.of(1, -1, 3, -3), 2, [0, 100]);
  assert.deepEqual(two, [Float64Array.of(1, -3), Float64Array.of(3, -1)]);
  assert.equal(columnPercentiles(values, 1).length, 2);
  const band = columnPercentiles(normals(20000, 1), 1);
  // Standard error of a percentile: sqrt(p (1 - p) / n) / density = 0.019; four of them.
  near(band[0][0], -1.959964, 0.076, "lower end of a Gaussian's 95 % band");
  near(band[1][0], 1.959964, 0.076, "upper end");
});

test("summary: roughness is 0 for straight lines, 2 for a parabola, 4 for a zigzag", () => {
  const row = (f: (i: number) => number) => Float64Array.from({ length: 20 }, (_, i) => f(i % 10));
  near(
    roughness(row((i) => 3 - 0.1 * i), 10), // prettier-ignore
    0,
    1e-14,
    "line",
  );
  // Two rows: differences across the row end would be far larger.
  assert.equal(roughness(row((i) => i * i), 10), 2); // prettier-ignore
  assert.equal(roughness(row((i) => (-1) ** i), 10), 4); // prettier-ignore
});

test("summary: bad input is named", () => {
  assert.throws(() => columnMean(new Float64Array(5), 2), InputError);
  assert.throws(() => columnMean(new Float64Array(0), 2), InputError);
  assert.throws(() => columnPercentiles(new Float64Array(4), 2, [101]), InputError);
  assert.throws(() => roughness(new Float64Array(4), 2), InputError);
});

test("energy distance: equals the double loop for odd and even numbers of rows", () => {
  const average = (x: Float64Array, y: Float64Array, d: number) => {
    let sum = 0;
    for (let i = 0; i < x.length; i += d) {
      for (let j = 0; j < y.length; j += d) {
        let square = 0;
        for (let k = 0; k < d; k++) square += (x[i + k] - y[j + k]) ** 2;
        sum += Math.sqrt(square);
      }
    }
    return sum / ((x.length / d) * (y.length / d));
  };
  for (const [n, m, d] of [
    [1, 1, 1],
    [2, 3, 1],
    [7, 4, 3],
    [9, 9, 20],
    [8, 8, 5],
    [1, 6, 2],
  ]) {
    const [x, y] = [normals(n, d, 1), normals(m, d, 2).map((z) => z + 0.3)];
    // Sums of fewer than 100 terms of size 6: round-off.
    near(meanDistance(x, y, d), average(x, y, d), 1e-13, `E|X - Y| for ${n} x ${m} x ${d}`);
    near(meanDistance(x, x, d), average(x, x, d), 1e-13, `E|X - X'| for ${n} x ${d}`);
    const expected = 2 * average(x, y, d) - average(x, x, d) - average(y, y, d);
    near(energyDistance(x, y, d), expected, 1e-13, "energy distance");
    near(energyDistance(x, x.slice(), d), 0, 1e-13, "of a set to its copy");
  }
});

test("distances: rows that nearly coincide keep their digits, far from the origin, too", () => {
  const d = 20;
  const x = normals(7, d, 50);
  // Rows 1e-7 apart in a known direction: |a|^2 + |b|^2 - 2 a b alone would leave no digit of 1e-14.
  const step = 1e-7;
  for (const offset of [0, 1024]) {
    const near1 = x.map((value) => value + offset);
    const near2 = x.map((value, i) => value + offset + (i % d === 3 ? step : 0));
    const found: number[] = [];
    forEachDistance(near1, near2, d, (i, j, distance) => {
      if (i === j) found.push(distance);
    });
    assert.equal(found.length, 7);
    // Rounding the values themselves, of size 3 or 1024, moves them by a few 1e-16 of it.
    for (const distance of found) near(distance, step, 1e-15 * (3 + offset), `offset ${offset}`);
  }
  // Rows that are apart by a share of their own size: the products' digits suffice, or the differences are taken.
  for (let apart = 1; apart > 1e-3; apart *= 0.9) {
    const y = x.map((value, i) => value + apart * (i % 3 === 0 ? 1 : -0.5));
    forEachDistance(x, y, d, (i, j, distance) => {
      const exact = Math.hypot(...Array.from({ length: d }, (_, k) => x[i * d + k] - y[j * d + k]));
      near(distance / exact, 1, 1e-12, `apart by ${apart}`);
    });
  }
  const visited: string[] = [];
  forEachDistance(x, x, d, (i, j) => visited.push(`${i} ${j}`));
  assert.equal(new Set(visited).size, 21, "each pair i < j once");
  assert.equal(visited.length, 21);
});

test("energy distance: closed forms", () => {
  // Two point masses a apart: 2 a.
  near(energyDistance(Float64Array.of(0, 0), Float64Array.of(3, 4, 3, 4), 2), 10, 1e-14, "point masses");
  // In one dimension it is twice the integral of the squared difference of the distribution functions.
  const [x, y] = [normals(50, 1, 3), normals(31, 1, 4).map((z) => 0.5 + 2 * z)];
  const all = Array.from([...x, ...y]).sort((a, b) => a - b);
  const share = (set: Float64Array, at: number) => set.filter((value) => value <= at).length / set.length;
  let cramer = 0;
  for (let i = 0; i + 1 < all.length; i++) {
    cramer += 2 * (share(x, all[i]) - share(y, all[i])) ** 2 * (all[i + 1] - all[i]);
  }
  near(energyDistance(x, y, 1), cramer, 1e-13, "Cramer's form");
  // N(0, 1) and N(0, 2^2): E|X - Y| = sqrt(2 / pi) sqrt(1 + 4).
  const n = 2000;
  const expected = 2 * Math.sqrt(10 / Math.PI) - (2 + 4) / Math.sqrt(Math.PI);
  const bias = (2 / n) * (3 / Math.sqrt(Math.PI)); // of the V-statistic: (E|X - X'| + E|Y - Y'|) / n
  const measured = energyDistance(normals(n, 1, 5), normals(n, 1, 6).map((z) => 2 * z), 1); // prettier-ignore
  // The spread over seeds is about 0.012 (linear term of both sets, each std about 0.38 / sqrt(n)); four of them.
  near(measured, expected + bias, 0.048, "two Gaussians");
});

test("energy distance: large offsets do not cancel", () => {
  const [x, y] = [normals(40, 3, 7), normals(40, 3, 8)];
  const expected = energyDistance(x, y, 3);
  const shift = (set: Float64Array) => set.map((value) => value + 2 ** 20); // rounds the values to 1e-10
  near(energyDistance(shift(x), shift(y), 3), expected, 1e-9, "shifted by a million");
});

test("energy distance: the floor of equal distributions is 2 E|X - X'| / n in the mean", () => {
  const [n, d, repeats] = [40, 4, 60];
  let sum = 0;
  let square = 0;
  for (let k = 0; k < repeats; k++) {
    const distance = energyDistance(normals(n, d, 9, k), normals(n, d, 10, k), d);
    sum += distance / repeats;
    square += distance ** 2 / repeats;
  }
  // E|X - X'| of N(0, I) in 4 dimensions: 2 Gamma(5/2) / Gamma(2) = 1.5 sqrt(pi).
  const expected = (2 / n) * 1.5 * Math.sqrt(Math.PI);
  near(
    sum,
    expected,
    4 * Math.sqrt((square - sum ** 2) / repeats),
    "mean over repeats, four standard errors",
  );
});

test("permutation p-value: uniform when the sets agree, small when they differ, exact for few rows", () => {
  const repeats = 200;
  const values: number[] = [];
  for (let k = 0; k < repeats; k++) {
    const [x, y] = [normals(12, 2, 20, k), normals(15, 2, 21, k)];
    values.push(energyTest(x, y, 2, new Random(22, k), 99).pValue);
  }
  values.sort((a, b) => a - b);
  const ks = Math.max(
    ...values.map((p, i) => Math.max(Math.abs((i + 1) / repeats - p), Math.abs(i / repeats - p))),
  );
  // Kolmogorov-Smirnov at 0.1 %: 1.95 / sqrt(repeats), and the p-values' own step of 0.01.
  assert.ok(ks < 1.95 / Math.sqrt(repeats) + 0.01, `distance from uniform ${ks}`);
  const shifted = normals(30, 2, 24).map((z) => z + 2);
  assert.equal(energyTest(normals(30, 2, 23), shifted, 2, new Random(25), 99).pValue, 0.01);

  // Every split of few rows enumerated, also of equal halves, where each split comes twice.
  for (const y of [Float64Array.of(1.9, 3.1, 0.7, 8), Float64Array.of(1.9, 3.1, 8)]) {
    const x = Float64Array.of(0, 1.1, 2.3);
    const pool = [...x, ...y];
    const observed = energyDistance(x, y, 1);
    let [splits, asLarge, sum] = [0, 0, 0];
    for (let mask = 0; mask < 2 ** pool.length; mask++) {
      const chosen = pool.filter((_, i) => (mask >> i) & 1);
      if (chosen.length !== 3) continue;
      const others = pool.filter((_, i) => !((mask >> i) & 1));
      const distance = energyDistance(Float64Array.from(chosen), Float64Array.from(others), 1);
      splits++;
      sum += distance;
      if (distance >= observed * (1 - 1e-9)) asLarge++;
    }
    assert.equal(splits, y.length === 4 ? 35 : 20);
    for (const result of [
      energyTest(x, y, 1, new Random(26), 4999),
      energyTest(y, x, 1, new Random(27), 4999),
    ]) {
      near(result.pValue, asLarge / splits, 4 * Math.sqrt(0.25 / 5000), "four standard errors of 4999 draws");
      near(result.energyDistance, observed, 1e-14, "energy distance"); // sums of 12 distances up to 8
      near(result.expected, sum / splits, 1e-6, "mean over all splits, of distances in single precision");
    }
  }
});

test("standardiser: free columns get mean 0 and std 1, constant ones are set apart", () => {
  const z = normals(50, 2, 30);
  // A constant exactly, one up to round-off, a tiny spread about a tiny mean, a large one.
  const values = new Float64Array(50 * 4);
  for (let i = 0; i < 50; i++) {
    values.set([0, 1000 + 1e-12 * z[2 * i], 1e-6 + 1e-9 * z[2 * i], 1000 + 5 * z[2 * i + 1]], 4 * i);
  }
  const scale = standardiser(values, 4);
  const { free, apply } = scale;
  assert.deepEqual(pinnedColumns(scale), [0, 1]);
  assert.deepEqual(free, [2, 3]);
  const scaled = apply(values);
  assert.equal(scaled.length, 100);
  // Round-off of values of size 1000 and spread 5, of 1e-6 and 1e-9: 1e-16 * 1e3 at most.
  columnMean(scaled, 2).forEach((mean) => near(mean, 0, 1e-11, "mean"));
  columnStd(scaled, 2).forEach((std) => near(std, 1, 1e-11, "std"));
  assert.throws(() => standardiser(new Float64Array(6).fill(2), 3), InputError);
});

const problem = { fields: [{ name: "c", unit: "mol/m3" }, { name: "phi", unit: "V" }], cells: 12 }; // prettier-ignore

/** Two smooth random fields of 12 cells each; c is pinned to 1000 in its last cell, phi to 0 in its first. */
function fields(rows: number, stream: number, stretch = 1, shift = 0): FieldSample {
  const [random, values] = [new Random(40, stream), new Float64Array(rows * 24)];
  for (let row = 0; row < rows; row++) {
    const [a, b] = [stretch * random.normal() + shift, random.normal()];
    for (let i = 0; i < 12; i++) {
      values[row * 24 + i] = 1000 - 5 * a * Math.cos((Math.PI / 2) * (i / 11));
      values[row * 24 + 12 + i] = 1e-3 * b * Math.sin(0.2 * i);
    }
    values[row * 24 + 11] = 1000; // the cosine of pi / 2 is 6e-17
  }
  return { rows, fields: values, problem };
}

test("compare: a set against itself has no error", () => {
  const reference = fields(50, 1);
  const result = compare(reference, reference, fields(50, 2));
  near(result.energyDistance.sample, 0, 1e-13, "energy distance");
  near(result.floorRatio.sample, 0, 1e-10, "floor ratio");
  for (const field of result.fields) {
    assert.equal(field.meanError.sample, 0);
    assert.equal(field.largestMeanError.sample, 0);
    near(field.stdRatio.sample, 1, 1e-14, "std ratio");
    assert.equal(field.lowerPointError.sample, 0);
    assert.equal(field.upperPointError.sample, 0);
    assert.equal(field.roughnessRatio.sample, 1);
    assert.equal(field.pinnedCells, 1);
    assert.equal(field.pinnedDeviation.sample, 0);
    assert.ok(field.pinnedExact);
    assert.ok(field.meanError.floor > 0 && field.lowerPointError.floor > 0, "the floor is another set");
  }
});

test("compare: a known shift and stretch come out, in the field they were put in", () => {
  const [reference, sample] = [fields(400, 3), fields(400, 3, 1.5, 2)]; // the same draws, c stretched and shifted
  const [c, phi] = compare(reference, sample, fields(400, 4)).fields;
  // With a = z for the reference and 1.5 z + 2 for the sample; z has its own sample mean and std.
  const z = reference.fields.filter((_, i) => i % 24 === 0).map((value) => (1000 - value) / 5);
  const [mean, std] = [columnMean(z, 1)[0], columnStd(z, 1)[0]];
  const shift = 0.5 * mean + 2;
  near(c.stdRatio.sample, 1.5, 1e-10, "ratio of standard deviations");
  near(c.meanError.sample, shift / std, 1e-10, "mean error in standard deviations");
  near(c.largestMeanError.sample, 5 * shift, 1e-9, "mean error in mol/m3, at the first cell");
  // c falls as a rises, so its lower point belongs to the upper point of a.
  const [low, high] = columnPercentiles(z, 1).map((point) => point[0]);
  near(c.lowerPointError.sample, Math.abs(0.5 * high + 2) / std, 1e-9, "2.5 % point of c");
  near(c.upperPointError.sample, Math.abs(0.5 * low + 2) / std, 1e-9, "97.5 % point of c");
  const rms = (values: Float64Array) =>
    Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
  near(c.roughnessRatio.sample, rms(z.map((value) => 1.5 * value + 2)) / rms(z), 1e-6, "roughness of c"); // 1e-13 of 1000 over 0.1
  assert.equal(phi.meanError.sample, 0);
  near(phi.stdRatio.sample, 1, 1e-14, "phi is untouched");
});

test("compare: a pinned cell that moves is seen, whatever the other cells do", () => {
  const [reference, broken] = [fields(60, 5), fields(60, 5)];
  broken.fields[7 * 24 + 11] = 1000.5;
  broken.fields[9 * 24 + 12] = -0.25;
  const result = compare(reference, broken, fields(60, 6));
  assert.equal(result.fields[0].pinnedDeviation.sample, 0.5);
  assert.equal(result.fields[0].pinnedDeviation.floor, 0);
  assert.equal(result.fields[0].pinnedExact, false);
  assert.equal(result.fields[1].pinnedDeviation.sample, 0.25);
  assert.equal(result.fields[1].pinnedExact, false);
  near(result.energyDistance.sample, 0, 1e-13, "pinned cells are no part of the energy distance");
});

test("compare: the floor ratio is near 1 for the same distribution and large for another", () => {
  const [reference, floor] = [fields(300, 7), fields(300, 8)];
  const same = compare(reference, fields(300, 9), floor);
  // Two effective dimensions only, so that the ratio scatters by about its own mean from seed to seed.
  for (const ratio of [same.floorRatio.sample, same.floorRatio.floor]) {
    assert.ok(ratio > 0.05 && ratio < 6, `same distribution: ${ratio}`);
  }
  assert.ok(same.pValue.sample > 0.01 && same.pValue.floor > 0.01, "and the p-value is not small");
  const x = standardiser(reference.fields, 24);
  near(
    same.energyDistance.floor,
    energyDistance(x.apply(reference.fields), x.apply(floor.fields), x.free.length),
    1e-12,
    "floor energy distance",
  );
  const other = compare(reference, fields(300, 9, 1.5, 1), floor);
  assert.ok(other.floorRatio.sample > 10, `half as wide again and shifted: ${other.floorRatio.sample}`);
  assert.equal(other.pValue.sample, 0.005, "no permutation of 199 lies as far apart");
  assert.equal(other.floorRatio.floor, same.floorRatio.floor);
  const unit = same.energyDistance.floor / same.floorRatio.floor;
  // Round-off.
  near(other.energyDistance.sample / other.floorRatio.sample, unit, 1e-12, "one unit, whatever the sample");
  // The unit is what two sets of the reference have in the mean.
  const both = [reference, floor].map((set) => x.apply(set.fields));
  const within = both.map((set) => (meanDistance(set, set, x.free.length) * 300) / 299); // over i != j
  // Both sets' pairs, and those between the sets: from one distribution, so equal but for 300 rows' scatter.
  near(unit / ((within[0] + within[1]) / 300), 1, 0.05, "unit of the floor ratio");
});

test("compare: sets of different length are cut to the shortest; other fields are refused", () => {
  const [reference, sample, floor] = [fields(40, 10), fields(30, 11), fields(50, 12)];
  const cut = ({ fields: values }: FieldSample) => ({ rows: 30, fields: values.slice(0, 30 * 24), problem });
  assert.deepEqual(compare(reference, sample, floor), compare(cut(reference), sample, cut(floor)));
  assert.equal(compare(reference, sample, floor).rows, 30);
  assert.throws(() => compare(reference, fields(1, 1), floor), InputError);
  const other = { ...sample, problem: { ...problem, fields: [problem.fields[1], problem.fields[0]] } };
  assert.throws(() => compare(reference, other, floor), /phi \(V\), c \(mol\/m3\) on 12 cells/);
  assert.throws(
    () => compare(reference, sample, { ...floor, problem: { ...problem, cells: 6 } }),
    InputError,
  );
});

test("comparison table: every number with its unit, columns aligned", () => {
  const text = formatComparison(compare(fields(40, 13), fields(40, 14), fields(40, 15)));
  const lines = text.split("\n");
  const numbered = lines.filter((line) => !/^(c|phi) \(|^principal modes/.test(line));
  assert.equal(lines.length - numbered.length, 3, "one heading a field and one of the modes");
  assert.equal(new Set(numbered.map((line) => line.length)).size, 1, "one width");
  assert.match(lines[0], /^40 rows in each set +sample +floor$/);
  assert.match(text, /^c \(mol\/m3\)$/m);
  assert.match(text, /^ {2}mean error, largest \(V\) +[\d.e-]+ +[\d.e-]+$/m);
  assert.match(text, /^ {2}pinned cells: 1, exact; off by \(mol\/m3\) +0\.00 +0\.00$/m);
  assert.match(text, /^ {2}mode 2, [\d.]+ % of variance: std, ratio +[\d.]+ +[\d.]+$/m);
  assert.doesNotMatch(text, /mode 3/, "two random numbers a row make two modes");
  assert.doesNotMatch(text, /imbalance/, "the fields obey no law that is known");
  assert.match(text, /^permutation p-value .* [\d.]+ +[\d.]+$/m);
  assert.match(text, /^floor ratio .* [\d.]+ +[\d.]+$/m);
});
