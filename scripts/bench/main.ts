/** The benchmark: times of training and denoising, by turns with those of PyTorch and JAX on equal networks and batches. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import { native } from "../../lib/backend/native/binding";
import { describeBackend, tf } from "../../lib/backend/tensors";
import { finiteInRange, InputError, oneOf, positiveInteger } from "../../lib/backend/errors";
import { median } from "../../lib/evaluation/statistics";
import { type PresetName, presets } from "../../lib/presets/presets";
import { abandonAll, AtomicFile } from "../../lib/storage/files";
import { otherLoad } from "./otherLoad";
import { INSTALL, Peer, programs } from "./peer";
import { otherLoadNote, ratios, type Result, resultTable } from "./report";
import { type Check, Workload } from "./workload";

/** All sides compute in single precision, in another order, and divide by noise levels down to 0.002. */
const SAME = 2e-3;
/** A side that uses more of a core than this while another one runs would slow it down. */
const MOST_IDLE = 0.1;
/** Between two turns threads that wait for more work go to sleep. */
const PAUSE_MS = 200;

interface Settings {
  readonly preset?: readonly PresetName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly markdown: boolean;
  readonly json?: string;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Runs some work for so long, at least once; returns the milliseconds of each. */
async function repeat(work: () => Promise<void> | void, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const start = performance.now();
  while (times.length === 0 || performance.now() - start < 1000 * seconds) {
    const before = performance.now();
    await work();
    times.push(performance.now() - before);
  }
  return times;
}

/** Throws if the two sides do not compute the same: times of different work cannot be compared. */
function checkSame(preset: string, peer: string, ours: Check, theirs: Check): void {
  // Not Math.max(...): there are more values than a call takes arguments.
  const most = (value: (own: number, i: number) => number): number =>
    Array.from(ours.denoised, value).reduce((largest, next) => Math.max(largest, Math.abs(next)), 0);
  const denoised = most((own, i) => own - theirs.denoised[i]) / most((own) => own);
  const losses = Math.max(...ours.losses.map((loss, i) => Math.abs(theirs.losses[i] / loss - 1)));
  if (!(denoised < SAME && losses < SAME)) {
    throw new InputError(
      `${peer}'s network of ${preset} differs: by ${denoised.toExponential(1)} in denoised fields and ${losses.toExponential(1)} in losses of the first steps; bring scripts/bench/*.py in line with lib/.`,
    );
  }
  say(
    `${preset}: ${peer} is equal to ${denoised.toExponential(0)} in denoised fields and to ${losses.toExponential(0)} in the losses of the first ${ours.losses.length} steps`,
  );
}

/** Times of one piece of work on all sides, by turns. */
async function compare(
  workload: Workload,
  what: Result["what"],
  peers: readonly Peer[],
  { rounds, seconds }: Settings,
): Promise<Result> {
  const tfjs: number[] = [];
  const theirs = new Map(peers.map((peer) => [peer.program.name, [] as number[]]));
  const work = what === "step" ? () => workload.step() : () => workload.forward();
  // The first runs allocate memory and choose kernels.
  for (let i = 0; i < 2; i++) await work();
  for (const peer of peers) await peer.repeat(what, Math.min(seconds, 0.5));
  const load: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await pause();
    const finished = otherLoad(() => peers.reduce((sum, { cpu }) => sum + cpu, 0));
    tfjs.push(median(await repeat(work, seconds)));
    for (const peer of peers) {
      await pause();
      theirs.get(peer.program.name)!.push(median(await peer.repeat(what, seconds)));
    }
    load.push(finished());
  }
  const { preset, batch, forwardRows, parameters } = workload;
  const rows = what === "step" ? batch : forwardRows;
  return { preset, what, rows, parameters, tfjs, peers: Object.fromEntries(theirs), otherLoad: load };
}

/** What the figures depend on, for people. */
function describeMachine(threads: number, peers: readonly Peer[]): string {
  const cpus = os.cpus();
  const { version } = require("@tensorflow/tfjs-node-gpu/package.json") as { version: string };
  return [
    `tfjs-node ${version} on ${describeBackend()}, Node ${process.versions.node}`,
    ...peers.map(({ program, version }) => `${program.name} ${version}, ${program.how}`),
    `${threads} ${threads === 1 ? "thread" : "threads"}${peers.length > 0 ? " each" : ""}`,
    `${cpus.length} x ${cpus[0]?.model.trim()}`,
  ].join("; ");
}

