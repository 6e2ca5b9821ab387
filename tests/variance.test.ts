import assert from "node:assert/strict";
import { test } from "node:test";
import { InputError } from "../lib/backend/errors";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { generateDataSet } from "../lib/presets/simulate";
import { Random } from "../lib/random";
import { columnCorrelations, columnOf, correlation } from "../notebooks/support/03/correlation";
import { fieldModes, modesForShare } from "../notebooks/support/03/fieldModes";
import { varianceParts } from "../notebooks/support/03/varianceParts";

test("correlation: lines, no relation, shifts and scales", () => {
  const x = Float64Array.of(1, 2, 4);
  assert.ok(Math.abs(correlation(x, x.map((value) => 5 - 3 * value)) + 1) < 1e-15); // prettier-ignore
  assert.equal(correlation(Float64Array.of(-1, 0, 1), Float64Array.of(1, -2, 1)), 0);
  assert.ok(Number.isNaN(correlation(x, new Float64Array(3))));
  assert.throws(() => correlation(x, x.subarray(1)), InputError);
  const rows = Float64Array.of(1, 9, 2, 7, 4, 3); // columns (1, 2, 4) and (9, 7, 3) = 11 - 2 x
  assert.deepEqual(columnOf(rows, 2, 1), Float64Array.of(9, 7, 3));
  const [first, second] = columnCorrelations(rows, 2, x);
  assert.ok(Math.abs(first - 1) < 1e-15 && Math.abs(second + 1) < 1e-15);
});

test("the parts of the variance of data made of two known parts", () => {
  // Each value is a number of its condition (standard deviation 3) and one of its own (standard deviation 1).
  const problem = porousElectrode("figures");
  const [conditions, fields] = [400, 10];
  const data = generateDataSet(problem, { conditions, fields, seed: 1 });
  const random = new Random(7);
  for (let k = 0, at = 0; k < conditions; k++) {
    const common = random.fillNormal(new Float64Array(200)).map((value) => 3 * value);
    for (let j = 0; j < fields; j++) {
      for (let i = 0; i < 200; i++) data.fields[at++] = common[i] + random.normal();
    }
  }
  const { total, within } = varianceParts(data);
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  // 200 columns of 3600 and of 400 degrees of freedom: relative errors of sqrt(2 / 720000) and sqrt(2 / 80000).
  assert.ok(Math.abs(mean(within) - 1) < 4 * 0.0017);
  assert.ok(Math.abs(mean(total) / 10 - 1) < 4 * 0.005);
});

test("modes of two fields in different units: shapes in their units, shares without", () => {
  // One random number a row moves both fields, another the second cell of the second one.
  const rows = 400;
  const random = new Random(8);
  const fields = new Float64Array(rows * 4);
  for (let row = 0; row < rows; row++) {
    const [a, b] = [random.normal(), random.normal()];
    fields.set([1000 + 2 * a, 1000 + 2 * a, 1e-3 * a, 1e-3 * (a + 0.1 * b)], row * 4);
  }
  const set = { rows, fields, problem: { fields: [{ name: "c", unit: "mol/m3" }, { name: "phi", unit: "V" }], cells: 2 } }; // prettier-ignore
  const modes = fieldModes(set);
  // A standard deviation of 400 numbers has an error of 1 / sqrt(800) = 3.5 %: four of them.
  [2, 2, 1e-3, 1e-3].forEach((size, i) => assert.ok(Math.abs(modes.shapes[i] / size - 1) < 0.14));
  assert.ok(Math.abs(modes.totalVariance - 4) < 1e-9); // each field's mean variance over its two cells is 1
  assert.ok(modes.variances[2] < 1e-12); // two numbers a row: two modes
  assert.equal(modesForShare(modes, 0.9), 1);
  assert.equal(modesForShare(modes, 0.99999), 2);
  assert.equal(fieldModes(set, 1).variances.length, 1);
});
