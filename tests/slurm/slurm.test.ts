/** The scripts of scripts/slurm on a real cluster, whose jobs are killed and whose nodes are lost: npm run test:slurm. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { deadline } from "../processes";
import { Cluster, type NodeName } from "./cluster";
import { findProcess, Jobs, parentOf } from "./jobs";
import { idleSeconds, throughput } from "./measure";

const root = path.join(__dirname, "..", "..");
const folder = process.argv[2];
const cluster = new Cluster(folder);
const jobs = new Jobs(cluster);
const at = (...names: string[]) => path.join(folder, ...names);
/** With a blank and a sign that Slurm replaces in names of logs. */
const results = at("all results", "100%");

/** The command line, in this process's own machine. */
function porousSgm(...args: string[]): void {
  const env = { ...process.env, TF_NUM_INTRAOP_THREADS: "1" };
  const words = [path.join(root, "scripts", "porous-sgm.js"), ...args];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8", env, ...deadline(600) });
  assert.equal(status, 0, stderr);
}

/** Runs a submit script and returns its first and its last job. */
function submit(script: string, ...args: string[]): [number, number] {
  const { status, stdout, stderr } = cluster.run(path.join(root, "scripts", "slurm", script), ...args);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const [, first, last] = /^Job (\d+) .* job (\d+) /.exec(stdout) ?? assert.fail(stdout);
  return [Number(first), Number(last)];
}

const otherNode = (node: NodeName): NodeName => (node === "node1" ? "node2" : "node1");

before(async () => {
  await cluster.start();
  fs.mkdirSync(results, { recursive: true });
});
after(() => cluster.stop());

const SIZE = ["--conditions", "400", "--fields", "100", "--seed", "22", "--convention", "text"];
const whole = at("whole.arrow");

/** Waits until a task has written some, but not all, of a part; returns the number of its process. */
async function halfWay(out: string, part: number): Promise<number> {
  let pid: number | undefined;
  await cluster.until(`part ${part} is half-way`, () => {
    pid = findProcess("porous-sgm.js", `${part}/4`);
    const started = fs.readdirSync(out).find((name) => name.startsWith(`.part-0000${part}.arrow.`));
    return pid !== undefined && started !== undefined && fs.statSync(path.join(out, started)).size > 1e6;
  });
  return pid!;
}

test("a data set in parts, one killed, one requeued and one lost with its machine, is that of one process", async () => {
  porousSgm("generate", ...SIZE, "--workers", "1", "--out", whole);
  const out = path.join(results, "data");
  const [parts, merge] = submit("submit-data.sh", ...SIZE, "--shards", "4", "--out", out);

  process.kill(await halfWay(out, 1), "SIGKILL");
  await cluster.until("part 1 starts again", () => jobs.restarts(parts, 1) === 1);

  await halfWay(out, 3);
  assert.equal(cluster.run("scontrol", "requeue", `${parts}_3`).status, 0);
  await cluster.until("part 3 starts again", () => jobs.restarts(parts, 3) === 1);

  await halfWay(out, 4);
  const lost = jobs.node(parts, 4);
  await cluster.loseNode(lost);
  await cluster.until("the node counts as lost", () => /down/.test(cluster.state(lost)), 60);
  await jobs.ended(merge);
  assert.equal(jobs.state(merge), "COMPLETED");
  assert.equal(jobs.restarts(parts, 4), 1);
  assert.equal(jobs.node(parts, 4), otherNode(lost));
  await cluster.startNode(lost);

  assert.ok(fs.readFileSync(path.join(out, "data.arrow")).equals(fs.readFileSync(whole)));
  assert.deepEqual(fs.readdirSync(out).sort(), ["data.arrow", "logs", "settings.txt"]);
});

test("a job that is killed whole drops the merge, and a second submission goes on from the finished parts", async () => {
  const out = path.join(results, "again");
  const args = [...SIZE, "--shards", "4", "--out", out];
  const [parts, merge] = submit("submit-data.sh", ...args);
  // The script is the parent of the process.
  process.kill(parentOf(await halfWay(out, 2)), "SIGKILL");
  await jobs.ended(parts);
  await jobs.ended(merge);
  assert.equal(jobs.state(parts, 2), "FAILED");
  assert.equal(jobs.state(merge), "CANCELLED");
  const made = (part: number) => fs.statSync(path.join(out, `part-0000${part}.arrow`)).ino;
  const finished = [1, 3, 4].map(made);

  const [, second] = submit("submit-data.sh", ...args, "--at-once", "1");
  await cluster.until("part 2 is made", () => fs.existsSync(path.join(out, "part-00002.arrow")), 60);
  assert.deepEqual([1, 3, 4].map(made), finished);
  await jobs.ended(second);
  assert.ok(fs.readFileSync(path.join(out, "data.arrow")).equals(fs.readFileSync(whole)));

  const { stdout } = cluster.run(path.join(root, "scripts/slurm/submit-data.sh"), ...args);
  assert.match(stdout, /data.arrow is complete; nothing was submitted/);
});

