/** What the notebooks share: how much is computed, where results go, and data that an earlier notebook makes. */
import { createHash } from "crypto";
import fs from "fs";
import path from "path";
import { generate } from "../storage/generate";
import type { Problem } from "../problem";
import { finite, InputError, integerInRange, oneOf, shown } from "../backend/errors";
import { LiveText } from "../figures/show";
import { timeLeft } from "./duration";

const root = path.join(__dirname, "..", "..");

/** How much a run of the notebooks computes. */
export const budgets = ["smoke", "lesson", "full"] as const;
export type Budget = (typeof budgets)[number];

/**
 * The budget of this run: POROUS_SGM_BUDGET, or "lesson". With "smoke", for tests, everything runs and nothing is
 * learned; "lesson" is for a class, "full" for results. Throws InputError for another name.
 */
export function budget(): Budget {
  return oneOf("POROUS_SGM_BUDGET", process.env["POROUS_SGM_BUDGET"] ?? "lesson", budgets);
}

/** Numbers, names and switches, some of them grouped. */
export type Settings = { readonly [name: string]: number | string | boolean | Settings };

/**
 * The settings that a notebook's first cell names, of the present budget or the one asked for.
 *
 * Each must be there and of the kind that it is in the other budgets. Numbers that are whole there must be whole and
 * positive (a seed may be 0), all others finite. Throws InputError, one sentence, for a value that is not.
 */
export function settingsFor<T extends Settings>(choices: Readonly<Record<Budget, T>>, chosen = budget()): T {
  const settings = choices[oneOf("The budget", chosen, budgets)];
  const others = budgets.filter((name) => name !== chosen).map((name) => choices[name]);
  checkSettings(settings, others, "settings");
  return settings;
}

/** What a value is, in words; the kernel's compiler takes null and undefined for numbers, too. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "group of settings" : typeof value;
}

function checkSettings(value: unknown, twins: readonly unknown[], name: string): void {
  const kind = kindOf(value);
  const [expected] = twins.map(kindOf).filter((found) => found !== "null" && found !== "undefined");
  if (expected !== undefined && kind !== expected) {
    const found = kind === "string" ? shown(value) : kind;
    throw new InputError(`${name} is ${found}; give a ${expected}, as in the other budgets.`);
  }
  if (kind === "group of settings") {
    const groups = [value, ...twins.filter((twin) => kindOf(twin) === kind)] as Settings[];
    for (const key of new Set(groups.flatMap(Object.keys))) {
      const [own, ...rest] = groups.map((group) => group[key]);
      checkSettings(own, rest, `${name}.${key}`);
    }
  }
  if (typeof value !== "number") return;
  if (twins.every(Number.isInteger))
    integerInRange(name, value, name.endsWith(".seed") ? 0 : 1, Number.MAX_SAFE_INTEGER);
  else finite(name, value);
}

/** The absolute path of a file or folder among the notebooks' results, build/work/BUDGET/...; its folder is made. */
export function workPath(...names: string[]): string {
  const file = path.join(root, "build", "work", budget(), ...names);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return file;
}

/** The folder where an unfinished training with these settings keeps its states: other settings have another one. */
export function statesFolder(settings: Settings): string {
  const digest = createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12);
  return workPath(`states-${digest}`);
}

/**
 * The Arrow file of a data set of conditions x fields rows, generated (with a progress line) unless an earlier notebook
 * has left it there; readDataSet reads it. Throws InputError for a bad size.
 */
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
    live.update(() => `${done} of ${all} fields${timeLeft((seconds * (all - done)) / done)}`);
  };
  const rows = await generate({ problem, ...size, out: file, onProgress });
  live.finish(`${rows} fields in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return file;
}