async function bench(settings: Settings): Promise<void> {
  if (native().isUsingGpuDevice) {
    throw new InputError(
      "TensorFlow would use the GPU here; the benchmark compares processors: run it with CUDA_VISIBLE_DEVICES=-1.",
    );
  }
  const threads = positiveInteger("TF_NUM_INTRAOP_THREADS", process.env.TF_NUM_INTRAOP_THREADS);
  const json = settings.json === undefined ? undefined : new AtomicFile(settings.json);
  const installed = programs.flatMap((program) => Peer.start(program, threads) ?? []);
  const stop = (): void => installed.forEach((peer) => peer.stop());
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-bench-"));
  // However the process ends.
  process.once("exit", () => {
    abandonAll();
    stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  // A training that is under way takes an interrupt for its own.
  process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));
  const machine = describeMachine(threads, installed);
  const results: Result[] = [];
  try {
    say(machine);
    for (const name of settings.preset ?? (["blog", "fast"] as const)) {
      const workload = new Workload(name);
      const own = installed.length > 0 ? workload.write(folder) : undefined;
      for (const peer of installed) checkSame(name, peer.program.name, own!, await peer.load(folder));
      for (const what of ["step", "forward"] as const)
        results.push(await compare(workload, what, installed, settings));
      await workload.dispose();
    }
    say("");
    print(machine, results, installed, settings.markdown);
    for (const { program, idleShare } of installed.filter((peer) => peer.idleShare > MOST_IDLE)) {
      const share = `${(100 * idleShare).toFixed(0)} %`;
      say(
        `${program.name} used up to ${share} of a core while others ran: their times are not to be trusted.`,
      );
    }
    const note = otherLoadNote(results);
    if (note !== undefined) console.log(`\n${note}`);
    if (json) {
      const measured = {
        date: new Date().toISOString(),
        machine,
        threads,
        node: process.versions.node,
        tensorflow: describeBackend(),
        tfjs: tf.version_core,
        peers: installed.map(({ program, version, idleShare }) => ({ ...program, version, idleShare })),
        results: results.map((result) => ({ ...result, ratios: ratios(result) })),
      };
      json.write(Buffer.from(`${JSON.stringify(measured, undefined, 2)}\n`));
      json.commit();
    }
  } finally {
    stop();
  }
}

function print(
  machine: string,
  results: readonly Result[],
  installed: readonly Peer[],
  markdown: boolean,
): void {
  if (markdown) console.log(`${machine}.\n`);
  console.log(resultTable(results, markdown));
  const missing = programs.filter((program) => !installed.some((peer) => peer.program === program));
  for (const { name } of missing) say(`${name} is not installed. To compare with it: ${INSTALL}`);
}

const known = Object.keys(presets) as PresetName[];
new Command("npm run bench --")
  .description("times of a training step and of denoising, by turns with those of PyTorch and JAX")
  .option(
    "--preset <name>",
    `one of ${known.join(", ")}; may be repeated (default: blog and fast)`,
    (name, before: PresetName[] = []) => [...before, oneOf("The preset", name, known)],
  )
  .option(
    "--rounds <n>",
    "turns of each side; the medians over them count",
    (text) => positiveInteger("The number of rounds", text, 1000),
    7,
  )
  .option(
    "--seconds <s>",
    "length of a turn",
    (text) => finiteInRange("The length of a turn", text, 0.01, 600, "seconds"),
    1.5,
  )
  .option("--markdown", "tables for a document", false)
  .option("--json <file>", "write what was measured")
  .addHelpText(
    "after",
    "\nPyTorch and JAX are those of .venv, or of the Python that PYTHON_BENCH names; what is not installed is left out.",
  )
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .action(bench)
  .parseAsync()
  .catch((error: unknown) => {
    const bad = error instanceof InputError;
    console.error(bad ? `bench: ${error.message}` : error);
    process.exit(bad ? 2 : 1);
  });
