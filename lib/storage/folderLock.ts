import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputError, shown } from "../backend/errors";
import { fileError, pause, readRegularFile } from "./files";

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process started: its number alone comes back after a reboot, or in the next container. */
  readonly start: string | undefined;
}

/** A lock without a holder is being written, for so long at most. */
const WRITING_MS = 1000;

/**
 * A folder's lock, held by one process at a time: a file that names its holder. A holder that has died on this machine
 * does not count. Throws InputError when another process holds the lock, or none can be made.
 *
 * proper-lockfile is not used: its locks live by a timer, which does not run while TensorFlow computes, and one that was
 * killed keeps the others waiting.
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
    try {
      while (!this.placed(JSON.stringify(own))) this.removeDead();
    } catch (error) {
      throw fileError("write", this.file, error);
    }
  }

  /** Never throws: where the folder cannot be written any more, the lock is that of a process that has ended. */
  release(): void {
    remove(this.file);
  }

  /** Whether the lock could be made: only one process can, on every file system, with hard links or without. */
  private placed(own: string): boolean {
    try {
      fs.writeFileSync(this.file, own, { flag: "wx" });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      remove(this.file); // it was made, and the disk is full
      throw error;
    }
  }

  /** Removes the lock of a process that has died; throws InputError if its holder may live. */
  private removeDead(): void {
    const { text, holder } = this.read();
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
    // Moved aside first: if another process was faster, what is moved is the new lock of that one, and goes back.
    const aside = `${this.file}.${process.pid}.tmp`;
    try {
      fs.renameSync(this.file, aside);
      if (fs.readFileSync(aside, "utf8") !== text) fs.renameSync(aside, this.file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // it has just been released
    } finally {
      remove(aside);
    }
  }

  /** What the lock says, and who holds it; without a holder when it has just been released, or names nobody. */
  private read(): { text?: string; holder?: Holder } {
    let text: string | undefined;
    for (const end = Date.now() + WRITING_MS; ; pause(20)) {
      try {
        text = readRegularFile(this.file).toString("utf8");
        const { host, pid, start } = JSON.parse(text) as Partial<Holder>;
        const known = typeof host === "string" && Number.isSafeInteger(pid);
        return { text, holder: known ? { host, pid: pid!, start } : undefined };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
        if (!(error instanceof SyntaxError)) throw error;
        if (Date.now() > end) return { text };
      }
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
