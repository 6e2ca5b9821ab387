/** Both backends: what each computes, and that the method loads and computes in a browser. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { backend as native, tf } from "../lib/backend/native";
import { backend as plain } from "../lib/backend/plain";
import { describeBackend } from "../lib/backend/tensors";
import type { AdamState } from "../lib/backend/backend";
import { deadline } from "./processes";
import { type Results, smallModels } from "./smallModels";

const root = path.join(__dirname, "..");

/** Asserts that two tensors agree within a share of their largest number, and frees them. */
function assertClose(actual: tf.Tensor, expected: tf.Tensor, share: number, what: string): void {
  assert.deepEqual(actual.shape, expected.shape, what);
  const [size, error] = tf.tidy(() =>
    [expected, actual.sub(expected)].map((x) => x.abs().max().dataSync()[0]),
  );
  assert.ok(size > 0 && error <= share * size, `${what}: ${error} of ${size}`);
  tf.dispose([actual, expected]);
}

test("both backends draw the same normal numbers, whatever the shape", () => {
  let equal = 0;
  let count = 0;
  for (const shape of [[1], [2], [3], [5], [7, 3], [64, 100, 2], [255, 1, 3], [100_003]]) {
    for (const [seed, ...stream] of [[1], [2, 12, 7], [2 ** 53 - 1, 0], [2 ** 40 + 7, 3, 2 ** 33, 1]]) {
      const drawn = [native, plain].map((each) => each.normal(shape, seed, ...stream));
      assert.deepEqual(drawn[1].shape, shape);
      assert.equal(drawn[1].dtype, "float32");
      const [expected, actual] = drawn.map((each) => each.dataSync());
      tf.dispose(drawn);
      for (let i = 0; i < expected.length; i++) {
        // Logarithm, root, sine or cosine and their product: single precision's last digit in each.
        const rounding = 4 * 2 ** -23 * Math.abs(expected[i]);
        if (Math.abs(actual[i] - expected[i]) > rounding)
          assert.fail(`${shape} of ${seed}, ${stream} at ${i}: ${actual[i]} ${expected[i]}`);
        if (actual[i] === expected[i]) equal++;
      }
      count += expected.length;
    }
  }
  assert.ok(equal > 0.9 * count, `${equal} of ${count} are equal to the last digit`);
});

test("both backends agree on products, derivatives, squares and eigenvectors", () => {
  const before = tf.memory().numTensors;
  const [a, b] = [native.normal([5, 3], 1), native.normal([3, 4], 2)];
  const [turnedA, turnedB] = [a.transpose(), b.transpose()];
  for (const [x, y, ...turned] of [
    [a, b],
    [turnedA, b, true],
    [a, turnedB, false, true],
    [turnedA, turnedB, true, true],
  ] as const) {
    const [actual, expected] = [plain, native].map((each) => each.product(x, y, ...turned));
    assertClose(actual, expected, 1e-6, `product ${turned}`); // sums of 3 terms in single precision
  }
  const [many, more] = [native.normal([2, 5, 3], 5), native.normal([2, 4, 3], 6)];
  assertClose(plain.turnedProduct(many, more), native.turnedProduct(many, more), 1e-6, "turned product");
  for (const [dilation, direction] of [
    [1, 1],
    [2, 1],
    [2, -1],
  ] as const) {
    const [actual, expected] = [plain, native].map((each) => each.neighbours(many as tf.Tensor3D, 3, dilation, direction)); // prettier-ignore
    assertClose(actual, expected, 0, `neighbours ${dilation} ${direction}`);
  }
  tf.dispose([many, more]);
  const share = a.sigmoid();
  assertClose(plain.siluGrad(a, share), native.siluGrad(a, share), 1e-6, "derivative");
  assertClose(plain.halfSquare(a), native.halfSquare(a), 1e-6, "half square");
  // Eigenvalues 2, 5, 11 and random ones; the eigenvectors by what they make: their signs are free.
  const matrices = tf.tidy(() => {
    const random = native.normal([2, 3, 3], 4);
    const known = tf.tensor3d([5, 0, 0, 0, 11, 0, 0, 0, 2], [1, 3, 3]);
    return tf.concat([known, random.add(random.transpose([0, 2, 1]))]) as tf.Tensor3D;
  });
  for (const each of [plain, native]) {
    const [values, vectors] = each.selfAdjointEigen(matrices);
    const again = tf.tidy(() => tf.matMul(vectors.mul(values.expandDims(1)), vectors, false, true));
    assertClose(again, matrices.clone(), 1e-5, "eigenvectors"); // three products in single precision
    const [lowest, middle, highest] = values.dataSync();
    for (const [value, expected] of [
      [lowest, 2],
      [middle, 5],
      [highest, 11],
    ])
      // prettier-ignore
      assert.ok(Math.abs(value - expected) < 1e-5);
    const rising = tf.tidy(() =>
      values
        .slice([0, 1], [3, 2])
        .sub(values.slice([0, 0], [3, 2]))
        .min(),
    );
    assert.ok(rising.dataSync()[0] >= 0);
    tf.dispose([values, vectors, rising]);
  }
  tf.dispose([a, b, turnedA, turnedB, share, matrices]);
  assert.equal(tf.memory().numTensors, before);
});

