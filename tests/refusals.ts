/**
 * Command lines that are refused. A process for each takes half a second to start: the first of several has one, which shows
 * how a program ends, and the others share one.
 *
 *   node --require ./scripts/typescript.js tests/refusals.ts '[["sample", "--steps", "0"], ...]'
 *
 * Prints what each said and the status that it would have ended with, as JSON.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { abandonAll } from "../lib/storage/files";
import { explain, run } from "../scripts/cli/program";
import { deadline } from "./processes";

type Outcome = Readonly<{ status: number | null; stdout: string; stderr: string }>;
export type Refusal = readonly [words: readonly string[], pattern: RegExp];

const root = path.join(__dirname, "..");

function program(folder: string, ...args: string[]): Outcome {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", ...deadline(600) });
}

/** Asserts status 2, one line on stderr that matches and nothing on stdout, of each command line; and no new file. */
export function assertRefused(folder: string, ...cases: readonly Refusal[]): void {
  const files = fs.readdirSync(folder).sort();
  const [first, ...others] = cases.map(([words]) => words);
  const outcomes = [program(folder, path.join(root, "scripts", "porous-sgm.js"), ...first)];
  if (others.length > 0) {
    const loader = ["--require", path.join(root, "scripts", "typescript.js")];
    const { stdout, stderr } = program(folder, ...loader, __filename, JSON.stringify(others));
    assert.equal(stderr, "");
    outcomes.push(...(JSON.parse(stdout) as Outcome[]));
  }
  cases.forEach(([words, pattern], i) => {
    const { status, stdout, stderr } = outcomes[i];
    assert.match(stderr, pattern);
    assert.match(stderr, /^porous-sgm: [^\n]+\.\n$/);
    assert.deepEqual([status, stdout], [2, ""], words.join(" "));
  });
  assert.deepEqual(fs.readdirSync(folder).sort(), files);
}

/** What main.ts makes of one command line, without the end of the process. */
async function outcome(words: string[]): Promise<Outcome> {
  const said = { stdout: "", stderr: "" };
  const { stdout, stderr } = process;
  const before = [stdout.write, stderr.write] as const;
  stdout.write = ((text: string) => ((said.stdout += text), true)) as typeof stdout.write;
  stderr.write = ((text: string) => ((said.stderr += text), true)) as typeof stderr.write;
  try {
    await run(words);
    return { status: 0, ...said };
  } catch (thrown) {
    abandonAll();
    const { sentence, status } = explain(thrown);
    return { status, stdout: said.stdout, stderr: `${said.stderr}porous-sgm: ${sentence}\n` };
  } finally {
    [stdout.write, stderr.write] = before;
  }
}

async function main(): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const words of JSON.parse(process.argv[2]) as string[][]) outcomes.push(await outcome(words));
  console.log(JSON.stringify(outcomes));
}

if (require.main === module) void main();
