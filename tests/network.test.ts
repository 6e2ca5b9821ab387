import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { checkModelFolder, loadModel, saveModel } from "../lib/storage/modelFolder";
import { InputError } from "../lib/backend/errors";
import { filmNetwork, type FilmNetworkOptions } from "../lib/filmCnn";
import { Dense, DilatedConv1D, ReplicatePad, SiLU } from "../lib/backend/layers";
import { FiLM } from "../lib/backend/filmLayers";
import { TokenConv1D } from "../lib/presets/patchLayers";
import { type ModelSettings, presetByName, presets } from "../lib/presets/presets";
import { referenceConditions } from "../lib/evaluation/heldOut";
import { patchNetwork } from "../lib/presets/patchNetwork";
import { eagerly } from "../lib/backend/compiled";
import { Random } from "../lib/random";
import { normal, tf } from "../lib/backend/tensors";
import { batchLoss } from "../lib/storage/feed";
import { disposeSet, gatherBatch, shuffledBlocks, tensorSet } from "../lib/storage/batches";
import { createModel } from "../lib/presets/createModel";
import { problem, refused, tinyData, tinyFilm, tinyPreset, tinyToken } from "./tiny";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-network-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

const shape = { cells: 100, fields: 2, conditions: 3 };
const smallFilm = { blocks: 2, width: 4, kernel: 3, filmWidth: 6, octaves: 2 };

/** Parameters of the film network by the description of its layers. */
function filmParameters({ blocks, width, kernel, filmWidth, octaves }: typeof smallFilm): number {
  const inputs = 3 + 2 * octaves;
  const dense = (from: number, to: number): number => (from + 1) * to;
  const film = dense(inputs, filmWidth) + 2 * dense(filmWidth, filmWidth) + dense(filmWidth, 2 * width);
  const convolutions = 2 * (kernel * width + 1) * width;
  return dense(2, width) + blocks * (film + convolutions) + dense(width, 2) + dense(inputs, 4);
}

/** The output of a network for one fixed input of two rows. */
function output(network: tf.LayersModel, x?: tf.Tensor): Float32Array {
  return tf.tidy(() => {
    const inputs = [
      x ?? normal([2, 100, 2], 7),
      tf.tensor2d([0.1, -0.5, 0.9, -1, 0, 1], [2, 3]),
      tf.tensor2d([[0.3], [0.8]]),
    ];
    return (network.apply(inputs) as tf.Tensor).dataSync() as Float32Array;
  });
}

test("the blog's network has 1,116,626 parameters and says so", () => {
  const network = filmNetwork(shape);
  assert.equal(network.countParams(), 1_116_626);
  const lines: string[] = [];
  network.summary(100, undefined, (line?: string) => lines.push(line ?? ""));
  assert.match(lines.join("\n"), /Total params: 1116626/);
  assert.match(lines.join("\n"), /FiLM/);
  network.dispose();
});

test("blocks, width, kernel, film width and octaves set the number of parameters", () => {
  const changes = [{}, { blocks: 3 }, { width: 6 }, { kernel: 5 }, { filmWidth: 9 }, { octaves: 4 }];
  for (const change of changes) {
    const options = { ...smallFilm, ...change };
    const network = filmNetwork(shape, options);
    assert.equal(network.countParams(), filmParameters(options), JSON.stringify(change));
    network.dispose();
  }
});

test("padding, dilation and activation change the function of equal weights", () => {
  const changes: Partial<FilmNetworkOptions>[] = [
    { padding: "zero" },
    { dilation: 2 },
    { activation: "tanh" },
  ];
  const outputs = [{}, ...changes].map((change) => {
    const network = filmNetwork(shape, { ...smallFilm, ...change }, 3); // the seed gives equal weights
    const result = Array.from(output(network));
    network.dispose();
    return result;
  });
  for (const other of outputs.slice(1)) assert.notDeepEqual(other, outputs[0]);
  // Zero padding is felt near the ends only: two blocks of two layers reach 4 cells.
  const inner = (values: number[]): number[] => values.slice(4 * 2, 96 * 2);
  const difference = inner(outputs[1]).map((value, i) => Math.abs(value - inner(outputs[0])[i]));
  const size = Math.max(...outputs[0].map(Math.abs));
  // float32 round-off, as other kernels may be chosen for another width.
  assert.ok(Math.max(...difference) <= 1e-5 * size);
});

