"use strict";
// tslab 1.0.22 gives the compiler one timer, for compiling again; the compiler sets another when files come, go or are
// renamed (to look for modules that it has not found), and the kernel fails in the next cell. The other one gets a real timer.
// It also watches each of 900 files of the packages and their folders: here it watches none of them, as nobody edits packages.

const { clearTimeout, setTimeout } = require("timers");

module.exports = function mendTimers() {
  const name = require.resolve("@tslab/typescript-for-tslab");
  const ts = require(name);
  require.cache[name].exports = {
    ...ts,
    createWatchCompilerHost(files, options, system, ...rest) {
      const { watchFile, watchDirectory } = system;
      const none = { close: () => undefined };
      const watches = (name) => !name.includes("/node_modules");
      system.watchFile = (name, ...more) => (watches(name) ? watchFile.call(system, name, ...more) : none);
      system.watchDirectory = (name, ...more) =>
        watches(name) ? watchDirectory.call(system, name, ...more) : none;
      const { setTimeout: later, clearTimeout: never } = system;
      const own = new Set();
      system.setTimeout = (callback, ms) => {
        if (callback.name !== "invalidateResolutionsOfFailedLookup") return later.call(system, callback, ms);
        const timer = setTimeout(() => {
          own.delete(timer);
          callback();
        }, ms);
        own.add(timer);
        return timer;
      };
      system.clearTimeout = (timer) => {
        if (own.delete(timer)) clearTimeout(timer);
        else never.call(system, timer);
      };
      return ts.createWatchCompilerHost(files, options, system, ...rest);
    },
  };
};
