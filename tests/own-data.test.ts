/** Data that somebody brings: fields that are not the solver's, other units, conditions out of range, what never varies. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test, type TestContext } from "node:test";
import { finish } from "../lib/backend/interrupt";
import { selectRows } from "../lib/data/rows";
import type { DataSet } from "../lib/dataSet";
import { conditionalStandardisation } from "../lib/gaussian/conditionalMoments";
import { createModel, creatingModel } from "../lib/presets/createModel";
import { type Chosen, chooseFields, type FieldsFrom, withoutSolver } from "../lib/presets/givenFields";
import { type Preset, presetByName, presets } from "../lib/presets/presets";
import { generateDataSet } from "../lib/presets/simulate";
import { writeDataSet } from "../lib/storage/arrow";
import { openRows } from "../lib/storage/arrowReader";
import { Feed } from "../lib/storage/feed";
import { trainModel } from "../lib/storage/trainingRun";
import type { Problem } from "../lib/problem";
import { Training } from "../lib/training";
import { explain, run } from "../scripts/cli/program";
import { deadline } from "./processes";
import { problem, refused, tinyPreset, tinyToken } from "./tiny";

/** The module as the command line sees it. */
const creation = require("../lib/presets/createModel") as Record<"creatingModel", typeof creatingModel>;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-own-data-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

const data = generateDataSet(problem, { conditions: 40, fields: 4, seed: 1 });
const cells = problem.cells;

/** The data with each field of each row changed: (row, field, values) -> values. */
function changed(change: (row: number, field: number, values: Float64Array) => Float64Array | void): DataSet {
  const fields = data.fields.slice();
  for (let row = 0; row < data.rows; row++) {
    for (let field = 0; field < 2; field++) {
      const values = fields.subarray((2 * row + field) * cells, (2 * row + field + 1) * cells);
      const other = change(row, field, values);
      if (other) values.set(other);
    }
  }
  return { ...data, fields };
}

const phi = (row: number) => data.fields.subarray((2 * row + 1) * cells, (2 * row + 2) * cells);
/** The potential of each row is that of the next one. */
const dealt = changed((row, field) => (field === 1 ? phi((row + 1) % data.rows) : undefined));
const inMillivolt = changed((_, field, values) =>
  field === 1 ? values.map((value) => 1000 * value) : undefined,
);

function choose(set: DataSet, preset: Preset = presets.fast, from?: FieldsFrom): Chosen {
  return finish(chooseFields(set, preset, "fast", from));
}

/** Conditions with one of them changed. */
function withCondition(k: number, change: (value: number) => number): DataSet {
  return { ...data, conditions: data.conditions.map((value, i) => (i % 3 === k ? change(value) : value)) };
}

test("fields of the solver, in single precision as well, are known as such, and nothing is changed", () => {
  const single = (values: Float64Array) => Float64Array.from(Float32Array.from(values));
  const rounded: DataSet = {
    ...data,
    fields: single(data.fields),
    latent: single(data.latent!),
    conditions: single(data.conditions),
  };
  for (const set of [data, rounded]) {
    const { data: chosen, preset, told, warning } = choose(set);
    assert.ok(chosen === set && preset === presets.fast);
    assert.deepEqual([told, warning], ["the fields are the solver's for each porosity, whose responses are learned in their place", undefined]); // prettier-ignore
  }
  assert.equal(choose(data, presets.lesson).told, "the fields are the solver's for each porosity");
});

