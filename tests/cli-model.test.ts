import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { RecordBatchFileWriter, tableFromArrays } from "apache-arrow";
import { groupByCondition, selectRows, sliceRows } from "../lib/data/rows";
import type { Comparison } from "../lib/evaluation/compare";
import type { Evaluation, FullEvaluation } from "../lib/evaluation/evaluate";
import { heldOutConditions } from "../lib/evaluation/heldOut";
import { createModel } from "../lib/presets/createModel";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import { presets } from "../lib/presets/presets";
import { samplers } from "../lib/presets/samplers";
import { generateDataSet, simulateAt } from "../lib/presets/simulate";
import { readDataSet, writeDataSet } from "../lib/storage/arrow";
import { saveModel } from "../lib/storage/modelFolder";
import type { Cost } from "../scripts/cli/cost";
import { deadline } from "./processes";
import { assertRefused, type Refusal } from "./refusals";
import { problem, tinyFilm, tinyPreset, tinyToken } from "./tiny";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-cli-model-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
const script = path.join(__dirname, "..", "scripts", "porous-sgm.js");

interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command line in the temporary folder, which is not the project's. */
function run(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, ...args],
      { cwd: folder, ...deadline(600) },
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      },
    );
  });
}

const refused = (...cases: Refusal[]): void => assertRefused(folder, ...cases);

const CONDITIONS = ["--correlation-length", "1e-5", "--equilibrium-potential", "-0.1", "--flux=25"];
const conditions = [1e-5, -0.1, 25];
const SAMPLE = ["sample", "--model", "tiny", "--count", "5", "--steps", "20", "--out", "new.arrow"];
const TRAIN = ["train", "--data", "data.arrow", "--out", "new"];

function historyOf(model: string): Record<string, unknown> {
  const text = fs.readFileSync(path.join(at(model), "model.json"), "utf8");
  return (JSON.parse(text) as { history: Record<string, unknown> }).history;
}

before(async () => {
  const data = generateDataSet(problem, { conditions: 40, fields: 4, seed: 1 });
  writeDataSet(at("data.arrow"), data);
  const foreign = RecordBatchFileWriter.writeAll(tableFromArrays({ a: Float64Array.of(1, 2) }));
  fs.writeFileSync(at("foreign.arrow"), foreign.toUint8Array(true));
  fs.writeFileSync(at("cut.arrow"), fs.readFileSync(at("data.arrow")).subarray(0, 50_000));
  const model = createModel(data, tinyPreset(tinyToken));
  await saveModel(model, at("tiny"));
  // A folder whose weights are those of another network.
  fs.cpSync(at("tiny"), at("mixed"), { recursive: true });
  const other = createModel(data, tinyPreset(tinyFilm));
  await saveModel(other, at("film"));
  fs.copyFileSync(path.join(at("film"), "model.json"), path.join(at("mixed"), "model.json"));
  const reference = simulateAt(problem, conditions, 120, 3);
  writeDataSet(at("reference.arrow"), reference);
  writeDataSet(at("short.arrow"), sliceRows(reference, 0, 50));
  writeDataSet(at("same.arrow"), simulateAt(problem, conditions, 60, 4));
  writeDataSet(at("elsewhere.arrow"), simulateAt(problem, [1e-5, -0.1, 26], 60, 4));
  writeDataSet(at("figures.arrow"), simulateAt(porousElectrode("figures"), conditions, 2, 4));
  const unknown = reference.conditions.map((value, k) => (k % 3 === 0 ? NaN : value));
  writeDataSet(at("unknown.arrow"), { ...reference, conditions: unknown });
  writeDataSet(at("one.arrow"), selectRows(reference, [0]));
});

