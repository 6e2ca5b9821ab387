"use strict";
// How tslab 1.0.22 translates a cell: variables of earlier cells become members of "exports", and a cell that awaits becomes an
// asynchronous function. It renames, too, what only looks like such a variable: the x of { x: y }, taken apart. It leaves alone
// the x of { x }, which is both a variable and a key. And of the places where one may await it does not know all. A variable
// that a later cell changes keeps its value in the functions of its own cell: here they see the change. It does not know the
// variables that a cell declares by "var" inside of a block, takes a name "exports" of the cell's own for its own one, and
// refuses "export", though it exports all that there is.

const NOT_IN_FUNCTION = 1308; // the compiler's number for an "await" in a function that is not asynchronous

/** Parameters of the function that a cell becomes. */
const PARAMETERS = ["exports", "require"];

/** Other names for those of a cell's own variables that are named like these. */
function newNames({ identifiers }) {
  const unused = (name) => (identifiers.has(name) ? unused(`${name}_`) : name);
  return new Map(PARAMETERS.map((name) => [name, unused(`${name}_`)]));
}

/** A transformation of the syntax tree, before tslab's own: it leaves that one only the identifiers that it does right. */
const renaming = (ts, checker, cell) => (context) => {
  const { factory } = context;
  const names = newNames(cell);
  const { Variable, Function, Class, Enum, Alias } = ts.SymbolFlags;
  const own = (symbol) =>
    symbol?.flags & (Variable | Function | Class | Enum | Alias) &&
    symbol.declarations?.some((one) => one.getSourceFile() === cell);
  /** The new name of one of the cell's own variables, if it gets one. */
  const renamed = (node, find = (original) => checker.getSymbolAtLocation(original)) =>
    ts.isIdentifier(node) && names.has(node.text) && own(find(ts.getOriginalNode(node)))
      ? factory.createIdentifier(names.get(node.text))
      : undefined;
  // The compiler knows nothing of an identifier that is not in the source, and so tslab leaves it alone.
  const unknown = ({ text }) => factory.createIdentifier(text);
  const previous = (symbol) =>
    symbol?.declarations?.some((one) => /__prev__\.d\.ts$/.test(one.getSourceFile().fileName));
  const isKey = (node, parent) =>
    parent.propertyName === node || (parent.name === node && ts.isPropertyAssignment(parent));
  const visit = (node, parent) => {
    if (ts.isIdentifier(node)) return isKey(node, parent) ? unknown(node) : (renamed(node) ?? node);
    if (ts.isExportSpecifier(node)) {
      const local = (name) => checker.getExportSpecifierLocalTargetSymbol(name.parent);
      const name = renamed(node.propertyName ?? node.name, local);
      return name ? factory.updateExportSpecifier(node, false, name, unknown(node.name)) : node;
    }
    const whole = ts.visitEachChild(node, (child) => visit(child, node), context);
    if (ts.isBindingElement(node) && !node.propertyName && !node.dotDotDotToken && whole.name !== node.name) {
      if (ts.isObjectBindingPattern(parent) && ts.isIdentifier(node.name))
        return factory.updateBindingElement(whole, undefined, unknown(node.name), whole.name, whole.initializer); // prettier-ignore
    }
    if (!ts.isShorthandPropertyAssignment(node)) return whole;
    const find = (original) => checker.getShorthandAssignmentValueSymbol(original.parent);
    const fresh = renamed(node.name, find);
    if (!fresh && !previous(checker.getShorthandAssignmentValueSymbol(ts.getOriginalNode(node))))
      return whole;
    const { objectAssignmentInitializer: byDefault } = whole;
    const { name } = node;
    const variable =
      fresh ?? factory.createPropertyAccessExpression(factory.createIdentifier("exports"), unknown(name));
    const value = byDefault ? factory.createAssignment(variable, byDefault) : variable;
    return factory.createPropertyAssignment(unknown(name), value);
  };
  return (file) => visit(file, file);
};

