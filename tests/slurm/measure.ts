/** What the cluster achieves, and what the scheduler takes. */
import fs from "node:fs";
import path from "node:path";
import { type Cluster, NODES } from "./cluster";
import type { Jobs } from "./jobs";

/** Of each measurement, as another program may take the machine for a while. */
const REPETITIONS = 3;
const FIELDS = 100;
const CONDITIONS = 1000;
const EMPTY_TASKS = 40;

/**
 * Medians of fields per second of an array of two parts, with one worker and with two, measured in turn: from the first
 * task's start to the last part's end, the time between two tasks included.
 */
export async function throughput(
  cluster: Cluster,
  jobs: Jobs,
  root: string,
  folder: string,
): Promise<[number, number]> {
  const rates: [number[], number[]] = [[], []];
  const size = ["--conditions", String(CONDITIONS), "--fields", String(FIELDS), "--seed", "1"];
  for (let k = 0; k < REPETITIONS; k++) {
    for (const workers of [1, 2]) {
      fs.mkdirSync(folder);
      const log = path.join(folder, "log-%a");
      const array = ["--parsable", `--array=1-2%${workers}`, `--output=${log}`];
      const script = path.join(root, "scripts", "slurm", "part.sh");
      const { stdout } = cluster.run("sbatch", ...array, script, root, folder, "2", ...size);
      await jobs.ended(Number(stdout));
      const start = Math.min(...[1, 2].map((i) => fs.statSync(path.join(folder, `log-${i}`)).birthtimeMs));
      const end = Math.max(
        ...[1, 2].map((i) => fs.statSync(path.join(folder, `part-0000${i}.arrow`)).mtimeMs),
      );
      rates[workers - 1].push((1000 * CONDITIONS * FIELDS) / (end - start));
      fs.rmSync(folder, { recursive: true });
    }
  }
  return rates.map((values) => values.sort((a, b) => a - b)[(REPETITIONS - 1) / 2]) as [number, number];
}

/** Seconds for which a node stands idle between two tasks of an array: measured with tasks that do nothing. */
export async function idleSeconds(cluster: Cluster, jobs: Jobs): Promise<number> {
  const start = performance.now();
  const options = ["--parsable", `--array=1-${EMPTY_TASKS}`, "--output=/dev/null", "--wrap=true"];
  const { stdout } = cluster.run("sbatch", ...options);
  await jobs.ended(Number(stdout));
  return (performance.now() - start) / 1000 / (EMPTY_TASKS / NODES.length);
}
