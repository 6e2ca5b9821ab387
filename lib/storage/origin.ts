/** What a file that generate() wrote says of how it came about: the settings of its data set, and its shard. */
import { asNumber, InputError, shown } from "../errors";
import { ArrowRows } from "./arrow";
import type { Problem } from "../problem";
import { type DataSetSize, planRows, rowPlan, type Shard, WHOLE } from "./tasks";

export interface Origin extends DataSetSize {
  readonly problem: Problem;
  readonly shard: Shard;
}

/** The metadata that tell a file's origin beside its problem's. */
export function originMetadata(
  { conditions, fields, seed }: DataSetSize,
  { index, count } = WHOLE,
): Record<string, string> {
  return {
    seed: String(seed),
    conditions: String(conditions),
    fields: String(fields),
    shard: `${index}/${count}`,
  };
}

/** Reads where a file comes from. Throws InputError for one that is damaged or that generate() has not written. */
export async function originOf(file: string): Promise<Origin> {
  const source = await ArrowRows.open(file);
  try {
    const { problem, metadata } = source;
    const [conditions, fields, seed] = ["conditions", "fields", "seed"].map((name) =>
      asNumber(metadata.get(name)),
    );
    const [index, count] = (metadata.get("shard") ?? "").split("/").map(asNumber);
    const origin = { problem, conditions, fields, seed, shard: { index, count } };
    if (!Object.values(originMetadata(origin, origin.shard)).every((text) => !text.includes("NaN"))) {
      throw new InputError(`${shown(file)} is not a file of generate: it names no seed, sizes and shard.`);
    }
    const { rows } = source;
    const expected = planRows(rowPlan(origin, origin.shard));
    if (rows !== expected) {
      throw new InputError(`${shown(file)} is damaged: it has ${rows} rows and not ${expected}.`);
    }
    return origin;
  } finally {
    source.close();
  }
}

/** All that the shards of one data set share: each value between the words that name it in a message. */
function shared({ problem, seed, conditions, fields, shard }: Origin): [string, string | number, string][] {
  const settings = Object.entries(problem.settings);
  return [
    ["the problem ", problem.name, ""],
    ...settings.map(([name, value]): [string, string | number, string] => [`the ${name} `, value, ""]),
    ["seed ", seed, ""],
    ["", conditions, " conditions"],
    ["", fields, " fields a condition"],
    ["", shard.count, " shards"],
  ];
}

/** What tells a file's data set from another one, as "seed 2 and not 1"; undefined where they are shards of one. */
export function difference(found: Origin, wanted: Origin): string | undefined {
  const others = shared(wanted);
  for (const [k, [before, value, after]] of shared(found).entries()) {
    if (value !== others[k]?.[1]) return `${before}${value}${after} and not ${others[k]?.[1]}`;
  }
  return undefined;
}

/** The files that most have in common all that shards share. */
export function mostAlike<T extends { readonly origin: Origin }>(files: readonly T[]): T[] {
  const alike = new Map<string, T[]>();
  for (const file of files) {
    const key = JSON.stringify(shared(file.origin));
    const others = alike.get(key);
    if (others) others.push(file);
    else alike.set(key, [file]);
  }
  return [...alike.values()].reduce((best, group) => (group.length > best.length ? group : best), []);
}
