import assert from "node:assert/strict";
import test from "node:test";
import {
  columnMean,
  columnStd,
  energyDistance,
  type FieldSample,
  samplingFloor,
  standardiser,
} from "../lib/comparison";
import { groupByCondition, rowField } from "../lib/data/rows";
import { gaussianControl, nearestCondition } from "../lib/evaluation/controls";
import { derivedSeed } from "../lib/evaluation/derivedSeed";
import {
  type DrawFields,
  evaluateAt,
  evaluateFullyAt,
  type Evaluation,
  type EvaluationOptions,
} from "../lib/evaluation/evaluate";
import {
  measureFloorRatio,
  pooledRatio,
  pooledReference,
  referenceSets,
  type SampleSource,
} from "../lib/evaluation/floorRatio";
import { heldOutConditions, referenceConditions } from "../lib/evaluation/heldOut";
import { confirmLargest, summariseEvaluations } from "../lib/evaluation/manyConditions";
import { componentCoordinates, principalComponents } from "../lib/evaluation/principalComponents";
import {
  evaluationHead,
  evaluationLine,
  evaluationSummary,
  formatFullEvaluation,
} from "../lib/evaluation/report";
import { columnKurtosis, columnSkewness } from "../lib/evaluation/statistics";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import { normaliseConditions } from "../lib/problem";
import { checkConditions } from "../lib/data/conditions";
import { Random } from "../lib/random";
import { breakEven, formatCost } from "../scripts/cli/cost";
import { problem, refused } from "./tiny";

/** |a - b| <= tolerance. */
function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);
}

const at = [1e-5, 0, 25];
/** Independent sets of the PDE: set k of one source has another seed than any of the others. */
const pde = (source: number): SampleSource => {
  return (set, rows) => simulateAt(problem, at, rows, derivedSeed(60, source, set));
};

test("principal modes: orthonormal, with the variances of what the rows were made of", () => {
  const [rows, columns] = [4000, 6];
  const random = new Random(1);
  // Along (1, 1, 0, 0, 0, 0) an exponential of std 2, along (0, 0, 1, -1, 0, 0) a normal of std 1, about a mean.
  const [first, second] = [new Float64Array(rows), new Float64Array(rows)];
  const values = new Float64Array(rows * columns).fill(7);
  for (let row = 0; row < rows; row++) {
    first[row] = -2 * Math.log(random.uniform());
    second[row] = random.normal();
    values[row * columns] += first[row] / Math.SQRT2;
    values[row * columns + 1] += first[row] / Math.SQRT2;
    values[row * columns + 2] += second[row] / Math.SQRT2;
    values[row * columns + 3] -= second[row] / Math.SQRT2;
  }
  const modes = principalComponents(values, columns, 3);
  const { variances, vectors, totalVariance } = modes;
  for (let a = 0; a < 3; a++) {
    for (let b = 0; b <= a; b++) {
      let product = 0;
      for (let j = 0; j < columns; j++) product += vectors[a * columns + j] * vectors[b * columns + j];
      near(product, a === b ? 1 : 0, 1e-13, `product of modes ${a} and ${b}`); // round-off of 6 terms
    }
  }
  // The two are uncorrelated up to 4 / sqrt(4000) = 0.06, which turns the modes by less than 2 * 0.06 / (4 - 1).
  near(vectors[0], Math.SQRT1_2, 0.04, "first mode, its sign such that the sum is positive");
  near(vectors[1], Math.SQRT1_2, 0.04, "first mode");
  const [a, b] = [columnStd(first, 1)[0] ** 2, columnStd(second, 1)[0] ** 2];
  near(totalVariance, a + b, 1e-12, "total variance");
  near(variances[0] + variances[1], a + b, 1e-12, "two modes hold it all");
  near(variances[2], 0, 1e-12, "and the third none");
  const coordinates = componentCoordinates(values, modes);
  for (const [k, variance] of variances.entries()) {
    near(columnMean(coordinates, 3)[k], 0, 1e-12, "coordinates are centred");
    near(columnStd(coordinates, 3)[k] ** 2, variance, 1e-12, "and have the mode's variance");
  }
  // The same numbers' own skewness and kurtosis, but for the turn by 0.04, which mixes in the normal.
  near(columnSkewness(coordinates, 3)[0], columnSkewness(first, 1)[0], 0.02, "skewness along the first mode");
  near(columnKurtosis(coordinates, 3)[0], columnKurtosis(first, 1)[0], 0.1, "kurtosis along the first mode");
});

