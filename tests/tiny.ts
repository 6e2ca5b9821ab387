/** Models and data small enough to be trained inside a test. */
import assert from "node:assert/strict";
import type { DataSet } from "../lib/dataSet";
import { InputError } from "../lib/backend/errors";
import type { SamplerStudy } from "../lib/evaluation/studies";
import { porousElectrode } from "../lib/presets/electrodeProblem";
import type { ModelSettings, Preset, TrainingSettings } from "../lib/presets/presets";
import { generateDataSet } from "../lib/presets/simulate";

/** The steady convention: quick to solve. */
export const problem = porousElectrode("text");

/** 40 conditions x 10 fields. */
export function tinyData(seed = 1): DataSet {
  return generateDataSet(problem, { conditions: 40, fields: 10, seed });
}

const schedule = { betaMin: 0.001, betaMax: 20 };

export const tinyToken: ModelSettings = {
  network: { kind: "token", stride: 10, width: 8, blocks: 1, kernel: 3, dilations: [1, 5], filmWidth: 8 },
  standardisation: "conditional",
  target: "v",
  timeInput: "log-noise-level",
  schedule,
};

export const tinyFilm: ModelSettings = {
  network: {
    kind: "film",
    blocks: 1,
    width: 6,
    kernel: 3,
    dilation: 1,
    padding: "replicate",
    activation: "swish",
    filmWidth: 8,
    octaves: 3,
  },
  standardisation: "global",
  target: "score",
  timeInput: "time",
  schedule,
};

export const tinyTraining: TrainingSettings = {
  batch: 32,
  rate: 1e-2,
  finalRate: 1e-3,
  warmUp: 5,
  beta1: 0.9,
  beta2: 0.99,
  ema: 0.99,
  clip: 1,
  noise: "log-noise-level",
  epochs: 2,
};

export function tinyPreset(model: ModelSettings, training: Partial<TrainingSettings> = {}): Preset {
  return { description: "for tests", model, training: { ...tinyTraining, ...training } };
}

/** Asserts an InputError of one line that matches the pattern. */
export async function refused(action: () => unknown, pattern: RegExp): Promise<void> {
  await assert.rejects(
    async () => action(),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    },
  );
}

/** One sampler at two numbers of network calls. */
export const samplerStudy: SamplerStudy = {
  model: "m",
  conditions: [1e-5, 0, 25],
  rows: 100,
  reference: { sampler: "a", steps: 160 },
  floors: [{ rows: 100, energyDistance: 0.4 }],
  results: [10, 20].map((networkCalls) => ({
    sampler: "a",
    networkCalls,
    energyDistance: 1 / networkCalls,
    stdRatio: 1,
  })),
};
