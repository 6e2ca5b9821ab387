/** Files that appear whole or not at all, and files that anyone may have made, each failure told in one sentence. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputError, shown } from "../errors";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder; check the path",
  ENOTDIR: "a part of its path is not a folder; check the path",
  EISDIR: "it is a folder; give the name of a file",
  EACCES: "permission is denied; choose a place that you may use",
  EPERM: "permission is denied; choose a place that you may use",
  EROFS: "the file system is read-only; choose another place",
  ENOSPC: "the disk is full; free some space or choose another place",
  EDQUOT: "the disk quota is used up; free some space or choose another place",
  EFBIG: "the file would be larger than this system allows; choose another place or write less",
  EMFILE: "too many files are open; close some or raise the limit",
  ENAMETOOLONG: "its name is too long; give a shorter one",
  ELOOP: "its links lead round in a circle; check the path",
  EIO: "the device reports an error; choose another place",
};

/** The InputError that tells in one sentence why a file cannot be used; other errors come back unchanged. */
export function fileError(action: string, file: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (error instanceof InputError || typeof code !== "string" || !Object.hasOwn(REASONS, code)) return error;
  return new InputError(`Cannot ${action} ${shown(file)}: ${REASONS[code]}.`, { cause: error });
}

/** Node reads no larger file at once, and no model or state of a training is as large. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * The bytes of a file. Throws InputError for a device or a pipe, of which reading might never end, and for more than 2 GB;
 * errors of the file system are thrown as they are.
 */
export function readRegularFile(file: string): Buffer {
  const stat = fs.statSync(file);
  if (!stat.isFile() && !stat.isDirectory()) {
    throw new InputError(`Cannot read ${shown(file)}: it is not a regular file; give the name of a file.`);
  }
  if (stat.size > MOST_BYTES) {
    throw new InputError(
      `Cannot read ${shown(file)}: it has ${stat.size} bytes; give one of less than 2 GB.`,
    );
  }
  return fs.readFileSync(file);
}

/**
 * The bytes of the file of this name in a folder, which must not be a link that leads out of it: a folder from elsewhere
 * could show files of this machine otherwise. Errors as of {@link readRegularFile}.
 */
export function readInside(folder: string, name: string): Buffer {
  const file = path.join(folder, name);
  if (path.dirname(fs.realpathSync(file)) !== fs.realpathSync(folder)) {
    throw new InputError(
      `Cannot read ${shown(file)}: it leads out of its folder; give a folder that holds the file itself.`,
    );
  }
  return readRegularFile(file);
}

/** Throws InputError if the disk lacks the room for a file of so many bytes: before they are computed, not after. */
export function checkRoom(file: string, bytes: number): void {
  let free: number;
  try {
    const { bavail, blocks, bsize } = fs.statfsSync(path.dirname(path.resolve(file)));
    free = blocks > 0 ? bavail * bsize : Infinity; // some file systems do not tell
  } catch {
    return; // a place that cannot be used tells of it when the file is opened
  }
  if (bytes <= free) return;
  const [needed, there] = [bytes, free].map((size) => `${Number((size / 1e9).toPrecision(3))} GB`);
  throw new InputError(
    `${shown(file)} would take ${needed}, and the disk has ${there} free; write less or choose another place.`,
  );
}

const open = new Set<AtomicFile>();

/** Removes the temporary files of all unfinished writes: for signal handlers. */
export function abandonAll(): void {
  for (const file of open) file.abandon();
}

/**
 * A file that appears under its name only when it is complete: it is written to a temporary name in the same folder,
 * flushed to the disk and renamed by commit(). Whatever fails first, call abandon(): it removes the temporary file.
 * All methods but abandon() throw InputError if the place cannot be written.
 */
export class AtomicFile {
  private readonly target: string;
  private readonly temporary: string;
  private descriptor: number | undefined;

  constructor(readonly file: string) {
    try {
      const resolved = path.resolve(file);
      // Through a symbolic link to the file behind it, so that the link survives.
      this.target = fs.existsSync(resolved) ? fs.realpathSync(resolved) : resolved;
      // A device or a pipe must not be replaced by a file, nor a folder.
      if (fs.existsSync(this.target) && !fs.statSync(this.target).isFile()) {
        throw new InputError(
          `Cannot write ${shown(file)}: it is not a regular file; give the name of a file.`,
        );
      }
      const { dir, base } = path.parse(this.target);
      this.temporary = path.join(
        dir,
        `${temporaryPrefix(base)}${process.pid}-${Date.now().toString(36)}.tmp`,
      );
      this.descriptor = fs.openSync(this.temporary, "wx");
    } catch (error) {
      throw fileError("write", file, error);
    }
    open.add(this);
  }

  /** Appends bytes. */
  write(bytes: Uint8Array): void {
    if (this.descriptor === undefined) throw new Error(`${this.file} is closed.`);
    try {
      for (let done = 0; done < bytes.length;) done += fs.writeSync(this.descriptor, bytes, done);
    } catch (error) {
      throw fileError("write", this.file, error);
    }
  }

  /** Flushes, closes and gives the file its name. */
  commit(): void {
    if (this.descriptor === undefined) throw new Error(`${this.file} is closed.`);
    try {
      fs.fsyncSync(this.descriptor);
      fs.closeSync(this.descriptor);
      this.descriptor = undefined;
      fs.renameSync(this.temporary, this.target);
      open.delete(this);
      flushFolder(path.dirname(this.target));
    } catch (error) {
      throw fileError("write", this.file, error);
    }
  }

  /** Closes and removes the temporary file; does nothing after commit(). Never throws. */
  abandon(): void {
    if (!open.delete(this)) return;
    try {
      if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
    } catch {
      // The descriptor is gone; the file is removed below all the same.
    }
    this.descriptor = undefined;
    try {
      fs.rmSync(this.temporary, { force: true });
    } catch {
      // The disk has become read-only, or is gone.
    }
  }
}

/** Writes a file whole or not at all. Throws InputError if the place cannot be written. */
export function writeWhole(file: string, ...parts: readonly Uint8Array[]): void {
  const target = new AtomicFile(file);
  try {
    for (const part of parts) target.write(part);
    target.commit();
  } catch (error) {
    target.abandon();
    throw error;
  }
}

/** Names of a file's temporary ones begin with it: with the machine, as numbers of processes are unique on one only. */
function temporaryPrefix(base: string): string {
  return `.${base.slice(0, 100)}.${os.hostname()}-`;
}

/** Removes what processes that were killed on this machine while they wrote a file have left of it. Never throws. */
export function removeUnfinished(file: string): void {
  const { dir, base } = path.parse(path.resolve(file));
  const prefix = temporaryPrefix(base);
  try {
    for (const name of fs.readdirSync(dir)) {
      const pid = name.startsWith(prefix) && /^(\d+)-[0-9a-z]+\.tmp$/.exec(name.slice(prefix.length))?.[1];
      if (pid && !isRunning(Number(pid))) fs.rmSync(path.join(dir, name), { force: true });
    }
  } catch {
    // A folder that cannot be read or written tells of it when the file is written.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it runs for another user
  }
}

/** Flushes a folder, so that a file's new name outlives a loss of power, too; systems that cannot do it are let be. */
function flushFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(folder, "r");
    fs.fsyncSync(descriptor);
  } catch {
    // Some file systems do not flush folders. The file itself is complete.
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}
