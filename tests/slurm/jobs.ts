/** What Slurm says of jobs and of the tasks of arrays, and the processes behind them. */
import fs from "node:fs";
import type { Cluster, NodeName } from "./cluster";

const ENDED = /^(COMPLETED|CANCELLED|FAILED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY)$/;

export class Jobs {
  constructor(private readonly cluster: Cluster) {}

  /** Field of scontrol's description of a job or of one task of an array; undefined if there is none. */
  field(job: number, task: number | undefined, name: string): string | undefined {
    const id = task === undefined ? String(job) : `${job}_${task}`;
    const { stdout } = this.cluster.run("scontrol", "show", "job", "-o", id);
    return new RegExp(`(?:^| )${name}=(\\S*)`).exec(stdout)?.[1];
  }

  state(job: number, task?: number): string {
    return this.field(job, task, "JobState") ?? "unknown";
  }

  /** How often a task was put back into the queue. */
  restarts(job: number, task?: number): number {
    return Number(this.field(job, task, "Restarts"));
  }

  /** Where a task runs or ran. */
  node(job: number, task?: number): NodeName {
    return this.field(job, task, "BatchHost") as NodeName;
  }

  /** Waits until a job, with all tasks if it is an array, has ended in whatever way. */
  async ended(job: number, seconds = 300): Promise<void> {
    const states = (): string[] => {
      const { stdout } = this.cluster.run("scontrol", "show", "job", "-o", String(job));
      return Array.from(stdout.matchAll(/ JobState=(\S+)/g), ([, state]) => state);
    };
    await this.cluster.until(
      `job ${job} has ended`,
      () => states().every((state) => ENDED.test(state)),
      seconds,
    );
  }
}

/** Number of a process whose command line has all of the words; undefined if there is none. */
export function findProcess(...words: string[]): number | undefined {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      if (pid === process.pid) return false;
      const parts = commandLine(pid);
      return words.every((word) => parts.some((part) => part === word || part.endsWith(`/${word}`)));
    });
}

function commandLine(pid: number): string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // it has ended
  }
}

/** The process that started a process. */
export function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
