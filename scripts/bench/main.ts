/** The benchmark: times of training and denoising, by turns with PyTorch's on equal networks and batches. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { native } from "../../lib/backend/native/binding";
import { describeBackend, tf } from "../../lib/backend/tensors";
import { finiteInRange, InputError, oneOf, positiveInteger } from "../../lib/errors";
import { median } from "../../lib/evaluation/statistics";
import { type PresetName, presets } from "../../lib/presets/presets";
import { abandonAll, AtomicFile } from "../../lib/storage/files";
import { otherLoad } from "./otherLoad";
import { profiled } from "./profile";
import { otherLoadNote, profileTable, ratios, type Result, resultTable } from "./report";
import { INSTALL, type ProfileRow, TorchSide } from "./torchSide";
import { type Check, Workload } from "./workload";

const USAGE = `npm run bench -- [options]

  --preset NAME     one of ${Object.keys(presets).join(", ")}; may be repeated (default: blog and fast)
  --rounds N        turns of each side; the medians over them count (default: 7)
  --seconds S       length of a turn (default: 1.5)
  --profile         instead of comparing times, tell where those of a training step go
  --markdown        tables for a document
  --json FILE       write what was measured

PyTorch is that of .venv, or of the Python that PYTHON_BENCH names; without it tfjs is timed alone.`;

/** Both sides compute in single precision, in another order, and divide by noise levels down to 0.002. */
const SAME = 2e-3;
/** A side that uses more of a core than this while the other one runs would slow it down. */
const MOST_IDLE = 0.1;
/** Between two turns threads that wait for more work go to sleep. */
const PAUSE_MS = 200;

interface Settings {
  readonly names: readonly PresetName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly profile: boolean;
  readonly markdown: boolean;
  readonly json?: string;
}

function settingsOf(args: string[]): Settings | undefined {
  const options = {
    preset: { type: "string", multiple: true },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "1.5" },
    profile: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  } as const;
  let values;
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    throw new InputError(`${(error as Error).message.split(/\. |\n/)[0]}; see --help.`);
  }
  if (values.help) return undefined;
  const known = Object.keys(presets) as PresetName[];
  return {
    names: (values.preset ?? ["blog", "fast"]).map((name) => oneOf("The preset", name, known)),
    rounds: positiveInteger("The number of rounds", values.rounds, 1000),
    seconds: finiteInRange("The length of a turn", values.seconds, 0.01, 600, "seconds"),
    profile: values.profile ?? false,
    markdown: values.markdown ?? false,
    json: values.json,
  };
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
function checkSame(preset: string, ours: Check, theirs: Check): void {
  // Not Math.max(...): there are more values than a call takes arguments.
  const most = (value: (own: number, i: number) => number): number =>
    Array.from(ours.denoised, value).reduce((largest, next) => Math.max(largest, Math.abs(next)), 0);
  const denoised = most((own, i) => own - theirs.denoised[i]) / most((own) => own);
  const losses = Math.max(...ours.losses.map((loss, i) => Math.abs(theirs.losses[i] / loss - 1)));
  if (!(denoised < SAME && losses < SAME)) {
    throw new InputError(
      `The networks of ${preset} differ: by ${denoised.toExponential(1)} in denoised fields and ${losses.toExponential(1)} in losses of the first steps; bring scripts/bench/*.py in line with lib/.`,
    );
  }
  say(
    `${preset}: equal to ${denoised.toExponential(0)} in denoised fields and to ${losses.toExponential(0)} in the losses of the first ${ours.losses.length} steps`,
  );
}

/** Times of one piece of work on both sides, by turns. */
async function compare(
  workload: Workload,
  what: Result["what"],
  torch: TorchSide | undefined,
  { rounds, seconds }: Settings,
): Promise<Result> {
  const [tfjs, theirs]: number[][] = [[], []];
  const work = what === "step" ? () => workload.step() : () => workload.forward();
  // The first runs allocate memory and choose kernels.
  for (let i = 0; i < 2; i++) await work();
  await torch?.repeat(what, Math.min(seconds, 0.5));
  const load: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await pause();
    const finished = otherLoad(() => torch?.cpu ?? 0);
    tfjs.push(median(await repeat(work, seconds)));
    await pause();
    if (torch) theirs.push(median(await torch.repeat(what, seconds)));
    load.push(finished());
  }
  const { preset, batch, forwardRows, parameters } = workload;
  const rows = what === "step" ? batch : forwardRows;
  return { preset, what, rows, parameters, tfjs, ...(torch && { torch: theirs }), otherLoad: load };
}

