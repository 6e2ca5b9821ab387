"use strict";
// tslab forgets what a cell declares when the cell fails or is stopped: the history of a stopped training, say. Here later
// cells know whatever got a value before the end.

const ts = require("@tslab/typescript-for-tslab");
const converter = require("tslab/dist/converter");

const parsed = (text) => ts.createSourceFile("cell.d.ts", text, ts.ScriptTarget.Latest, true).statements;

/** Variables and classes that a statement declares: what has no value before it is run. */
function declared(statement) {
  if (ts.isVariableStatement(statement)) return [...statement.declarationList.declarations];
  return ts.isClassDeclaration(statement) ? [statement] : [];
}

/** `declarations` of a cell that did not end, without what it did not get to; all that `previous` has stays. */
function reached(declarations, previous) {
  const names = parsed(previous)
    .flatMap(declared)
    .map(({ name }) => name.text);
  const { exports: values } = globalThis.__tslab__;
  const there = ({ name }) => names.includes(name.text) || values[name.text] !== undefined;
  const kept = parsed(declarations).map((statement) => {
    const all = declared(statement);
    const some = all.filter(there);
    if (some.length === all.length) return statement.getText();
    const kind = statement.declarationList?.flags & ts.NodeFlags.Const ? "const" : "let";
    return some.length > 0 ? `declare ${kind} ${some.map((one) => one.getText()).join(", ")};` : "";
  });
  return kept.filter(Boolean).join("\n");
}

module.exports = function mendDeclarations() {
  const { createConverter } = converter;
  converter.createConverter = (options) => {
    const made = createConverter(options);
    let last = ""; // what tslab hands back as `previous` once the cell it comes from has ended well
    return {
      ...made,
      convert(previous, source) {
        if (previous !== last) last = reached(last, previous);
        const converted = made.convert(last, source);
        if (converted.diagnostics.length === 0) last = converted.declOutput ?? "";
        return converted;
      },
      inspect: (previous, ...rest) => made.inspect(last, ...rest),
      complete: (previous, ...rest) => made.complete(last, ...rest),
    };
  };
};
