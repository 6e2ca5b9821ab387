/** The networks compute what equal networks of PyTorch compute; the numbers come from parity.py. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { filmNetwork, type FilmNetworkOptions } from "../lib/filmCnn";
import { type PatchNetworkOptions, patchNetwork } from "../lib/presets/patchNetwork";
import { tf } from "../lib/backend/tensors";

/** What is stored of a gradient. */
interface Measures {
  readonly norm: number;
  /** products with two vectors of length 1, up to a few parts in a hundred */
  readonly projections: readonly number[];
  /** all entries, of small ones */
  readonly values?: readonly number[];
}

type Network = ({ kind: "film" } & FilmNetworkOptions) | ({ kind: "token" } & PatchNetworkOptions);

interface Case {
  readonly name: string;
  readonly network: Network;
  readonly shape: { cells: number; fields: number; outputs: number; conditions: number };
  /** [rows, cells, outputs], flat */
  readonly output: readonly number[];
  /** of the output's product with a chirp: by the weights' names, and for x and conditions */
  readonly gradients: Readonly<Record<string, Measures>>;
}

const { rows, cases } = JSON.parse(fs.readFileSync(path.join(__dirname, "data", "parity.json"), "utf8")) as {
  rows: number;
  cases: Case[];
};

/** Single precision through twenty layers leaves some 1e-6; a formula that differs leaves more than 1e-2. */
const TOLERANCE = 1e-4;

/**
 * amplitude sin(phase + c i^2) for i = 0, 1, ..., rounded to float32; phase and c depend on the name. A plain sine would
 * make matrices of rank two. The arguments are the same to the bit in every language.
 */
function chirp(name: string, size: number, amplitude: number): Float32Array {
  let code = 0;
  for (const letter of name) code = (code * 31 + letter.charCodeAt(0)) % 65521;
  return Float32Array.from(
    { length: size },
    (_, i) => amplitude * Math.sin(code + (0.5 + code / 65521) * i * i),
  );
}

const tensor = (name: string, shape: number[], amplitude: number): tf.Tensor =>
  tf.tensor(chirp(name, tf.util.sizeFromShape(shape), amplitude), shape);

/** A weight: kernels with a variance of 1 / inputs, and biases of order 0.3. */
function weight(name: string, shape: number[]): tf.Tensor {
  const inputs = tf.util.sizeFromShape(shape.slice(0, -1));
  return tensor(name, shape, name.endsWith("/kernel") ? Math.sqrt(2 / inputs) : 0.3);
}

