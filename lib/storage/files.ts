/** Files that appear whole or not at all, and files that anyone may have made, each failure told in one sentence. */
import fs from "node:fs";
import { Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { InputError, shown } from "../backend/errors";

/** The name of standard input and output. */
export const STANDARD = "-";

const DENIED = "permission is denied; choose a place that you may use";
const UNABLE = "the file system there does not do what is asked of it; choose another place or name";
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder; check the path",
  ENOTDIR: "a part of its path is not a folder; check the path",
  EISDIR: "it is a folder; give the name of a file",
  EEXIST: "there is a file of that name; give another name",
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: "the file system is read-only; choose another place",
  ENOSPC: "the disk is full; free some space or choose another place",
  EDQUOT: "the disk quota is used up; free some space or choose another place",
  EFBIG: "the file would be larger than this system allows; choose another place or write less",
  EMFILE: "too many files are open; close some or raise the limit",
  ENFILE: "too many files are open; close some or raise the limit",
  ENAMETOOLONG: "its name is too long; give a shorter one",
  ELOOP: "its links lead round in a circle; check the path",
  EIO: "the device reports an error; choose another place",
  EBUSY: "another program or a mount holds it; give another name",
  ESTALE: "the network drive has lost it; try again",
  EINVAL: UNABLE,
  EILSEQ: UNABLE,
  ENOSYS: UNABLE,
  ENOTSUP: UNABLE,
  EOPNOTSUPP: UNABLE,
};

