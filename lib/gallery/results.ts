/** The results of a system over several seeds, as `npm run study` writes them and the notebooks and the documentation show them. */
import { median } from "../evaluation/statistics";
import { type GalleryResult, isMet, type Target } from "./system";

/** One run of a study. */
export interface SeedResult extends GalleryResult {
  readonly seed: number;
  /** Processor time of the run, s. */
  readonly seconds: number;
}

/** What data/results/gallery-NAME.json holds. */
export interface GalleryStudy {
  readonly budget: "full";
  readonly results: readonly SeedResult[];
}

/** A number over the seeds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** A target over the seeds. */
export interface TargetSpread extends Spread, Pick<Target, "what" | "at" | "limit"> {
  readonly met: boolean;
  /** Of a share, how many seeds it is of. */
  readonly of?: number;
  /** Medians of what the same measure gives for references and baselines. */
  readonly beside: Readonly<Record<string, number>>;
}

/** Median and range. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/**
 * Each target over all seeds: judged by the median, and a share by the mean, which then stands in the median's place.
 */
export function targetsOverSeeds({ results }: GalleryStudy): TargetSpread[] {
  return results[0].targets.map(({ what, at, limit, share, beside = {} }) => {
    const all = results.flatMap(({ targets }) => targets.filter((target) => target.what === what));
    const values = all.map((target) => target.value);
    const spread = spreadOf(values);
    const value = share ? values.reduce((sum, own) => sum + own, 0) / values.length : spread.median;
    return {
      what,
      at,
      limit,
      ...spread,
      median: value,
      met: isMet({ at, limit, value }),
      ...(share && { of: values.length }),
      beside: Object.fromEntries(
        Object.keys(beside).map((name) => [name, median(all.map((target) => target.beside![name]))]),
      ),
    };
  });
}

/** Digits for a table: four that count, none for whole numbers. */
export function digits(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(value < 1e-3 ? 2 : 3);
}

/** The targets over the seeds as a table, a row each: target, ours, range, aim, references and baselines. */
export function spreadTable(study: GalleryStudy): string[][] {
  return targetsOverSeeds(study).map(({ what, at, limit, met, of, beside, ...spread }) => [
    what,
    digits(spread.median),
    `${digits(spread.least)} to ${digits(spread.most)}`,
    `at ${at} ${limit}${of ? ` of ${of} seeds` : ""}${met ? "" : ": missed"}`,
    Object.entries(beside)
      .map(([name, value]) => `${name} ${digits(value)}`)
      .join(", "),
  ]);
}
