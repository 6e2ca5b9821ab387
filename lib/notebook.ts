/** What the notebooks share: how much is computed, where results go, and data that an earlier notebook makes. */
import fs from "fs";
import path from "path";
import { generate } from "./data/generate";
import type { Problem } from "./data/problem";
import { oneOf } from "./errors";
import { LiveText } from "./figures/show";
import { timeLeft } from "./figures/trainingFigure";

const root = path.join(__dirname, "..");

/** How much a run of the notebooks computes. */
export type Budget = "smoke" | "lesson";

/** The budget of this run: POROUS_SGM_BUDGET, or "lesson". "smoke" is for tests: everything runs, nothing is learned. */
export function budget(): Budget {
  return oneOf("POROUS_SGM_BUDGET", process.env.POROUS_SGM_BUDGET ?? "lesson", ["smoke", "lesson"] as const);
}

/** The settings of the present budget; a notebook's first cell names them all. */
export function settingsFor<T>(choices: Readonly<Record<Budget, T>>): T {
  return choices[budget()];
}

/** A file or folder among the notebooks' results, build/work/BUDGET/...; its folder is made. */
export function workPath(...names: string[]): string {
  const file = path.join(root, "build", "work", budget(), ...names);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return file;
}

/** The data set file of a size, generated (with a progress line) unless an earlier notebook has left it there. */
export async function dataSetFile(
  problem: Problem,
  size: { conditions: number; fields: number; seed: number },
): Promise<string> {
  const { conditions, fields, seed } = size;
  const variant = Object.values(problem.settings).join("-");
  const file = workPath(`${problem.name}-${variant}-${conditions}x${fields}-seed${seed}.arrow`);
  if (fs.existsSync(file)) return file;
  const live = new LiveText();
  const start = performance.now();
  const onProgress = (done: number, all: number) => {
    const seconds = (performance.now() - start) / 1000;
    live.update(() => `${done} of ${all} fields, ${timeLeft((seconds * (all - done)) / done)} left`);
  };
  const rows = await generate({ problem, ...size, out: file, onProgress });
  live.finish(`${rows} fields in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return file;
}
