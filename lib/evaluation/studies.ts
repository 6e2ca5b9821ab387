/** What `npm run study` writes into data/results and the notebooks read. */

/** Errors of samplers on one model and the same noise, as `npm run study -- samplers` writes them. */
export interface SamplerStudy {
  readonly model: string;
  readonly conditions: readonly number[];
  readonly rows: number;
  /** What the errors are against. */
  readonly reference: { readonly sampler: string; readonly steps: number };
  /** Expected energy distance of two independent sets of so many rows. */
  readonly floors: readonly { readonly rows: number; readonly energyDistance: number }[];
  readonly results: readonly {
    readonly sampler: string;
    readonly networkCalls: number;
    /** To the reference, from the same starting noise, in standard deviations. */
    readonly energyDistance: number;
    /** Mean over cells of the ratio of standard deviations to the reference's. */
    readonly stdRatio: number;
  }[];
}

/** What `npm run study -- ablations` writes: variants of models, each trained several times with equal compute. */
export interface AblationStudy {
  readonly problem: string;
  /** Processor time of one training with factor 1, min. */
  readonly minutes: number;
  readonly evaluation: {
    /** Sets of so many rows the floor ratios are for, in expectation. */
    readonly floorRows: number;
    readonly referenceRows: number;
    readonly conditions: readonly AblationCondition[];
  };
  readonly questions: readonly AblationQuestion[];
  readonly variants: readonly AblationVariant[];
  readonly runs: readonly AblationRun[];
}

export interface AblationCondition {
  readonly name: string;
  readonly conditions: readonly number[];
  /** Expected energy distance of two sets of floorRows rows. */
  readonly floor: number;
  /** Floor ratios of independent sets of the PDE, by the same estimator. */
  readonly control: readonly { readonly rows: number; readonly floorRatios: readonly number[] }[];
}

/** One question, with the names of its variants; the first is what the others differ from. */
export interface AblationQuestion {
  readonly question: string;
  /** Whether the answers are about how far networks reach, which figures then tell. */
  readonly reach?: boolean;
  readonly answers: readonly { readonly label: string; readonly variant: string }[];
}

export interface AblationVariant {
  readonly name: string;
  readonly description: string;
  /** Training time in units of the study's minutes. */
  readonly factor: number;
  readonly batch: number;
  /** Conditions and fields of the training data. */
  readonly data: { readonly conditions: number; readonly fields: number };
  readonly parameters: number;
  /** Distance of the last cell to which a change of the first one gets through the network, in cells. */
  readonly reach: number;
  /** Processor time of a step in units of the base's, measured by turns with it. */
  readonly relativeStep: number;
  /** Processor time of a step, s. */
  readonly stepSeconds: number;
  readonly steps: number;
  /** What the time of a step is of: it is measured again when this changes. */
  readonly settings: string;
}

export interface AblationRun {
  readonly variant: string;
  readonly seed: number;
  /** Settings of the run: runs of other settings than the present ones are done again. */
  readonly fingerprint: string;
  readonly steps: number;
  /** Mean loss of the last tenth of the steps, null for a training that diverged. */
  readonly loss: number | null;
  readonly validationLoss: number | null;
  /** Processor time. */
  readonly trainingSeconds: number;
  readonly evaluationSeconds: number;
  readonly results: readonly {
    /** Name of the condition. */
    readonly condition: string;
    readonly rows: number;
    readonly sampler: string;
    readonly networkCalls: number;
    /** null where the samples were not finite. */
    readonly floorRatio: number | null;
    readonly meanError: number | null;
    readonly stdRatio: number | null;
  }[];
}
