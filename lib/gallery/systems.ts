/** The systems of the gallery, in the order of its notebooks. */
import { directMatching } from "./direct-matching/run";
import { evidentialRecommender } from "./evidential-recommender/run";
import { idealLes } from "./ideal-les/run";
import { multiscaleFlows } from "./multiscale-flows/run";
import { nesterovBnn } from "./nesterov-bnn/run";
import { variationalSmoothing } from "./variational-smoothing/run";
import type { GallerySystem } from "./system";

export const systems: readonly GallerySystem[] = [
  multiscaleFlows,
  variationalSmoothing,
  idealLes,
  directMatching,
  nesterovBnn,
  evidentialRecommender,
];
