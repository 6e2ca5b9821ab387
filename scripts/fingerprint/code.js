"use strict";
// Code without what cannot change its results: types, comments, layout, line endings.

const ts = require("typescript");

const options = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  removeComments: true,
};

/**
 * The tokens of TypeScript source, in order, and the texts of its string literals.
 *
 * A cell keeps imports that it does not use itself, as later cells may. Of a template with substitutions, the text up
 * to the first one counts as a literal, marked `open`.
 */
function codeOf(source, { cell = false } = {}) {
  const plain = source.replace(/\r\n?/g, "\n");
  const { outputText } = ts.transpileModule(plain, {
    compilerOptions: { ...options, verbatimModuleSyntax: cell },
  });
  const file = ts.createSourceFile("code.js", outputText, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const tokens = [];
  const literals = [];
  const visit = (node) => {
    if (ts.isStringLiteralLike(node)) literals.push({ text: node.text, open: false });
    else if (node.kind === ts.SyntaxKind.TemplateHead) literals.push({ text: node.text, open: true });
    const children = node.getChildren(file);
    if (children.length > 0) return children.forEach(visit);
    const text = node.getText(file);
    // A comma that ends a list is layout, unless a hole is before it.
    if (/^[)\]}]$/.test(text) && tokens.at(-1) === "," && !/^[,[]$/.test(tokens.at(-2) ?? "")) tokens.pop();
    if (text !== "") tokens.push(text);
  };
  visit(file);
  return { tokens, literals };
}

module.exports = { codeOf };
