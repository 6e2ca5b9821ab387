/** Folders of models and states from elsewhere: nothing in them leads to another place, and reading always ends. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { tf } from "../lib/backend/tensors";
import { createModel } from "../lib/presets/createModel";
import type { PresetModel } from "../lib/presets/createModel";
import { halfPrecision } from "../lib/presets/modelFiles";
import { CheckpointFolder } from "../lib/storage/checkpoint";
import { checkApart, checkModelFolder, keepModel, loadModel, saveModel } from "../lib/storage/modelFolder";
import { trainModel } from "../lib/storage/trainingRun";
import { deadline } from "./processes";
import { refused, tinyData, tinyPreset, tinyToken, tinyTraining } from "./tiny";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const at = (...names: string[]) => path.join(scratch, ...names);
/** The files of a model with the target "residual", which has all of them. */
const FILES = ["model.json", "network.json", "network.bin", "covariance.bin"];

before(async () => {
  for (const [name, seed] of [["good", 1], ["other", 2]] as const) {
    const model = createModel(tinyData(), tinyPreset({ ...tinyToken, target: "residual" }), seed);
    // An untrained token network ends on zeros, by which two could not be told apart.
    const shifted = model.network.getWeights().map((weight) => weight.add(seed));
    model.network.setWeights(shifted);
    shifted.forEach((weight) => weight.dispose());
    await saveModel(model, at(name));
    model.dispose();
  }
  assert.deepEqual(fs.readdirSync(at("good")).sort(), [...FILES].sort());
}); // prettier-ignore

let count = 0;
/** A copy of the good model in which something is changed. */
function copy(change: (folder: string) => void): string {
  const folder = at(`copy-${count++}`);
  fs.cpSync(at("good"), folder, { recursive: true });
  change(folder);
  return folder;
}

async function weightsOf(folder: string): Promise<number[]> {
  const model = await loadModel(folder);
  const weights = model.network.getWeights().flatMap((weight) => Array.from(weight.dataSync()));
  model.dispose();
  return weights;
}

test("the list of files in network.json is not followed, wherever it leads", async () => {
  const [own, others] = [await weightsOf(at("good")), await weightsOf(at("other"))];
  assert.notDeepEqual(own, others);
  const places = ["../other/network.bin", at("other", "network.bin"), "/dev/zero", "absent.bin", "sub/../../other/network.bin", "\0", ""]; // prettier-ignore
  for (const place of places) {
    const folder = copy((folder) => {
      const file = path.join(folder, "network.json");
      const json = JSON.parse(fs.readFileSync(file, "utf8")) as { weightsManifest: { paths: string[] }[] };
      json.weightsManifest[0].paths = [place];
      fs.writeFileSync(file, JSON.stringify(json));
    });
    assert.deepEqual(await weightsOf(folder), own, place);
  }
});

test("a link out of a model's folder is refused, one inside it and one to the folder itself are not", async () => {
  for (const name of FILES) {
    for (const place of [path.join("..", "other", name), at("other", name), "/dev/zero", "/etc/hostname"]) {
      if (!fs.existsSync(path.resolve(at("good"), place))) continue;
      const folder = copy((folder) => {
        fs.rmSync(path.join(folder, name));
        fs.symlinkSync(place, path.join(folder, name));
      });
      await refused(
        () => loadModel(folder),
        new RegExp(`${name}": it leads out of its folder; give a folder`),
      );
    }
    const nowhere = copy((folder) => {
      fs.rmSync(path.join(folder, name));
      fs.symlinkSync("absent", path.join(folder, name));
    });
    await refused(() => loadModel(nowhere), new RegExp(`it has no ${name}`));
    const inside = copy((folder) => {
      fs.renameSync(path.join(folder, name), path.join(folder, "kept"));
      fs.symlinkSync("kept", path.join(folder, name));
    });
    assert.ok((await weightsOf(inside)).length > 0);
  }
  fs.symlinkSync("good", at("link"));
  assert.deepEqual(await weightsOf(at("link")), await weightsOf(at("good")));
});

const make = (file: string) => execFileSync("mkfifo", [file], deadline(600));

