"use strict";
// Other programs, each of which ends for certain. Plain Node: set-up uses it before any package is there.

const { once } = require("events");
const path = require("path");
const { setTimeout: sleep } = require("timers/promises");

/** Options of spawn, spawnSync, execFile and execFileSync: what still runs after `seconds` is killed. */
const deadline = (seconds) => ({ timeout: 1000 * seconds, killSignal: "SIGKILL" });

/** Kills a process group, whoever is left of it. */
function killGroup(leader) {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}

/**
 * Ends a child process that leads a process group (spawn's `detached`): asks, waits, asks again, as a program may lose a request
 * that comes while it starts, and in the end kills the group. `patience` has the ms to wait after each request. Resolves when
 * the process has ended.
 */
async function end(child, signal = "SIGTERM", patience = [3000, 3000, 2000]) {
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const exit = ended() ? undefined : once(child, "exit");
  for (const ms of patience) {
    if (ended()) break;
    child.kill(signal);
    const waiting = new AbortController();
    const { signal: enough } = waiting;
    await Promise.race([exit, sleep(ms, undefined, { signal: enough }).catch(() => undefined)]);
    waiting.abort();
  }
  if (child.pid !== undefined) killGroup(child.pid);
  await exit;
}

/** The words that start npm: the one that started this program, as long as it is npm. */
function npm() {
  const own = process.env.npm_execpath ?? "";
  return path.basename(own) === "npm-cli.js" ? [process.execPath, own] : ["npm"];
}

module.exports = { deadline, end, killGroup, npm };