test("floor ratio: 1 in the mean for further sets of the PDE, within its standard error", async () => {
  const [sets, rows] = [200, 30];
  const references = await referenceSets(pde(0), { rows, sets });
  const result = await measureFloorRatio(references, pde(1));
  const error = result.spread / Math.sqrt(sets);
  assert.ok(error < 0.1, `the test can tell a ratio of 1 from one of 1.3: ${error}`);
  near(result.floorRatio, 1, 3 * error, "mean over independent pairs, three standard errors");
  assert.equal(result.values.length, sets);
  near(columnMean(Float64Array.from(result.values), 1)[0], result.floorRatio, 1e-12, "mean of the values");
  // Both means are of 6000 rows: in the root mean square over seeds the error is this, over one seed of that order.
  near(result.meanErrorFloor, Math.sqrt(2 / (sets * rows)), 1e-15, "expected error of the mean");
  assert.ok(result.meanError < 4 * result.meanErrorFloor, `mean error ${result.meanError}`);
  // The ratio of two stds of 6000 rows each has the standard error 1 / sqrt(6000) = 0.013; four of them.
  near(result.stdRatio, 1, 0.052, "std ratio");
  assert.ok(result.pinnedExact);
  // Of 6000 rows in both: the scatter of one pair of 30 rows, over the 200 times as many pairs of rows in each.
  near(result.pooled, 1, (4 * result.spread) / sets, "pooled, four times its scatter");
});