test("a pipe in the place of a file is refused, not waited for", async () => {
  for (const name of FILES) {
    const folder = copy((folder) => {
      fs.rmSync(path.join(folder, name));
      make(path.join(folder, name));
    });
    await refused(() => loadModel(folder), new RegExp(`${name}": it is not a regular file`));
  }
});

test("a file that claims to be larger than memory is refused", async () => {
  const folder = copy((folder) => fs.truncateSync(path.join(folder, "network.bin"), 2 ** 40)); // takes no room on the disk
  await refused(() => loadModel(folder), /has 1099511627776 bytes; give one of less than 2 GB/);
});

test("states of a training that are pipes or devices are passed over, and refused where there are no others", async () => {
  fs.mkdirSync(at("states"));
  make(at("states", "step-000000002.safetensors"));
  fs.symlinkSync("/dev/zero", at("states", "step-000000001.safetensors"));
  const folder = new CheckpointFolder(at("states"));
  const notes: string[] = [];
  await refused(() => folder.newest((sentence) => notes.push(sentence)), /None of the states/);
  folder.close();
  assert.equal(notes.length, 2);
  for (const sentence of notes) assert.match(sentence, /it is not a regular file/);
});

test("weights in half precision: half the room, the nearest numbers, for any program that reads models of tfjs", async () => {
  const model = await loadModel(at("good"));
  await saveModel(model, at("half"), model.history, "float16");
  const [own, half] = [await weightsOf(at("good")), await weightsOf(at("half"))];
  const size = (name: string) => fs.statSync(at(name, "network.bin")).size;
  assert.equal(2 * size("half"), size("good"));
  // 11 bits, rounded, with the last at 2^-24 or above.
  half.forEach((value, i) =>
    assert.ok(Math.abs(value - own[i]) <= Math.max(2 ** -11 * Math.abs(own[i]), 2 ** -25)),
  );
  const plain = await tf.loadLayersModel(`file://${at("half", "network.json")}`);
  assert.deepEqual(
    plain.getWeights().flatMap((weight) => Array.from(weight.dataSync())),
    half,
  );
  plain.dispose();
  for (const other of ["uint8", "float64"]) {
    const folder = copy((folder) => {
      const file = path.join(folder, "network.json");
      const text = fs.readFileSync(at("half", "network.json"), "utf8");
      fs.writeFileSync(
        file,
        text.replaceAll('"quantization":{"dtype":"float16"', `"quantization":{"dtype":"${other}"`),
      );
    });
    await refused(() => loadModel(folder), /weights have other shapes/);
  }
  model.dispose();
});

test("numbers of half precision are the nearest ones, and what it lacks is refused", () => {
  // Bits by IEEE 754: sign, 5 bits of exponent, 10 of mantissa.
  const known = new Map([[0, 0], [1, 0x3c00], [-2, 0xc000], [65504, 0x7bff], [2 ** -14, 0x0400], [2 ** -24, 1], [1 / 3, 0x3555], [1 - 2 ** -13, 0x3c00], [2 ** -26, 0]]); // prettier-ignore
  assert.deepEqual([...halfPrecision(Float32Array.from(known.keys()))], [...known.values()]);
  for (const bad of [65520, -1e6, NaN, Infinity]) {
    assert.throws(
      () => halfPrecision(Float32Array.of(bad)),
      /A weight is .*: beyond 65504, keep weights as float32/,
    );
  }
});

/** Does something with a model. */
async function withModel(use: (model: PresetModel) => Promise<void>): Promise<void> {
  const model = await loadModel(at("good"));
  try {
    await use(model);
  } finally {
    model.dispose();
  }
}

test("files of models and of states call the residual what they have always called it", async () => {
  const file = path.join(at("good"), "model.json");
  const stored = JSON.parse(fs.readFileSync(file, "utf8")) as { settings: { target: string } };
  assert.equal(stored.settings.target, "rest");
  const model = await loadModel(at("good"));
  assert.equal(model.settings.target, "residual");
  const training = { ...tinyTraining, batch: 16 };
  const checkpoint = { folder: at("states-of-residual") };
  for await (const { step } of trainModel(model, tinyData(), training, { steps: 1, checkpoint }))
    assert.equal(step, 1);
  model.dispose();
  const states = new CheckpointFolder(checkpoint.folder);
  const { fingerprint } = states.newest(() => undefined)!;
  states.close();
  assert.equal((JSON.parse(fingerprint.model) as { target: string }).target, "rest");
});

