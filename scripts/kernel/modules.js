"use strict";
// What a cell imports of the project is loaded by Node through scripts/typescript.js, as the commands load it, and its types
// are checked once: in whatever kernel, and again when it has changed, or what it imports. tslab 1.0.22 checks all of it in
// every cell and compiles it twice in every kernel, which takes seconds; and of what has changed it loads the file itself
// anew, not those that import it.

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { isDeepStrictEqual } = require("util");
const { root } = require("../environment");
require("../typescript");

const folder = path.join(root, "node_modules", ".cache", "porous-sgm", "checked");
/** What types depend on besides the files of the project. */
const packages = fs.readFileSync(path.join(root, "package-lock.json"), "utf8");
const digest = (parts) => crypto.createHash("sha256").update(parts.join("\0")).digest("hex");

/** Whether a file is one of the project's that Node can load: no cell, and no module that a cell declares. */
const isOurs = (name) =>
  name.startsWith(`${root}/`) &&
  !name.includes("/node_modules/") &&
  /(?<!\.d)\.ts$/.test(name) &&
  fs.existsSync(name);

/** Makes Node load files anew, with all that import them. */
function forget(files) {
  const stale = new Set(files);
  const loaded = Object.values(require.cache).filter(({ id }) => isOurs(id));
  // A set is walked in order of insertion: what is added here gets its turn.
  for (const file of stale)
    for (const { id, children } of loaded) if (children.some((child) => child.id === file)) stale.add(id);
  for (const file of stale) delete require.cache[file];
}

/** The compiler's builder for one cell, without the work that is done already; `state` is kept from cell to cell. */
function sparing(builder, state) {
  /** Looks at what a cell needs of the project's files, and which of them have not been checked yet. */
  function look(all) {
    const { ours } = state;
    state.ours = new Map(all.filter(isOurs).map((name) => [name, builder.getSourceFile(name).version]));
    if (isDeepStrictEqual(state.ours, ours)) return;
    state.unchecked = new Map();
    for (const name of state.ours.keys()) {
      const needed = builder.getAllDependencies(builder.getSourceFile(name));
      const versions = needed.sort().map((file) => `${path.relative(root, file)} ${state.ours.get(file)}`);
      const stamp = path.join(folder, digest([packages, name, ...versions]));
      if (!fs.existsSync(stamp)) state.unchecked.set(name, stamp);
    }
  }

  /** Called when all that the cell needs has been checked, and it will run. */
  function passed() {
    const { ours, unchecked, loaded } = state;
    try {
      fs.mkdirSync(folder, { recursive: true });
      for (const stamp of unchecked.values()) fs.writeFileSync(stamp, "");
    } catch {
      // A folder that cannot be written costs time and nothing else.
    }
    unchecked.clear();
    forget([...loaded.keys()].filter((name) => ours.has(name) && ours.get(name) !== loaded.get(name)));
    for (const [name, version] of ours) loaded.set(name, version);
  }

  return {
    ...builder,
    getAllDependencies(cell) {
      const all = builder.getAllDependencies(cell);
      look(all);
      return all.filter((name) => !state.ours.has(name) || state.unchecked.has(name));
    },
    emit(file, ...rest) {
      if (state.ours.has(file.fileName)) return undefined; // Node compiles it
      passed();
      return builder.emit(file, ...rest);
    },
  };
}

/** Comes before the parts that load tslab. */
module.exports = function mendModules() {
  process.setSourceMapsEnabled(true); // errors name the lines of the source
  const name = require.resolve("@tslab/typescript-for-tslab");
  const ts = require(name);
  require.cache[name].exports = {
    ...ts,
    createWatchProgram(host) {
      const { afterProgramCreate } = host;
      // Of each file: its version in the cell, where to note that it is checked, and its version in Node.
      const state = { ours: new Map(), unchecked: new Map(), loaded: new Map() };
      host.afterProgramCreate = (builder) => afterProgramCreate.call(host, sparing(builder, state));
      return ts.createWatchProgram(host);
    },
  };
};