test("--help names every option, preset and sampler, and loads no TensorFlow", async () => {
  const [train, sample, compare, evaluate] = await Promise.all(
    ["train", "sample", "compare", "evaluate"].map((verb) => run(verb, "--help")),
  );
  for (const { status, stderr } of [train, sample, compare, evaluate])
    assert.deepEqual([status, stderr], [0, ""]);
  for (const name of Object.keys(presets)) assert.match(train.stdout, new RegExp(`\\b${name}\\b`));
  for (const name of ["--data", "--out", "--preset", "--minutes", "--epochs", "--seed"])
    assert.ok(train.stdout.includes(name));
  for (const { stdout } of [sample, evaluate]) {
    for (const { name } of samplers) assert.ok(stdout.replace(/\s+/g, " ").includes(name));
    for (const { name } of problem.conditions) assert.ok(stdout.includes(`--${name.replace("_", "-")}`));
  }
  for (const name of ["--set", "--conditions", "--n", "--sets", "--confirm", "--from", "--json"])
    assert.ok(evaluate.stdout.includes(name));
  assert.match(compare.stdout, /--json/);
});

test("train, sample and compare work together", async () => {
  const trained = await run(
    "train",
    "--data",
    "data.arrow",
    "--out",
    "m",
    "--preset",
    "lesson",
    "--epochs",
    "1",
    "--seed",
    "3",
  );
  assert.deepEqual([trained.status, trained.stderr], [0, ""]);
  assert.match(
    trained.stdout,
    /^data\.arrow: 160 rows, in memory; the fields are the solver's for each porosity\nm: preset lesson, 1 steps in \d+ s on 160 rows, loss [\d.]+, validation loss [\d.]+\n$/,
  );
  const history = historyOf("m");
  assert.deepEqual(
    [history.preset, history.steps, history.seed, history.rows, history.interrupted],
    ["lesson", 1, 3, 160, false],
  );
  assert.ok(Number(history.seconds) > 0 && Number(history.loss) > 0 && Number(history.validationLoss) > 0);

  const options = ["sample", "--model", "m", "--count", "60", "--steps", "20", "--seed", "7", ...CONDITIONS];
  const [arrow, csv] = await Promise.all([
    run(...options, "--out", "s.arrow"),
    run(...options, "--out", "s.csv"),
  ]);
  for (const result of [arrow, csv]) assert.deepEqual(result, { status: 0, stdout: "", stderr: "" });
  const set = await readDataSet(at("s.arrow"));
  assert.deepEqual([set.rows, set.seed, set.latent], [60, 7, undefined]);
  assert.deepEqual(
    groupByCondition(set).map((group) => Array.from(group.conditions)),
    [conditions],
  );
  const [header, ...rows] = fs.readFileSync(at("s.csv"), "utf8").trimEnd().split("\n");
  assert.match(header, /^c_0,c_1,.*,c_99,phi_0,.*,phi_99$/);
  const written = rows.flatMap((line) => line.split(",").map(Number));
  assert.equal(written.length, 60 * 200);
  // Two processes: float32 sums of several threads may round differently; c is about 2,000 mol/m3.
  written.forEach((value, i) =>
    assert.ok(Math.abs(value - set.fields[i]) <= 1e-4 * Math.abs(set.fields[i]) + 1e-9),
  );

  const text = await run("compare", "reference.arrow", "s.arrow");
  assert.deepEqual([text.status, text.stderr], [0, ""]);
  assert.match(text.stdout, /reference: first 60 of 120 rows/);
  assert.match(text.stdout, /floor: rows 61 to 120 of "reference.arrow"/);
  assert.match(text.stdout, /energy distance/);
});

test("a model is replaced only at the end of a training, and other folders never", async () => {
  fs.cpSync(at("tiny"), at("again"), { recursive: true });
  const args = [
    "train",
    "--data",
    "data.arrow",
    "--out",
    "again",
    "--preset",
    "lesson",
    "--minutes",
    "0.001",
  ];
  assert.equal((await run(...args)).status, 0);
  assert.equal(historyOf("again").preset, "lesson");
});

