"use strict";
// What Shift+Tab shows in JupyterLab: mends and completes the inspection of tslab 1.0.22, which puts each piece of a
// documentation with a link on a line of its own, and shows of a variable nothing but the name of its type.

const path = require("path");
const { root } = require("../environment");

const textOf = (parts) =>
  (parts ?? [])
    .map(({ text }) => text)
    .join("")
    .replace(/\{@link ([^}]+)\}/g, "$1");

/** Comes before the other parts: they load what takes the module replaced here. */
function mendInspection() {
  const name = require.resolve("@tslab/typescript-for-tslab");
  const ts = require(name);
  // The properties of the module cannot be replaced, the module can.
  require.cache[name].exports = {
    ...ts,
    getQuickInfoAtPosition(file, checker, token, position) {
      const info = ts.getQuickInfoAtPosition(file, checker, token, position);
      const text = info && typeDocumentation(ts, checker, ts.getTouchingPropertyName(file, position));
      return text ? { ...info, documentation: [{ kind: "text", text }] } : info;
    },
  };
  require("tslab/dist/inspect").printQuickInfo = ({ displayParts, documentation, tags }) => {
    const tagged = (tags ?? []).map(({ name: tag, text }) => `@${tag} ${textOf(text)}`.trim());
    return [textOf(displayParts), textOf(documentation), tagged.join("\n")].filter(Boolean).join("\n\n");
  };
}

/**
 * The documentation of a type of lib/ with its members, where a name stands for one or for a variable of one that has no
 * documentation of its own; otherwise undefined.
 */
function typeDocumentation(ts, checker, node) {
  let symbol = checker.getSymbolAtLocation(node);
  if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
  if (!symbol) return undefined;
  const isType = symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface);
  if (!isType && symbol.getDocumentationComment(checker).length > 0) return undefined;
  const type = isType
    ? checker.getDeclaredTypeOfSymbol(symbol)
    : checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(symbol, node));
  const element = checker.isArrayType(type) ? checker.getTypeArguments(type)[0] : type;
  const parts = element.isUnionOrIntersection() ? element.types : [element];
  const own = parts.find(({ symbol: named }) => isOurs(named));
  if (!own) return undefined;
  const members = checker
    .getPropertiesOfType(own)
    .filter(isPublic(ts))
    .map((member) => [member.name, firstSentence(textOf(member.getDocumentationComment(checker)))])
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `  ${name}: ${text}`);
  const text = textOf(own.symbol.getDocumentationComment(checker));
  return [text, members.join("\n")].filter(Boolean).join("\n\n");
}

const firstSentence = (text) =>
  text
    .split("\n\n")[0]
    .replace(/\s+/g, " ")
    .replace(/\. (?=[A-Z]).*/, ".");

const isOurs = (symbol) =>
  symbol?.declarations?.some((declaration) =>
    path.normalize(declaration.getSourceFile().fileName).startsWith(path.join(root, "lib") + path.sep),
  ) ?? false;

const isPublic = (ts) => (symbol) =>
  (symbol.declarations ?? []).every(
    (declaration) =>
      !(ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.NonPublicAccessibilityModifier),
  );

module.exports = mendInspection;
