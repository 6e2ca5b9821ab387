/** The scripts of scripts/slurm on a real cluster, whose jobs are killed and whose nodes are lost: npm run test:slurm. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Cluster, type NodeName } from "./cluster";
import { findProcess, Jobs, parentOf } from "./jobs";

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
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8", env });
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
