import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import type { Figure } from "../lib/figures/figure";

const folder = path.join(__dirname, "data", "figures");

/**
 * Compares a figure with the one stored under its name in tests/data/figures; UPDATE_SNAPSHOTS=1 stores it instead.
 *
 * Numbers may differ by 1e-4 of their magnitude, or by `absolute`: they are rounded when drawn, and another Node or
 * processor may round a logarithm, or a sum of a matrix product, differently.
 */
export function matchesSnapshot(name: string, figure: Figure, absolute = 1e-9): void {
  const file = path.join(folder, `${name}.json`);
  const plain = JSON.parse(JSON.stringify(figure)) as unknown;
  if (process.env["UPDATE_SNAPSHOTS"] === "1") {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(file, `${JSON.stringify(plain)}\n`);
    return;
  }
  assert.ok(fs.existsSync(file), `${file} is missing; UPDATE_SNAPSHOTS=1 writes it`);
  same(plain, JSON.parse(fs.readFileSync(file, "utf8")), name, absolute);
}

function same(made: unknown, stored: unknown, place: string, absolute: number): void {
  if (typeof made === "number" && typeof stored === "number") {
    const allowed = Math.max(absolute, 1e-4 * Math.max(Math.abs(made), Math.abs(stored)));
    assert.ok(Math.abs(made - stored) <= allowed, `${place} is ${made}, stored is ${stored}`);
  } else if (made !== null && stored !== null && typeof made === "object" && typeof stored === "object") {
    assert.deepEqual(Object.keys(made), Object.keys(stored), place);
    for (const [key, value] of Object.entries(made)) {
      same(value, (stored as Record<string, unknown>)[key], `${place}.${key}`, absolute);
    }
  } else {
    assert.deepEqual(made, stored, place);
  }
}