test("options without sense are refused", async () => {
  await refused(() => filmNetwork(shape, { kernel: 4 }), /kernel is 4 cells; give an odd number/);
  await refused(() => patchNetwork(shape, { stride: 7 }), /stride of 7 does not divide 100 cells/);
  await refused(() => presetByName("lessons"), /preset is "lessons"; give one of blog, lesson/);
});

test("replicate padding repeats the first and the last cell", () => {
  const x = tf.tensor3d([1, 10, 2, 20, 3, 30], [1, 3, 2]);
  const padded = new ReplicatePad({ cells: 2 }).apply(x) as tf.Tensor;
  assert.deepEqual(padded.arraySync(), [
    [
      [1, 10],
      [1, 10],
      [1, 10],
      [2, 20],
      [3, 30],
      [3, 30],
      [3, 30],
    ],
  ]);
  tf.dispose([x, padded]);
});

test("a constant field stays constant under replicate padding, and not under zero padding", () => {
  const constant = tf.tidy(() => tf.ones([2, 100, 2]).mul(0.7));
  const spread = (padding: "replicate" | "zero"): number => {
    const network = filmNetwork(shape, { ...smallFilm, padding });
    const values = output(network, constant);
    network.dispose();
    // Of field 0 in row 0, relative to the field itself.
    const field = Array.from({ length: 100 }, (_, i) => values[2 * i]);
    return (Math.max(...field) - Math.min(...field)) / Math.max(...field.map(Math.abs));
  };
  assert.ok(spread("replicate") < 1e-5); // float32 round-off through nine layers
  assert.ok(spread("zero") > 1e-2); // 100 x the above is no round-off
  constant.dispose();
});

