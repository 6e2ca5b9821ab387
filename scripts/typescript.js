// Lets require() load TypeScript through ts-node, without type checks, and keeps the JavaScript in node_modules/.cache:
// compiling takes longer than most commands, and every worker thread would do it again.
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");
const project = path.join(root, "tsconfig.json");
const folder = path.join(root, "node_modules", ".cache", "porous-sgm");
// What the output depends on besides the source: also this file, by the options that it gives.
const versions = ["ts-node", "typescript"].map((name) => require(`${name}/package.json`).version);
const context = [...versions, fs.readFileSync(project, "utf8"), fs.readFileSync(__filename, "utf8")].join();

// Where ts-node keeps compiled JavaScript of the compiler itself, else a folder of the system's.
process.env.V8_COMPILE_CACHE_CACHE_DIR = path.join(root, "node_modules", ".cache", "v8");

let service; // ts-node loads the compiler: only if something has to be compiled

/** ts-node reads variables of the user's for all that it is not told, and what it makes stays in the cache. */
function createService() {
  for (const name of Object.keys(process.env)) if (name.startsWith("TS_NODE_")) delete process.env[name];
  return require("ts-node").create({ transpileOnly: true, project });
}

function compile(filename) {
  const source = fs.readFileSync(filename, "utf8");
  const key = crypto.createHash("sha256").update([context, filename, source].join("\0")).digest("hex");
  const cached = path.join(folder, `${key.slice(0, 32)}.js`);
  try {
    return fs.readFileSync(cached, "utf8");
  } catch {
    service ??= createService();
  }
  const output = service.compile(source, filename);
  try {
    // Through another name, so that no thread or process reads half a file.
    const temporary = `${cached}.${process.pid}-${crypto.randomUUID()}`;
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(temporary, output);
    fs.renameSync(temporary, cached);
  } catch {
    // A folder that cannot be written costs time and nothing else.
  }
  return output;
}

require.extensions[".ts"] = (module, filename) => module._compile(compile(filename), filename);
