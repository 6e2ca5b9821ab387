/** The variants that the study of ablations compares: each differs from a base in one thing. */
import type { AblationQuestion } from "../../lib/evaluation/studies";
import { type ModelSettings, presets, type TrainingSettings } from "../../lib/presets/presets";

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

const { fast, blog } = presets;

/** The base of all variants of the token network: the preset fast, on 200 conditions x 100 fields. */
const token = {
  description: "the preset fast",
  model: fast.model as ModelSettings,
  training: fast.training as TrainingSettings,
  factor: 1,
  data: { conditions: 200, fields: 100 },
  moments: "solver",
  affine: true,
} as const;

/**
 * The base of all variants of the blog's network. Its batch of 1024 would leave some forty steps, of which nothing can be
 * learned; with 64 there are some hundreds. A step takes so long that these variants, and what is compared with them,
 * get three times the minutes.
 */
const film = {
  ...token,
  description: "the blog's recipe as published, but for batches of 64",
  model: blog.model as ModelSettings,
  training: { ...blog.training, batch: 64 } as TrainingSettings,
  factor: 3,
} as const;

/**
 * The blog's model at the rate of fast: at the published rate nothing is learned in minutes, so that the questions about
 * its recipe are asked at this one.
 */
const quick = {
  ...film,
  description: "the blog's model, trained at the rate of fast with batches of 64",
  training: {
    ...fast.training,
    batch: film.training.batch,
    rowsPerCondition: 1,
    mirrored: false,
    noise: blog.training.noise,
  } as TrainingSettings,
} as const;

const network = (change: object): ModelSettings =>
  ({ ...fast.model, network: { ...fast.model.network, ...change } }) as ModelSettings;
const blogNetwork = (change: object): ModelSettings =>
  ({ ...blog.model, network: { ...blog.model.network, ...change } }) as ModelSettings;
const besideNetwork = (change: object): ModelSettings =>
  ({
    ...fast.model,
    network: { ...blog.model.network, ...change },
    // The blog's time features repeat with period 1: they are made for the time, not for log(noise level).
    timeInput: "time",
  }) as ModelSettings;
/** The blog's network in the place of that of fast, whose model and training are otherwise kept. */
const beside = {
  ...token,
  description: "the blog's network with the preconditioner and the training of fast",
  model: besideNetwork({}),
  factor: film.factor,
} as const;
const target = (
  name: ModelSettings["target"],
  standardisation: ModelSettings["standardisation"] = "conditional",
): ModelSettings => ({ ...fast.model, target: name, standardisation });
const fromData = (conditions: number, fields: number) =>
  ({ ...token, data: { conditions, fields }, moments: "data" }) as const;

export const variants: readonly Variant[] = [
  { ...token, name: "fast" },
  { ...film, name: "blog" },
  { ...token, name: "v", model: target("v"), description: "target v, fields scaled per condition" },
  { ...token, name: "score", model: target("score"), description: "target score, fields scaled per condition" }, // prettier-ignore
  { ...token, name: "noise", model: target("noise"), description: "target noise, fields scaled per condition" }, // prettier-ignore
  { ...token, name: "denoised", model: target("denoised"), description: "target x_0, fields scaled per condition" }, // prettier-ignore
  { ...token, name: "score-global", model: target("score", "global"), description: "target score, one scale a field" }, // prettier-ignore
  { ...token, name: "v-global", model: target("v", "global"), description: "target v, one scale a field" },
  { ...token, name: "fields", affine: false, moments: "data", description: "fast on fields instead of responses: one covariance of all conditions' residuals" }, // prettier-ignore
  { ...token, name: "kernel-1", model: network({ kernel: 1 }), description: "fast without exchange between tokens" }, // prettier-ignore
  { ...token, name: "dilation-1-1", model: network({ dilations: [1, 1] }), description: "fast without dilation" }, // prettier-ignore
  { ...token, name: "stride-4-1-1", model: network({ stride: 4, dilations: [1, 1] }), description: "fast with tokens of 4 cells, without dilation" }, // prettier-ignore
  { ...token, name: "stride-4-1-5", model: network({ stride: 4, dilations: [1, 5] }), description: "fast with tokens of 4 cells, dilations 1 and 5" }, // prettier-ignore
  { ...token, name: "stride-20", model: network({ stride: 20, dilations: [1, 1] }), description: "fast with tokens of 20 cells, without dilation" }, // prettier-ignore
  { ...token, name: "v-kernel-1", model: { ...network({ kernel: 1 }), target: "v" }, description: "target v without exchange between tokens" }, // prettier-ignore
  { ...token, name: "no-ema", training: { ...fast.training, ema: 0 }, description: "fast without averaged weights" }, // prettier-ignore
  { ...token, name: "concatenation", model: network({ conditioning: "concatenation" }), description: "fast with the condition and the noise level appended to the tokens" }, // prettier-ignore
  { ...fromData(200, 100), name: "data-200x100", description: "fast with moments from the data" },
  { ...fromData(200, 12), name: "data-200x12", description: "fast with moments from the data" },
  { ...fromData(25, 100), name: "data-25x100", description: "fast with moments from the data" },
  { ...fromData(25, 800), name: "data-25x800", description: "fast with moments from the data" },
  { ...fromData(800, 25), name: "data-800x25", description: "fast with moments from the data" },
  { ...quick, name: "blog-quick" },
  { ...quick, name: "blog-5", model: blogNetwork({ blocks: 5 }), description: "the same with 5 blocks" },
  { ...quick, name: "blog-beta-3", model: { ...blog.model, schedule: { betaMin: 0.001, betaMax: 3 } }, description: "the same with a largest beta of 3" }, // prettier-ignore
  { ...token, name: "fast-long", factor: film.factor, description: "the preset fast for the blog's minutes" },
  { ...beside, name: "blog-rest" },
  { ...beside, name: "rest-5", model: besideNetwork({ blocks: 5 }), description: "the same with 5 blocks" },
  { ...beside, name: "rest-kernel-3", model: besideNetwork({ kernel: 3 }), description: "the same with kernels of 3 cells" }, // prettier-ignore
];

