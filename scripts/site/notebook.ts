/** Notebook files, read and checked. */
import fs from "node:fs";
import path from "node:path";
import { InputError } from "../../lib/errors";

type Text = string | readonly string[];

/** One output of a cell, as the notebook format 4 has it. */
export interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: Text;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface Cell {
  readonly cell_type: string;
  readonly source: Text;
  readonly execution_count?: number | null;
  readonly outputs?: readonly Output[];
}

export interface Notebook {
  /** Path relative to the folder of notebooks, with slashes and without .ipynb. */
  readonly name: string;
  /** The file as messages name it. */
  readonly file: string;
  readonly cells: readonly Cell[];
}

/** Text of a notebook file: one string or a list of lines. */
export const joined = (text: Text): string => (typeof text === "string" ? text : text.join(""));

/** Every notebook of a folder and of its solutions/, sorted by name, 2 before 10. */
export function notebookNames(folder: string): string[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  const list = (below: string): string[] =>
    (fs.existsSync(path.join(folder, below)) ? fs.readdirSync(path.join(folder, below)) : [])
      .filter((file) => file.endsWith(".ipynb"))
      .map((file) => path.posix.join(below, file.slice(0, -".ipynb".length)))
      .sort(compare);
  return [...list("."), ...list("solutions")];
}

/** Reads a notebook; throws InputError if it is none, or if a code cell of it has not run or has failed. */
export function readNotebook(folder: string, name: string): Notebook {
  const place = path.join(folder, `${name}.ipynb`);
  const file = path.relative(process.cwd(), place);
  let cells: unknown;
  try {
    ({ cells } = JSON.parse(fs.readFileSync(place, "utf8")) as { cells?: unknown });
  } catch (error) {
    throw new InputError(`${file} cannot be read as a notebook: ${(error as Error).message}.`);
  }
  if (!Array.isArray(cells)) throw new InputError(`${file} is not a notebook: it has no list of cells.`);
  const again = "execute the notebooks with npm run notebooks, then build the site again";
  const list = cells as readonly Cell[];
  list.forEach((cell, index) => {
    if (cell.cell_type !== "code" || joined(cell.source).trim() === "") return;
    if (cell.execution_count == null) {
      throw new InputError(`${file} has not run: its cell ${index + 1} has no result; ${again}.`);
    }
    if (cell.outputs?.some(({ output_type }) => output_type === "error")) {
      throw new InputError(`${file} has failed in its cell ${index + 1}: mend it, ${again}.`);
    }
  });
  return { name, file, cells: list };
}