test("floor ratio: the pooled one is the unbiased energy distance over all pairs of rows", async () => {
  const [sets, rows] = [3, 9];
  const references = await referenceSets(pde(5), { rows, sets });
  const result = await measureFloorRatio(references, pde(6));
  const columns = references.scale.free.length;
  const rowsOf = async (source: SampleSource): Promise<Float64Array[]> => {
    const drawn = await Promise.all([0, 1, 2].map((set) => source(set, rows)));
    const values = references.scale.apply(Float64Array.of(...drawn.flatMap(({ fields }) => [...fields])));
    return Array.from({ length: sets * rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
  };
  const [x, y] = [await rowsOf(pde(5)), await rowsOf(pde(6))];
  const mean = (a: Float64Array[], b: Float64Array[]): number => {
    const pairs = a.flatMap((p, i) => b.filter((_, j) => a !== b || i !== j).map((q) => [p, q]));
    return pairs.reduce((sum, [p, q]) => sum + Math.hypot(...p.map((v, k) => v - q[k])), 0) / pairs.length;
  };
  const expected = 1 + (2 * mean(x, y) - mean(x, x) - mean(y, y)) / result.floor;
  // Single precision: 1e-6 of distances of 20, in units of a floor of 4.
  near(result.pooled, expected, 2e-5, "pooled");
});

test("pooled ratio: 1 in the mean for sets of the PDE of any size, and the floor ratio's mean otherwise", async () => {
  const reference = pooledReference(await pde(4)(0, 400), 30);
  const ratios = async (rows: number, shift: number): Promise<Float64Array> => {
    const values = new Float64Array(60);
    for (let set = 0; set < values.length; set++) {
      const drawn = await pde(5)(set, rows);
      const fields = drawn.fields.map((value, j) => value + shift * reference.scale.std[j % 200]);
      values[set] = pooledRatio(reference, { ...drawn, fields }).pooled;
    }
    return values;
  };
  const [small, large, shifted] = [await ratios(10, 0), await ratios(40, 0), await ratios(40, 0.5)];
  const error = (values: Float64Array): number => columnStd(values, 1)[0] / Math.sqrt(values.length);
  assert.ok(error(large) < 0.08 && error(large) < error(small));
  // The reference is common to all: its own scatter is that of 400 rows, 30 / 400 of a floor or so.
  near(columnMean(small, 1)[0], 1, 3 * error(small) + 0.1, "10 rows");
  near(columnMean(large, 1)[0], 1, 3 * error(large) + 0.1, "40 rows");
  // Against the plain floor ratio of sets of 30 rows, with the same shift.
  const sets = 60;
  const references = await referenceSets(pde(6), { rows: 30, sets });
  const plain = await measureFloorRatio(references, async (set, rows) => {
    const drawn = await pde(7)(set, rows);
    return { ...drawn, fields: drawn.fields.map((value, j) => value + 0.5 * references.scale.std[j % 200]) };
  });
  const both = 3 * Math.hypot(error(shifted), plain.spread / Math.sqrt(sets)) + 0.1;
  assert.ok(plain.floorRatio > 1 + 2 * both, `${plain.floorRatio} tells the shift`);
  near(columnMean(shifted, 1)[0], plain.floorRatio, both, "with a shift");
  const about = pooledRatio(reference, { ...reference.sample, fields: reference.sample.fields.map((v, j) => v + 0.5 * reference.scale.std[j % 200]) }); // prettier-ignore
  near(about.meanError, 0.5, 1e-9, "error of the mean");
  near(about.stdRatio, 1, 1e-9, "std ratio");
});

test("floor ratio: energy distance of each pair of sets in units of (2 / n) E|X - X'|, scaled by all references", async () => {
  const [sets, rows] = [2, 12];
  const references = await referenceSets(pde(2), { rows, sets });
  const result = await measureFloorRatio(references, pde(3));
  const drawn = await Promise.all([0, 1].map((set) => pde(2)(set, rows)));
  const samples = await Promise.all([0, 1].map((set) => pde(3)(set, rows)));
  const all = Float64Array.of(...drawn[0].fields, ...drawn[1].fields);
  const { apply, free } = standardiser(all, 200);
  const columns = free.length;
  assert.equal(columns, 199); // phi is 0 in its first cell
  let sum = 0;
  for (const { fields } of drawn) {
    const x = apply(fields);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < rows; j++) {
        const difference = x.subarray(i * columns, (i + 1) * columns).map((a, k) => a - x[j * columns + k]);
        sum += Math.hypot(...difference);
      }
    }
  }
  const floor = (2 / rows) * (sum / (sets * rows * (rows - 1))); // mean over i != j of both sets
  // Round-off of distances of about 20 between numbers of order 1.
  near(result.floor, floor, 1e-12, "floor");
  samples.forEach(({ fields }, k) => {
    const distance = energyDistance(apply(drawn[k].fields), apply(fields), columns);
    near(result.values[k], distance / floor, 1e-10, `pair ${k}`);
  });
  near(result.spread, Math.abs(result.values[0] - result.values[1]) / Math.SQRT2, 1e-12, "spread of two");
  const single = await measureFloorRatio(await referenceSets(pde(2), { rows, sets: 1 }), pde(3));
  assert.ok(Number.isNaN(single.spread), "one pair has no spread");
  const plain = standardiser(drawn[0].fields, 200);
  const [x, y] = [drawn[0], await pde(3)(0, rows)].map((set) => plain.apply(set.fields));
  const distance = energyDistance(x, y, plain.free.length);
  near(single.floorRatio, distance / samplingFloor(x, plain.free.length, rows), 1e-10, "the plain one");
});

test("floor ratio: 0 for the references themselves; shifts, stretches and pinned cells that move are seen", async () => {
  const references = await referenceSets(pde(4), { rows: 50, sets: 3 });
  const same = await measureFloorRatio(references, pde(4));
  // Round-off of mean distances of 20 in units of a floor of 0.8.
  near(same.floorRatio, 0, 1e-12, "floor ratio");
  assert.ok(same.spread < 1e-12);
  // Round-off of sums of c = 1000 over a spread of the order of 0.1 near the right end; here and below.
  near(same.meanError, 0, 1e-10, "mean error");
  near(same.stdRatio, 1, 1e-12, "std ratio");
  const { mean, std } = references.scale;
  const change = (of: (value: number, column: number) => number): SampleSource => {
    return async (set, rows) => {
      const drawn = await pde(4)(set, rows);
      return { ...drawn, fields: drawn.fields.map((value, i) => of(value, i % 200)) };
    };
  };
  const changed = await measureFloorRatio(
    references,
    change((value, j) => mean[j] + 1.5 * (value - mean[j]) + 0.5 * std[j]),
  );
  near(changed.meanError, 0.5, 1e-10, "half a standard deviation");
  near(changed.stdRatio, 1.5, 1e-10, "half as wide again");
  // Of the PDE itself a mean over three pairs is 1 but for a scatter of about a half.
  assert.ok(changed.floorRatio > 3 && changed.pinnedExact);
  const moved = await measureFloorRatio(
    references,
    change((value, j) => (j === 100 ? value + 1e-9 : value)),
  );
  assert.equal(moved.pinnedExact, false, "phi in its first cell is not 0 any more");
  near(moved.floorRatio, 0, 1e-12, "which is no part of the distance");
});

