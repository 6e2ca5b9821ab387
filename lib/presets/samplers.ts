/** The samplers by name: a new one is one more entry. */
import { oneOf } from "../backend/errors";
import { gaussianExact } from "../gaussian/exactSampler";
import { dpmSolver2M, pfOdeHeun } from "../gaussian/odeSamplers";
import { eulerMaruyama, type Sampler, stochasticHeun } from "../samplers";

/** All samplers, the post's own two first: each a name, a time grid and a step from one time to the next. */
export const samplers: readonly Sampler[] = [
  eulerMaruyama,
  stochasticHeun,
  pfOdeHeun,
  dpmSolver2M,
  gaussianExact,
];

/** The sampler of this name; throws InputError with the list of names when there is none. */
export function samplerByName(name: string): Sampler {
  const names = samplers.map((sampler) => sampler.name);
  return samplers[names.indexOf(oneOf("The sampler", name, names))];
}
