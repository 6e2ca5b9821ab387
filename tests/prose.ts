/** What the documents and notebooks say: their formulas, and their words without code, links' targets and HTML. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { parseMarkdown } from "../scripts/site/markdown";
import { joined, type Cell } from "../scripts/site/notebook";

const root = path.join(__dirname, "..");

/** A formula or a run of text, and where it stands. */
export interface Piece {
  readonly kind: "formula" | "displayed formula" | "text";
  readonly content: string;
  readonly place: string;
}

/** The documents, and the notebooks with their solutions, that git knows or would add. */
export function textFiles(): string[] {
  const kinds = [
    "README.md",
    "CONTRIBUTING.md",
    "environment.md",
    "SECURITY.md",
    "docs/*.md",
    "data/*README.md",
    "notebooks/*.ipynb",
  ];
  const options = ["--cached", "--others", "--exclude-standard", "--", ...kinds];
  return execFileSync("git", ["ls-files", ...options], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter((file) => file !== "" && fs.existsSync(path.join(root, file)))
    .sort();
}

/** The Markdown of a file: all of a document, each Markdown cell of a notebook. */
function markdownOf(file: string): { text: string; place: string }[] {
  const content = fs.readFileSync(path.join(root, file), "utf8");
  if (file.endsWith(".md")) return [{ text: content, place: file }];
  const { cells } = JSON.parse(content) as { cells: Cell[] };
  return cells.flatMap(({ cell_type, source }, index) =>
    cell_type === "markdown" ? [{ text: joined(source), place: `${file}, cell ${index + 1}` }] : [],
  );
}

/** The formulas and texts of a piece of Markdown, in order. */
export function piecesOf(text: string, place: string): Piece[] {
  const pieces: Piece[] = [];
  const visit = (tokens: ReturnType<typeof parseMarkdown>): void => {
    for (const { type, content, markup, children } of tokens) {
      if (type === "formula_block" || (type === "formula" && markup === "$$")) {
        pieces.push({ kind: "displayed formula", content, place });
      } else if (type === "formula") pieces.push({ kind: "formula", content, place });
      else if (type === "text") pieces.push({ kind: "text", content, place });
      // Pictures have their descriptions as children.
      visit(children ?? []);
    }
  };
  visit(parseMarkdown(text, { place, formulas: 0 }));
  return pieces;
}

/** All formulas and texts of the project. */
export const allPieces = (): Piece[] =>
  textFiles().flatMap((file) => markdownOf(file).flatMap(({ text, place }) => piecesOf(text, place)));

/** The words of a text; addresses, names of files and words with digits in them are none. */
export function wordsOf(text: string): string[] {
  const prose = text.replace(/\bhttps?:\S+|[\w./-]+\.(?:ts|js|py|md|json|ipynb|arrow|bin|csv)\b/g, " ");
  const found = prose.replace(/’/g, "'").match(/[\p{L}\p{N}_]+(?:'\p{L}+)*/gu) ?? [];
  return found.filter((word) => word.length > 1 && !/[\p{N}_]/u.test(word));
}