/** The InputError that tells in one sentence why a file cannot be used; other errors come back unchanged. */
export function fileError(action: string, file: string, error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof InputError || code === undefined || !Object.hasOwn(REASONS, code)) return error;
  return new InputError(`Cannot ${action} ${shown(file)}: ${REASONS[code]}.`, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** Node reads no larger file at once, and no model or state of a training is as large. */
const MOST_BYTES = 2 ** 31 - 1;

function notRegular(file: string): InputError {
  return new InputError(`Cannot read ${shown(file)}: it is not a regular file; give the name of a file.`);
}

/**
 * The bytes of a file. Throws InputError for a device or a pipe, of which reading might never end, and for more than 2 GB;
 * errors of the file system are thrown as they are.
 */
export function readRegularFile(file: string): Buffer {
  const stat = fs.statSync(file);
  if (!stat.isFile() && !stat.isDirectory()) throw notRegular(file);
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

/**
 * The bytes of a file, of a pipe or, for "-", of standard input, as they come: no signal has to wait for a pipe that nobody
 * writes to. Throws InputError for a folder or a device.
 */
export function inputStream(file: string): Readable {
  if (file === STANDARD) return process.stdin;
  try {
    const stat = fs.statSync(file);
    if (stat.isFile()) return fs.createReadStream(file);
    if (stat.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    if (!stat.isFIFO()) throw notRegular(file);
    const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    return new Socket({ fd: descriptor, readable: true, writable: false });
  } catch (error) {
    throw fileError("read", file, error);
  }
}

/**
 * Opens a file to be read at any place; what comes through a pipe or, for "-", standard input is kept in a temporary file
 * until it is closed. Throws InputError.
 */
export async function openToRead(file: string): Promise<number> {
  try {
    if (file !== STANDARD && fs.statSync(file).isFile()) return fs.openSync(file, "r");
    const input = inputStream(file);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
    const descriptor = fs.openSync(path.join(folder, "input"), "wx+");
    fs.rmSync(folder, { recursive: true }); // the open file stays
    for await (const chunk of input) writeAll(descriptor, chunk as Buffer);
    return descriptor;
  } catch (error) {
    throw fileError("read", file, error);
  }
}

/** Whether two names are of one file, whatever their links and their case. */
export function sameFile(a: string, b: string): boolean {
  const [x, y] = [a, b].map((file) => fs.statSync(file, { bigint: true, throwIfNoEntry: false }));
  return x !== undefined && x.dev === y?.dev && x.ino === y.ino;
}

/** Throws InputError if the disk lacks the room for a file of so many bytes: before they are computed, not after. */
export function checkRoom(file: string, bytes: number): void {
  if (file === STANDARD) return;
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
let opened = 0;

/** Removes the temporary files of all unfinished writes: for signal handlers. */
export function abandonAll(): void {
  for (const file of open) file.abandon();
}

/**
 * A file that appears under its name only when it is complete: it is written to a temporary name in the same folder,
 * flushed to the disk and renamed by commit(). It takes over the mode and the owner of the one that it replaces. Whatever
 * fails first, call abandon(): it removes the temporary file. What a killed run has left of it is removed.
 *
 * All methods but abandon() throw InputError if the place cannot be written. The name "-" is standard output.
 */
export class AtomicFile {
  private readonly target: string;
  private temporary = "";
  private descriptor: number | undefined;

  constructor(readonly file: string) {
    this.target = file;
    if (file === STANDARD) {
      this.descriptor = process.stdout.fd;
      return;
    }
    try {
      this.target = linkedFile(path.resolve(file));
      const previous = fs.statSync(this.target, { throwIfNoEntry: false });
      // A device or a pipe must not be replaced by a file, nor a folder.
      if (previous && !previous.isFile()) {
        throw new InputError(
          `Cannot write ${shown(file)}: it is not a regular file; give the name of a file.`,
        );
      }
      removeUnfinished(this.target);
      const { dir, base } = path.parse(this.target);
      const own = `${process.pid}-${Date.now().toString(36)}${(opened++).toString(36)}`;
      this.temporary = path.join(dir, `${temporaryPrefix(base)}${own}.tmp`);
      this.descriptor = fs.openSync(this.temporary, "wx+", previous?.mode);
      if (previous) keepOwnerAndMode(this.descriptor, previous);
    } catch (error) {
      throw fileError("write", file, error);
    }
    open.add(this);
  }

  /** Appends bytes. */
  write(bytes: Uint8Array): void {
    if (this.descriptor === undefined) throw new Error(`${this.file} is closed.`);
    try {
      writeAll(this.descriptor, bytes);
    } catch (error) {
      throw fileError("write", this.file, error);
    }
  }

  /**
   * Flushes, closes and gives the file its name. What may not have that name any more is kept under another one (see
   * {@link placesInstead}), which the sentence of the InputError says.
   */
  commit(): void {
    const { descriptor } = this;
    if (descriptor === undefined) throw new Error(`${this.file} is closed.`);
    this.descriptor = undefined;
    if (this.temporary === "") return;
    try {
      try {
        flush(descriptor);
        // A file whose folder was removed meanwhile is there as long as it is open.
        if (!fs.existsSync(this.temporary)) throw this.kept((place) => copyOpen(descriptor, place), "ENOENT");
      } finally {
        fs.closeSync(descriptor);
      }
    } catch (error) {
      throw fileError("write", this.file, error);
    }
    try {
      rename(this.temporary, this.target);
    } catch (error) {
      throw this.kept((place) => move(this.temporary, place), error);
    }
    open.delete(this);
    flushFolder(path.dirname(this.target));
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

  /** Lets `keep` put what is whole in another place; returns the error that says which, and why. */
  private kept(keep: (place: string) => void, reason: unknown): unknown {
    const cause = typeof reason === "string" ? Object.assign(new Error(), { code: reason }) : reason;
    const told = fileError("write", this.file, cause);
    for (const place of placesInstead(this.file, path.extname(this.file))) {
      if (fs.existsSync(place)) continue;
      try {
        keep(place);
      } catch {
        continue;
      }
      open.delete(this);
      return new InputError(lostItsPlace("The output", place, (told as Error).message), { cause });
    }
    return told;
  }
}

/**
 * Names for what has been computed and cannot have its own any more: beside it, or else among the system's temporary files.
 * Its extension, if any, stays at the end.
 */
export function placesInstead(place: string, extension = ""): string[] {
  const numbered = (folder: string) => {
    const base = path.join(folder, path.basename(path.resolve(place), extension));
    return Array.from({ length: 8 }, (_, k) => `${base}-${k + 2}${extension}`);
  };
  const elsewhere = path.join(os.tmpdir(), path.basename(path.resolve(place)));
  return [...numbered(path.dirname(place)), elsewhere, ...numbered(os.tmpdir())];
}

/** The sentence that says where something is that could not stay in its place. */
export function lostItsPlace(what: string, place: string, reason: string): string {
  return `${what} is in ${shown(place)} instead, as its place was lost meanwhile: ${reason}`;
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

/** The file or folder behind symbolic links, which may not be there yet, so that the links survive. */
export function linkedFile(file: string): string {
  for (let links = 0, at = file; ; links++) {
    const stat = fs.lstatSync(at, { throwIfNoEntry: false }); // throws for a name that is too long
    if (stat && !stat.isSymbolicLink()) return fs.realpathSync(at);
    if (!stat) return at;
    if (links === 40) throw Object.assign(new Error(), { code: "ELOOP" });
    at = path.resolve(path.dirname(at), fs.readlinkSync(at));
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    try {
      done += fs.writeSync(descriptor, bytes, done);
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      pause(10); // a pipe is full
    }
  }
}

/** Waits, without letting anything else run. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Writes what an open file holds to a new one. */
function copyOpen(descriptor: number, file: string): void {
  const copy = fs.openSync(file, "wx");
  try {
    const bytes = Buffer.alloc(1 << 20);
    for (let at = 0, count = 1; count > 0; at += count) {
      count = fs.readSync(descriptor, bytes, 0, bytes.length, at);
      writeAll(copy, bytes.subarray(0, count));
    }
    flush(copy);
  } finally {
    fs.closeSync(copy);
  }
}

/** Moves a file, also to another disk. */
function move(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (codeOf(error) !== "EXDEV") throw error;
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
    fs.rmSync(from, { force: true });
  }
}

/** Where a file system has neither, as exFAT, or does not let this user, the file is kept as it is. */
function keepOwnerAndMode(descriptor: number, { uid, gid, mode }: fs.Stats): void {
  for (const keep of [
    () => fs.fchownSync(descriptor, uid, gid),
    () => fs.fchmodSync(descriptor, mode & 0o7777), // after the owner, whose change takes bits of it away
  ]) {
    try {
      keep();
    } catch {
      // The next, or none.
    }
  }
}

/** Where a file system does not flush files one by one, they are on the disk when it says so. */
function flush(descriptor: number): void {
  try {
    fs.fsyncSync(descriptor);
  } catch (error) {
    if (!["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(codeOf(error) ?? "")) throw error;
  }
}

/** Shared folders and virus scanners hold a file for a moment after it was closed. */
const RENAMES = 10;
const RENAME_MS = 50;

function rename(from: string, to: string): void {
  for (let left = RENAMES; ; left--) {
    try {
      return fs.renameSync(from, to);
    } catch (error) {
      if (left === 1 || !["EBUSY", "EPERM", "EACCES", "EAGAIN"].includes(codeOf(error) ?? "")) throw error;
      pause(RENAME_MS);
    }
  }
}

/**
 * Names of a file's temporary ones begin with it: with the machine, as numbers of processes are unique on one only.
 * However long the file's own name is, and of what characters, this one is short and plain.
 */
function temporaryPrefix(base: string): string {
  const [file, host] = [base, os.hostname()].map((text) => text.replace(/[^\w.-]/g, "_").slice(0, 40));
  return `.${file}.${host}-`;
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
    return codeOf(error) === "EPERM"; // it runs for another user
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
