/** Presets: everything that defines a model and its training, as plain data. */
import type { Target } from "../loss";
import type { ScoreSettings } from "../scoreModel";
import type { StepSettings } from "../training";
import { oneOf } from "../backend/errors";
import { blogNetworkOptions, FilmNetworkOptions } from "../filmCnn";
import { patchNetworkOptions, PatchNetworkOptions } from "./patchNetwork";

/** What a model is made of: network, scaling, target, schedule. */
export interface ModelSettings extends ScoreSettings {
  readonly network:
    ({ readonly kind: "film" } & FilmNetworkOptions) | ({ readonly kind: "token" } & PatchNetworkOptions);
  /** How fields are scaled: one mean and std a field, or one a cell and condition. */
  readonly standardisation: "global" | "conditional";
  /**
   * What the network returns: the score itself, the noise or the denoised field; v, which is EDM's preconditioner for
   * data of variance 1; or the residual, EDM's preconditioner mode by mode of the conditional covariance (see
   * ModalPreconditioner).
   */
  readonly target: Target | "residual";
  /**
   * Latent fields that are drawn at each node for the conditional moments, where the problem is affine in all conditions
   * but one; otherwise, and by default, the moments are taken from the data.
   */
  readonly momentDraws?: number;
}

/** Model settings as files keep them: there the residual has the name that it had in the first of them. */
export const storedSettings = (settings: object): object => renamed(settings, "residual", "rest");

/** Model settings from what a file keeps. */
export const settingsFrom = (stored: object): ModelSettings =>
  renamed(stored, "rest", "residual") as ModelSettings;

function renamed(settings: object, from: string, to: string): object {
  return (settings as { readonly target?: string }).target === from ? { ...settings, target: to } : settings;
}

/** How a model is trained: its batches, how they move the weights, and for how long. */
export interface TrainingSettings extends StepSettings {
  /** Rows a step. */
  readonly batch: number;
  /** Rows of one condition in a batch; 1. With more, what belongs to the condition is computed once for them. */
  readonly rowsPerCondition?: number;
  /**
   * Whether rows go in pairs (x_0, z) and (mirror image of x_0, -z) at one time; false. All that is odd in both drops
   * out of the pair's gradient, which leaves far less noise in what is even: means, and skewness.
   */
  readonly mirrored?: boolean;
  /** Length of the training unless the caller says otherwise: passes over the data or, where given, steps. */
  readonly epochs: number;
  readonly steps?: number;
}

/** A model with its training. What they took and reached is in measured.ts. */
export interface Preset {
  readonly description: string;
  readonly model: ModelSettings;
  readonly training: TrainingSettings;
}

/** The blog's schedule: beta from 0.001 to 20. */
const schedule = { betaMin: 0.001, betaMax: 20 };

/** What fast and best share: network, all but its depth, model and training. */
const wideTokens = {
  kind: "token",
  ...patchNetworkOptions,
  stride: 10,
  width: 128,
  dilations: [1, 2],
} as const;
const besideGaussian = {
  standardisation: "conditional",
  target: "residual",
  timeInput: "log-noise-level",
  schedule,
  noiseLevels: { smallest: 0.002, largest: 60 },
} as const;
const inPairs = {
  batch: 128,
  rowsPerCondition: 8,
  mirrored: true,
  rate: 2e-3,
  finalRate: 1e-5,
  warmUp: 200,
  beta1: 0.9,
  beta2: 0.99,
  clip: 1,
  noise: "log-noise-level",
  epochs: 10,
} as const;

/** The presets, from the blog's own to the best. */
export const presets = {
  blog: {
    description:
      "The network and the recipe of the blog post as published: hours, and not at the sampling floor.",
    model: {
      network: { kind: "film", ...blogNetworkOptions },
      standardisation: "global",
      target: "score",
      timeInput: "time",
      schedule,
    },
    training: {
      batch: 1024,
      rate: 2e-4,
      finalRate: 1e-6,
      warmUp: 0,
      beta1: 0.9,
      beta2: 0.999,
      ema: 0,
      clip: 0,
      noise: "quadratic-time",
      epochs: 5000,
    },
  },
  lesson: {
    description: "A small token network, EDM preconditioning, fields standardised per condition: minutes.",
    model: {
      network: { kind: "token", ...patchNetworkOptions },
      standardisation: "conditional",
      target: "v",
      timeInput: "log-noise-level",
      schedule,
    },
    training: {
      batch: 128,
      rate: 2e-3,
      finalRate: 1e-5,
      warmUp: 100,
      beta1: 0.9,
      beta2: 0.99,
      ema: 0.999,
      clip: 1,
      noise: "log-noise-level",
      epochs: 10,
    },
  },
  fast: {
    description:
      "A small token network beside the linear-Gaussian part of the score in closed form, on the responses of each porosity: at the sampling floor in ten minutes.",
    model: { ...besideGaussian, network: { ...wideTokens, blocks: 4 }, momentDraws: 4000 },
    training: { ...inPairs, ema: 0.999, steps: 5200 },
  },
  best: {
    description: "The preset fast with six blocks, moments from more draws and a longer training.",
    model: { ...besideGaussian, network: { ...wideTokens, blocks: 6 }, momentDraws: 16000 },
    training: { ...inPairs, ema: 0.9995, steps: 12000 },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;

/** Finds a preset. Throws InputError with the list of names. */
export function presetByName(name: string): Preset {
  return presets[oneOf("The preset", name, Object.keys(presets) as PresetName[])];
}
