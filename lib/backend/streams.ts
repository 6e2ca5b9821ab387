/**
 * First numbers of the streams of random numbers that one seed serves, see {@link Random}: each use has its own, so that no
 * two draw the same numbers. Results of a seed depend on them: a new use takes a new number, and none is changed.
 */
export const streams = {
  // Data sets: their conditions, the latent fields of each, and latent fields at given conditions.
  conditions: 0,
  fields: 1,
  simulation: 2,
  // A training.
  order: 10,
  times: 11,
  noise: 12,
  validation: 13,
  lossProfile: 14,
  // Drawing from a model, and measuring the bias of its network.
  sampling: 20,
  ensemble: 21,
  // An evaluation: its conditions, and its sets at each, the first and the confirming ones.
  heldOut: 30,
  evaluation: 31,
  confirmation: 32,
  // Moments of responses that are simulated, and latent fields to compare those of a data set with.
  moments: 40,
  latentLaw: 41,
  // The benchmark.
  benchmarkWeights: 50,
  benchmarkOrder: 51,
  benchmarkTimes: 52,
  benchmarkNoise: 53,
  benchmarkForward: 54,
  // Fields given sensors.
  posterior: 70,
  // Figures of the notebooks 7 and 8.
  filmStates: 60,
  denoisingProfile: 61,
  denoisedFields: 62,
} as const;