test("floor ratio: sets that are too short or of other fields are refused", async () => {
  const short: SampleSource = (set) => simulateAt(problem, at, 9, set);
  await refused(() => referenceSets(short, { rows: 10, sets: 1 }), /Set 1 to compare has 9 rows; give at le/);
  await refused(() => referenceSets(pde(0), { rows: 1 }), /number of rows is 1; give a whole number from 2/);
  await refused(() => referenceSets(pde(0), { rows: 10, sets: 0 }), /number of sets is 0/);
  const references = await referenceSets(pde(0), { rows: 10, sets: 1 });
  const half: FieldSample = { rows: 20, fields: new Float64Array(2000), problem: { ...problem, cells: 50 } };
  await refused(
    () => measureFloorRatio(references, () => half),
    /sets to compare hold .* on 50 cells and .* on 100/,
  );
});

test("Gaussian control: mean and covariance of the set, no skewness, pinned cells as they are", async () => {
  const rows = 20_000;
  const random = new Random(2);
  // Two columns tied to an exponential, one to a normal, one constant; of very different sizes.
  const values = new Float64Array(rows * 4);
  for (let row = 0; row < rows; row++) {
    const [a, b] = [-Math.log(random.uniform()), random.normal()];
    values.set([1000 + a, 1e-3 * (b - a), 5, 1e-3 * (2 * b + a)], 4 * row);
  }
  const shape = { fields: [{ name: "u", unit: "1" }], cells: 4 };
  const control = gaussianControl({ rows, fields: values, problem: shape }, 3, 1);
  const draws = await control(0, rows);
  assert.deepEqual((await control(0, 10)).fields, draws.fields.slice(0, 40), "the same set again");
  assert.notDeepEqual((await control(1, 10)).fields, draws.fields.slice(0, 40), "another set");
  assert.ok(draws.fields.every((value, i) => i % 4 !== 2 || value === 5));
  const { apply, free } = standardiser(values, 4);
  assert.deepEqual(free, [0, 1, 3]);
  const [set, drawn] = [values, draws.fields].map(apply);
  const error = 4 / Math.sqrt(rows); // four standard errors of a mean of numbers of variance 1
  columnMean(drawn, 3).forEach((mean) => near(mean, 0, error, "mean"));
  for (let j = 0; j < 3; j++) {
    for (let k = 0; k <= j; k++) {
      const product = (x: Float64Array) => {
        let sum = 0;
        for (let i = 0; i < x.length; i += 3) sum += (x[i + j] * x[i + k]) / rows;
        return sum;
      };
      // A product of two standard normals has variance 1 to 2.
      near(product(drawn), product(set), Math.SQRT2 * error, `covariance ${j}, ${k}`);
    }
  }
  assert.ok(columnSkewness(set, 3)[0] > 1.5);
  // The standard error of a normal's skewness is sqrt(6 / rows).
  columnSkewness(drawn, 3).forEach((skewness) => near(skewness, 0, Math.sqrt(6) * error, "skewness"));
});

