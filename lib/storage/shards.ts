import fs from "node:fs";
import path from "node:path";
import { InputError, shown } from "../errors";
import { AtomicFile, fileError, removeUnfinished } from "./atomicFile";
import { FolderLock } from "./folderLock";
import { generate, type GenerateOptions } from "./generate";
import { merge } from "./merge";
import { difference, type Origin, originOf } from "./origin";
import { planRows, rowPlan, WHOLE } from "./tasks";

/** What generateMissing() and generateInShards() draw. */
export interface ResumableOptions extends GenerateOptions {
  /** gets a sentence for each file that is left as it is, or that is damaged and made again */
  readonly note?: (sentence: string) => void;
}

/**
 * Does what generate() does, unless the file is there already; returns its number of rows. Throws InputError where there
 * is a file of other settings, or of another shard.
 */
export async function generateMissing(options: ResumableOptions): Promise<number> {
  const { out, shard, note } = options;
  removeUnfinished(out);
  if (!(await isThere(options))) return generate(options);
  const what = shard ? `shard ${shard.index}/${shard.count}` : "the data set";
  note?.(`${out}: ${what} is complete already; it is left as it is.`);
  return planRows(rowPlan(options, shard));
}

/**
 * Does what generate() does by way of `shards` files in a folder beside the output, so that it can be killed and goes on
 * from the shards that it has finished when it is called again; returns the number of rows. The folder is removed in the
 * end; until then the data take their room on the disk twice. Throws InputError as generateMissing() does.
 */
export async function generateInShards(options: ResumableOptions, shards: number): Promise<number> {
  const { out, onProgress, note } = options;
  const rows = planRows(rowPlan(options));
  rowPlan(options, { index: 1, count: shards }); // a bad number of shards is told of first
  const parts = Array.from({ length: shards }, (_, k) => ({
    ...options,
    shard: { index: k + 1, count: shards },
    out: path.join(`${out}.parts`, `part-${k + 1}.arrow`),
  }));
  removeUnfinished(out);
  new AtomicFile(out).abandon(); // a place that cannot be written is told of now, not when all is computed
  const done = await isThere(options);
  if (done && !fs.existsSync(`${out}.parts`)) {
    note?.(`${out}: the data set is complete already; it is left as it is.`);
    return rows;
  }
  try {
    fs.mkdirSync(`${out}.parts`, { recursive: true });
  } catch (error) {
    throw fileError("write", `${out}.parts`, error);
  }
  const lock = new FolderLock(`${out}.parts`, "generation");
  try {
    if (!done) {
      const finished: boolean[] = [];
      for (const part of parts) {
        removeUnfinished(part.out);
        finished.push(await isThere(part));
      }
      const kept = finished.filter(Boolean).length;
      if (kept > 0) note?.(`${out}: ${kept} of ${shards} shards are complete already; the others are drawn.`);
      let before = 0;
      for (const [k, part] of parts.entries()) {
        const report = (rowsDone: number) => onProgress?.(before + rowsDone, rows);
        if (!finished[k]) await generate({ ...part, onProgress: report });
        before += planRows(rowPlan(options, part.shard));
      }
      await merge(
        parts.map((part) => part.out),
        out,
      );
    }
    for (const part of parts) fs.rmSync(part.out, { force: true });
  } finally {
    lock.release();
  }
  removeEmpty(`${out}.parts`);
  return rows;
}

/** Whether the file with these settings is there, complete. Throws InputError if there is one of other settings. */
async function isThere(options: ResumableOptions): Promise<boolean> {
  const { out, problem, conditions, fields, seed, shard = WHOLE, note } = options;
  const wanted: Origin = { problem, conditions, fields, seed, shard };
  rowPlan(wanted, shard); // bad sizes are told of first
  if (!fs.existsSync(out)) return false;
  let found: Origin;
  try {
    found = await originOf(out);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    note?.(`${error.message.replace(/(; give [^;]*)?\.$/, "")}; it is made again.`);
    return false;
  }
  const other =
    difference(found, wanted) ??
    (found.shard.index === shard.index ? undefined : `shard ${found.shard.index} and not ${shard.index}`);
  if (!other) return true;
  throw new InputError(`${shown(out)} is there and has ${other}; give another name, or delete it.`);
}

function removeEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder);
  } catch {
    // Someone keeps other files in it.
  }
}
