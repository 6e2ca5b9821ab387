import { Option } from "commander";
import { CONVENTIONS } from "../../lib/electrode";
import { type Condition, type Problem } from "../../lib/problem";
import { checkConditions } from "../../lib/data/conditions";
import { asNumber, InputError, oneOf, shown } from "../../lib/backend/errors";

/** --convention, with what it is for. */
export function conventionOption(what: string): Option {
  return new Option(
    "--convention <name>",
    `reading of the equations, ${CONVENTIONS.join(" or ")}: ${what}`,
  ).argParser((text) => oneOf("The convention", text, CONVENTIONS));
}

/** The option of a condition: its name with dashes. */
export function flag({ name }: Condition): string {
  return `--${name.replace(/_/g, "-")}`;
}

/**
 * The conditions of a problem from the words that are no options of the verb itself: which conditions there are, the
 * model tells. Throws InputError for a missing, an unknown or a bad one.
 */
export function conditionsFrom(problem: Problem, words: readonly string[]): Float64Array {
  const flags = problem.conditions.map(flag);
  const values = new Map<string, number>();
  for (let i = 0; i < words.length; i++) {
    const [name, attached] = splitAtFirst(words[i], "=");
    const k = flags.indexOf(name);
    if (k < 0) {
      throw new InputError(
        `The option ${shown(name)} is unknown; this model takes ${flags.join(", ")}: see --help.`,
      );
    }
    const { min, max, unit } = problem.conditions[k];
    const text = attached ?? words[++i];
    const value = asNumber(text);
    if (!Number.isFinite(value)) {
      const found = text === undefined ? "has no value" : `is ${shown(text)}`;
      throw new InputError(`The option ${name} ${found}; give a number from ${min} to ${max} ${unit}.`);
    }
    values.set(name, value);
  }
  const missing = flags.filter((name) => !values.has(name));
  if (missing.length > 0) {
    throw new InputError(
      `The model needs ${missing.join(", ")}; give each as an option with a number: see --help.`,
    );
  }
  return checkConditions(
    problem,
    flags.map((name) => values.get(name) ?? NaN),
  );
}

function splitAtFirst(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Lines of help about the options of a problem's conditions. */
export function conditionHelp({ conditions }: Problem): string {
  const lines = conditions.map(
    (condition) =>
      `  ${`${flag(condition)} <${condition.unit}>`.padEnd(32)}${condition.description}, ${condition.min} to ${condition.max}`,
  );
  return ["", "Conditions, as the model's problem has them; of the porous electrode:", ...lines].join("\n");
}
