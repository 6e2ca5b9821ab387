"use strict";
// tslab loads a module anew when its own file has changed, and leaves those that import it with the old one: an edit deep in
// lib/ would have no effect. Here all that depend on a changed file are loaded anew with it.

const path = require("path");
const converter = require("tslab/dist/converter");

/** Files that a compiled module requires, named as tslab names them. */
function required(file, javascript) {
  const names = [...javascript.matchAll(/require\("(\.[^"]+)"\)/g)].map(([, name]) => name);
  const found = names.map((name) => path.posix.join(path.posix.dirname(file), name));
  return found.map((name) => (path.posix.extname(name) === "" ? `${name}.js` : name));
}

module.exports = function mendModules() {
  const { createConverter } = converter;
  converter.createConverter = (options) => {
    const made = createConverter(options);
    const compiled = new Map(); // by file
    const convert = (previous, source) => {
      const converted = made.convert(previous, source);
      if (!converted.sideOutputs) return converted;
      const stale = new Set(
        converted.sideOutputs.map((output) => output.path).filter((file) => compiled.has(file)),
      );
      for (const output of converted.sideOutputs) compiled.set(output.path, output.data);
      // A set is walked in order of insertion: what is added here gets its turn.
      for (const file of stale)
        for (const [user, javascript] of compiled)
          if (required(user, javascript).includes(file)) stale.add(user);
      const again = [...stale].map((file) => ({ path: file, data: compiled.get(file) }));
      return { ...converted, sideOutputs: [...converted.sideOutputs, ...again] };
    };
    return { ...made, convert };
  };
};