/** Cells of the input that the output of one cell depends on, by the gradient. */
function dependsOn(network: tf.LayersModel, cell: number): number[] {
  return tf.tidy(() => {
    const rest = [tf.tensor2d([[0.1, -0.5, 0.9]]), tf.tensor2d([[0.3]])];
    const value = (x: tf.Tensor): tf.Tensor => {
      const y = network.apply([x, ...rest]) as tf.Tensor3D;
      return tf.slice(y, [0, cell, 0], [1, 1, 2]).sum();
    };
    const slope = tf
      .grad(value)(normal([1, 100, 2], 3))
      .abs()
      .sum([0, 2])
      .dataSync();
    return Array.from(slope.keys()).filter((i) => slope[i] !== 0);
  });
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("the blog's network reaches 20 layers x 3 cells = 60 cells each way, and not the whole domain", () => {
  const network = filmNetwork(shape);
  assert.deepEqual(dependsOn(network, 0), range(0, 60));
  assert.deepEqual(dependsOn(network, 70), range(10, 99));
  network.dispose();
});

test("dilation widens the reach, and tokens reach from end to end", () => {
  const dilated = filmNetwork(shape, { ...smallFilm, blocks: 1, dilation: 2 });
  // Two layers x one cell x dilation 2, every other cell.
  assert.deepEqual(dependsOn(dilated, 50), [46, 48, 50, 52, 54]);
  dilated.dispose();
  const { network } = createModel(tinyData(), presets.lesson);
  randomise(network);
  // Six blocks of convolutions of 3 tokens, 1 and 5 apart, reach 36 tokens each way: more than the 25 there are.
  assert.deepEqual(dependsOn(network, 0), range(0, 99));
  network.dispose();
});

test("the dilated convolution is TensorFlow's own", () => {
  const x = normal([2, 20, 3], 1);
  for (const padding of ["valid", "same"] as const) {
    const layer = new DilatedConv1D({ filters: 4, kernelSize: 3, dilation: 3, padding });
    layer.apply(x);
    const kernel = normal([3, 3, 4], 2) as tf.Tensor3D;
    const bias = normal([4], 3);
    layer.setWeights([kernel, bias]);
    const ours = layer.apply(x) as tf.Tensor;
    const theirs = tf.conv1d(x as tf.Tensor3D, kernel, 1, padding, "NWC", 3).add(bias);
    assert.deepEqual(ours.shape, theirs.shape);
    assert.deepEqual(layer.computeOutputShape([2, 20, 3]), ours.shape);
    // Sums of nine products of order 1 in float32, in another order.
    assert.ok(ours.sub(theirs).abs().max().dataSync()[0] < 1e-5);
  }
});

/** Values and gradients of two functions of the same tensors agree to float32 round-off in sums of some 60 terms. */
function sameWithGradients(
  ours: (...x: tf.Tensor[]) => tf.Tensor,
  theirs: (...x: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
): void {
  tf.tidy(() => {
    const expected = theirs(...inputs);
    const slope = normal(expected.shape, 9);
    const pairs = [[ours(...inputs), expected]];
    const wanted = tf.grads(theirs)(inputs, slope);
    tf.grads(ours)(inputs, slope).forEach((gradient, i) => pairs.push([gradient, wanted[i]]));
    for (const [own, other] of pairs) {
      assert.deepEqual(own.shape, other.shape);
      assert.ok(own.sub(other).abs().max().dataSync()[0] < 1e-5 * (1 + other.abs().max().dataSync()[0]));
    }
  });
}

/** A layer as a function of its inputs and its two weights. */
function withWeights(layer: tf.layers.Layer): (...x: tf.Tensor[]) => tf.Tensor {
  return (x, ...weights) => {
    if (layer.weights.length === 0) layer.apply(x);
    // The gradient goes to what the layer reads.
    layer.weights.forEach((weight, i) => (weight.read = () => weights[i]));
    return layer.apply(x) as tf.Tensor;
  };
}

test("layers with gradients of their own have those that tfjs derives", () => {
  const x = normal([3, 7, 5], 1);
  const modulation = normal([3, 10], 2);
  const modulated = (h: tf.Tensor, m: tf.Tensor): tf.Tensor => {
    const [gamma, beta] = tf.split(m.expandDims(1), 2, 2);
    return h.mul(gamma.add(1)).add(beta);
  };
  const swish = (f: tf.Tensor): tf.Tensor => f.mul(f.sigmoid());
  const film = (activation?: "swish") => (h: tf.Tensor, m: tf.Tensor) =>
    new FiLM({ activation }).apply([h, m]) as tf.Tensor;
  sameWithGradients(film(), modulated, [x, modulation]);
  sameWithGradients(film("swish"), (h, m) => swish(modulated(h, m)), [x, modulation]);
  sameWithGradients((f) => new SiLU().apply(f) as tf.Tensor, swish, [x]);
  const padded = (h: tf.Tensor): tf.Tensor => {
    const cell = (i: number): tf.Tensor => h.slice([0, i, 0], [3, 1, 5]);
    return tf.concat([cell(0), cell(0), h, cell(6), cell(6)], 1);
  };
  sameWithGradients((h) => new ReplicatePad({ cells: 2 }).apply(h) as tf.Tensor, padded, [x]);
  const bias = normal([4], 4);
  const dense = (h: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
    h.reshape([-1, 5]).matMul(w).reshape([3, 7, 4]).add(b);
  sameWithGradients(withWeights(new Dense({ units: 4 })), dense, [x, normal([5, 4], 3), bias]);
  for (const dilation of [1, 2, 5]) {
    // A kernel with zeros between its values: of its own dilations tfjs knows no gradient.
    const convolved = (h: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor => {
      const zeros = tf.zeros([dilation - 1, 5, 4]);
      const taps = tf.split(w, 3, 0);
      const kernel = tf.concat([taps[0], zeros, taps[1], zeros, taps[2]], 0) as tf.Tensor3D;
      return tf.conv1d(h as tf.Tensor3D, kernel, 1, "same").add(b);
    };
    const layer = new TokenConv1D({ filters: 4, kernelSize: 3, dilation });
    sameWithGradients(withWeights(layer), convolved, [x, normal([3, 5, 4], 3), bias]);
  }
  tf.dispose([x, modulation, bias]);
});

test("the untrained token network is zero, and an untrained model's denoiser that of white noise", () => {
  const model = createModel(tinyData(), presets.lesson);
  assert.ok(output(model.network).every((value) => value === 0));
  const x = normal([2, 100, 2], 4) as tf.Tensor3D;
  const conditions = referenceConditions(model.problem);
  for (const t of [0.01, 0.5, 1]) {
    const denoised = model.denoise(x, t, conditions).dataSync();
    const mean = model.schedule.mean(t);
    // D = (0 - x mean/std) / (-1/std): two float32 roundings.
    x.dataSync().forEach((value, i) =>
      assert.ok(Math.abs(denoised[i] - mean * value) <= 3e-7 * Math.abs(value)),
    );
  }
  model.dispose();
});

test("whatever a network returns, the exact answer makes the loss zero and the denoiser the clean field", () => {
  const data = tinyData();
  for (const target of ["score", "noise", "denoised", "v"] as const) {
    const model = createModel(data, tinyPreset({ ...tinyToken, target }));
    const set = tensorSet(model, data);
    const batch = gatherBatch(set, shuffledBlocks(set.groups, 4, new Random(8)).slice(0, 2));
    disposeSet(set);
    const t = 0.3;
    const [mean, std] = [model.schedule.mean(t), model.schedule.std(t)];
    // A network that knows the clean field: what it must return, by the definitions of the targets.
    const answer = (x: tf.Tensor, clean: tf.Tensor): tf.Tensor => {
      const noise = x.sub(clean.mul(mean)).div(std);
      if (target === "score") return noise.div(-std);
      if (target === "noise") return noise;
      return target === "denoised" ? clean.clone() : noise.mul(mean).sub(clean.mul(std));
    };
    model.network.apply = (inputs) => answer((inputs as tf.Tensor[])[0], batch.fields);
    const loss = batchLoss(model, batch, new Float64Array(8).fill(t), 3);
    assert.ok(loss.dataSync()[0] < 1e-10, target); // squared float32 round-off
    const x = normal(batch.fields.shape, 4) as tf.Tensor3D;
    const one = referenceConditions(model.problem);
    // Eagerly, as this network uses a tensor of its own.
    const denoised = eagerly(() => model.denoise(x, t, one));
    const error = tf.tidy(() => denoised.sub(batch.fields).abs().max().dataSync()[0]);
    assert.ok(error < 1e-4, `${target}: ${error}`); // float32, times a coefficient of order 10
    // An answer that is off by 0.1 costs 0.01, of the score times std.
    model.network.apply = (inputs) =>
      answer((inputs as tf.Tensor[])[0], batch.fields).add(target === "score" ? 0.1 / std : 0.1);
    const off = batchLoss(model, batch, new Float64Array(8).fill(t), 3);
    assert.ok(Math.abs(off.dataSync()[0] - 0.01) < 1e-5, target);
    tf.dispose([loss, off, x, denoised, batch.fields]);
    tf.dispose(Object.values(batch.conditioning));
    model.dispose();
  }
});

/** Random weights of order 0.3 everywhere, so that no gradient vanishes by construction. */
function randomise(network: tf.LayersModel): void {
  tf.tidy(() => network.setWeights(network.getWeights().map(({ shape }, i) => normal(shape, 5, i).mul(0.3))));
}

test("the loss's gradient is that of finite differences, weight by weight of both networks", () => {
  const { network: film } = tinyFilm;
  const cases: [string, ModelSettings][] = [
    ["film", tinyFilm],
    [
      "film with zero padding and dilation",
      { ...tinyFilm, network: { ...film, padding: "zero", dilation: 2 } as typeof film },
    ],
    ["token", tinyToken],
    ["token, mode by mode", { ...tinyToken, target: "residual" }],
    ["token, noise", { ...tinyToken, target: "noise" }],
    ["token, denoised field", { ...tinyToken, target: "denoised" }],
    [
      "token with concatenation",
      { ...tinyToken, network: { ...tinyToken.network, conditioning: "concatenation" } } as ModelSettings,
    ],
  ];
  const data = tinyData();
  for (const [name, settings] of cases) {
    const model = createModel(data, tinyPreset(settings));
    randomise(model.network);
    // Two conditions with four rows each.
    const set = tensorSet(model, data);
    const batch = gatherBatch(set, shuffledBlocks(set.groups, 4, new Random(8)).slice(0, 2));
    disposeSet(set);
    const times = Float64Array.from({ length: 8 }, (_, i) => 0.1 + i / 10);
    const loss = (): tf.Scalar => batchLoss(model, batch, times, 3);
    const { value, grads } = tf.variableGrads(loss, model.variables);
    const scale = value.dataSync()[0];
    // With a step of 0.005 a loss L leaves round-off of some 1e-7 L / 0.01 = 1e-5 L, and its third derivatives leave
    // about a part in a thousand of the slope: three times both.
    const step = 5e-3;
    let [clear, all] = [0, 0];
    for (const variable of model.variables) {
      const gradient = grads[variable.name];
      const length = gradient.norm().dataSync()[0];
      if (length === 0) continue;
      // Along the gradient of this variable alone the slope is its length.
      const original = variable.clone();
      const along = (h: number): number =>
        tf.tidy(() => {
          variable.assign(original.add(gradient.mul(h / length)));
          return loss().dataSync()[0];
        });
      const slope = (along(step) - along(-step)) / (2 * step);
      variable.assign(original);
      original.dispose();
      const tolerance = 3e-3 * length + 3e-5 * scale;
      assert.ok(
        Math.abs(slope - length) <= tolerance,
        `${name}, ${variable.name}: ${slope} against ${length}`,
      );
      all++;
      if (length > 3 * tolerance) clear++;
    }
    // For most variables the tolerance is far below the gradient, so a wrong one would be seen.
    assert.ok(all === model.variables.length && clear > 0.6 * all, `${name}: ${clear} of ${all}`);
    tf.dispose([batch.fields, value, grads]);
    tf.dispose(Object.values(batch.conditioning));
    model.dispose();
  }
});

const dilatedFilm = { ...tinyFilm, network: { ...tinyFilm.network, dilation: 2 } } as ModelSettings;

const appended = {
  ...tinyToken,
  network: { ...tinyToken.network, conditioning: "concatenation" },
  target: "noise",
} as ModelSettings;

test("a saved model loads, by itself and as a plain layers model, and computes the same numbers", async () => {
  for (const [name, settings] of Object.entries({
    token: tinyToken,
    film: tinyFilm,
    dilated: dilatedFilm,
    appended,
  })) {
    const model = createModel(tinyData(), tinyPreset(settings));
    randomise(model.network);
    const expected = output(model.network);
    assert.ok(expected.some((value) => value !== 0));
    await saveModel(model, at(name), { steps: 7, preset: name });
    assert.deepEqual(fs.readdirSync(at(name)).sort(), ["model.json", "network.bin", "network.json"]);
    const plain = await tf.loadLayersModel(`file://${at(name)}/network.json`);
    assert.deepEqual(output(plain), expected);
    const before = tf.memory().numTensors;
    const loaded = await loadModel(at(name));
    assert.deepEqual(output(loaded.network), expected);
    assert.deepEqual(loaded.settings, settings);
    assert.deepEqual(loaded.history, { steps: 7, preset: name });
    const conditions = Float64Array.of(1e-5, 0.1, 25);
    assert.deepEqual(loaded.standardisation.mean(conditions), model.standardisation.mean(conditions));
    assert.deepEqual(loaded.standardisation.std(conditions), model.standardisation.std(conditions));
    loaded.dispose();
    assert.equal(tf.memory().numTensors, before);
    plain.dispose();
    model.dispose();
  }
});

test("saving replaces a model, and nothing but a model", async () => {
  const model = createModel(tinyData(), tinyPreset(tinyFilm));
  await saveModel(model, at("twice"), { run: 1 });
  await saveModel(model, at("twice"), { run: 2 });
  const loaded = await loadModel(at("twice"));
  assert.deepEqual(loaded.history, { run: 2 });
  loaded.dispose();
  fs.writeFileSync(path.join(at("twice"), "notes.txt"), "mine");
  fs.writeFileSync(at("file"), "mine");
  const before = fs.readdirSync(folder);
  for (const save of [
    (name: string) => saveModel(model, at(name)),
    (name: string) => checkModelFolder(at(name)),
  ]) {
    await refused(
      () => save("twice"),
      /twice" exists and is not just a model; give the name of a new folder/,
    );
    await refused(() => save("file"), /file" exists and is not just a model/);
    await refused(() => save("file/new"), /Cannot write .*a part of its path is not a folder/);
  }
  assert.deepEqual(fs.readdirSync(folder), before);
  assert.equal(fs.readFileSync(path.join(at("twice"), "notes.txt"), "utf8"), "mine");
  // Missing folders above are made for a model, and not left by a mere check.
  checkModelFolder(at("above/below/model"));
  assert.ok(!fs.existsSync(at("above")));
  await saveModel(model, at("above/below/model"));
  assert.equal(fs.readdirSync(at("above/below/model")).length, 3);
  model.dispose();
});

test("a damaged model folder is refused in one sentence, whatever the damage", async () => {
  const model = createModel(tinyData(), tinyPreset(tinyFilm));
  await saveModel(model, at("good"));
  model.dispose();
  let count = 0;
  const damaged = async (
    change: (file: (name: string) => string) => void,
    pattern: RegExp,
  ): Promise<void> => {
    const copy = at(`damaged${count++}`);
    fs.cpSync(at("good"), copy, { recursive: true });
    change((name) => path.join(copy, name));
    const before = tf.memory().numTensors;
    await refused(() => loadModel(copy), pattern);
    assert.equal(tf.memory().numTensors, before, String(pattern));
  };
  const edit = (file: string, change: (json: Record<string, never>) => unknown): void => {
    const json = JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, never>;
    fs.writeFileSync(file, JSON.stringify(change(json)));
  };
  await refused(() => loadModel(at("absent")), /Cannot load a model from .*absent": it has no model.json/);
  for (const name of ["model.json", "network.json", "network.bin"]) {
    await damaged((file) => fs.rmSync(file(name)), new RegExp(name));
    await damaged((file) => {
      fs.rmSync(file(name));
      fs.mkdirSync(file(name));
    }, /it is a folder/);
    const text = name === "network.bin" ? /has 5 bytes instead of \d+/ : /is not JSON/;
    await damaged((file) => fs.writeFileSync(file(name), "{ no}"), text);
  }
  await damaged((file) => {
    fs.truncateSync(file("network.bin"), fs.statSync(file("network.bin")).size - 4);
  }, /network.bin has \d+ bytes instead of \d+; give a folder that train has written/);
  await damaged((file) => fs.appendFileSync(file("network.bin"), "more"), /network.bin has \d+ bytes/);
  for (const json of ["null", "3", "[]", "{}"]) {
    await damaged((file) => fs.writeFileSync(file("model.json"), json), /is not of the format/);
    await damaged((file) => fs.writeFileSync(file("network.json"), json), /weights have other shapes/);
  }
  const weights = { weightsManifest: [{ weights: Array.from({ length: 18 }, () => null) }] };
  await damaged((file) => fs.writeFileSync(file("network.json"), JSON.stringify(weights)), /other shapes/);
  const inModel = (change: Record<string, unknown>) => (file: (name: string) => string) =>
    edit(file("model.json"), (json) => ({ ...json, ...change }));
  await damaged(inModel({ format: "another" }), /is not of the format porous-sgm score model 1/);
  const wide = { ...tinyFilm, network: { ...tinyFilm.network, width: 7 } };
  await damaged(inModel({ settings: wide }), /weights have other shapes than its settings/);
  await damaged(inModel({ settings: undefined }), /its settings are incomplete/);
  await damaged(
    inModel({ standardisation: { kind: "global", mean: [1], std: [1] } }),
    /is not a list of 2 numbers/,
  );
  const { name, settings } = problem;
  await damaged(inModel({ problem: { name: "other", version: 1, settings } }), /problem is "other"/);
  await damaged(inModel({ problem: { name, version: 99, settings } }), /another version of the problem/);
  await damaged(
    inModel({ problem: { name, version: 1, settings: { convention: "x" } } }),
    /convention is "x"/,
  );
});

test("seeds of the first weights repeat and tell apart, layer from layer too", () => {
  const weights = (seed: number): Float32Array[] => {
    const network = filmNetwork(shape, smallFilm, seed);
    const kernels = network.getWeights().filter((weight) => weight.rank === 3 && weight.shape[0] === 3);
    const values = kernels.map((kernel) => kernel.dataSync() as Float32Array);
    network.dispose();
    return values;
  };
  assert.deepEqual(weights(0), weights(0));
  assert.notDeepEqual(weights(1), weights(2));
  assert.equal(new Set(weights(3).map((values) => values.join())).size, 4); // two blocks of two convolutions
  assert.throws(() => filmNetwork(shape, smallFilm, -1), InputError);
});

test("one row of conditions and time serves all rows of fields, in every network", () => {
  const token = { stride: 10, width: 8, blocks: 2, filmWidth: 8 };
  const networks = [
    filmNetwork(shape, smallFilm),
    patchNetwork(shape, token),
    patchNetwork(shape, { ...token, conditioning: "concatenation" }),
  ];
  const x = normal([5, 100, 2], 3);
  for (const network of networks) {
    randomise(network);
    const [one, repeated] = tf.tidy(() => {
      const given = [tf.tensor2d([[0.1, -0.5, 0.9]]), tf.tensor2d([[0.3]])];
      const tiled = given.map((row) => tf.tile(row, [5, 1]));
      return [given, tiled].map((rest) => (network.apply([x, ...rest]) as tf.Tensor).dataSync());
    });
    const scale = Math.max(...one.map(Math.abs));
    // Single precision, summed in another order.
    one.forEach((value, i) => assert.ok(Math.abs(value - repeated[i]) <= 1e-5 * scale));
    network.dispose();
  }
  x.dispose();
});

test("with concatenation every token is told conditions and time, and nothing else of the network changes", () => {
  const options = { stride: 10, width: 8, blocks: 2, filmWidth: 8 };
  const network = patchNetwork(shape, { ...options, conditioning: "concatenation" });
  const modulated = patchNetwork(shape, options);
  const names = (model: tf.LayersModel): string[] => model.layers.map(({ name }) => name);
  assert.ok(names(modulated).some((name) => /film|modulate/.test(name)));
  assert.ok(!names(network).some((name) => /film|modulate/.test(name)));
  const sizes = (model: tf.LayersModel, part: RegExp): string[] =>
    model.layers
      .filter(({ name }) => part.test(name))
      .flatMap(({ weights }) => weights.map((weight) => weight.shape.join()));
  assert.deepEqual(sizes(network, /conv|project|position/), sizes(modulated, /conv|project|position/));
  // Three conditions and the time join the 20 values of a token.
  assert.deepEqual(sizes(network, /lift/), ["24,8", "8"]);
  randomise(network);
  const rest = [tf.tensor2d([[0.1, -0.5, 0.9]]), tf.tensor2d([[0.3]])];
  const x = normal([1, 100, 2], 3);
  const value = (...inputs: tf.Tensor[]): tf.Tensor => (network.apply([x, ...inputs]) as tf.Tensor).sum();
  const slopes = tf.grads(value)(rest);
  slopes.forEach((slope) => slope.dataSync().forEach((part) => assert.notEqual(part, 0)));
  // Told of other conditions alone, all tokens answer otherwise.
  const difference = tf.tidy(() => {
    const [a, b] = [0.1, 0.2].map(
      (first) => network.apply([x, tf.tensor2d([[first, -0.5, 0.9]]), rest[1]]) as tf.Tensor,
    );
    return a.sub(b).abs().reshape([10, 20]).max(1).dataSync();
  });
  difference.forEach((part) => assert.ok(part > 0));
  tf.dispose([x, ...rest, ...slopes]);
  network.dispose();
  modulated.dispose();
});
