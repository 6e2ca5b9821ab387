/**
 * Loaded before anything else it makes lib/ meet what it would meet in a browser: package.json's "browser" field holds, and
 * Node's own modules and globals, TensorFlow's C library included, are not there.
 */
import fs from "node:fs";
import Module, { isBuiltin } from "node:module";
import path from "node:path";

const root = path.join(__dirname, "..");
const { browser } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
  browser: Record<string, string>;
};
const inLibrary = (file: string) => file.startsWith(path.join(root, "lib") + path.sep);

type Loaded = { readonly filename: string; _compile(code: string, filename: string): void };
const loader = Module as unknown as {
  _resolveFilename(request: string, parent: Loaded | undefined, ...rest: unknown[]): string;
  readonly _extensions: Record<string, (module: Loaded, filename: string) => void>;
};

const resolve = loader._resolveFilename;
loader._resolveFilename = (request, parent, ...rest) => {
  const forNode = isBuiltin(request) || request.startsWith("@tensorflow/tfjs-node");
  if (forNode && parent && inLibrary(parent.filename))
    throw new Error(`${path.relative(root, parent.filename)} asks for ${request}`);
  const file = resolve(request, parent, ...rest);
  const replacement = browser[`./${path.relative(root, file)}`];
  return replacement ? path.join(root, replacement) : file;
};

const load = loader._extensions[".ts"];
loader._extensions[".ts"] = (module, filename) => {
  const compile = module._compile;
  if (inLibrary(filename))
    module._compile = (code, name) =>
      compile.call(module, `"use strict"; const [process, Buffer, setImmediate, global] = []; ${code}`, name);
  load(module, filename);
};