/** Output and gradients of the network of a case, as flat arrays. */
function compute({ network: options, shape }: Case): {
  output: Float32Array;
  gradients: Record<string, Float32Array>;
} {
  const network = options.kind === "film" ? filmNetwork(shape, options) : patchNetwork(shape, options);
  const result = tf.tidy(() => {
    network.setWeights(
      network.weights.map((variable) => weight(variable.originalName, variable.shape as number[])),
    );
    const variables = network.trainableWeights.map(
      (variable) => (variable as unknown as { val: tf.Variable }).val,
    );
    // As variables, so that one call gives the gradients for them, too.
    const x = tf.variable(tensor("x", [rows, shape.cells, shape.fields], Math.SQRT2));
    const conditions = tf.variable(tensor("conditions", [rows, shape.conditions], 1));
    const t = tensor("t", [rows, 1], 0.5).add(0.5);
    const apply = (): tf.Tensor => network.apply([x, conditions, t]) as tf.Tensor;
    const output = apply();
    const direction = tensor("loss", output.shape, 1);
    const { grads } = tf.variableGrads(
      () => apply().mul(direction).sum() as tf.Scalar,
      [...variables, x, conditions],
    );
    const flat = (value: tf.Tensor): Float32Array => value.dataSync() as Float32Array;
    const gradients = Object.fromEntries(
      network.trainableWeights.map(({ originalName }, i) => [originalName, flat(grads[variables[i].name])]),
    );
    const found = {
      output: flat(output),
      gradients: { ...gradients, x: flat(grads[x.name]), conditions: flat(grads[conditions.name]) },
    };
    tf.dispose([x, conditions]);
    return found;
  });
  network.dispose();
  return result;
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The largest difference, in units of `unit`. */
function apart(ours: ArrayLike<number>, theirs: readonly number[], unit: number): number {
  assert.equal(ours.length, theirs.length);
  return largest(theirs.map((value, i) => ours[i] - value)) / unit;
}

/** How far a gradient is from what is stored of one, relative to it. */
function gradientApart(name: string, ours: Float32Array, { norm, projections, values }: Measures): number {
  const dot = (other: ArrayLike<number>): number => ours.reduce((sum, value, i) => sum + value * other[i], 0);
  const unit = Math.sqrt(2 / ours.length);
  const along = projections.map((_, k) => dot(chirp(`${name}/projection${k + 1}`, ours.length, unit)));
  return Math.max(
    apart([Math.sqrt(dot(ours)), ...along], [norm, ...projections], norm),
    values === undefined ? 0 : apart(ours, values, largest(values)),
  );
}

/** How far output and each gradient are from PyTorch's. */
function differences(stored: Case, computed = compute(stored)): Record<string, number> {
  assert.deepEqual(Object.keys(computed.gradients).sort(), Object.keys(stored.gradients).sort());
  return {
    output: apart(computed.output, stored.output, largest(stored.output)),
    ...Object.fromEntries(
      Object.entries(computed.gradients).map(([name, ours]) => [
        name,
        gradientApart(name, ours, stored.gradients[name]),
      ]),
    ),
  };
}

for (const stored of cases) {
  test(`${stored.name}: output and all gradients are PyTorch's`, () => {
    for (const [name, difference] of Object.entries(differences(stored))) {
      assert.ok(difference < TOLERANCE, `${name} differs by ${difference}`);
    }
  });
}

test("the cases cover both networks, dilations, both paddings and all activations", () => {
  const values = (option: string): Set<unknown> =>
    new Set(cases.map(({ network }) => (network as unknown as Record<string, unknown>)[option]));
  const expected = {
    kind: ["film", "token"],
    padding: ["replicate", "zero"],
    activation: ["swish", "gelu", "tanh", "relu"],
  };
  for (const [option, names] of Object.entries(expected))
    for (const name of names) assert.ok(values(option).has(name), `${option} ${name}`);
  assert.ok(cases.some(({ network }) => network.kind === "film" && network.dilation > 1));
  assert.ok(cases.some(({ network }) => network.kind === "token" && Math.min(...network.dilations) > 1));
});

test("another padding, dilation or activation would be seen", () => {
  const changed = (name: string, change: object): Case => {
    const stored = cases.find((other) => other.name === name)!;
    return { ...stored, network: { ...stored.network, ...change } as Network };
  };
  for (const other of [
    changed("a small film network", { padding: "zero" }),
    changed("a small film network", { dilation: 2 }),
    changed("a small film network", { activation: "gelu" }),
    changed("token, both dilated", { dilations: [2, 4] }),
    changed("token, both dilated", { dilations: [3, 2] }),
  ]) {
    const [output, ...gradients] = Object.values(differences(other));
    assert.ok(output > 10 * TOLERANCE, `output: ${output}`);
    assert.ok(gradients.filter((value) => value > TOLERANCE).length > 0.8 * gradients.length);
  }
});

test("a gradient that is wrong in one weight alone would be seen", () => {
  const stored = cases.find(({ name }) => name === "a small film network")!;
  const computed = compute(stored);
  for (const [name, gradient] of Object.entries(computed.gradients)) {
    const wrong = {
      scaled: gradient.map((value) => 1.001 * value),
      reversed: gradient.slice().reverse(),
      "without its first entry": gradient.map((value, i) => (i === 0 ? 0 : value)),
    };
    for (const [how, values] of Object.entries(wrong)) {
      const found = differences(stored, {
        ...computed,
        gradients: { ...computed.gradients, [name]: values },
      });
      for (const [other, difference] of Object.entries(found))
        assert.equal(
          difference > TOLERANCE,
          other === name,
          `${name} ${how}: ${other} differs by ${difference}`,
        );
    }
  }
});
