/** Reading whole files that anyone may have made. */
import fs from "node:fs";
import path from "node:path";
import { InputError, shown } from "../errors";

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