/** Starts a training that would take an hour, sends signals some milliseconds apart to it, and tells how it ended. */
function interruptTraining(out: string, wait: number, signals: number): Promise<Result> {
  const child = spawn(
    process.execPath,
    [script, "train", "--data", "data.arrow", "--out", out, "--preset", "lesson", "--minutes", "60"],
    {
      cwd: folder,
      ...deadline(600),
    },
  );
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => (texts.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (texts.stderr += text.toString()));
  return new Promise((resolve) => {
    child.on("close", (status) => resolve({ status: status ?? -1, ...texts }));
    for (let i = 0; i < signals; i++) setTimeout(() => child.kill("SIGINT"), wait + 10 * i);
  });
}

/** The same with a wait that is long enough, on this machine and its load, for a first step. */
async function interruptSteps(out: string, signals: number): Promise<Result> {
  for (let wait = 3000; ; wait *= 3) {
    const result = await interruptTraining(out, wait, signals);
    assert.equal(result.status, 130, result.stderr);
    assert.doesNotMatch(result.stdout, /preset/);
    if (fs.existsSync(at(out)) || signals > 1 || wait > 60_000) return result;
  }
}

test("Ctrl-C saves what is trained, and a second one leaves nothing that is half written", async () => {
  const [first] = await Promise.all([interruptSteps("once", 1), interruptSteps("twice", 2)]);
  assert.match(
    first.stderr,
    /^porous-sgm: The training was interrupted: the model of \d+ steps is in once\.\n$/,
  );
  assert.equal(historyOf("once").interrupted, true);
  assert.ok(Number(historyOf("once").steps) >= 1);
  // Whether the second came before or after the saving is not in the test's hand.
  if (fs.existsSync(at("twice"))) assert.equal(fs.readdirSync(at("twice")).length, 3);
  assert.deepEqual(
    fs.readdirSync(folder).filter((name) => /partial|\.old|tmp/.test(name)),
    [],
  );
});

test("a training that SIGTERM ended goes on with --resume, and says so when it is complete", async () => {
  const args = [...TRAIN.slice(0, 3), "--out", "resumed", "--preset", "lesson", "--checkpoint", "states"];
  const length = ["--steps", "30"];
  const child = spawn(process.execPath, [script, ...args, ...length], { cwd: folder, ...deadline(600) });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  // The states were looked at, under a lock, before the first line. The lock of the training itself is there once that
  // begins; the signal then comes in one of the first steps.
  const begun = () => stdout !== "" && fs.existsSync(path.join(at("states"), "lock"));
  while (!begun()) await new Promise((done) => setTimeout(done, 10));
  child.kill("SIGTERM");
  const [status] = (await once(child, "close")) as [number];
  assert.equal(status, 130, stderr);
  const states = () => fs.readdirSync(at("states")).filter((name) => name.startsWith("step"));
  const before = states();
  const goesOn = before.length > 0; // the signal may come before the first step
  if (goesOn) {
    const again = await run(...args, ...length);
    assert.match(again.stderr, /"states" holds the states of a training; resume it, or give another folder/);
    const other = await run(...args, "--steps", "31", "--resume");
    assert.match(other.stderr, /of a training with another length/);
    assert.deepEqual(states(), before);
  }
  const resumed = await run(...args, ...length, "--resume");
  assert.equal(resumed.status, 0, resumed.stderr);
  if (goesOn) assert.match(resumed.stderr, /The training goes on after step \d+\./);
  assert.equal(historyOf("resumed").steps, 30);
  const complete = await run(...args, ...length, "--resume");
  const told = "data.arrow: 160 rows, in memory; the fields are the solver's for each porosity\n";
  assert.deepEqual(
    [complete.status, complete.stdout],
    [0, `${told}resumed: the training in states was complete; its model is saved\n`],
  );
});

