import { InputError, oneOf, shown } from "../backend/errors";
import { CONVENTIONS } from "../electrode";
import { porousElectrode } from "./electrodeProblem";
import { IMPORTED, importedProblemFrom } from "./importedData";
import type { Problem } from "../problem";

/** Each problem's builder from its settings, by name: a new problem is one more entry. */
const BUILDERS: Readonly<Record<string, (settings: Problem["settings"]) => Problem>> = {
  "porous-electrode": ({ convention }) => porousElectrode(oneOf("The convention", convention, CONVENTIONS)),
  [IMPORTED]: importedProblemFrom,
};

/** Finds the problem that a data file or a model was made for. Throws InputError for an unknown name or setting. */
export function problemByName(name: string, settings: Problem["settings"]): Problem {
  if (!Object.hasOwn(BUILDERS, name)) {
    throw new InputError(`The problem is ${shown(name)}; give one of ${Object.keys(BUILDERS).join(", ")}.`);
  }
  return BUILDERS[name](settings);
}
