/** What the presets took and reached, as plain data: apart from the presets, so that a new measurement changes no model. */
import type { PresetName } from "./presets";

/** What a training with a preset took and reached, as `evaluate` measured it (data/results/evaluation-*.json). */
export interface Measured {
  readonly preset: PresetName;
  readonly convention: string;
  /** Length of the training with its preparation, on so many cores of the machine that the README names. */
  readonly minutes: number;
  readonly cores: number;
  readonly steps: number;
  /** Held-out conditions, the ends of all ranges among them. */
  readonly conditions: number;
  /** Pooled floor ratios (see FloorRatio) at the problem's reference conditions, and over the held-out ones. */
  readonly reference: number;
  readonly median: number;
  readonly worst: number;
}

export const measured: readonly Measured[] = [
  {
    preset: "blog",
    convention: "figures",
    minutes: 112,
    cores: 2,
    steps: 2200,
    conditions: 6,
    reference: 466000,
    median: 723000,
    worst: 62900000,
  },
  {
    preset: "fast",
    convention: "figures",
    minutes: 8.8,
    cores: 2,
    steps: 5200,
    conditions: 50,
    reference: 1.2,
    median: 1.08,
    worst: 1.61,
  },
  {
    preset: "fast",
    convention: "text",
    minutes: 8.2,
    cores: 2,
    steps: 5200,
    conditions: 50,
    reference: 1.02,
    median: 1.05,
    worst: 1.37,
  },
  {
    preset: "best",
    convention: "figures",
    minutes: 39,
    cores: 1,
    steps: 12052,
    conditions: 50,
    reference: 1.06,
    median: 1.01,
    worst: 1.25,
  },
  {
    preset: "best",
    convention: "text",
    minutes: 39,
    cores: 1,
    steps: 12221,
    conditions: 50,
    reference: 0.972,
    median: 1.03,
    worst: 1.11,
  },
];
