/** Notebooks in the real kernel, for tests. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { deadline } from "./processes";

const { python, environment, root } = require("../scripts/environment") as {
  python: string;
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};

interface Output {
  output_type: string;
  text?: string | string[];
  data?: Record<string, unknown>;
}
export interface Cell {
  cell_type: string;
  source: string | string[];
  outputs?: Output[];
  execution_count?: number | null;
}

export function cellsOf(file: string): Cell[] {
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { cells: Cell[] }).cells;
}

/** The notebooks of a folder of the project, in order. */
export function notebooksOf(...folder: string[]): string[] {
  const names = fs.readdirSync(path.join(root, ...folder)).filter((name) => name.endsWith(".ipynb"));
  return names.sort();
}

/** Runs scripts/execute.py on the smoke budget. */
export function execute(args: string[]): { status: number | null; output: string } {
  const env = environment({ ...process.env, POROUS_SGM_BUDGET: "smoke" });
  const result = spawnSync(python, [path.join("scripts", "execute.py"), ...args], {
    cwd: root,
    encoding: "utf8",
    env,
    ...deadline(1800),
  });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
}
