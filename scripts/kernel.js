"use strict";
// What JupyterLab starts as the kernel "TypeScript": tslab, with the project's root as its working
// directory (so that notebooks import "./lib/..." with types checked) and TensorFlow's environment.

const { root, environment, startedAgain } = require("./environment");
const { mendInspection } = require("./inspection");

if (!startedAgain()) {
  process.chdir(root);
  Object.assign(process.env, environment());
  mendInspection();
  mendCells();
  require("tslab/dist/main").startKernel({ configPath: process.argv[2], enableFindLocal: false });
}

/**
 * Rewrites cells around two faults of tslab 1.0.22 before it sees them: it does not find a variable of an earlier cell
 * in { name }, only in { name: name }; and a cell that awaits nothing but a "for await" is not taken as asynchronous.
 */
function mendCells() {
  const ts = require("@tslab/typescript-for-tslab");
  const converter = require("tslab/dist/converter");
  const { createConverter } = converter;
  converter.createConverter = (options) => {
    const made = createConverter(options);
    return { ...made, convert: (previous, source) => made.convert(previous, mended(source)) };
  };

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
}