test("both backends take the same steps of Adam, which are those of its definition", () => {
  const before = tf.memory().numTensors;
  const start = native.normal([50], 5);
  const states: AdamState[] = [native.adam(start), plain.adam(start)];
  const [rate, beta1, beta2, epsilon] = [0.02, 0.9, 0.97, 1e-3];
  const w = Float64Array.from(start.dataSync());
  const [m, v, average] = [new Float64Array(50), new Float64Array(50), w.slice()];
  const kept = states.map((state) => state.read("weights"));
  for (let steps = 1; steps <= 6; steps++) {
    const gradient = native.normal([50], 6, steps);
    for (const state of states) {
      state.step(gradient, { steps, rate, beta1, beta2, epsilon });
      state.followWeights(0.3);
    }
    gradient.dataSync().forEach((g, i) => {
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      w[i] -= (rate * m[i]) / (1 - beta1 ** steps) / (Math.sqrt(v[i] / (1 - beta2 ** steps)) + epsilon);
      average[i] += 0.3 * (w[i] - average[i]);
    });
    gradient.dispose();
  }
  const defined = { weights: w, average, first: m, second: v };
  for (const state of states) {
    for (const name of ["weights", "average", "first", "second"] as const)
      assertClose(state.read(name), tf.tensor1d(Float32Array.from(defined[name])), 1e-6, name); // single precision, six steps
    state.assign("average", start);
    assertClose(state.read("average"), start.clone(), 0, "assigned");
    state.dispose();
  }
  for (const tensor of kept) assertClose(tensor, start.clone(), 0, "a tensor that was read before the steps");
  start.dispose();
  assert.equal(tf.memory().numTensors, before);
});

test("the method loads in a browser and there trains and draws what it does with TensorFlow", () => {
  const files = ["lib", "lib/gaussian", "lib/backend", "lib/presets", "lib/posterior"].flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `${folder}/${name}`),
  );
  files.push("lib/notebook/widgets.ts");
  const loaders = ["./scripts/typescript.js", "./tests/asBrowser.ts"].flatMap((file) => ["--require", file]);
  const options = { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 } as const;
  const args = [...loaders, "tests/browserProcess.ts", ...files];
  const printed = execFileSync(process.execPath, args, { ...options, ...deadline(600) });
  const found = JSON.parse(printed.trim().split("\n").at(-1)!) as {
    unloaded: string[];
    backend: string;
    tensors: number;
    results: Results;
  };
  assert.equal(found.tensors, 0); // all are freed
  assert.deepEqual(found.unloaded, []);
  assert.match(found.backend, /^TensorFlow\.js 4\.22\.0 \(cpu\)$/);
  assert.match(describeBackend(), /^TensorFlow 2\./);

  const expected = smallModels();
  assert.deepEqual(Object.keys(found.results), Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const actual = found.results[name];
    assert.equal(actual.length, values.length, name);
    // Single precision, 6e-8, in sums in another order. Adam divides small gradients by their own size, and the first
    // step of drawing divides by the smallest mean, 0.0067: both make a relative error a hundred times larger.
    const share = /losses|norms/.test(name) ? 5e-6 : 1e-4;
    const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(size > 0, name);
    values.forEach((value, i) => {
      if (!(Math.abs(actual[i] - value) <= share * size))
        assert.fail(`${name}, number ${i}: ${actual[i]} ${value}`);
    });
  }
});
