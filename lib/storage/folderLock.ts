import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputError, shown } from "../errors";
import { fileError } from "./files";

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process started: its number alone comes back after a reboot, or in the next container. */
  readonly start: string | undefined;
}

/**
 * A folder's lock, held by one process at a time: a file that names its holder. A holder that has died on this machine
 * does not count. Throws InputError when another process holds the lock, or none can be made.
 *
 * work: what the folder is locked for, in a word, for messages.
 */
export class FolderLock {
  private readonly file: string;

  constructor(
    private readonly folder: string,
    private readonly work: string,
  ) {
    this.file = path.join(folder, "lock");
    const own: Holder = { host: os.hostname(), pid: process.pid, start: startOf(process.pid) };
    // Written aside and linked into place: a lock is never seen half-written, and only one process can place it.
    const aside = `${this.file}.${process.pid}.tmp`;
    try {
      fs.writeFileSync(aside, JSON.stringify(own));
      while (!this.placed(aside)) this.removeDead();
    } catch (error) {
      throw fileError("write", this.file, error);
    } finally {
      remove(aside);
    }
  }

  /** Never throws: where the folder cannot be written any more, the lock is that of a process that has ended. */
  release(): void {
    remove(this.file);
  }

  private placed(aside: string): boolean {
    try {
      fs.linkSync(aside, this.file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  /** Removes the lock of a process that has died; throws InputError if its holder may live. */
  private removeDead(): void {
    const holder = this.holder();
    if (holder && holder.host !== os.hostname()) {
      throw new InputError(
        `A ${this.work} on ${shown(holder.host)} uses ${shown(this.folder)}; wait for it, or delete the file ` +
          `"lock" in there if it has died.`,
      );
    }
    if (holder && holder.start !== undefined && startOf(holder.pid) === holder.start) {
      throw new InputError(
        `Another ${this.work} (process ${holder.pid}) uses ${shown(this.folder)}; wait for it or give another folder.`,
      );
    }
    fs.rmSync(this.file, { force: true });
  }

  /** Who holds the lock; undefined when it has just been released, or names nobody. */
  private holder(): Holder | undefined {
    try {
      const { host, pid, start } = JSON.parse(fs.readFileSync(this.file, "utf8")) as Partial<Holder>;
      return typeof host === "string" && Number.isSafeInteger(pid) ? { host, pid: pid!, start } : undefined;
    } catch {
      return undefined;
    }
  }
}

function remove(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // The disk has become read-only, or is gone.
  }
}

/** When a process started, in the system's own words; undefined if it does not run. */
function startOf(pid: number): string | undefined {
  if (!fs.existsSync("/proc/self/stat")) {
    const { status, stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      timeout: 10_000, // of a machine that is not well, nothing is known
    });
    return (status === 0 && stdout.trim()) || undefined;
  }
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the name in parentheses: the state is field 3, the start, in ticks since this boot, field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return fields[0] === "Z" ? undefined : `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}
