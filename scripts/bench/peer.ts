/** A peer that the benchmark compares with: a Python process that waits for commands (peer.py). */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import path from "node:path";
import readline from "node:readline";
import { InputError, shown } from "../../lib/backend/errors";
import type { Check } from "./workload";

const { python: own, environment } = require("../environment") as {
  python: string;
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
};

export const INSTALL = ".venv/bin/python -m pip install -r requirements-bench.txt";

/** A process that does not answer for so long is ended: two steps of `blog` take seconds on a busy machine. */
const ANSWER_MS = 600_000;

/** What is compared with: its package in Python, its script beside this file, how it computes. */
interface Program {
  readonly name: string;
  readonly module: string;
  readonly script: string;
  readonly how: string;
}

export const programs: readonly Program[] = [
  { name: "PyTorch", module: "torch", script: "torch_bench.py", how: "eager" },
  { name: "JAX", module: "jax", script: "jax_bench.py", how: "jit" },
];

type Answer = { readonly cpu: readonly [number, number]; readonly error?: string };

export class Peer {
  /** Processor seconds that the process had used at the end of its last answer. */
  cpu = 0;
  /** Largest share of a core that it has used while it had nothing to do. */
  idleShare = 0;
  private idleSince = 0;
  private readonly answers: AsyncIterator<string>;

  private constructor(
    private readonly process: ChildProcess,
    readonly program: Program,
    readonly version: string,
  ) {
    this.answers = readline.createInterface({ input: process.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * Starts the process of a peer with so many threads; undefined if its Python does not have it.
   *
   * The Python is that of PYTHON_BENCH, or of .venv. Throws InputError if it does not run.
   */
  static start(program: Program, threads: number): Peer | undefined {
    const { name, module, script } = program;
    const python = process.env.PYTHON_BENCH ?? own;
    const env = environment({
      ...process.env,
      OMP_NUM_THREADS: String(threads),
      PYTHONWARNINGS: "ignore",
    });
    const probe = `import importlib.util as u\nif u.find_spec('${module}'):\n import ${module}\n print(${module}.__version__)`;
    const { status, stdout, stderr } = spawnSync(python, ["-c", probe], {
      encoding: "utf8",
      env,
      timeout: 120_000,
    });
    // Python tells in words why it cannot load something.
    if (status === null || (status !== 0 && !/Error/.test(stderr))) {
      throw new InputError(
        `The Python of the benchmark is ${shown(python)}, which does not run; give another by PYTHON_BENCH.`,
      );
    }
    if (status !== 0) {
      const last = stderr.trim().split("\n").at(-1);
      throw new InputError(
        `${name} of ${shown(python)} does not load (${last}); install it anew: ${INSTALL}`,
      );
    }
    if (stdout.trim() === "") return undefined;
    const args = ["-B", path.join(__dirname, script), String(threads)];
    const child = spawn(python, args, { env, stdio: ["pipe", "pipe", "inherit"] });
    return new Peer(child, program, stdout.trim());
  }

  private async ask<T>(request: object): Promise<T> {
    const late = setTimeout(() => this.process.kill("SIGKILL"), ANSWER_MS);
    this.process.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.answers.next();
    clearTimeout(late);
    if (done) throw new Error(`The process of ${this.program.name} has ended.`);
    const answer = JSON.parse(value as string) as T & Answer;
    if (answer.error !== undefined) throw new Error(`${this.program.name}: ${answer.error}`);
    this.cpu = answer.cpu[1];
    this.idleSince = performance.now();
    return answer;
  }

  /** Reads what {@link Workload.write} wrote, and computes the same. */
  load(folder: string): Promise<Check> {
    return this.ask<Check>({ command: "load", folder });
  }

  /** Repeats a step or a forward pass for some seconds; returns the milliseconds of each. */
  async repeat(what: "step" | "forward", seconds: number): Promise<number[]> {
    const [cpu, since, now] = [this.cpu, this.idleSince, performance.now()];
    const answer = await this.ask<Answer & { seconds: number[] }>({ command: what, seconds });
    this.idleShare = Math.max(this.idleShare, (1000 * (answer.cpu[0] - cpu)) / (now - since));
    return answer.seconds.map((value) => 1000 * value);
  }

  /** Ends the process. */
  stop(): void {
    this.process.kill();
  }
}
