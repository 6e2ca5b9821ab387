/** What a notebook's first cell says of it. */
import { InputError } from "../../lib/errors";
import { joined, type Notebook } from "./notebook";

export interface Summary {
  readonly name: string;
  /** Markdown on one line. */
  readonly title: string;
  /** Markdown, or "" if the notebook asks none. */
  readonly question: string;
}

/** Title and question of a notebook; throws InputError if it does not begin with a title. */
export function summaryOf({ name, file, cells }: Notebook): Summary {
  const first = cells[0]?.cell_type === "markdown" ? joined(cells[0].source) : "";
  const title = /^# +(.+)/.exec(first)?.[1].trim();
  if (title === undefined)
    throw new InputError(`${file} does not begin with a title: let its first line be "# ...".`);
  const question = /^\*\*The question:?\*\*:?\s+([^]*?)(?:\n\s*\n|$(?![^]))/m.exec(first)?.[1].trim() ?? "";
  return { name, title, question: question.charAt(0).toUpperCase() + question.slice(1) };
}
