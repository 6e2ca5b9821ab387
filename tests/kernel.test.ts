import assert from "node:assert/strict";
import { test } from "node:test";

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
