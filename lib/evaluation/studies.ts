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

/** What `npm run study -- posterior` writes: posteriors from sensors against the solver's own, and their calibration. */
export interface PosteriorStudy {
  readonly model: string;
  readonly conditions: readonly { readonly name: string; readonly at: readonly number[] }[];
  /** Of each sensor, in standard deviations of the prior at its place. */
  readonly noise: number;
  /** Cells of the sensors. */
  readonly sets: readonly {
    readonly name: string;
    readonly c: readonly number[];
    readonly phi: readonly number[];
  }[];
  /** Of each method, for the accuracy. */
  readonly samples: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, number>>;
  readonly calibrationSettings: {
    readonly draws: number;
    readonly steps: number;
    readonly particles: number;
  };
  readonly accuracy: readonly PosteriorRun[];
  readonly calibration: readonly RankRun[];
}

/** One truth at one set of conditions, seen by one set of sensors. */
export interface PosteriorRun {
  readonly condition: string;
  readonly sensors: string;
  readonly truth: number;
  /** The solver's own posterior, and its effective number of samples. */
  readonly reference: { readonly by: string; readonly effective: number };
  readonly results: readonly {
    readonly method: string;
    /** Root mean square over free cells of the error of the mean, in standard deviations of the posterior. */
    readonly error: number;
    /** Standard deviations over the reference's: smallest, median and largest of the cells. */
    readonly ratios: readonly [number, number, number];
    /** The same of the porosity that was read back, and the median of its ratios. */
    readonly porosityError: number;
    readonly porosityRatio: number;
    /** Smallest effective number of samples on the way. */
    readonly effective: number;
    /** Processor time, s. */
    readonly seconds: number;
  }[];
}

/** One truth of the calibration. */
export interface RankRun {
  readonly pair: number;
  readonly results: readonly {
    readonly method: string;
    /** Draws below the truth: c(0), phi(L), mean porosity, largest slope of the porosity. */
    readonly ranks: readonly number[];
    /** Means over free cells, in standard deviations of the prior: CRPS, squared error of the mean, variance. */
    readonly crps: number;
    readonly error: number;
    readonly spread: number;
  }[];
}