test("compare says where its floor comes from, and prints JSON", async () => {
  const [simulated, split, unknown] = await Promise.all([
    run("compare", "short.arrow", "same.arrow", "--json"),
    run("compare", "reference.arrow", "same.arrow", "--json"),
    run("compare", "short.arrow", "same.arrow"),
  ]);
  for (const { status, stderr } of [simulated, split, unknown]) assert.deepEqual([status, stderr], [0, ""]);
  const [a, b] = [simulated, split].map(
    ({ stdout }) => JSON.parse(stdout) as Comparison & { floorSource: string },
  );
  assert.match(a.floorSource, /^50 fields simulated with seed \d+$/);
  assert.match(b.floorSource, /^rows 61 to 120 of/);
  assert.match(unknown.stdout, new RegExp(`floor: ${a.floorSource}`));
  assert.deepEqual([a.rows, b.rows], [50, 60]);
  for (const { fields, energyDistance, floorRatio, modes, imbalance, pValue } of [a, b]) {
    assert.deepEqual(
      fields.map(({ name }) => name),
      ["c", "phi"],
    );
    assert.ok(energyDistance.sample > 0 && energyDistance.floor > 0);
    // Both are of the PDE: with 50 strongly correlated rows the ratio scatters by a factor of a few, but no more.
    for (const ratio of [floorRatio.sample, floorRatio.floor]) {
      assert.ok(ratio > 0.1 && ratio < 10, String(ratio));
    }
    assert.equal(modes.length, 5);
    assert.ok(pValue.sample > 0 && pValue.floor <= 1);
    // In the convention "text" the law holds to the round-off of c, 1e-13 of 1000 beside slopes of some 1e-2.
    assert.ok(imbalance && imbalance.sample < 1e-9 && imbalance.floor < 1e-9, JSON.stringify(imbalance));
  }
});

const EVALUATE = ["evaluate", "--model", "tiny", "--n", "50", "--sets", "2", "--steps", "20"];

test("evaluate compares in detail at one set of conditions and in lines at many", async () => {
  const read = <T>(name: string): T => JSON.parse(fs.readFileSync(at(name), "utf8")) as T;
  const [one, many, tuning] = await Promise.all([
    run(...EVALUATE, "--json", "one.json", ...CONDITIONS),
    run(...EVALUATE, "--json", "many.json", "--conditions", "2"),
    run(...EVALUATE, "--json", "tuning.json", "--conditions", "1", "--set", "tuning", "--seed", "2"),
  ]);
  for (const { status, stderr } of [one, many, tuning]) assert.deepEqual([status, stderr], [0, ""]);
  assert.match(one.stdout, /^porous-electrode, convention text; tiny; dpm-solver\+\+2m, 20 steps, seed 1\n/);
  assert.match(one.stdout, /^correlation length 0.00001 m, equilibrium potential -0.1 V, flux 25 A\/m2$/m);
  assert.match(one.stdout, /^imbalance of the fluxes/m);
  assert.match(one.stdout, /^2 sets of 50 rows +floor ratio +\+- +pooled +mean error +std ratio$/m);
  assert.match(one.stdout, /^100 fields: solver [\d.e-]+ s, model [\d.e-]+ s; training unknown\n/m);
  const full = read<FullEvaluation & { folder: string; rows: number; cost: Cost }>("one.json");
  assert.deepEqual([full.folder, full.rows, full.comparison.rows, full.model.sets], ["tiny", 50, 50, 2]);
  assert.deepEqual(Object.values(full.conditions), conditions);
  assert.deepEqual(Object.keys(full.controls), ["pde", "gaussian", "nearest"]);
  // An untrained model draws noise; two sets of the PDE of 50 rows scatter by about the floor.
  const { pde, gaussian, nearest } = full.controls;
  for (const { floorRatio } of [pde, gaussian, nearest]) {
    assert.ok(
      floorRatio > 0.1 && floorRatio < 5 && full.model.floorRatio > 2 * floorRatio,
      String(floorRatio),
    );
  }
  assert.equal(full.cost.fields, 100);

  type Saved = { set: string; evaluations: Evaluation[]; worst: Evaluation; reference: Evaluation };
  const { evaluations, worst, reference, set } = read<Saved>("many.json");
  assert.deepEqual([set, evaluations.length], ["test", 2]);
  assert.equal(worst.model.pooled, Math.max(...evaluations.map(({ model }) => model.pooled)));
  assert.deepEqual(
    evaluations.map((evaluation) => Object.values(evaluation.conditions)),
    heldOutConditions(problem, 2, "test").map((values) => Array.from(values)),
  );
  assert.deepEqual(Object.values(reference.conditions), problem.reference);
  const lines = many.stdout.split("\n");
  for (const label of ["1", "2", "median", "worst", "reference"]) {
    assert.equal(lines.filter((line) => line.startsWith(`${label} `)).length, 1, label);
  }
  assert.deepEqual(
    read<Saved>("tuning.json").evaluations.map((evaluation) => Object.values(evaluation.conditions)),
    heldOutConditions(problem, 1, "tuning").map((values) => Array.from(values)),
  );
});