test("nearest condition: that of the data set which generate would write", () => {
  const target = Float64Array.of(1.1e-5, 0.03, 20);
  const data = generateDataSet(problem, { conditions: 30, fields: 1, seed: 8 });
  const point = normaliseConditions(problem, target);
  const distances = groupByCondition(data).map(({ conditions }) =>
    Math.sqrt(
      normaliseConditions(problem, conditions).reduce((sum, value, k) => sum + (value - point[k]) ** 2, 0),
    ),
  );
  const best = distances.indexOf(Math.min(...distances));
  const found = nearestCondition(problem, target, { count: 30, seed: 8 });
  assert.deepEqual(found.conditions, groupByCondition(data)[best].conditions);
  near(found.distance, distances[best], 1e-14, "distance"); // round-off
  const first = nearestCondition(problem, target, { count: 1, seed: 8 });
  assert.deepEqual(first.conditions, groupByCondition(data)[0].conditions, "numbered from the first");
  assert.equal(nearestCondition(problem, found.conditions, { count: 30, seed: 8 }).distance, 0);
});

test("held-out conditions: ends and corners exactly, the rest inside, the sets apart from each other", async () => {
  const tested = heldOutConditions(problem, 50, "test");
  const tuning = heldOutConditions(problem, 50, "tuning");
  assert.equal(tested.length, 50);
  for (const conditions of [...tested, ...tuning]) checkConditions(problem, conditions);
  const [l, u, f] = problem.conditions;
  assert.deepEqual([l.min, l.max, u.min, u.max, f.min, f.max], [2e-6, 2e-5, -0.2, 0.2, 0, 50]);
  const isEnd = (conditions: Float64Array) =>
    Array.from(conditions, (value, k) =>
      [problem.conditions[k].min, problem.conditions[k].max].includes(value),
    );
  const ends = (conditions: Float64Array) => isEnd(conditions).filter(Boolean).length;
  assert.deepEqual(tested.map(ends), [...Array(6).fill(1), ...Array(8).fill(3), ...Array(36).fill(0)]);
  // Each end of each condition once alone, and all corners.
  problem.conditions.forEach(({ min, max }, k) => {
    assert.deepEqual([tested[2 * k][k], tested[2 * k + 1][k]], [min, max]);
  });
  assert.equal(new Set(tested.slice(6, 14).map(String)).size, 8);
  assert.ok(tested.some(([length, , flux]) => length === l.min && flux === 0));
  assert.ok(tested.some(([length, , flux]) => length === l.max && flux === 0));
  const drawn = [...tested, ...tuning].filter((conditions) => ends(conditions) < 3).map(String);
  assert.equal(new Set(drawn).size, 84, "no conditions twice");
  // Not even a data set of the same seed has them.
  const data = generateDataSet(problem, { conditions: 50, fields: 1, seed: 900_001 });
  for (const { conditions } of groupByCondition(data)) assert.ok(!drawn.includes(String(conditions)));
  assert.deepEqual(heldOutConditions(problem, 20, "test"), tested.slice(0, 20));
  await refused(() => heldOutConditions(problem, 0, "test"), /number of conditions is 0/);
  await refused(
    () => heldOutConditions(problem, 5, "training" as "test"),
    /"training"; give one of test, tun/,
  );
});

test("reference conditions: the problem's own, else the middle of all ranges", () => {
  assert.deepEqual(Array.from(referenceConditions(problem)), [1e-5, 0, 25]);
  const middle = referenceConditions({ ...problem, reference: undefined });
  // Round-off of the logarithm.
  normaliseConditions(problem, middle).forEach((value) => near(value, 0, 1e-14, "middle"));
});

test("imbalance: the fluxes of c and phi agree in the convention text alone, and only within one row", () => {
  const figures = porousElectrode("figures");
  for (const conditions of [at, [2e-6, 0.2, 0], [2e-5, -0.2, 50]]) {
    const data = simulateAt(problem, conditions, 20, 1);
    const row = (k: number) => data.fields.subarray(200 * k, 200 * k + 200);
    for (let k = 0; k < 20; k++) {
      // c is rounded to 1e-13 (of 1000), its differences between cells are 1e-3 at least in the root mean square.
      assert.ok(problem.imbalance!(row(k)) < 1e-9, `row ${k} of ${conditions.join()}`);
      const mixed = Float64Array.of(...rowField(data, k, 0), ...rowField(data, (k + 1) % 20, 1));
      assert.ok(problem.imbalance!(mixed) > 1e-3, "c of one row and phi of another");
    }
    // Twice phi: the whole of phi' is too much, which is c' in size.
    near(
      problem.imbalance!(row(0).map((value, i) => (i < 100 ? value : 2 * value))),
      1,
      1e-9,
      "twice the potential",
    );
    const transient = simulateAt(figures, conditions, 1, 1);
    assert.ok(problem.imbalance!(transient.fields) > 0.1, "the law is not one of the convention figures");
    assert.equal(figures.imbalance, undefined);
  }
});

