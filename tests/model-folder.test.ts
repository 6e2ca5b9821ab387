/** Folders of models and states from elsewhere: nothing in them leads to another place, and reading always ends. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { createModel } from "../lib/presets/createModel";
import { CheckpointFolder } from "../lib/storage/checkpoint";
import { loadModel, saveModel } from "../lib/storage/modelFolder";
import { deadline } from "./processes";
import { refused, tinyData, tinyPreset, tinyToken } from "./tiny";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const at = (...names: string[]) => path.join(scratch, ...names);
/** The files of a model with the target "rest", which has all of them. */
const FILES = ["model.json", "network.json", "network.bin", "covariance.bin"];

before(async () => {
  for (const [name, seed] of [["good", 1], ["other", 2]] as const) {
    const model = createModel(tinyData(), tinyPreset({ ...tinyToken, target: "rest" }), seed);
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
