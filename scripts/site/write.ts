/** Files of a site onto the disk. */
import fs from "node:fs";
import path from "node:path";
import { InputError } from "../../lib/errors";
import type { Files } from "./links";

const MARK = '<meta name="generator" content="porous-sgm">';

/** Replaces the folder by the site; throws InputError if something else than an earlier site is there. */
export function writeSite(files: Files, folder: string): void {
  if (fs.existsSync(folder)) {
    const index = path.join(folder, "index.html");
    const ours = fs.existsSync(index) && fs.readFileSync(index, "utf8").includes(MARK);
    if (!ours && !(fs.statSync(folder).isDirectory() && fs.readdirSync(folder).length === 0)) {
      throw new InputError(
        `${folder} holds something else than an earlier site; name an empty or a new folder.`,
      );
    }
    fs.rmSync(folder, { recursive: true });
  }
  for (const [name, content] of files) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (typeof content === "string" || Buffer.isBuffer(content)) fs.writeFileSync(file, content);
    else fs.copyFileSync(content.copy, file);
  }
}