test("evaluate confirms the worst, and goes on from an earlier evaluation of the same model", async () => {
  type Saved = Record<"evaluations" | "again", Evaluation[]> & Record<"worst" | "reference", Evaluation>;
  const read = (name: string): Saved => JSON.parse(fs.readFileSync(at(name), "utf8")) as Saved;
  const first = await run(...EVALUATE, "--json", "first.json", "--conditions", "2");
  assert.equal(first.status, 0, first.stderr);
  const other = { ...read("first.json"), history: { steps: 1 } };
  fs.writeFileSync(at("other-history.json"), JSON.stringify(other));
  const more = ["--conditions", "3", "--confirm", "3"];
  const [plain, whole, continued] = await Promise.all([
    run(...EVALUATE, "--sets", "3", "--json", "plain.json", "--conditions", "3"),
    run(...EVALUATE, ...more, "--json", "whole.json"),
    run(...EVALUATE, ...more, "--json", "continued.json", "--from", "first.json"),
  ]);
  assert.deepEqual([plain.status, plain.stderr], [0, ""]);
  assert.deepEqual([whole.status, whole.stderr], [0, ""]);
  assert.deepEqual([continued.status, continued.stderr, continued.stdout], [0, "", whole.stdout]);
  const [before, all, rest] = ["first.json", "whole.json", "continued.json"].map(read);
  const measured = ({ evaluations, again, worst, reference }: Saved) =>
    [...evaluations, ...again, worst, reference].map(({ model, conditions }) => ({ model, conditions }));
  assert.deepEqual(measured(rest), measured(all));
  // What was taken from the file has its times, too; no time is measured twice alike.
  assert.deepEqual(rest.evaluations.slice(0, 2), before.evaluations);
  assert.deepEqual(rest.reference, before.reference);
  assert.notEqual(all.evaluations[0].seconds.model, before.evaluations[0].seconds.model);

  assert.ok(all.again.length >= 1 && all.again.every(({ model }) => model.sets === 3));
  assert.deepEqual(
    all.worst,
    all.again.find(({ conditions }) => isDeepStrictEqual(conditions, all.worst.conditions)),
  );
  for (const label of ["again [123]", "worst"])
    assert.match(whole.stdout, new RegExp(`^${label} .* [\\d.]+$`, "m"));
  // Fresh sets, of the PDE as well as of the model.
  const [{ model, conditions: worstAt }] = all.again;
  const same = all.evaluations.find(({ conditions }) => isDeepStrictEqual(conditions, worstAt));
  assert.ok(same && same.model.floor !== model.floor);
  assert.ok(same.model.values.every((value) => !model.values.includes(value)));
  // As many sets with the seed itself would begin with those that were measured first.
  const begun = read("plain.json").evaluations.find((one) => isDeepStrictEqual(one.conditions, worstAt));
  assert.ok(begun && begun.model.floor !== model.floor);
  assert.ok(begun.model.values.every((value) => !model.values.includes(value)));

  refused(
    [
      [...EVALUATE, "--seed", "2", "--from", "first.json"],
      /has another seed than this evaluation \(1, not 2\); give/,
    ],
    [
      [...EVALUATE, "--from", "other-history.json"],
      /has another history than this evaluation; give the same model/,
    ],
  );

  // A second confirmation takes all from the file.
  const third = await run(...EVALUATE, ...more, "--json", "third.json", "--from", "continued.json");
  assert.deepEqual([third.status, third.stdout], [0, whole.stdout]);
  assert.deepEqual(read("third.json"), rest);
});

