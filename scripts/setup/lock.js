"use strict";
// One set-up at a time in a clone. The lock names its process and the commands that it runs, each with the time of its
// start, as a process id alone comes back after a reboot or in the next container.

const { spawnSync } = require("child_process");
const fs = require("fs");
const { deadline, killGroup } = require("../processes");
const { SetupError } = require("./failure");

/** When a process started, in the system's own words; undefined if it does not run. */
function startOf(pid) {
  if (!(pid > 0)) return undefined;
  if (!fs.existsSync("/proc/self/stat")) {
    const { status, stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      ...deadline(60),
    });
    return (status === 0 && stdout.trim()) || undefined;
  }
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the name in parentheses: the state is field 3, the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function read(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

const runs = (pid, start) => start !== undefined && startOf(pid) === start;

/**
 * Takes the lock; one whose owner has died is taken over, and the commands that it left running are ended.
 * Throws SetupError if another set-up holds it.
 */
function takeLock(file) {
  const own = { pid: process.pid, start: startOf(process.pid) };
  for (let attempt = 0; ; attempt++) {
    try {
      fs.writeFileSync(file, JSON.stringify(own), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") {
        if (error.code === "ENOSPC") fs.rmSync(file, { force: true });
        throw error;
      }
      const holder = read(file);
      if (!holder && attempt === 0) {
        // It may be being written at this moment.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
        continue;
      }
      if (holder && runs(holder.pid, holder.start))
        throw new SetupError(
          `Another set-up is running in this clone (process ${holder.pid}): wait until it has ended.`,
        );
      for (const { pid, start } of holder?.children ?? []) if (runs(pid, start)) killGroup(pid);
      fs.rmSync(file, { force: true });
    }
  }
  return {
    /** Notes the commands that now run, each the leader of a process group of its own. */
    note: (pids) => {
      try {
        const children = pids.map((pid) => ({ pid, start: startOf(pid) }));
        fs.writeFileSync(file, JSON.stringify({ ...own, children }));
      } catch {
        // A full disk: the command itself will say so.
      }
    },
    release: () => fs.rmSync(file, { force: true }),
  };
}

module.exports = { takeLock, startOf };