/** What a cell begins with: for each of its own names how a later cell sets it, or that none does. */
function settersOf(ts, { locals, ...cell }) {
  const isVariable = ({ valueDeclaration, flags }) =>
    flags & ts.SymbolFlags.Variable && !(ts.getCombinedNodeFlags(valueDeclaration) & ts.NodeFlags.Const);
  const names = newNames(cell);
  const setter = ([name, symbol]) => {
    const variable = names.get(name) ?? name;
    return `${name}: ${isVariable(symbol) ? `(${variable}_) => { ${variable} = ${variable}_; }` : "undefined"}`;
  };
  return locals ? `__tslab__.setters({ ${[...locals].map(setter).join(", ")} }); ` : "";
}

/** A cell's variables that are declared inside of statements: how the cell ends for them, and what later cells know. */
function innerVariables(ts, checker, cell) {
  const isInner = (declaration) => {
    const list = ts.walkUpBindingElementsAndPatterns(declaration).parent;
    return !(ts.isVariableStatement(list.parent) && list.parent.parent === cell);
  };
  const names = newNames(cell);
  const all = [...(cell.locals ?? [])].filter(
    ([, { flags }]) => flags & ts.SymbolFlags.FunctionScopedVariable,
  );
  const inner = all.filter(([, { declarations }]) => declarations.some(isInner));
  const ending = inner.map(([name]) => `exports.${name} = ${names.get(name) ?? name};`).join(" ");
  const declarations = inner
    .filter(([, { declarations }]) => declarations.every(isInner))
    .map(([name, symbol]) => {
      const type = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration);
      return `declare let ${name}: ${checker.typeToString(type, cell, ts.TypeFormatFlags.NoTruncation)};\n`;
    });
  return { ending, declarations: declarations.join("") };
}

/** A cell with blanks for each "export" of what tslab exports anyway, and a declaration of what gets another name by it. */
function withoutExports(ts, source) {
  let text = source;
  const replace = (from, to, by = text.slice(from, to).replace(/[^\n]/g, " ")) =>
    (text = text.slice(0, from) + by + text.slice(to));
  const { statements } = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest, true);
  for (const statement of [...statements].reverse()) {
    const [word, next] = statement.modifiers ?? [];
    if (word?.kind === ts.SyntaxKind.ExportKeyword && next?.kind !== ts.SyntaxKind.DefaultKeyword)
      replace(word.getStart(), word.end);
    const { elements } = (ts.isExportDeclaration(statement) && statement.exportClause) || {};
    if (!elements || statement.moduleSpecifier) continue;
    const renamed = elements.filter(({ propertyName }) => propertyName);
    if (renamed.some(({ name }) => name.text === "default")) continue;
    const declarations = renamed.map(({ isTypeOnly, name, propertyName }) => {
      const word = isTypeOnly || statement.isTypeOnly ? "type" : "const";
      return `${word} ${name.text} = ${propertyName.text};`;
    });
    replace(statement.getStart(), statement.end, renamed.length > 0 ? declarations.join(" ") : undefined);
  }
  return text;
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
  let inner = { ending: "", declarations: "" };
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
          if (/__tslab__\.ts$/.test(file.fileName)) {
            setters = settersOf(ts, file);
            inner = innerVariables(ts, checker(), file);
          }
          const after = [renaming(ts, checker(), file), ...own.after];
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
      const { output, declOutput, ...rest } = made.convert(previous, withoutExports(ts, source));
      // Every cell is an asynchronous function: the part up to the first "await" runs as it would in another one.
      const whole = { ...rest, declOutput, output: output && setters + output, hasToplevelAwait: true };
      if (!output || inner.ending === "") return whole;
      return {
        ...whole,
        declOutput: declOutput + inner.declarations,
        output: `try { ${whole.output}\n} finally { ${inner.ending} }`,
      };
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