test("an evaluation that is killed has saved what it measured, and another goes on from there", async () => {
  type Saved = Record<"evaluations" | "again", Evaluation[]> & { reference: Evaluation };
  const read = (name: string): Saved => JSON.parse(fs.readFileSync(at(name), "utf8")) as Saved;
  const args = [...EVALUATE, "--conditions", "16", "--json"];
  /** Kills an evaluation as soon as what it has saved is enough; returns that. */
  const killedAt = async (enough: (saved: Saved) => boolean, ...more: string[]): Promise<Saved> => {
    const child = spawn(process.execPath, [script, ...args, "own.json", ...more], {
      cwd: folder,
      ...deadline(600),
    });
    const ended = once(child, "exit");
    while (!fs.existsSync(at("own.json.part")) || !enough(read("own.json.part"))) await sleep(5);
    child.kill("SIGKILL");
    assert.equal((await ended)[1], "SIGKILL", "it ended before it was killed");
    return read("own.json.part");
  };
  const measurements = ({ evaluations, again = [] }: Saved) => [...evaluations, ...again];
  /** Times included; no time is measured twice alike. */
  const assertKept = (before: Saved, now: Saved) => {
    for (const one of measurements(before))
      assert.ok(measurements(now).some((other) => isDeepStrictEqual(one, other)));
  };
  const go = ["--confirm", "3"];
  const onwards = ["--from", "own.json.part"];
  const whole = await run(...args, "whole.json", ...go);
  assert.deepEqual([whole.status, whole.stderr], [0, ""]);
  assert.ok(!fs.existsSync(at("whole.json.part")));

  let before = await killedAt(() => true, ...go);
  for (const count of [3, 5]) {
    const now = await killedAt(({ evaluations }) => evaluations.length >= count, ...go, ...onwards);
    assertKept(before, now);
    before = now;
  }
  // Whoever waits for the file itself, as a job of a cluster does, never sees a part of it.
  assert.ok(!fs.existsSync(at("own.json")));
  const rest = await run(...args, "own.json", ...go, ...onwards);
  assert.deepEqual([rest.status, rest.stdout], [0, whole.stdout]);
  assert.ok(!fs.existsSync(at("own.json.part")));
  assertKept(before, read("own.json"));
  const numbers = (saved: Saved) =>
    [...measurements(saved), saved.reference].map(({ model, conditions }) => ({ model, conditions }));
  assert.deepEqual(numbers(read("own.json")), numbers(read("whole.json")));
  // Measuring with more fresh sets keeps those of fewer until then.
  before = read("own.json");
  assertKept(before, await killedAt(() => true, "--confirm", "30", "--from", "own.json"));
  assert.deepEqual(read("own.json"), before);
});

