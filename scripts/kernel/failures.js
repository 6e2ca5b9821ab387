"use strict";
// What a cell that fails prints: one sentence where the reader can act on it, else the error without tslab's own lines.

const { inspect, types } = require("util");
const executor = require("tslab/dist/executor");

const OWN = /^\s+at .*(node:|[\\/]node_modules[\\/]tslab[\\/]|[\\/]scripts[\\/]kernel)/;

/** `error` as it is printed: a text, or itself where it is no error. */
function told(error) {
  // In another context, such as that of a cell, Error is not this one.
  if (!types.isNativeError(error)) return error;
  // Of lib/backend/errors.ts and lib/storage/interrupt.ts; by name, since lib/ is loaded anew whenever it changes.
  if (["InputError", "Interrupted"].includes(error.name)) return error.message;
  const stopped = error.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED";
  if (stopped || error.message === "Interrupted asynchronously") return "Interrupted.";
  return inspect(error)
    .split("\n")
    .filter((line) => !OWN.test(line))
    .join("\n");
}

module.exports = function mendFailures() {
  const { createExecutor } = executor;
  executor.createExecutor = (folder, converters, output) => {
    const error = (first, ...rest) => output.error(told(first), ...rest);
    const made = createExecutor(folder, converters, { ...output, error });
    let asked = false;
    return {
      ...made,
      execute(source) {
        asked = false;
        return made.execute(source);
      },
      interrupt() {
        // Work that watches for the signal, too, ends by itself and says what it has kept: the cell waits for that,
        // unless it is asked for the second time.
        const watched = process.listenerCount("SIGINT") > 1;
        if (!watched || asked) made.interrupt();
        asked = true;
      },
    };
  };
};
module.exports.told = told;