/** Where the time of a step goes on each side. */
interface Profile {
  readonly preset: string;
  readonly side: string;
  readonly rows: readonly ProfileRow[];
  readonly milliseconds: number;
}

async function profileStep(
  workload: Workload,
  torch: TorchSide | undefined,
  { seconds }: Settings,
): Promise<Profile[]> {
  const { preset } = workload;
  await workload.step();
  const typical = median(await repeat(() => workload.step(), seconds / 2));
  const steps = Math.max(2, Math.round((1000 * seconds) / typical));
  const side = `tfjs, operation by operation (as a graph: ${typical.toFixed(1)} ms)`;
  const profiles = [{ preset, side, ...(await profiled(() => workload.step(), steps)) }];
  if (torch) {
    await pause();
    profiles.push({ preset, side: "PyTorch", ...(await torch.profile(steps)) });
  }
  return profiles;
}

/** What the figures depend on, for people. */
function describeMachine(threads: number, torch: TorchSide | undefined): string {
  const cpus = os.cpus();
  const { version } = require("@tensorflow/tfjs-node-gpu/package.json") as { version: string };
  return [
    `tfjs-node ${version} on ${describeBackend()}, Node ${process.versions.node}`,
    ...(torch ? [`PyTorch ${torch.version}, eager`] : []),
    `${threads} ${threads === 1 ? "thread" : "threads"}${torch ? " each" : ""}`,
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
  const torch = TorchSide.start(threads);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-bench-"));
  // However the process ends.
  process.once("exit", () => {
    abandonAll();
    torch?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  // A training that is under way takes an interrupt for its own.
  process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));
  const machine = describeMachine(threads, torch);
  const results: Result[] = [];
  const profiles: Profile[] = [];
  try {
    say(machine);
    for (const name of settings.names) {
      const workload = new Workload(name);
      if (torch) checkSame(name, workload.write(folder), await torch.load(folder));
      if (settings.profile) profiles.push(...(await profileStep(workload, torch, settings)));
      else
        for (const what of ["step", "forward"] as const)
          results.push(await compare(workload, what, torch, settings));
      await workload.dispose();
    }
    say("");
    print(machine, results, profiles, torch, settings.markdown);
    if (torch && torch.idleShare > MOST_IDLE) {
      const share = `${(100 * torch.idleShare).toFixed(0)} %`;
      say(`PyTorch used up to ${share} of a core while tfjs ran: its times are not to be trusted.`);
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
        torch: torch?.version,
        idleShare: torch?.idleShare,
        results: results.map((result) => ({ ...result, ratios: ratios(result) })),
        profiles,
      };
      json.write(Buffer.from(`${JSON.stringify(measured, undefined, 2)}\n`));
      json.commit();
    }
  } finally {
    torch?.stop();
  }
}

function print(
  machine: string,
  results: readonly Result[],
  profiles: readonly Profile[],
  torch: TorchSide | undefined,
  markdown: boolean,
): void {
  if (markdown) console.log(`${machine}.\n`);
  if (results.length > 0) console.log(resultTable(results, markdown));
  for (const { preset, side, rows, milliseconds } of profiles) {
    const title = `A training step of ${preset}, ${side}`;
    console.log(`${markdown ? `### ${title}` : title}\n`);
    console.log(`${profileTable(rows, milliseconds, markdown)}\n`);
  }
  if (!torch) say(`PyTorch is not installed: these are tfjs's times alone. To compare: ${INSTALL}`);
}

async function main(): Promise<void> {
  const settings = settingsOf(process.argv.slice(2));
  if (settings === undefined) console.log(USAGE);
  else await bench(settings);
}

main().catch((error: unknown) => {
  const bad = error instanceof InputError;
  console.error(bad ? `bench: ${error.message}` : error);
  process.exit(bad ? 2 : 1);
});
