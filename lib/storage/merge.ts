import fs from "node:fs";
import { InputError, shown } from "../errors";
import { ArrowFieldsWriter, readBatches } from "./arrow";
import { concatenate, type DataSet, sliceRows } from "../dataSet";
import { difference, mostAlike, type Origin, originMetadata, originOf } from "./origin";
import { planRows, rowPlan, taskRows } from "./tasks";

interface Part {
  readonly file: string;
  readonly origin: Origin;
}

/**
 * Joins the shards of a data set, given in any order, to the file that generate() writes without shards, byte for byte,
 * in constant memory; returns the number of rows. The file appears when complete. Throws InputError for a shard that is
 * missing, given twice, damaged or of another data set, and for a place that cannot be written.
 */
export async function merge(
  files: readonly string[],
  out: string,
  onProgress?: (rowsDone: number, rowsInAll: number) => void,
): Promise<number> {
  const parts = await checkedParts(files);
  const [{ origin }] = parts;
  const inputs = parts.map(({ file }) => fs.realpathSync(file));
  if (fs.existsSync(out) && inputs.includes(fs.realpathSync(out))) {
    throw new InputError(`The output ${shown(out)} is one of the shards; give another name.`);
  }
  const plan = rowPlan(origin);
  const rows = planRows(plan);
  const writer = new ArrowFieldsWriter(out, origin.problem, true, originMetadata(origin));
  let written = 0;
  let task = 0;
  let waiting: DataSet[] = []; // rows of the next record batch, which may come from two shards
  let missing = taskRows(plan, 0);
  try {
    for (const { file } of parts) {
      for await (const batch of readBatches(file)) {
        for (let from = 0; from < batch.rows;) {
          const end = Math.min(batch.rows, from + missing);
          waiting.push(sliceRows(batch, from, end));
          missing -= end - from;
          from = end;
          if (missing > 0) continue;
          const whole = concatenate(waiting);
          writer.write(whole);
          written += whole.rows;
          onProgress?.(written, rows);
          waiting = [];
          missing = written < rows ? taskRows(plan, ++task) : 0;
        }
      }
    }
    writer.close();
  } catch (error) {
    writer.abandon();
    throw error;
  }
  return written;
}

/** The shards in order, when they are all there. */
async function checkedParts(files: readonly string[]): Promise<Part[]> {
  if (files.length === 0) throw new InputError("There are 0 shards; give the files of all.");
  const parts: Part[] = [];
  for (const file of files) parts.push({ file, origin: await originOf(file) });
  // A file that does not belong is one that differs from the most.
  const [usual] = mostAlike(parts);
  const count = usual.origin.shard.count;
  const found: Part[] = [];
  for (const part of parts) {
    const other = difference(part.origin, usual.origin);
    if (other) {
      throw new InputError(
        `${shown(part.file)} has ${other} as ${shown(usual.file)}; give the shards of one data set.`,
      );
    }
    const { index } = part.origin.shard;
    if (found[index]) {
      const both = `${shown(found[index].file)} and ${shown(part.file)}`;
      throw new InputError(`${both} are both shard ${index}/${count}; give each shard once.`);
    }
    found[index] = part;
  }
  const missing = Array.from({ length: count }, (_, k) => k + 1).filter((index) => !found[index]);
  if (missing.length > 0) {
    const list = missing.slice(0, 10).map((index) => `${index}/${count}`);
    const more = missing.length > list.length ? ` and ${missing.length - list.length} more` : "";
    const [names, verb] = missing.length > 1 ? ["Shards", "are"] : ["Shard", "is"];
    throw new InputError(`${names} ${list.join(", ")}${more} ${verb} missing; give the files of all shards.`);
  }
  return found.slice(1);
}