export const questions: readonly AblationQuestion[] = [
  {
    question: "Do 10 blocks do better than 5?",
    answers: [
      { label: "10 blocks", variant: "blog-quick" },
      { label: "5 blocks", variant: "blog-5" },
      { label: "10 blocks beside the Gaussian part", variant: "blog-rest" },
      { label: "5 blocks beside the Gaussian part", variant: "rest-5" },
    ],
  },
  {
    question: "Which largest beta?",
    answers: [
      { label: "20", variant: "blog-quick" },
      { label: "3", variant: "blog-beta-3" },
    ],
  },
  {
    question: "How far must the network reach?",
    reach: true,
    answers: [
      { label: "fast: stride 10, kernel 3, dilations 1, 2", variant: "fast" },
      { label: "kernel 1", variant: "kernel-1" },
      { label: "dilations 1, 1", variant: "dilation-1-1" },
      { label: "stride 20, dilations 1, 1", variant: "stride-20" },
      { label: "stride 4, dilations 1, 1", variant: "stride-4-1-1" },
      { label: "stride 4, dilations 1, 5", variant: "stride-4-1-5" },
      { label: "target v", variant: "v" },
      { label: "target v, kernel 1", variant: "v-kernel-1" },
    ],
  },
  {
    question: "And the blog's network?",
    reach: true,
    answers: [
      { label: "kernel 7", variant: "blog-rest" },
      { label: "kernel 3", variant: "rest-kernel-3" },
    ],
  },
  {
    question: "Which preconditioning?",
    answers: [
      { label: "full covariance of responses", variant: "fast" },
      { label: "full covariance of fields", variant: "fields" },
      { label: "per condition", variant: "v" },
      { label: "global", variant: "v-global" },
      { label: "none", variant: "score-global" },
    ],
  },
  {
    question: "Which target?",
    answers: [
      { label: "v", variant: "v" },
      { label: "score", variant: "score" },
      { label: "noise", variant: "noise" },
      { label: "denoised field", variant: "denoised" },
    ],
  },
  {
    question: "Average the weights?",
    answers: [
      { label: "averaged", variant: "fast" },
      { label: "last weights", variant: "no-ema" },
    ],
  },
  {
    question: "FiLM or concatenation?",
    answers: [
      { label: "FiLM", variant: "fast" },
      { label: "concatenation", variant: "concatenation" },
    ],
  },
  {
    question: "How many conditions and fields?",
    answers: [
      { label: "200 x 100, moments from the solver", variant: "fast" },
      { label: "200 x 100", variant: "data-200x100" },
      { label: "200 x 12", variant: "data-200x12" },
      { label: "25 x 100", variant: "data-25x100" },
      { label: "25 x 800", variant: "data-25x800" },
      { label: "800 x 25", variant: "data-800x25" },
    ],
  },
  {
    question: "The published recipe, and its network beside the Gaussian part?",
    answers: [
      { label: "fast", variant: "fast-long" },
      { label: "the blog's recipe", variant: "blog" },
      { label: "the same at the rate of fast", variant: "blog-quick" },
      { label: "the blog's network in fast", variant: "blog-rest" },
    ],
  },
];
