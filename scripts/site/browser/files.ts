/**
 * Node's fs in a browser's worker: files that programs write are kept in memory, as long as the kernel lives; what lies in the
 * site's data/ is fetched when it is read first.
 */
import { Buffer } from "./buffer";

class FileError extends Error {
  constructor(
    readonly code: string,
    file: string,
  ) {
    super(`${code}: ${file}`);
  }
}

/** What is written piece by piece becomes one when it is read. */
class Content {
  private pieces: Uint8Array[] = [];
  constructor(...pieces: Uint8Array[]) {
    this.pieces = pieces;
  }
  add(piece: Uint8Array): void {
    this.pieces.push(piece.slice());
  }
  get bytes(): Uint8Array {
    if (this.pieces.length !== 1) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0];
  }
}

const FOLDER = "folder";
type Node = Content | typeof FOLDER;
/** Addresses of the site's files, as seen from here, by their names in the project. */
declare const SHIPPED: Readonly<Record<string, string>>;
const shipped = new Map(Object.entries(SHIPPED).map(([name, address]) => [`/${name}`, address]));
const nodes = new Map<string, Node>([["/", FOLDER]]);
const open = new Map<number, { file: string; at: number }>();
let descriptors = 3;

const absolute = (file: string) => {
  const parts: string[] = [];
  for (const part of file.split("/"))
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  return `/${parts.join("/")}`;
};
const parentOf = (file: string) => file.slice(0, file.lastIndexOf("/")) || "/";
const within = (folder: string) => (name: string) =>
  name.startsWith(folder === "/" ? folder : `${folder}/`) && name !== folder;

/** Where files may be written, or are shipped. */
for (const name of ["/tmp/file", ...shipped.keys()])
  for (let folder = parentOf(name); folder !== "/"; folder = parentOf(folder)) nodes.set(folder, FOLDER);