test("bad input to evaluate is refused before anything is written", () => {
  fs.writeFileSync(
    at("other.json"),
    JSON.stringify({ evaluations: [], reference: { conditions: {}, model: {} } }),
  );
  fs.writeFileSync(at("no.json"), JSON.stringify({ evaluations: 1 }));
  const evaluate = (...more: string[]): string[] => [...EVALUATE, "--json", "new.json", ...more];
  refused(
    [evaluate("--set", "training"), /set of conditions is "training"; give one of test, tuning/],
    [evaluate("--conditions", "0"), /number of conditions is "0"; give a whole number from 1/],
    [evaluate("--n", "1"), /number of fields is "1"; give a whole number from 2/],
    [evaluate("--sets", "0.5"), /number of sets is "0.5"/],
    [evaluate("--sampler", "euler"), /sampler is "euler"; give one of euler-maruyama/],
    [evaluate("--flux", "25"), /needs --correlation-length, --equilibrium-potential; give each as an option/],
    [evaluate(...CONDITIONS, "--set", "test"), /Conditions are given, and --set as well; give one or the/],
    [evaluate(...CONDITIONS, "--conditions", "5"), /Conditions are given, and --conditions as well/],
    [evaluate(...CONDITIONS, "--confirm", "5"), /Conditions are given, and --confirm as well/],
    [evaluate("--confirm", "0"), /number of fresh sets is "0"; give a whole number from 1/],
    [evaluate("--from", "absent.json"), /Cannot read "absent.json": there is no such file/],
    [evaluate("--from", "no.json"), /"no.json" holds no evaluations; give a file that evaluate --set wrote/],
    [evaluate("--from", "data.arrow"), /"data.arrow" holds no evaluations; give/],
    [
      evaluate("--from", "other.json"),
      /has another problem than this evaluation \(undefined, not "porous-elec/,
    ],
    [evaluate("more"), /option "more" is unknown; this model takes --correlation-length, /],
    [
      ["evaluate", "--model", "absent"],
      /There is no model "absent"; give one of figures, text, blog, which come/,
    ],
    [[...EVALUATE, "--json", "absent/new.json"], /Cannot write "absent\/new.json": there is no such file or/],
    [[...EVALUATE, "--json", "tiny"], /Cannot write "tiny": it is not a regular file/],
  );
});

test("bad input to train is refused before anything is written", () => {
  const train = (...more: string[]): string[] => [...TRAIN, ...more];
  refused(
    [train("--preset", "lessons"), /preset is "lessons"; give one of blog, lesson, fast/],
    [
      train("--minutes", "1", "--epochs", "1"),
      /length is given twice; give one of --minutes, --epochs and --steps/,
    ],
    [train("--resume"), /--resume without --checkpoint; give the folder/],
    [train("--on-divergence", "hope"), /Allowed choices are stop, step-back/],
    [train("--minutes", "-1"), /length is "-1"; give a number from 0.001/],
    [train("--epochs", "0"), /number of epochs is "0"/],
    [train("--seed", "-1"), /seed is "-1"; give a whole number from 0/],
    [["train", "--data", "unknown.arrow", "--out", "new"], /rows of the data are of unknown conditions/],
    [train("--bogus"), /unknown option '--bogus'; see --help/],
    [["train", "--out", "new"], /required option '--data <file.arrow>' not specified/],
    [["train", "--data", "cut.arrow", "--out", "new"], /Cannot read "cut.arrow": it is truncated/],
    [
      ["train", "--data", "foreign.arrow", "--out", "new"],
      /Cannot read "foreign.arrow": its schema names no problem/,
    ],
    [["train", "--data", "absent.arrow", "--out", "new"], /absent.arrow": there is no such file/],
    [
      ["train", "--data", "one.arrow", "--out", "new", "--preset", "lesson"],
      /There are 1 rows of data; training needs more/,
    ],
    [["train", "--data", "data.arrow", "--out", "data.arrow"], /data.arrow" exists and is not just a model/],
    [["train", "--data", "data.arrow", "--out", "data.arrow/new"], /a part of its path is not a folder/],
    [
      ["train", "--data", "data.arrow", "--out", folder],
      /exists and is not just a model; give the name of a new folder/,
    ],
  );
});

test("bad input to sample is refused before anything is written", () => {
  const sample = (...more: string[]): string[] => [...SAMPLE, ...CONDITIONS, ...more];
  const [l, u, f] = [CONDITIONS.slice(0, 2), CONDITIONS.slice(2, 4), CONDITIONS.slice(4)];
  refused(
    [
      sample("--sampler", "euler"),
      /sampler is "euler"; give one of euler-maruyama, stochastic-heun, pf-ode-heun, dpm/,
    ],
    [sample("--count", "-5"), /number of fields is "-5"; give a whole number from 1/],
    [sample("--steps", "0"), /number of steps is "0"/],
    [sample("--seed", "x"), /seed is "x"/],
    [
      [...SAMPLE, "--correlation-length", "0", ...u, ...f],
      /correlation length is 0; give a number from 0.000002 to/,
    ],
    [[...SAMPLE, ...l, ...u, "--flux", "NaN"], /option --flux is "NaN"; give a number from 0 to 50/],
    [[...SAMPLE, ...l, ...u, "--flux", "51"], /flux is 51; give a number from 0 to 50 A\/m2/],
    [[...SAMPLE, ...l, ...f], /needs --equilibrium-potential/],
    [[...SAMPLE, ...l, ...u, "--flux"], /option --flux has no value/],
    [sample("--temperature", "3"), /"--temperature" is unknown; this model takes --correlation-length, /],
    [
      ["sample", "--model", "tiny", "--count", "5", ...CONDITIONS],
      /required option '--out <file>' not specified/,
    ],
    [
      ["sample", "--model", "absent", ...SAMPLE.slice(3), ...CONDITIONS],
      /There is no model "absent"; give one of figures, text, blog, which come with the project, or the folder of .* \.\/model/,
    ],
    [
      ["sample", "--model", "mixed", ...SAMPLE.slice(3), ...CONDITIONS],
      /weights have other shapes than its settings/,
    ],
    [sample("--out", "new.txt"), /extension of the output is ".txt"; give one of .arrow, .csv/],
    [
      sample("--out", "absent/new.arrow"),
      /Cannot write "absent\/new.arrow": there is no such file or folder/,
    ],
  );
});

test("bad input to compare is refused", () => {
  refused(
    [["compare", "reference.arrow"], /missing required argument 'B.arrow'; see --help/],
    [["compare", "reference.arrow", "cut.arrow"], /Cannot read "cut.arrow": it is truncated/],
    [["compare", "foreign.arrow", "same.arrow"], /its schema names no problem/],
    [["compare", "data.arrow", "same.arrow"], /Row 5 of "data.arrow" has other conditions than row 1/],
    [
      ["compare", "reference.arrow", "elsewhere.arrow"],
      /flux 25 A\/m2, "elsewhere.arrow" at .* flux 26 A\/m2; give two/,
    ],
    [
      ["compare", "reference.arrow", "figures.arrow"],
      /convention text and "figures.arrow" .* convention figures; give/,
    ],
    [["compare", "reference.arrow", "one.arrow"], /"one.arrow" has 1 rows; give at least 2/],
    [["compare", "reference.arrow", "same.arrow", "third.arrow"], /too many arguments/],
  );
});

test(
  "a full disk is told in one sentence and leaves nothing",
  { skip: !fs.existsSync("/dev/full") },
  async () => {
    // A limit on the size of files stands in for the full disk: 40 blocks of 512 or 1024 bytes.
    const command = `ulimit -f 40; trap '' XFSZ; exec "$0" "$@"`;
    const args = ["-c", command, process.execPath, script, ...SAMPLE, "--count", "100", ...CONDITIONS];
    const files = fs.readdirSync(folder).sort();
    const result = await new Promise<Result>((resolve) => {
      execFile("bash", args, { cwd: folder, ...deadline(600) }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      );
    });
    assert.match(
      result.stderr,
      /^porous-sgm: Cannot write "new.arrow": .*larger than this system allows[^\n]*\.\n$/,
    );
    assert.equal(result.status, 2);
    assert.deepEqual(fs.readdirSync(folder).sort(), files);
  },
);