test("break-even: by hand", () => {
  const cost = { fields: 100, solverSeconds: 200, modelSeconds: 50, trainingSeconds: 30, trainingFields: 15 };
  // A field costs 2 s and 0.5 s; training and its data cost 60 s.
  assert.equal(breakEven(cost), 40);
  assert.equal(breakEven({ ...cost, modelSeconds: 200 }), Infinity);
  assert.ok(Number.isNaN(breakEven({ ...cost, trainingSeconds: NaN })));
  assert.match(formatCost(cost), /^100 fields: solver 200 s, model 50.0 s; training 30.0 s on 15 fields\n/);
  assert.match(formatCost(cost), /pays from 40 fields on$/);
  assert.match(formatCost({ ...cost, modelSeconds: 400 }), /pays never: a field costs the model 2.00 times/);
  assert.match(formatCost({ ...cost, trainingSeconds: NaN }), /pays unknown/);
});

test("derived seeds: one for each stream, the same again", () => {
  const seeds = [derivedSeed(1), derivedSeed(2), derivedSeed(1, 0), derivedSeed(1, 1), derivedSeed(1, 0, 1)];
  assert.equal(new Set(seeds).size, 5);
  for (const seed of seeds) assert.ok(Number.isSafeInteger(seed) && seed >= 0);
  assert.equal(derivedSeed(1, 0, 1), seeds[4]);
});

/** The PDE in the role of the model, its fields stretched, with a record of what it was asked for. */
function imitation(stretch: number): { draw: DrawFields; asked: number[] } {
  const asked: number[] = [];
  const draw: DrawFields = (conditions, count, seed) => {
    asked.push(seed);
    const { mean } = standardiser(simulateAt(problem, conditions, 200, 5).fields, 200);
    const drawn = simulateAt(problem, conditions, count, seed);
    return {
      ...drawn,
      fields: drawn.fields.map((value, i) => mean[i % 200] + stretch * (value - mean[i % 200])),
    };
  };
  return { draw, asked };
}

test("evaluation: repeatable, with other sets for other seeds and conditions, the details in agreement", async () => {
  const options: EvaluationOptions = { rows: 40, sets: 3, seed: 4 };
  const { draw, asked } = imitation(1.3);
  const first = await evaluateAt(problem, at, draw, options);
  const again = await evaluateAt(problem, at, draw, options);
  assert.deepEqual(again.model, first.model);
  assert.deepEqual((await evaluateAt(problem, [1e-5, -0, 25], draw, options)).model, first.model);
  assert.deepEqual(asked.slice(3, 6), asked.slice(0, 3));
  const elsewhere = await evaluateAt(problem, [1e-5, 0, 26], draw, options);
  const reseeded = await evaluateAt(problem, at, draw, { ...options, seed: 5 });
  assert.equal(new Set(asked).size, 9, "three sets of each");
  for (const other of [elsewhere, reseeded]) assert.notDeepEqual(other.model.values, first.model.values);
  // A std of 120 strongly correlated rows against another: standard error about 0.1 at most; four of them.
  near(first.model.stdRatio, 1.3, 0.4, "the stretch comes out");
  assert.ok(first.seconds.solver > 0 && first.seconds.model > 0);

  const full = await evaluateFullyAt(problem, at, draw, { ...options, gaussianRows: 500 });
  assert.deepEqual(full.model, first.model);
  assert.equal(full.comparison.rows, 40);
  assert.equal(full.comparison.modes.length, 5);
  const { pde: further, gaussian, nearest } = full.controls;
  // Three pairs of sets: the mean scatters by about half of itself.
  for (const { floorRatio: ratio } of [further, gaussian, nearest]) assert.ok(ratio > 0.2 && ratio < 10);
  assert.notDeepEqual(further.values, nearest.values);
  assert.deepEqual(nearest.conditions, nearestCondition(problem, Float64Array.from(at)).conditions);
  await refused(
    () => evaluateAt(problem, [1e-5, 0, 51], draw, options),
    /flux is 51; give a number from 0 to 50/,
  );
});