test("a model whose place was taken during the training is saved beside it, or elsewhere, and never lost", async () => {
  await withModel(async (model) => {
    assert.deepEqual(await keepModel(model, at("place")), { folder: at("place") });
    // What a system leaves in folders is nobody's file.
    for (const name of [".DS_Store", "Thumbs.db", "._model.json"]) fs.writeFileSync(at("place", name), "");
    checkModelFolder(at("place"));
    assert.deepEqual(await keepModel(model, at("place")), { folder: at("place") });
    assert.deepEqual(fs.readdirSync(at("place")).sort(), [...FILES].sort());

    fs.writeFileSync(at("place", "notes.txt"), "mine");
    const beside = await keepModel(model, at("place") + path.sep);
    assert.equal(beside.folder, at("place-2"));
    assert.match(beside.reason!, /place.*" exists and is not just a model/);
    assert.equal((await keepModel(model, at("place"))).folder, at("place-3")); // no earlier one is replaced
    assert.equal(fs.readFileSync(at("place", "notes.txt"), "utf8"), "mine");

    fs.writeFileSync(at("file"), "mine");
    assert.equal((await keepModel(model, at("file"))).folder, at("file-2"));
    // Where the folder above has become a file, or cannot be written, there is the system's place for temporary files.
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = at("temporary");
    try {
      const elsewhere = await keepModel(model, at("file", "model"));
      assert.equal(elsewhere.folder, at("temporary", "model"));
      assert.match(elsewhere.reason!, /a part of its path is not a folder/);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
    for (const place of [at("place-2"), at("file-2"), at("temporary", "model")])
      assert.deepEqual(await weightsOf(place), await weightsOf(at("good")));
  });
});

test("a link to where models are kept stays one, also where it leads to nothing yet", async () => {
  await withModel(async (model) => {
    fs.mkdirSync(at("disk"));
    for (const name of ["linked", "linked"]) {
      if (!fs.existsSync(at(name))) fs.symlinkSync(path.join("disk", "place"), at(name));
      checkModelFolder(at(name));
      await saveModel(model, at(name));
      assert.ok(fs.lstatSync(at(name)).isSymbolicLink());
      assert.deepEqual(fs.readdirSync(at("disk")), ["place"]);
      assert.deepEqual(await weightsOf(path.join(at("disk"), "place")), await weightsOf(at("good")));
    }
  });
});

test("a model and the states of its training lie apart", async () => {
  fs.mkdirSync(at("apart"));
  fs.symlinkSync("apart", at("same-by-link"));
  for (const [model, states] of [["m", "m"], ["m", "m/states"], ["states/m", "states"], ["apart/m", "same-by-link/m"]])
    await refused(() => checkApart(at(model), at(states)), /of its training are (the same folder|one inside the other); give two/); // prettier-ignore
  for (const [model, states] of [
    ["m", "m-states"],
    ["m", "states"],
    ["a/m", "a/states"],
  ])
    checkApart(at(model), at(states));
});

test("a model remembers the conditions that it was trained on; older files stand for the problem's ranges", async () => {
  const { conditions } = tinyData().problem;
  const ranges = conditions.map(({ min, max }) => [min, max]);
  await withModel(async (model) => {
    // By the responses a model knows all values of the two conditions in which they are affine.
    assert.deepEqual(model.trainedOn.slice(1), ranges.slice(1));
    const [low, high] = model.trainedOn[0];
    assert.ok(low > ranges[0][0] && low < high && high < ranges[0][1]);
  });
  const changed = (change: (file: { trainedOn?: unknown }) => void) =>
    copy((folder) => {
      const name = path.join(folder, "model.json");
      const file = JSON.parse(fs.readFileSync(name, "utf8")) as { trainedOn?: unknown };
      change(file);
      fs.writeFileSync(name, JSON.stringify(file));
    });
  const old = await loadModel(changed((file) => delete file.trainedOn));
  assert.deepEqual(old.trainedOn, ranges);
  old.dispose();
  for (const wrong of [{}, { correlation_length: [2, 1] }, { correlation_length: ["a", 1] }])
    await refused(() => loadModel(changed((file) => (file.trainedOn = wrong))), /range of the correlation length is no pair of numbers/); // prettier-ignore
});