/** A file of the site, or undefined. A worker may wait for it, so that reading is a plain call as in Node. */
function fetched(file: string): Content | undefined {
  const address = shipped.get(file);
  if (address === undefined) return undefined;
  const request = new XMLHttpRequest();
  request.open("GET", new URL(address, import.meta.url), false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new FileError("EIO", file);
  return new Content(new Uint8Array(request.response as ArrayBuffer));
}

function nodeAt(file: string): Node | undefined {
  const name = absolute(file);
  const found = nodes.get(name) ?? fetched(name);
  if (found && found !== FOLDER) nodes.set(name, found);
  return found;
}

function contentOf(file: string | number): Content {
  const name = typeof file === "number" ? open.get(file)!.file : file;
  const found = nodeAt(name);
  if (found === undefined) throw new FileError("ENOENT", name);
  if (found === FOLDER) throw new FileError("EISDIR", name);
  return found;
}

function put(file: string, node: Node): void {
  const name = absolute(file);
  if (nodes.get(parentOf(name)) !== FOLDER) throw new FileError("ENOENT", name);
  if ((nodes.get(name) === FOLDER) !== (node === FOLDER) && nodes.has(name))
    throw new FileError("EISDIR", name);
  nodes.set(name, node);
}

export function existsSync(file: string): boolean {
  return nodes.has(absolute(file)) || shipped.has(absolute(file));
}

export function statSync(file: string, options: { throwIfNoEntry?: boolean } = {}) {
  const node = nodeAt(file);
  if (node === undefined) {
    if (options.throwIfNoEntry === false) return undefined;
    throw new FileError("ENOENT", file);
  }
  const folder = node === FOLDER;
  return {
    isFile: () => !folder,
    isDirectory: () => folder,
    isFIFO: () => false,
    isSymbolicLink: () => false,
    size: folder ? 0 : node.bytes.length,
    mode: 0o644,
    uid: 0,
    gid: 0,
    dev: 1,
    ino: absolute(file),
    mtimeMs: 0,
  };
}
export const lstatSync = statSync;
export const fstatSync = (descriptor: number) => statSync(open.get(descriptor)!.file);
export const realpathSync = (file: string) => {
  statSync(file);
  return absolute(file);
};
export const readlinkSync = (file: string) => {
  throw new FileError("EINVAL", file);
};
export const statfsSync = () => ({ bavail: 0, blocks: 0, bsize: 1 }); // it does not tell
export const fchmodSync = () => undefined;
export const fchownSync = () => undefined;
export const fsyncSync = () => undefined;

export function readFileSync(file: string | number, encoding?: string): Buffer | string {
  const bytes = Buffer.from(contentOf(file).bytes);
  return encoding ? bytes.toString("utf8") : bytes;
}

export function writeFileSync(
  file: string | number,
  content: string | Uint8Array,
  options?: { flag?: string },
) {
  const bytes = Buffer.from(content);
  if (typeof file === "number") {
    writeSync(file, bytes);
    return;
  }
  if (options?.flag === "wx" && existsSync(file)) throw new FileError("EEXIST", file);
  put(file, new Content(bytes));
}

export function openSync(file: string, flags: string | number = "r"): number {
  if (typeof flags === "string" && flags.startsWith("w"))
    writeFileSync(file, "", flags.includes("x") ? { flag: "wx" } : {});
  else statSync(file);
  open.set(++descriptors, { file: absolute(file), at: 0 });
  return descriptors;
}

export function closeSync(descriptor: number): void {
  open.delete(descriptor);
}

export function readSync(
  descriptor: number,
  into: Uint8Array,
  offset = 0,
  length = into.length - offset,
  position: number | bigint | null = null,
): number {
  const state = open.get(descriptor)!;
  const from = position === null ? state.at : Number(position);
  const part = contentOf(descriptor).bytes.subarray(from, from + length);
  new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(part, offset);
  if (position === null) state.at += part.length;
  return part.length;
}

export function writeSync(
  descriptor: number,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): number {
  contentOf(descriptor).add(bytes.subarray(offset, offset + length));
  return length;
}

export function mkdirSync(file: string, options: { recursive?: boolean } = {}): void {
  const name = absolute(file);
  if (options.recursive && name !== "/") mkdirSync(parentOf(name), options);
  else if (!options.recursive && existsSync(name)) throw new FileError("EEXIST", file);
  put(name, FOLDER);
}

export function mkdtempSync(prefix: string): string {
  const name = `${prefix}${++descriptors}`;
  mkdirSync(name, { recursive: true });
  return name;
}

export function readdirSync(file: string): string[] {
  const folder = absolute(file);
  if (nodes.get(folder) !== FOLDER) throw new FileError("ENOENT", file);
  const inside = [...new Set([...nodes.keys(), ...shipped.keys()])]
    .filter(within(folder))
    .filter((name) => parentOf(name) === folder);
  return inside.map((name) => name.slice(name.lastIndexOf("/") + 1)).sort();
}

export function rmSync(file: string, options: { recursive?: boolean; force?: boolean } = {}): void {
  const name = absolute(file);
  if (!nodes.has(name)) {
    if (options.force) return;
    throw new FileError("ENOENT", file);
  }
  for (const inner of [...nodes.keys()].filter(within(name))) nodes.delete(inner);
  nodes.delete(name);
}
export const rmdirSync = rmSync;

export function renameSync(from: string, to: string): void {
  const [before, after] = [absolute(from), absolute(to)];
  if (!nodes.has(before)) throw new FileError("ENOENT", from);
  put(after, nodes.get(before)!);
  for (const name of [...nodes.keys()].filter(within(before)))
    nodes.set(after + name.slice(before.length), nodes.get(name)!);
  rmSync(before, { recursive: true });
  for (const state of open.values()) if (state.file === before) state.file = after;
}

export function copyFileSync(from: string, to: string): void {
  writeFileSync(to, contentOf(from).bytes);
}

export function createReadStream(file: string): never {
  throw new FileError("ENOSYS", file);
}

export const constants = { O_RDONLY: 0, O_NONBLOCK: 0, COPYFILE_EXCL: 0 };
export * as default from "./files";