test("the largest ratio is measured again until the largest is a confirmed one", async () => {
  const { draw } = imitation(1);
  const model = (await evaluateAt(problem, at, draw, { rows: 20, sets: 2 })).model;
  const one = (flux: number, pooled: number): Evaluation => ({
    conditions: Float64Array.of(1e-5, 0, flux),
    model: { ...model, pooled },
    seconds: { solver: 1, model: 1 },
  });
  const first = [one(0, 0.9), one(1, 1.5), one(2, 1.2), one(3, 1.6), one(4, 1.1)];
  const truth = [1, 1.15, 1.05, 1, 1.3];
  const again = await confirmLargest(first, ({ conditions: [, , flux] }) =>
    Promise.resolve(one(flux, truth[flux])),
  );
  // 1.6 becomes 1 and 1.5 becomes 1.15; of those left, 1.2 becomes 1.05, and none is above 1.15 any more.
  assert.deepEqual(again, [one(3, 1), one(1, 1.15), one(2, 1.05)]);
  const { worst, pooled } = summariseEvaluations(first, again);
  assert.deepEqual([worst, pooled], [one(1, 1.15), 1.2]); // the median is of the first measurements
  // One that is larger when it is measured again is the largest at once.
  const single = await confirmLargest(first, ({ conditions: [, , flux] }) => Promise.resolve(one(flux, 2)));
  assert.deepEqual(single, [one(3, 2)]);
});

test("evaluation: lines are aligned, the summary has the median and the worst", async () => {
  const options: EvaluationOptions = { rows: 20, sets: 2 };
  const places = [at, [2e-6, 0.123456, 50], [2e-5, -0.2, 0]];
  const evaluations = await Promise.all(
    places.map((place, k) => evaluateAt(problem, place, imitation(1 + k).draw, options)),
  );
  const { floorRatio: median, worst, stdRatio } = summariseEvaluations(evaluations);
  const ratios = evaluations.map(({ model }) => model.floorRatio);
  const pooled = evaluations.map(({ model }) => model.pooled);
  assert.equal(median, [...ratios].sort((a, b) => a - b)[1]);
  assert.equal(worst, evaluations[pooled.indexOf(Math.max(...pooled))]);
  const pair = summariseEvaluations(evaluations.slice(0, 2));
  near(pair.floorRatio, (ratios[0] + ratios[1]) / 2, 1e-14, "median of two");
  assert.ok(stdRatio > 1);
  const head = evaluationHead(problem);
  assert.match(head, /^ +l \(m\) +U0 \(V\) +F \(A\/m2\) +floor ratio +\+- +pooled +mean error +std ratio$/);
  const line = evaluationLine("2", evaluations[1]);
  assert.match(line, /^2 +0\.000002 +0\.1235 +50 +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$/);
  assert.equal(line.length, head.length);
  const summary = evaluationSummary(evaluations, evaluations[0]).split("\n");
  assert.match(summary[0], /^median +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$/);
  assert.match(summary[1], /^worst +0\.00002 +-0\.2 +0 /);
  assert.match(summary[2], /^reference +0\.00001 +0 +25 /);
  for (const text of summary) assert.equal(text.length, head.length);
  const broken = { ...evaluations[0], model: { ...evaluations[0].model, pinnedExact: false } };
  assert.match(evaluationLine("1", broken), /pinned cells not exact$/);

  const full = await evaluateFullyAt(problem, at, imitation(2).draw, { ...options, gaussianRows: 300 });
  const text = formatFullEvaluation(problem, full);
  assert.match(text, /^imbalance of the fluxes, rms +[\d.e-]+ +[\d.e-]+$/m);
  for (const name of ["model", "PDE, further sets", "Gaussian of .*", "PDE at nearest .*"]) {
    assert.match(text, new RegExp(`^${name} +[\\d.e+]+ +[\\d.e+]+ +[\\d.e+-]+ +[\\d.e+]+ +[\\d.e+]+$`, "m"));
  }
});
