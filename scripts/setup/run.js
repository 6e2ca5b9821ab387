"use strict";
// Runs the commands of set-up, each in a process group of its own, so that it can be ended whole.

const { spawn } = require("child_process");
const { deadline, killGroup } = require("../processes");

/** Process ids of the commands that run. */
const running = new Set();
let stopped = false;

/** No download takes longer, in s. */
const LONGEST = 7200;

/**
 * Runs a command; its output is kept, not shown. Calls `changed` with the ids of all that run, at its start and its end.
 * Resolves with { ok, output, signal }.
 */
function run(command, args, { cwd, env, changed = () => undefined }) {
  if (stopped) return Promise.resolve({ ok: false, output: "stopped" });
  return new Promise((resolve) => {
    const options = { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] };
    const child = spawn(command, args, { ...options, ...deadline(LONGEST) });
    let output = "";
    let ended = false;
    const end = (ok, signal) => {
      if (ended) return;
      ended = true;
      running.delete(child.pid);
      changed([...running]);
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
      running.add(child.pid);
      changed([...running]);
    }
  });
}

/** Ends the commands that run, and all that they have started; no other is begun. */
function stop() {
  stopped = true;
  for (const pid of running) killGroup(pid);
}

module.exports = { run, stop };
