/** The variants that the study of ablations compares, of variants.json: each differs from a base in one thing. */
import type { AblationQuestion } from "../../lib/evaluation/studies";
import { type ModelSettings, presets, type TrainingSettings } from "../../lib/presets/presets";
import plain from "./variants.json";

export interface Variant {
  readonly name: string;
  readonly description: string;
  readonly model: ModelSettings;
  readonly training: TrainingSettings;
  /** Training time in units of the study's. */
  readonly factor: number;
  readonly data: { readonly conditions: number; readonly fields: number };
  /** Where moments come from that the scaling needs: new solutions, or the training data alone. */
  readonly moments: "solver" | "data";
  /** Whether the problem tells that its fields are affine in two conditions; otherwise a model is of the fields. */
  readonly affine: boolean;
}

/** A variant in the file: what differs from its base, of the model, the network and the training their options. */
interface Difference extends Partial<Omit<Variant, "model" | "training">> {
  readonly name: string;
  readonly base: string;
  readonly model?: object;
  readonly network?: object;
  readonly training?: object;
}

const { fast, blog } = presets;

/** The preset fast, on 200 conditions x 100 fields. */
const token: Omit<Variant, "name"> = {
  description: "the preset fast",
  model: fast.model,
  training: fast.training,
  factor: 1,
  data: { conditions: 200, fields: 100 },
  moments: "solver",
  affine: true,
};

/**
 * The blog's recipe. Its batch of 1024 would leave some forty steps, of which nothing can be learned; with 64 there are some
 * hundreds. A step takes so long that these variants, and what is compared with them, get three times the minutes.
 */
const film: Omit<Variant, "name"> = {
  ...token,
  description: "the blog's recipe as published, but for batches of 64",
  model: blog.model,
  training: { ...blog.training, batch: 64 },
  factor: 3,
};

/**
 * The blog's model at the rate of fast: at the published rate nothing is learned in minutes, so that the questions about
 * its recipe are asked at this one.
 */
const quick: Omit<Variant, "name"> = {
  ...film,
  description: "the blog's model, trained at the rate of fast with batches of 64",
  training: {
    ...fast.training,
    batch: film.training.batch,
    rowsPerCondition: 1,
    mirrored: false,
    noise: blog.training.noise,
  },
};

/** The blog's network in the place of that of fast, whose model and training are otherwise kept. */
const beside: Omit<Variant, "name"> = {
  ...token,
  description: "the blog's network with the preconditioner and the training of fast",
  // The blog's time features repeat with period 1: they are made for the time, not for log(noise level).
  model: { ...fast.model, network: blog.model.network, timeInput: "time" } as ModelSettings,
  factor: film.factor,
};

const bases: Readonly<Record<string, Omit<Variant, "name">>> = { token, film, quick, beside };

function variantOf({ base, model, network, training, ...rest }: Difference): Variant {
  const own = bases[base];
  return {
    ...own,
    ...rest,
    model: { ...own.model, ...model, network: { ...own.model.network, ...network } } as ModelSettings,
    training: { ...own.training, ...training },
  };
}

export const variants = (plain.variants as Difference[]).map(variantOf);
export const questions: readonly AblationQuestion[] = plain.questions;
