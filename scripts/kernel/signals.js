"use strict";
// While the part of a cell runs that awaits nothing yet, Node (vm, breakOnSigint) takes the listeners of SIGINT away, and puts
// them back afterwards. Where that part adds one of its own, as the work of lib/ does, Node believes that it listens already,
// and the next interrupt ends the kernel with all that it holds. Taken away and put back once more, they are heard.

const vm = require("vm");

module.exports = function mendSignals() {
  const { runInThisContext } = vm;
  vm.runInThisContext = (code, options) => {
    const before = process.listenerCount("SIGINT");
    try {
      return runInThisContext(code, options);
    } finally {
      const listeners = process.rawListeners("SIGINT");
      if (options?.breakOnSigint && listeners.length > before) {
        process.removeAllListeners("SIGINT");
        for (const listener of listeners) process.on("SIGINT", listener);
      }
    }
  };
};
