import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { before, test } from "node:test";
import { deadline } from "./processes";

const { python, environment, root } = require("../scripts/environment") as {
  python: string;
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};

const imports = `
import { loadModel } from "./lib/storage/modelFolder";
import { readDataSet } from "./lib/storage/arrow";
import { generateDataSet, simulateAt } from "./lib/presets/simulate";
import { porousElectrode } from "./lib/presets/electrodeProblem";
import { drawMarginal } from "./lib/evaluation/forwardProcess";
import { GaussianMixture } from "./lib/evaluation/gaussianMixture";
import { sample } from "./lib/samplers";
import { vpSchedule } from "./lib/schedule";
import { filmNetwork } from "./lib/filmCnn";
import { ScoreModel } from "./lib/scoreModel";
import { potentialInFloat32 } from "./lib/evaluation/roundoff";
import { sampleFields } from "./lib/storage/samplingRun";
import { compare } from "./lib/evaluation/compare";
import { energyDistance } from "./lib/comparison";
import { createModel } from "./lib/presets/createModel";
import { trainModel } from "./lib/storage/trainingRun";
const problem = porousElectrode("figures");
const data = generateDataSet(problem, { conditions: 2, fields: 1, seed: 1 });
const sets = [data];
const schedule = vpSchedule();
const seven = 7;`;

/** A cell, the text in it at whose end the cursor is, and what must be shown. */
const places: [cell: string, text: string, ...shown: RegExp[]][] = [
  [
    "simulateAt(problem, c, 4, 1)",
    "simulateAt",
    /\(count, fields, cells\)/,
    /l in m, U0 in V, F_right in A\/m2/,
  ],
  [
    "const x = sampleFields(model, c, {})",
    "sampleFields",
    /\(count, fields, cells\)/,
    /mol\/m3/,
    /Errors as sampleBatches, which yields/,
  ],
  ["sampleFields(model, c, { count: 5 })", "count", /SampleOptions\.count: number/, /Number of fields/],
  ['await loadModel("m")', "loadModel", /Promise<PresetModel>/, /\[batch, cells, fields\]/, /InputError/],
  [
    "let m: ScoreModel",
    "ScoreModel",
    /\[batch, cells, channels\]/,
    /without unit/,
    /denoise: The denoised mean/,
  ],
  ["for await (const s of trainModel(m, data))", "trainModel", /\(rows, fields, cells\)/, /without unit/],
  ["createModel(data, p)", "createModel", /\(rows, fields, cells\)/],
  ["energyDistance(a, b, 2)", "energyDistance", /\(rows, columns\)/, /unit of the columns/, /Szekely/],
  ["vpSchedule()", "vpSchedule", /betaMin/, /have no unit/, /Song et al\. 2021/],
  ["schedule.noiseLevel(0.5)", "noiseLevel", /std \/ mean/],
  ["readDataSet(file)", "readDataSet", /\(rows, conditions\)/, /units/],
  ['porousElectrode("text")', "porousElectrode", /c in mol\/m3, phi in V/],
  ["drawMarginal(space, schedule, x, 0.5, 1)", "drawMarginal", /shape/, /no unit/],
  ["sample(options)", "sample", /shape of `start`/],
  ["new GaussianMixture([])", "GaussianMixture", /rows x d/],
  ["filmNetwork(shape)", "filmNetwork", /\[batch, cells, fields\]/],
  ["potentialInFloat32(eps, 0, 25)", "potentialInFloat32", /in V \(cells\)/],
  ["compare(a, b, c)", "compare", /\(rows, fields, cells\)/],
  // Of what a variable holds.
  [
    "data",
    "data",
    /const data: DataSet/,
    /fields: \(rows, fields, cells\).*phi in V/,
    /latent: \(rows, cells\)/,
  ],
  ["sets.map((set) => set.rows)", "((set", /\(parameter\) set: DataSet/, /\(rows, fields, cells\)/],
  ["sets", "sets", /const sets: DataSet\[\]/, /\(rows, fields, cells\)/],
  ["data.fields.length", "fields", /DataSet\.fields: Float64Array/, /\(rows, fields, cells\)/],
  ["schedule", "schedule", /const schedule: Schedule/, /endTime: T, where/],
  ["problem.positions", "positions", /cell centres, m \(cells\)/],
  ["undefined", "undefined", /undefined/],
  ["class A<T> { f(): T { return this.f(); } }", "this", /this/],
  ["enum E { a = 1 }; E.a", "E.a", /E\.a/],
  ["seven", "seven", /^const seven: 7$/],
  ["console.log(1)", "log", /^\(method\) Console\.log/, /Prints to/],
];

let shown: (string | null)[];
before(() => {
  const result = spawnSync(python, [path.join("tests", "inspection.py")], {
    cwd: root,
    encoding: "utf8",
    env: environment(),
    input: JSON.stringify({ imports, places: places.map((place) => place.slice(0, 2)) }),
    ...deadline(600),
  });
  assert.equal(result.status, 0, result.stderr);
  shown = JSON.parse(result.stdout.trim().split("\n").pop()!) as (string | null)[];
});

places.forEach(([cell, text, ...expected], i) =>
  test(`inspection of ${text} in: ${cell}`, () => {
    for (const words of expected) assert.match(shown[i] ?? "", words);
  }),
);