const MODEL_DATA = at("fields for a model.arrow");
const EVALUATION = ["--conditions", "1", "--n", "20", "--sets", "1"];

/** Waits until a training has taken its first steps. */
async function started(own: string): Promise<void> {
  const best = path.join(own, "states", "best.safetensors");
  await cluster.until("the training has begun", () => fs.existsSync(best), 120);
}

test("a training that meets its time limit and then loses its machine ends with the weights of one undisturbed", async () => {
  porousSgm("generate", "--conditions", "100", "--fields", "20", "--seed", "3", "--out", MODEL_DATA);
  const undisturbed = at("undisturbed");
  const length = ["--preset", "lesson", "--steps", "30"];
  porousSgm("train", "--data", MODEL_DATA, ...length, "--seed", "7", "--out", undisturbed);

  const out = path.join(results, "seeds");
  const args = ["--data", MODEL_DATA, "--seeds", "7-8", ...length, ...EVALUATION, "--out", out];
  const [trainings, compare] = submit("submit-training.sh", ...args);
  const [own, log] = [path.join(out, "run-1"), path.join(out, "logs", "train-1.txt")];

  await started(own);
  // What Slurm sends to the script a minute before the time limit.
  assert.equal(cluster.run("scancel", "--batch", "--signal=TERM", `${trainings}_1`).status, 0);
  await cluster.until("the training starts again", () => jobs.restarts(trainings, 1) === 1);
  assert.ok(fs.readdirSync(path.join(own, "states")).some((name) => name.startsWith("step-")));

  const goesOn = /The training goes on after step/;
  await cluster.until("the training goes on", () => goesOn.test(fs.readFileSync(log, "utf8")), 120);
  const lost = jobs.node(trainings, 1);
  await cluster.loseNode(lost);
  assert.match(fs.readFileSync(path.join(own, "states", "lock"), "utf8"), new RegExp(lost));
  await jobs.ended(compare);
  assert.equal(jobs.state(compare), "COMPLETED");
  assert.equal(jobs.node(trainings, 1), otherNode(lost));
  await cluster.startNode(lost);

  const weights = (model: string) => fs.readFileSync(path.join(model, "network.bin"));
  assert.ok(weights(path.join(own, "model")).equals(weights(undisturbed)));
  const [head, ...lines] = fs.readFileSync(path.join(out, "comparison.csv"), "utf8").trimEnd().split("\n");
  assert.match(head, /^training,seed,preset,steps,median,/);
  assert.deepEqual(lines.map((line) => line.split(",")[1]).sort(), ["7", "8"]);
});

test("a cancelled training stays cancelled; submitted again with a line more, the sweep does what is left", async () => {
  const [table, out] = [at("settings.csv"), path.join(results, "sweep")];
  const args = ["--data", MODEL_DATA, "--settings", table, "--out", out, ...EVALUATION];
  fs.writeFileSync(table, "preset,steps,seed\nlesson,2,1\nlesson,30,2\n");
  const [trainings, compare] = submit("submit-sweep.sh", ...args);
  await started(path.join(out, "run-2"));
  assert.equal(cluster.run("scancel", `${trainings}_2`).status, 0);
  await jobs.ended(trainings);
  await jobs.ended(compare);
  assert.equal(jobs.state(trainings, 2), "CANCELLED");
  assert.equal(jobs.restarts(trainings, 2), 0);
  assert.equal(jobs.state(compare), "CANCELLED");
  assert.ok(!fs.existsSync(path.join(out, "comparison.csv")));
  const finished = fs.statSync(path.join(out, "run-1", "evaluation.json")).ino;

  fs.appendFileSync(table, "lesson,3,3\n");
  const [, last] = submit("submit-sweep.sh", ...args);
  await jobs.ended(last);
  assert.equal(jobs.state(last), "COMPLETED");
  assert.equal(fs.statSync(path.join(out, "run-1", "evaluation.json")).ino, finished);
  const lines = fs.readFileSync(path.join(out, "comparison.csv"), "utf8").trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => line.split(",")[0]).sort(), ["run-1", "run-2", "run-3", "training"]);
});

test("what two workers achieve, and what the scheduler takes", async () => {
  const [one, two] = await throughput(cluster, jobs, root, at("throughput"));
  const idle = await idleSeconds(cluster, jobs);
  assert.ok(one > 0 && two > 0 && idle > 0);
  const rates = `${Math.round(one)} fields/s with 1 worker, ${Math.round(two)} with 2`;
  console.log(
    `${rates}: ${(two / one).toFixed(2)} times; ${idle.toFixed(1)} s idle between two tasks of a node`,
  );
});
