/**
 * Cells mean what their statements mean: whatever cells do with variables of earlier ones, the kernel's translation leaves
 * the same state as plain Node, which runs the same statements as one module.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { FIRST, Program } from "./cellPrograms";

const { root } = require("../scripts/environment") as { root: string };
for (const part of ["timers", "modules", "cells", "declarations", "failures"])
  (require(`../scripts/kernel/${part}`) as () => void)();
const { createConverter } = require("tslab/dist/converter") as {
  createConverter: (options: object) => { close(): void };
};
const { createExecutor } = require("tslab/dist/executor") as {
  createExecutor: (
    folder: string,
    converters: object,
    output: object,
  ) => { execute(source: string): Promise<boolean>; close(): void };
};

const node = createConverter({ isJS: false, isBrowser: false });
const said: string[] = [];
const error = (...words: unknown[]) => said.push(words.join(" "));
const log = (...words: unknown[]) => said.push(words.join(" "));
const kernel = createExecutor(root, { node, close: () => node.close() }, { log, error });
after(() => kernel.close());

/** A value as text; functions and classes by their kind. */
const text = (state: object) =>
  JSON.stringify(state, (_, value: unknown) =>
    value === undefined ? "none" : typeof value === "function" ? "f" : value,
  );
const states: string[] = [];
Object.assign(globalThis, { record: (state: object) => states.push(text(state)) });

/** Runs cells in the kernel and returns what they record. Throws where one fails. */
async function inKernel(cells: readonly string[]): Promise<string[]> {
  states.length = 0;
  for (const cell of cells) {
    said.length = 0;
    if (!(await kernel.execute(`declare const record: (state: object) => void;\n${cell}`)))
      throw new Error(`${said.join("\n")}\nin\n${cell}`);
  }
  return [...states];
}

let modules = 0;

/** As inKernel, in one module of Node. */
async function inNode(cells: readonly string[]): Promise<string[]> {
  states.length = 0;
  const source = cells.join("\n").replace(/ as any\b|: any\b/g, "");
  // Not by TypeScript's import(), which becomes require(); and Node runs the same text once.
  const load = new Function("url", "return import(url)") as (url: string) => Promise<unknown>;
  await load(`data:text/javascript,${encodeURIComponent(`${source}\n// ${modules++}`)}`);
  return [...states];
}

test("random cells leave the state that their statements leave in plain Node", async () => {
  const tape = fc.array(fc.nat(1000), { minLength: 10, maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(tape, async (numbers) => {
      let place = 0;
      const program = new Program((n) => (numbers[place++] ?? 0) % n);
      const cells = [FIRST, ...Array.from({ length: 4 }, () => program.cell())];
      const expected = await inNode(cells).catch(() => undefined);
      // What fails in Node, such as to take apart what there is not, fails in the kernel.
      if (!expected) return assert.rejects(inKernel(cells), Error, cells.join("\n// %%\n"));
      assert.deepEqual(await inKernel(cells), expected, cells.join("\n// %%\n"));
    }),
    { seed: 1, numRuns: Number(process.env["POROUS_SGM_FUZZ"] ?? 1000) / 40, includeErrorInReport: true },
  );
});

test("a variable that a later cell changes is changed for what an earlier cell has started", async () => {
  const cells = [
    "let going: any = true; const ended: any = (async () => { while (going) await null; return going; })();",
    "going = false; record({ ended: await ended });",
  ];
  assert.deepEqual(await inKernel(cells), ['{"ended":false}']);
});

test("later cells know variables of blocks with their types, names that are the kernel's own, and what is exported", async () => {
  const cells = [
    "if (true) { var a = [1]; } for (const _ of [1]) { var { b, ...rest } = { b: 2, c: 3 }; }",
    "a.push(b); record({ a, rest, more: a.map((value: number) => value + rest.c) });",
    "let exports = 5, require = 6; export { exports }; const f = () => ({ exports, require });",
    "exports = 7; record({ exports, require, f: f() });",
    "export class A { x = 1 } export enum E { P, Q } export interface I { i: number } export const e: I = { i: E.Q };",
    "record({ x: new A().x, e });",
    "const p = 1; type T = number; export { p as q, p }; export { type T as U }; const after: U = 2; export { after as last2 };",
    "const u: U = q; record({ p, q, u, last2 });",
  ];
  assert.deepEqual(await inKernel(cells), [
    '{"a":[1,2],"rest":{"c":3},"more":[4,5]}',
    '{"exports":7,"require":6,"f":{"exports":7,"require":6}}',
    '{"x":1,"e":{"i":1}}',
    '{"p":1,"q":1,"u":1,"last2":2}',
  ]);
  // Also of a cell that fails: what had a value before.
  await assert.rejects(inKernel(["{ var last = 8; } throw new Error('ends');"]), /ends/);
  assert.deepEqual(await inKernel(["record({ last });"]), ['{"last":8}']);
  await assert.rejects(inKernel(['a.push("text");']), /not assignable to parameter of type 'number'/);
});

test("an await where there can be none is told with its place, before the cell runs", async () => {
  for (const cell of [
    "const a = { m() { await wait(1); } };",
    "class A { x = await wait(1); }",
    "(() => await wait(1));",
  ])
    await assert.rejects(
      inKernel([FIRST, cell]),
      /'await' expressions are only allowed within async functions/,
    );
});
