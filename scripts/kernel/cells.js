"use strict";
// Rewrites cells around two faults of tslab 1.0.22 before it sees them: it does not find a variable of an earlier cell
// in { name }, only in { name: name }; and a cell that awaits nothing but a "for await" is not taken as asynchronous.

const ts = require("@tslab/typescript-for-tslab");
const converter = require("tslab/dist/converter");

function mended(source) {
  const shorthands = [];
  let loops = false;
  const visit = (node, inFunction) => {
    if (ts.isShorthandPropertyAssignment(node) && !node.objectAssignmentInitializer)
      shorthands.push(node.name);
    if (ts.isForOfStatement(node) && node.awaitModifier && !inFunction) loops = true;
    ts.forEachChild(node, (child) => visit(child, inFunction || ts.isFunctionLike(node)));
  };
  visit(ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest), false);
  // From the end, so that earlier positions stay what they were; and on the first line, so that lines do.
  const long = shorthands.reduceRight(
    (text, { end, text: name }) => `${text.slice(0, end)}: ${name}${text.slice(end)}`,
    source,
  );
  return loops ? `await undefined; ${long}` : long;
}

module.exports = function mendCells() {
  const { createConverter } = converter;
  converter.createConverter = (options) => {
    const made = createConverter(options);
    return { ...made, convert: (previous, source) => made.convert(previous, mended(source)) };
  };
};
