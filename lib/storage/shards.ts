/** Data sets in parts: what each file says of its origin, parts made where they are missing, and parts joined. */
import fs from "node:fs";
import path from "node:path";
import { concatenate, sliceRows } from "../data/rows";
import type { DataSet } from "../dataSet";
import { asNumber, InputError, shown } from "../backend/errors";
import { planRows, rowPlan, taskRows, WHOLE } from "../presets/simulate";
import { ArrowRows, readBatches } from "./arrowReader";
import { ArrowFieldsWriter } from "./arrowWriter";
import { AtomicFile, fileError, removeUnfinished, sameFile } from "./files";
import { FolderLock } from "./folderLock";
import { generate, type GenerateOptions, type Origin, originMetadata, originOf } from "./generate";

interface Part {
  readonly file: string;
  readonly origin: Origin;
}

/** Reads where a file comes from. Throws InputError for one that is damaged or that generate() has not written. */
async function readOrigin(file: string): Promise<Origin> {
  const source = await ArrowRows.open(file);
  source.close();
  const { problem, metadata, rows } = source;
  const [conditions, fields, seed] = ["conditions", "fields", "seed"].map((name) =>
    asNumber(metadata.get(name)),
  );
  const [index, count] = (metadata.get("shard") ?? "").split("/").map(asNumber);
  if (![conditions, fields, seed, index, count].every(Number.isFinite)) {
    throw new InputError(`${shown(file)} is not a file of generate: it names no seed, sizes and shard.`);
  }
  const [given, arithmetic] = ["given", "arithmetic"].map((name) => metadata.get(name));
  const origin: Origin = { problem, conditions, fields, seed, shard: { index, count }, given, arithmetic };
  const expected = planRows(rowPlan({ conditions, fields, seed }, origin.shard));
  if (rows !== expected) {
    throw new InputError(`${shown(file)} is damaged: it has ${rows} rows and not ${expected}.`);
  }
  return origin;
}

/** All that the shards of one data set share: each value between the words that name it in a message. */
function shared({
  problem,
  seed,
  conditions,
  fields,
  shard,
  given,
  arithmetic,
}: Origin): [string, string | number, string][] {
  const settings = Object.entries(problem.settings);
  return [
    ["the problem ", problem.name, ""],
    ...settings.map(([name, value]): [string, string | number, string] => [`the ${name} `, value, ""]),
    ["seed ", seed, ""],
    ["", conditions, " conditions"],
    ["", fields, " fields a condition"],
    ["", shard.count, " shards"],
    ["", given ? `the given conditions ${given}` : "drawn conditions", ""],
    [
      "the arithmetic ",
      arithmetic ?? "of an earlier version",
      " (that of Node, of the processor and of the solver)",
    ],
  ];
}

/** What tells a file's data set from another one, as "seed 2 and not 1"; undefined where they are shards of one. */
function difference(found: Origin, wanted: Origin): string | undefined {
  const others = shared(wanted);
  for (const [k, [before, value, after]] of shared(found).entries()) {
    if (value !== others[k]?.[1]) return `${before}${value}${after} and not ${others[k]?.[1]}`;
  }
  return undefined;
}

/** What generateMissing() and generateInShards() draw. */
export interface ResumableOptions extends GenerateOptions {
  /** gets a sentence for each file that is left as it is, or that is damaged and made again */
  readonly note?: (sentence: string) => void;
}

/** Whether the file with these settings is there, complete. Throws InputError if there is one of other settings. */
async function isThere(options: ResumableOptions): Promise<boolean> {
  const { out, shard = WHOLE, note } = options;
  rowPlan(options, shard); // bad sizes are told of first
  if (!fs.existsSync(out)) return false;
  let found: Origin;
  try {
    found = await readOrigin(out);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    note?.(`${error.message.replace(/(; [^;]*)?\.$/, "")}; it is made again.`);
    return false;
  }
  const other =
    difference(found, originOf(options)) ??
    (found.shard.index === shard.index ? undefined : `shard ${found.shard.index} and not ${shard.index}`);
  if (!other) return true;
  throw new InputError(`${shown(out)} is there and has ${other}; give another name, or delete it.`);
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
  const folder = `${out}.parts`;
  const rows = planRows(rowPlan(options));
  rowPlan(options, { index: 1, count: shards }); // a bad number of shards is told of first
  const parts = Array.from({ length: shards }, (_, k) => ({
    ...options,
    shard: { index: k + 1, count: shards },
    out: path.join(folder, `part-${k + 1}.arrow`),
  }));
  removeUnfinished(out);
  new AtomicFile(out).abandon(); // a place that cannot be written is told of now, not when all is computed
  const done = await isThere(options);
  if (done && !fs.existsSync(folder)) {
    note?.(`${out}: the data set is complete already; it is left as it is.`);
    return rows;
  }
  try {
    fs.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError("write", folder, error);
  }
  const lock = new FolderLock(folder, "generation");
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
      try {
        await merge(
          parts.map((part) => part.out),
          out,
        );
      } catch (error) {
        if (!(error instanceof InputError) || !fs.existsSync(parts[0].out)) throw error;
        const reason = error.message.replace(/(; [^;]*)?\.$/, "");
        throw new InputError(
          `${reason}; all shards are in ${shown(folder)}, from where the same command goes on.`,
          { cause: error },
        );
      }
    }
    for (const part of parts) fs.rmSync(part.out, { force: true });
  } finally {
    lock.release();
  }
  try {
    fs.rmdirSync(folder);
  } catch {
    // Someone keeps other files in it.
  }
  return rows;
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
  if (parts.some(({ file }) => sameFile(file, out))) {
    throw new InputError(`The output ${shown(out)} is one of the shards; give another name.`);
  }
  const { conditions, fields, seed } = origin;
  const plan = rowPlan({ conditions, fields, seed });
  const rows = planRows(plan);
  const writer = new ArrowFieldsWriter(
    out,
    origin.problem,
    true,
    originMetadata({ ...origin, shard: WHOLE }),
  );
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
  for (const file of files) parts.push({ file, origin: await readOrigin(file) });
  // A file that does not belong is one that differs from the most.
  const keys = parts.map(({ origin }) => JSON.stringify(shared(origin)));
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const most = [...counts.values()].reduce((a, b) => Math.max(a, b), 0);
  const usual = parts[keys.findIndex((key) => counts.get(key) === most)];
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
