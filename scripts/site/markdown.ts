/** Markdown to HTML: formulas, coloured code, headings that can be linked to, links between notebooks. */
import MarkdownIt from "markdown-it";
import { codeBlock } from "./code";
import { type FormulaPlace, formulas } from "./formulas";
import { escaped } from "./html";

export interface Heading {
  readonly level: number;
  readonly id: string;
  readonly html: string;
}

/** The environment of one page; the renderer adds to headings and formulas. */
export interface Page extends FormulaPlace {
  place: string;
  readonly headings: Heading[];
  /** Where a link leads in the site, or the path of a file of the project that the site has no page for. */
  readonly link: (target: string) => { href: string } | { file: string };
  /** Where an image lies in the site. */
  readonly image: (target: string) => string;
}

/** The identifier of a heading as JupyterLab makes it, so that links to headings work there and here. */
function identifier(text: string, taken: readonly Heading[]): string {
  const base = text.trim().replace(/\s+/g, "-");
  const ids = new Set(taken.map(({ id }) => id));
  let id = base;
  for (let count = 2; ids.has(id); count++) id = `${base}-${count}`;
  return id;
}

const markdown = new MarkdownIt({ html: true });
markdown.use(formulas);
const { rules } = markdown.renderer;

// Instead of the default, which wraps the block once more.
rules["fence"] = (tokens, index) =>
  codeBlock(tokens[index].content, tokens[index].info.trim().split(/\s/)[0]);

rules["heading_open"] = (tokens, index, options, env, self) => {
  const { headings } = env as Page;
  const inline = tokens[index + 1].children ?? [];
  const text = inline.map(({ content }) => content).join("");
  const id = identifier(text, headings);
  headings.push({ level: Number(tokens[index].tag[1]), id, html: self.renderInline(inline, options, env) });
  return `<${tokens[index].tag} id="${escaped(id)}">`;
};

rules["link_open"] = (tokens, index, options, env, self) => {
  const token = tokens[index];
  const target = (env as Page).link(String(token.attrGet("href")));
  if ("href" in target) {
    token.attrSet("href", target.href);
    return self.renderToken(tokens, index, options);
  }
  let close = index;
  while (tokens[close].type !== "link_close") close++;
  tokens[close].tag = token.tag = "span";
  return `<span class="file" title="${escaped(target.file)}">`;
};

rules["image"] = (tokens, index, options, env, self) => {
  const token = tokens[index];
  token.attrSet("src", (env as Page).image(String(token.attrGet("src"))));
  token.attrSet("alt", self.renderInlineAsText(token.children ?? [], options, env));
  return self.renderToken(tokens, index, options);
};

export const renderMarkdown = (text: string, page: Page): string => markdown.render(text, page);

export const renderInline = (text: string, page: Page): string => markdown.renderInline(text, page);

/** The parts of a text, for those who look at its words or formulas only. */
export const parseMarkdown = (text: string, place: FormulaPlace): MarkdownIt.Token[] =>
  markdown.parse(text, place);
