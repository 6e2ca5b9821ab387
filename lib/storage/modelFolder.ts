/** The folder of a saved model, as files: it appears whole or not at all, and is read with a reason for what fails. */
import fs from "fs";
import path from "path";
import { fileError, linkedFile, placesInstead, readInside } from "./files";
import { InputError, shown } from "../backend/errors";
import type { PresetModel } from "../presets/createModel";
import {
  filesOf,
  MODEL_FILES,
  type ModelFileName,
  type ModelFiles,
  modelFrom,
  type ModelSource,
  type Precision,
} from "../presets/modelFiles";
import type { History } from "../scoreModel";

/**
 * Saves a model as a folder. history: what its files are to tell of how it came about; precision: of its weights there.
 *
 * The folder appears whole or not at all; a model that is there is replaced. Throws InputError if it cannot be written.
 */
export async function saveModel(
  model: PresetModel,
  folder: string,
  history?: History,
  precision?: Precision,
): Promise<void> {
  writeModelFolder(folder, await filesOf(model, history, precision));
}

/**
 * Saves a model as a folder or, if that has become impossible, in another place (see placesInstead): what a long training
 * has learned must not be lost. Returns where, with the reason if it is another place.
 * Throws InputError if it can be written nowhere.
 */
export async function keepModel(
  model: PresetModel,
  folder: string,
  history?: History,
): Promise<{ folder: string; reason?: string }> {
  const files = await filesOf(model, history);
  let reason: unknown;
  for (const place of [folder, ...placesInstead(folder)]) {
    if (place !== folder && fs.existsSync(place)) continue;
    try {
      writeModelFolder(place, files);
      return { folder: place, ...(reason ? { reason: (reason as Error).message } : {}) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      reason ??= error;
    }
  }
  throw reason;
}

/**
 * Loads a saved model from a folder, such as data/models/figures: its problem with units, its scaling (field - mean) /
 * std and its network [batch, cells, fields] -> [batch, cells, fields].
 *
 * Throws InputError, with the reason, if the folder holds none or a damaged one.
 */
export async function loadModel(folder: string): Promise<PresetModel> {
  return modelFrom(new ModelFolder(folder));
}

/**
 * Writes a model's folder; one that is there is replaced. Throws InputError if it cannot be written, or if what has its
 * name is anything but a model.
 */
export function writeModelFolder(folder: string, contents: ModelFiles): void {
  let created: string | undefined; // the first folder made, which may be one above
  try {
    const target = linkedFile(path.resolve(folder));
    const partial = `${target}.${process.pid}.partial`;
    checkReplaceable(target);
    created = makeFolder(partial);
    for (const [name, content] of Object.entries(contents)) write(path.join(partial, name), content);
    // A folder cannot be renamed over a full one: the old one steps aside until the new one has its name.
    const old = `${target}.${process.pid}.old`;
    if (fs.existsSync(target)) fs.renameSync(target, old);
    try {
      fs.renameSync(partial, target);
    } catch (error) {
      if (fs.existsSync(old)) fs.renameSync(old, target);
      throw error;
    }
    fs.rmSync(old, { recursive: true, force: true });
  } catch (error) {
    if (created) fs.rmSync(created, { recursive: true, force: true });
    throw fileError("write", folder, error);
  }
}

/** A model's folder to read from. All methods throw InputError, with the reason. */
export class ModelFolder implements ModelSource {
  constructor(private readonly folder: string) {}

  /** The bytes of a file. */
  bytes(name: ModelFileName): Buffer {
    try {
      return readInside(this.folder, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw this.damaged(`it has no ${name}`);
      throw fileError("read", path.join(this.folder, name), error);
    }
  }

  /** What a file of JSON says. */
  json(name: ModelFileName): unknown {
    const bytes = this.bytes(name);
    try {
      return JSON.parse(bytes.toString("utf8"));
    } catch {
      throw this.damaged(`${name} is not JSON`);
    }
  }

  /** The error for a folder that does not hold a model. */
  damaged(reason: string): InputError {
    return new InputError(
      `Cannot load a model from ${shown(this.folder)}: ${reason}; give a folder that train has written.`,
    );
  }
}

/**
 * Throws InputError if a model could not be saved as this folder: better known before a long training than after.
 * Leaves nothing behind.
 */
export function checkModelFolder(folder: string): void {
  try {
    const target = linkedFile(path.resolve(folder));
    checkReplaceable(target);
    fs.rmSync(makeFolder(`${target}.${process.pid}.partial`), { recursive: true });
  } catch (error) {
    throw fileError("write", folder, error);
  }
}

/** Throws InputError if the folder of a model and that of the states of its training are one, or one is inside the other. */
export function checkApart(folder: string, states: string): void {
  const [model, other] = [folder, states].map(realPath);
  const inside = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + path.sep);
  if (!inside(model, other) && !inside(other, model)) return;
  const how = model === other ? "the same folder" : "one inside the other";
  throw new InputError(
    `The model ${shown(folder)} and the states ${shown(states)} of its training are ${how}; give two that lie apart.`,
  );
}

/** A path without links, as far as it exists. */
function realPath(place: string): string {
  const whole = path.resolve(place);
  try {
    return fs.realpathSync(whole);
  } catch {
    const parent = path.dirname(whole);
    return parent === whole ? whole : path.join(realPath(parent), path.basename(whole));
  }
}

/** Makes a new folder and those above it; returns the first made. (mkdir's own recursion never ends under /proc.) */
function makeFolder(folder: string): string {
  const parent = path.dirname(folder);
  const above = fs.existsSync(parent) ? undefined : makeFolder(parent);
  try {
    fs.rmSync(folder, { recursive: true, force: true }); // what a process of the same number may have left
    fs.mkdirSync(folder);
  } catch (error) {
    if (above) fs.rmSync(above, { recursive: true, force: true });
    throw error;
  }
  return above ?? folder;
}

/** What systems leave in folders that somebody looks at or that lie on a network drive: it is nobody's file. */
const DROPPINGS = /^(\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.directory|\.nfs.*)$/;

/** Only a saved model may be replaced by one: a slip of the pen must not delete somebody's files. */
function checkReplaceable(target: string): void {
  if (!fs.existsSync(target)) return;
  const replaceable = (name: string) =>
    (MODEL_FILES as readonly string[]).includes(name) || DROPPINGS.test(name);
  if (fs.statSync(target).isDirectory() && fs.readdirSync(target).every(replaceable)) return;
  throw new InputError(`${shown(target)} exists and is not just a model; give the name of a new folder.`);
}

function write(file: string, content: string | Uint8Array): void {
  const descriptor = fs.openSync(file, "w");
  try {
    fs.writeFileSync(descriptor, content);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
