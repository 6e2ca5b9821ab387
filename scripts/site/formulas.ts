/** Formulas in Markdown, $...$ and $$...$$ as Jupyter and GitHub read them, rendered by KaTeX. */
import katex from "katex";
import type MarkdownIt from "markdown-it";
import { InputError } from "../../lib/errors";

/** What the rules know of the text they are in. */
export interface FormulaPlace extends MarkdownIt.Env {
  /** File and cell, for messages. */
  readonly place: string;
  /** Formulas found so far. */
  formulas: number;
}

// A $ that begins a formula has no space behind it, one that ends it none before it and no digit after it.
const INLINE = /\$\$([^$\\]|\\[^])+?\$\$|\$(?!\s)([^$\\]|\\[^])+?(?<!\s)\$(?!\d)/y;

/** HTML (with MathML for screen readers) of a formula; throws InputError on anything that KaTeX complains about. */
export function renderFormula(tex: string, displayMode: boolean, place: string): string {
  try {
    return katex.renderToString(tex, { displayMode, throwOnError: true, strict: "error" });
  } catch (error) {
    const reason = (error as Error).message.replace(/^KaTeX parse error: /, "");
    throw new InputError(`${place}: the formula ${tex.trim()} cannot be rendered: ${reason}.`);
  }
}

/** Teaches markdown-it formulas: tokens `formula` and `formula_block`. The environment is a FormulaPlace. */
export function formulas(markdown: MarkdownIt.MarkdownIt): void {
  // Before "escape", so that backslashes inside a formula stay.
  markdown.inline.ruler.before("escape", "formula", (state, silent) => {
    if (state.src[state.pos] !== "$") return false;
    const env = state.env as FormulaPlace;
    INLINE.lastIndex = state.pos;
    const found = INLINE.exec(state.src)?.[0];
    if (found === undefined) {
      const near = state.src.slice(state.pos, state.pos + 40).split("\n")[0];
      throw new InputError(
        `${env.place}: the dollar sign of ${near} has no partner; write \\$ for the sign.`,
      );
    }
    if (!silent) {
      const marks = found.startsWith("$$") ? 2 : 1;
      const token = state.push("formula", "math", 0);
      token.content = found.slice(marks, -marks);
      token.markup = found.slice(0, marks);
      env.formulas++;
    }
    state.pos += found.length;
    return true;
  });

  markdown.block.ruler.before(
    "fence",
    "formula_block",
    (state, start, end, silent) => {
      const first = state.src.slice(state.bMarks[start] + state.tShift[start], state.eMarks[start]);
      if (!first.startsWith("$$") || state.sCount[start] - state.blkIndent >= 4) return false;
      for (let line = start; line < end && !state.isEmpty(line); line++) {
        const text = state.getLines(start, line + 1, state.blkIndent, false).trim();
        if (text.length < 5 || !text.endsWith("$$")) continue;
        const tex = text.slice(2, -2);
        if (tex.includes("$$")) return false; // several on one line: the inline rule's
        if (!silent) {
          const token = state.push("formula_block", "math", 0);
          token.content = tex;
          token.map = [start, line + 1];
          state.line = line + 1;
          (state.env as FormulaPlace).formulas++;
        }
        return true;
      }
      return false;
    },
    { alt: ["paragraph", "reference", "blockquote", "list"] },
  );

  const { rules } = markdown.renderer;
  rules["formula"] = (tokens, index, _options, env) => {
    const { content, markup } = tokens[index];
    return renderFormula(content, markup === "$$", (env as FormulaPlace).place);
  };
  rules["formula_block"] = (tokens, index, _options, env) => {
    const { place } = env as FormulaPlace;
    return `<div class="formula">${renderFormula(tokens[index].content, true, place)}</div>\n`;
  };
}