test("fields that are not the solver's are told with the first row and the difference, and learned as they are", () => {
  const late = changed((row, field, values) => (row === 7 && field === 0 ? values.map((value) => value + 1) : undefined)); // prettier-ignore
  const { data: chosen, preset, warning } = choose(late);
  assert.match(warning!, /^The field c of row 8 differs from the solver's for this porosity by up to 1 mol\/m3, where its largest value is \d/); // prettier-ignore
  assert.match(warning!, /: the training is on the file's own fields, scaled by means and spreads by condition of the file itself, without the Gaussian part of fast, .* the model will not come as close to its data as fast does to the solver's: compare tells/); // prettier-ignore
  assert.ok(!("select" in chosen) && chosen.fields === late.fields && chosen.latent === undefined);
  assert.deepEqual(
    [
      preset.model.target,
      preset.model.standardisation,
      preset.training.mirrored,
      preset.training.rowsPerCondition,
    ],
    ["v", "conditional", false, 1],
  );
  assert.deepEqual(preset.model.network, presets.fast.model.network);

  // Other constants: a hundredth of what c rises by.
  const constants = changed((_, field, values) => field === 0 ? values.map((value) => 1000 + 1.01 * (value - 1000)) : undefined); // prettier-ignore
  assert.match(choose(constants).warning!, /^The field c of row 1 differs/);
  assert.match(choose(inMillivolt).warning!, /^The field phi of row 1 differs .* \(phi is 1000 times the solver's, as in other units than V\)/); // prettier-ignore
  assert.match(choose({ ...data, latent: undefined }).warning!, /^The data have no porosity, so that nothing can be solved: /); // prettier-ignore
  const negative = { ...data, latent: data.latent!.map((value, i) => (i === 250 ? -0.5 : value)) };
  assert.match(choose(negative).warning!, /^The solver has no solution for the porosity of row 3: /);

  // What lesson makes of the fields has nothing of the solver either, and blog never had.
  const lesson = choose(dealt, presets.lesson);
  assert.equal(lesson.preset, presets.lesson);
  assert.match(lesson.warning!, /: the training is on the file's own fields, scaled by means and spreads by condition of the file itself\.$/); // prettier-ignore
  assert.match(choose(dealt, presets.blog).warning!, /: the training is on the file's own fields\.$/);
  // With few conditions no means are functions of them.
  const few = choose(selectRows(dealt, [...Array(20).keys()]));
  assert.equal(few.preset.model.standardisation, "global");
  assert.match(few.warning!, /scaled by one mean and one spread a field of the file itself/);
});

test("the solver's fields take the place of the file's where that is asked for", async () => {
  writeDataSet(at("dealt.arrow"), dealt);
  const source = await openRows(at("dealt.arrow"));
  for (const set of [dealt, source]) {
    const { data: chosen, preset, told, warning } = finish(chooseFields(set, presets.fast, "fast", "solver"));
    assert.equal(preset, presets.fast);
    assert.match(told, /file's fields are not used/);
    assert.match(warning!, /^The fields of the data are ignored, as --fields solver says, although the field phi of row 1 differs/); // prettier-ignore
    const fields = "select" in chosen ? chosen.select([...Array(data.rows).keys()]).fields : chosen.fields;
    fields.forEach((value, i) => assert.ok(Math.abs(value - data.fields[i]) <= 1e-9 * Math.abs(value)));
  }
  source.close();
  await refused(() => choose({ ...data, latent: undefined }, presets.fast, "solver"), /have no porosity to solve from; leave out --fields solver/); // prettier-ignore
  assert.equal(choose(data, presets.fast, "solver").data, data);
});

/** A data set with other porosities, solved for. */
function withPorosity(set: DataSet, change: (porosity: number, cell: number) => number): DataSet {
  const latent = set.latent!.map((value, i) => change(value, i % cells));
  const fields = set.fields.slice();
  for (let row = 0; row < set.rows; row++) {
    const own = fields.subarray(2 * row * cells, 2 * (row + 1) * cells);
    const conditions = set.conditions.subarray(3 * row, 3 * row + 3);
    problem.solve(latent.subarray(row * cells, (row + 1) * cells), conditions, own);
  }
  return { ...set, latent, fields };
}

test("porosities of another law are told, and the Gaussian part is theirs: nothing of the built-in law is learned", () => {
  const many = generateDataSet(problem, { conditions: 100, fields: 6, seed: 2 });
  const lower = withPorosity(many, (porosity) => 0.75 * porosity + 0.05);
  const { data: chosen, preset, told, warning } = choose(lower);
  assert.ok(chosen === lower && told.includes("responses are learned"));
  assert.match(warning!, /^The values of porosity are of another law than those that generate draws \((mean|mean square|mean square of the step from cell to cell) [\d.e-]+ in place of [\d.e-]+\): the Gaussian part of fast is taken from the 600 rows of the data, without mirror images, and the model will not come as close/); // prettier-ignore
  const { momentDraws } = preset.model;
  const { mirrored, rowsPerCondition } = preset.training;
  assert.deepEqual([momentDraws, mirrored, rowsPerCondition], [undefined, false, 4]);
  // The mean of the fields is the data's, not the built-in law's, which is some deviations away.
  const settings = { ...tinyToken, target: "residual" as const, momentDraws: 200 };
  const tiny = finish(chooseFields(lower, tinyPreset(settings), "tiny"));
  const meanAt = (use: Chosen) => {
    const model = createModel(use.data, use.preset);
    const { mean, std } = model.preconditioner.moments(Float64Array.of(1e-5, 0, 25));
    model.dispose();
    return { mean, std };
  };
  const [own, usual] = [meanAt(tiny), meanAt({ ...tiny, preset: tinyPreset(settings) })];
  const end = 2 * cells - 1; // the potential at the collector
  assert.ok(Math.abs(own.mean[end] - usual.mean[end]) > 0.5 * usual.std[end]);

  // A gradient that the built-in law does not have, with the same mean; and porosities that are rougher.
  const rising = withPorosity(many, (porosity, cell) => 0.9 * porosity + 0.035 + (0.05 * (cell - 49.5)) / 99);
  assert.match(choose(rising).warning!, /\(rise from the left half to the right 0\.0[23]\d* in place of /);
  // What cannot carry moments of its own is learned field by field.
  const few = withPorosity(
    generateDataSet(problem, { conditions: 3, fields: 20, seed: 2 }),
    (porosity) => 0.75 * porosity + 0.05,
  );
  const narrow = choose(few);
  assert.match(narrow.warning!, /the training is on the fields alone, without the Gaussian part of fast, which the data are too few for/); // prettier-ignore
  assert.ok(narrow.preset.model.target === "v" && narrow.data.rows === 60);
  // The same law is not suspected, whatever the seed; a preset without the solver's moments needs no law.
  for (const seed of [3, 4, 5])
    assert.equal(choose(generateDataSet(problem, { conditions: 20, fields: 5, seed })).warning, undefined);
  assert.equal(choose(lower, presets.lesson).warning, undefined);
});

test("conditions out of range, unknown ones and fields that never vary are refused before anything is computed", async () => {
  const named = (k: number, change: (value: number) => number) => choose(withCondition(k, change));
  await refused(() => named(0, (value) => 1e6 * value), /^The correlation length of row 1 is [\d.]+, outside of 0.000002 to 0.00002 m, as if it were given in 0.000001 m; give it in m, or leave such rows out\.$/); // prettier-ignore
  await refused(() => named(2, (value) => 10 * value), /^The flux of row \d+ is [\d.]+, outside of 0 to 50 A\/m2; give it in A\/m2/); // prettier-ignore
  await refused(() => named(0, () => NaN), /unknown conditions/);
  const constant = changed((_, field, values) => (field === 1 ? values.fill(0.25) : undefined));
  await refused(() => choose(constant), /^The field phi is the same in all rows of the data \(0.25 V everywhere\); give/); // prettier-ignore
  const first = data.fields.slice(0, cells);
  await refused(() => choose(changed((_, field) => (field === 0 ? first : undefined))), /^The field c is the same in all rows of the data; give/); // prettier-ignore
});

/** The weights after some steps of a preset on some data, and the last loss. */
async function trained(set: DataSet, preset: Preset): Promise<{ weights: string; loss: number }> {
  const chosen = choose(set, preset);
  const model = createModel(chosen.data, chosen.preset, 1);
  let loss = NaN;
  for await (const state of trainModel(model, chosen.data, chosen.preset.training, { steps: 6 }))
    loss = state.loss;
  const weights = model.network.getWeights().map((weight) => String(weight.dataSync())).join(); // prettier-ignore
  model.dispose();
  return { weights, loss };
}

test("a training by the solver's responses learns other fields when it is given others", async () => {
  const modal = tinyPreset({ ...tinyToken, target: "residual", momentDraws: 50 }, { batch: 16, rowsPerCondition: 4, mirrored: true }); // prettier-ignore
  const [plain, other, milli] = [data, dealt, inMillivolt].map((set) => trained(set, modal));
  assert.notEqual((await plain).weights, (await other).weights);
  // Scaled by moments of their own, fields in any unit are of order 1: those of the solver would give a loss of 1e6.
  for (const one of [other, milli]) assert.ok((await one).loss < 3, String((await one).loss));
  assert.ok((await trained(inMillivolt, tinyPreset(tinyToken))).loss < 3);
});

test("data in which a condition never changes have moments, which do not depend on it", () => {
  const fixed = generateDataSet(problem, { conditions: 40, fields: 4, seed: 1 });
  const conditions = fixed.conditions.map((value, i) => (i % 3 === 2 ? 25 : value));
  const moments = conditionalStandardisation({ ...fixed, conditions, latent: undefined });
  const std = moments.std(conditions.slice(0, 3));
  assert.ok(std.every(Number.isFinite) && std.some((value) => value > 0));
  assert.ok(moments.mean(conditions.slice(0, 3)).every((value) => Math.abs(value) < 1e5));
});

test("what a preset becomes without the solver depends on the preset alone", () => {
  for (const name of ["lesson", "blog"])
    assert.equal(withoutSolver(presetByName(name), true), presetByName(name));
  const { model, training } = withoutSolver(presets.best, false);
  assert.deepEqual(
    [model.target, model.standardisation, training.steps],
    ["v", "global", presets.best.training.steps],
  );
});

/** Runs a command line in this process; returns its exit status and what it says on stderr. */
async function cli(t: TestContext, ...words: string[]): Promise<{ status: number; said: string }> {
  const said: string[] = [];
  const error = t.mock.method(process.stderr, "write", (text: string) => said.push(text) > 0);
  process.exitCode = undefined;
  try {
    await run(words);
    return { status: Number(process.exitCode ?? 0), said: said.join("") };
  } catch (thrown) {
    const { sentence, status } = explain(thrown);
    return { status, said: sentence };
  } finally {
    process.exitCode = undefined;
    error.mock.restore();
  }
}

test("a model whose loss is absurd is saved with a sentence and status 2", async (t) => {
  writeDataSet(at("plain.arrow"), data);
  const { step } = Training.prototype;
  for (const [factor, told] of [
    [1, false],
    [1e6, true],
  ] as const) {
    t.mock.method(Training.prototype, "step", function (this: Training, ...args: Parameters<typeof step>) {
      const taken = step.apply(this, args);
      return taken && { ...taken, loss: factor * taken.loss };
    });
    const out = at(`absurd-${factor}`);
    const { status, said } = await cli(t, "train", "--data", at("plain.arrow"), "--out", out, "--preset", "lesson", "--steps", "2"); // prettier-ignore
    t.mock.restoreAll();
    assert.equal(status, told ? 2 : 0, said);
    assert.equal(/The model is of no use: its loss is \d.*, where that of one which has learned nothing is about 1; look for rows/.test(said), told, said); // prettier-ignore
    assert.deepEqual(fs.readdirSync(out).sort(), ["model.json", "network.bin", "network.json"]);
  }
});

test("a model whose states cannot be kept any more is saved with a sentence and status 2", async (t) => {
  writeDataSet(at("plain.arrow"), data);
  const { step } = Training.prototype;
  t.mock.method(Training.prototype, "step", function (this: Training, ...args: Parameters<typeof step>) {
    if (this.steps === 2) fs.rmSync(at("states"), { recursive: true });
    return step.apply(this, args);
  });
  const { status, said } = await cli(t, "train", "--data", at("plain.arrow"), "--out", at("kept"), "--preset", "lesson", "--steps", "4", "--checkpoint", at("states")); // prettier-ignore
  assert.equal(status, 2, said);
  assert.match(
    said,
    /states.*": there is no such file or folder; the training ended, and the model of 3 steps is in .*kept\.\n$/,
  );
  assert.deepEqual(fs.readdirSync(at("kept")).sort(), ["model.json", "network.bin", "network.json"]);
});

test("too few fields of a condition are told of before any moments are computed", async (t) => {
  writeDataSet(at("few.arrow"), generateDataSet(problem, { conditions: 40, fields: 3, seed: 1 }));
  const made = t.mock.method(creation, "creatingModel");
  for (const preset of ["fast", "best"]) {
    const { status, said } = await cli(t, "train", "--data", at("few.arrow"), "--out", at("never"), "--preset", preset); // prettier-ignore
    assert.equal(status, 2);
    assert.match(said, /^Batches take 4 fields of one condition, and no condition of the data has more than 3 to train on; generate at least 4 fields for each condition, or take a preset that needs one, such as lesson\.$/); // prettier-ignore
  }
  assert.equal(made.mock.callCount(), 0);
  assert.ok(!fs.existsSync(at("never")));
});

test("a training can be stopped at any moment of its preparation: no stretch of it solves for many rows", () => {
  let solved = 0;
  const rowsOf = (latent: Float64Array) => latent.length / cells;
  const counted: Problem = {
    ...problem,
    solve(latent, ...rest) {
      solved += rowsOf(latent);
      problem.solve(latent, ...rest);
    },
    responses(latent) {
      solved++;
      return problem.responses(latent);
    },
    simulate(conditions, random, latent, fields) {
      solved += rowsOf(latent);
      problem.simulate(conditions, random, latent, fields);
    },
  };
  const many = { ...generateDataSet(problem, { conditions: 40, fields: 20, seed: 1 }), problem: counted };
  const settings = { ...tinyToken, target: "residual" as const, momentDraws: 520 };
  const preset = tinyPreset(settings, { batch: 16, rowsPerCondition: 4, mirrored: true });
  /** Most rows that some work solves for between two moments at which it can be stopped, and its result. */
  const watched = <T>(work: Generator<void, T, void>): { most: number; all: number; result: T } => {
    let [most, all] = [0, 0];
    for (;;) {
      solved = 0;
      const next = work.next();
      [most, all] = [Math.max(most, solved), all + solved];
      if (next.done) return { most, all, result: next.value };
    }
  };
  const chosen = watched(chooseFields(many, preset, "tiny"));
  const made = watched(creatingModel(chosen.result.data, chosen.result.preset, 1));
  const fed = watched(Feed.making(made.result, chosen.result.data, preset.training, 1));
  for (const { most, all } of [chosen, made, fed]) {
    assert.ok(all >= 760, String(all));
    assert.ok(most <= 512, String(most));
  }
  fed.result.dispose();
  made.result.dispose();
});

test("SIGTERM ends a training that is still preparing, and leaves nothing", async () => {
  writeDataSet(at("term.arrow"), data);
  const before = fs.readdirSync(folder);
  const script = path.join(__dirname, "..", "scripts", "porous-sgm.js");
  const args = ["train", "--data", at("term.arrow"), "--out", at("term"), "--preset", "best"];
  const child = spawn(process.execPath, [script, ...args], { ...deadline(600) });
  child.stdout.once("data", () => child.kill("SIGTERM")); // the line that comes before the moments
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  assert.deepEqual([status, said], [128 + 15, ""]);
  assert.deepEqual(fs.readdirSync(folder), before);
});
