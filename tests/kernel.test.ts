import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { deadline } from "./processes";

test("the compiler's search for missing modules does not take the timer that tslab has for compiling", async () => {
  (require("../scripts/kernel/timers") as () => void)();
  const ts = require("@tslab/typescript-for-tslab") as {
    sys: object;
    createWatchCompilerHost: (
      files: string[],
      options: object,
      system: object,
    ) => {
      setTimeout: (callback: () => void, ms: number) => unknown;
      clearTimeout: (timer: unknown) => void;
    };
  };
  // As tslab's: one timer, which fires when a cell is compiled, and an error for a second.
  let pending: { callback: () => void } | undefined;
  const system = Object.assign(Object.create(ts.sys) as object, {
    setTimeout: (callback: () => void) => {
      assert.equal(pending, undefined, "a second timer");
      return (pending = { callback });
    },
    clearTimeout: (timer: unknown) => {
      assert.equal(timer, pending, "another timer is cleared");
      pending = undefined;
    },
  });
  const host = ts.createWatchCompilerHost([], {}, system);
  let searched = 0;
  // The compiler's own name for it, by which it is told.
  const search = function invalidateResolutionsOfFailedLookup(): void {
    searched++;
  };
  const compile = host.setTimeout(function updateProgramWithWatchStatus() {}, 250);
  host.clearTimeout(host.setTimeout(search, 1));
  host.setTimeout(search, 1);
  await new Promise((done) => setTimeout(done, 50));
  assert.equal(searched, 1);
  assert.equal(pending, compile);
  host.clearTimeout(compile);
  assert.equal(pending, undefined);
});

test("an interrupt is heard after a cell has added a listener before it awaits anything", () => {
  // As tslab runs a cell; without what scripts/kernel/signals.js mends, the first interrupt ends the process.
  const cell = `(async () => {
    process.on("SIGINT", () => heard.push("cell"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    console.log(heard.join());
  })()`;
  const script = `
    require("./scripts/kernel/signals")();
    Object.assign(globalThis, { heard: [] });
    process.on("SIGINT", () => heard.push("kernel"));
    require("vm").runInThisContext(${JSON.stringify(cell)}, { breakOnSigint: true });
    for (const ms of [50, 100]) setTimeout(() => process.kill(process.pid, "SIGINT"), ms);`;
  const options = { cwd: path.join(__dirname, ".."), encoding: "utf8" } as const;
  const { stdout, signal } = spawnSync(process.execPath, ["-e", script], { ...options, ...deadline(600) });
  assert.equal(signal, null);
  assert.deepEqual(stdout.trim().split(",").sort(), ["cell", "cell", "kernel", "kernel"]);
});
