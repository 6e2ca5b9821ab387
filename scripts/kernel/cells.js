"use strict";
// How tslab 1.0.22 translates a cell: variables of earlier cells become members of "exports", and a cell that awaits becomes an
// asynchronous function. It renames, too, what only looks like such a variable: the x of { x: y }, taken apart. It leaves alone
// the x of { x }, which is both a variable and a key. And of the places where one may await it does not know all. A variable
// that a later cell changes keeps its value in the functions of its own cell: here they see the change.

const NOT_IN_FUNCTION = 1308; // the compiler's number for an "await" in a function that is not asynchronous

/** A transformation of the syntax tree, before tslab's own: it leaves that one only the identifiers that it does right. */
const renaming = (ts, checker) => (context) => {
  const { factory } = context;
  // The compiler knows nothing of an identifier that is not in the source, and so tslab leaves it alone.
  const unknown = ({ text }) => factory.createIdentifier(text);
  const previous = (symbol) =>
    symbol?.declarations?.some((one) => /__prev__\.d\.ts$/.test(one.getSourceFile().fileName));
  const isKey = (node, parent) =>
    parent.propertyName === node || (parent.name === node && ts.isPropertyAssignment(parent));
  const visit = (node, parent) => {
    if (ts.isIdentifier(node)) return isKey(node, parent) ? unknown(node) : node;
    const whole = ts.visitEachChild(node, (child) => visit(child, node), context);
    if (!ts.isShorthandPropertyAssignment(node)) return whole;
    if (!previous(checker.getShorthandAssignmentValueSymbol(ts.getOriginalNode(node)))) return whole;
    const { name, objectAssignmentInitializer: byDefault } = whole;
    const variable = factory.createPropertyAccessExpression(
      factory.createIdentifier("exports"),
      unknown(name),
    );
    const value = byDefault ? factory.createAssignment(variable, byDefault) : variable;
    return factory.createPropertyAssignment(unknown(name), value);
  };
  return (file) => visit(file, file);
};

/** What a cell begins with: for each of its own names how a later cell sets it, or that none does. */
function settersOf(ts, { locals }) {
  const isVariable = ({ valueDeclaration, flags }) =>
    flags & ts.SymbolFlags.Variable && !(ts.getCombinedNodeFlags(valueDeclaration) & ts.NodeFlags.Const);
  const setter = ([name, symbol]) =>
    `${name}: ${isVariable(symbol) ? `(${name}_) => { ${name} = ${name}_; }` : "undefined"}`;
  return locals ? `__tslab__.setters({ ${[...locals].map(setter).join(", ")} }); ` : "";
}

/** Gives cells an "exports" that calls these. */
function mendExports() {
  const tslab = globalThis.__tslab__;
  const setters = {};
  tslab.setters = (more) => Object.assign(setters, more);
  tslab.exports = new Proxy(tslab.exports, {
    set(target, name, value) {
      try {
        setters[name]?.(value);
      } catch {
        // Before its declaration is reached; then the value comes from there.
      }
      return Reflect.set(target, name, value);
    },
  });
}

/** Comes before the parts that load tslab. */
module.exports = function mendCells() {
  let setters = "";
  const name = require.resolve("@tslab/typescript-for-tslab");
  const ts = require(name);
  require.cache[name].exports = {
    ...ts,
    createWatchCompilerHost: (files, options, ...rest) =>
      // The compiler itself tells the places where one may await ...
      ts.createWatchCompilerHost(files, { ...options, disableTopLevelAwait: false }, ...rest),
    getPreEmitDiagnosticsOfFiles: (...args) =>
      // ... and tslab, by the number, would take the others for such a place.
      ts
        .getPreEmitDiagnosticsOfFiles(...args)
        .map((one) => (one.code === NOT_IN_FUNCTION ? { ...one, code: -one.code } : one)),
    createWatchProgram(host) {
      const { afterProgramCreate } = host;
      host.afterProgramCreate = (builder) => {
        const checker = () => builder.getProgram().getTypeChecker();
        const emit = (file, write, token, only, own) => {
          if (/__tslab__\.ts$/.test(file.fileName)) setters = settersOf(ts, file);
          const after = [renaming(ts, checker()), ...own.after];
          return builder.emit(file, write, token, only, { ...own, after });
        };
        return afterProgramCreate.call(host, { ...builder, emit });
      };
      return ts.createWatchProgram(host);
    },
  };
  const converter = require("tslab/dist/converter");
  const { createConverter } = converter;
  converter.createConverter = (options) => {
    const made = createConverter(options);
    const convert = (previous, source) => {
      const { output, ...rest } = made.convert(previous, source);
      // Every cell is an asynchronous function: the part up to the first "await" runs as it would in another one.
      return { ...rest, output: output && setters + output, hasToplevelAwait: true };
    };
    return { ...made, convert };
  };
  const executor = require("tslab/dist/executor");
  const { createExecutor } = executor;
  executor.createExecutor = (...args) => {
    const made = createExecutor(...args);
    mendExports();
    return made;
  };
};
