"use strict";
// Runs the commands of set-up, one at a time, each in a process group of its own, so that it can be ended whole.

const { spawn } = require("child_process");
const { deadline, killGroup } = require("../processes");

let current;

/** No download takes longer, in s. */
const LONGEST = 7200;

/**
 * Runs a command; its output is kept, not shown. Calls `started(pid)` with its process, and with undefined at its end.
 * Resolves with { ok, output, signal }.
 */
function run(command, args, { cwd, env, started = () => undefined }) {
  return new Promise((resolve) => {
    const options = { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] };
    const child = spawn(command, args, { ...options, ...deadline(LONGEST) });
    let output = "";
    let ended = false;
    const end = (ok, signal) => {
      if (ended) return;
      ended = true;
      current = undefined;
      started(undefined);
      resolve({ ok, output, signal });
    };
    const keep = (text) => (output = (output + text).slice(-1_000_000));
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    child.on("error", (error) => {
      keep(error.message);
      end(false);
    });
    child.on("close", (code, signal) => end(code === 0, signal));
    if (child.pid !== undefined) {
      current = child;
      started(child.pid);
    }
  });
}

/** Ends the command that runs, and all that it has started. */
function stop() {
  if (current !== undefined) killGroup(current.pid);
}

module.exports = { run, stop };
