/** What the user's environment has set for other programs changes nothing here, or is refused in one sentence. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { deadline } from "./processes";

const { environment, overruled, installationEnvironment } = require("../scripts/environment") as {
  environment: (base: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  overruled: (base: NodeJS.ProcessEnv) => string[];
  installationEnvironment: (cache: string, base: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
};

const root = path.join(__dirname, "..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-environment-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** What an ordinary user's shell has set. */
const plain: NodeJS.ProcessEnv = { PATH: process.env["PATH"], HOME: process.env["HOME"] };

function run(args: readonly string[], more: NodeJS.ProcessEnv = {}, cwd = root) {
  const env = { ...plain, ...more };
  const options = { cwd, env, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { ...options, ...deadline(300) });
  return { status, stdout, stderr };
}
const CLI = path.join(root, "scripts", "porous-sgm.js");

/** A folder, as in an environment of conda, with another TensorFlow. */
const otherLibraries = path.join(scratch, "lib");
fs.mkdirSync(otherLibraries);
fs.writeFileSync(path.join(otherLibraries, "libtensorflow_cc.so.2"), "");

/** Set for other programs: each alone could spoil what is computed, printed or found. */
const hostile: NodeJS.ProcessEnv = {
  TS_NODE_COMPILER_OPTIONS: '{"target":"es5"}',
  TS_NODE_PROJECT: "/nowhere/tsconfig.json",
  TS_NODE_COMPILER: "nothing",
  TS_NODE_IGNORE: "lib",
  NODE_OPTIONS: "--throw-deprecation --preserve-symlinks --disable-proto=throw",
  NODE_PATH: "/nowhere",
  NODE_PENDING_DEPRECATION: "1",
  NODE_PRESERVE_SYMLINKS: "1",
  NODE_ENV: "development",
  TF_ENABLE_ONEDNN_OPTS: "0",
  TF_CPP_MAX_VLOG_LEVEL: "3",
  TF_XLA_FLAGS: "--nothing",
  XLA_FLAGS: "--nothing",
  OMP_NUM_THREADS: "x",
  CUDA_VISIBLE_DEVICES: "x",
  PYTHONIOENCODING: "ascii",
  PYTHONHOME: "/nowhere",
  PYTHONPATH: "/nowhere",
  PYTHONSAFEPATH: "1",
  PYTHONWARNINGS: "error",
  PYTHONHASHSEED: "x",
  PYTHONMALLOC: "x",
  PYTHONINSPECT: "1",
  PYTHONSTARTUP: "/nowhere",
  VIRTUAL_ENV: "/nowhere",
  JUPYTER_PATH: "/nowhere",
  JUPYTER_CONFIG_DIR: "/proc/nowhere",
  JUPYTER_DATA_DIR: "/proc/nowhere",
  JUPYTER_RUNTIME_DIR: "/proc/nowhere",
  JUPYTER_NO_CONFIG: "1",
  JUPYTER_GATEWAY_URL: "http://127.0.0.1:9",
  IPYTHONDIR: "/proc/nowhere",
  FONTCONFIG_FILE: "/nowhere",
  V8_COMPILE_CACHE_CACHE_DIR: "/proc/nowhere",
  FORCE_COLOR: "3",
  LANG: "xx_XX",
  LC_ALL: "xx_XX",
  TZ: "Nowhere/Nothing",
  HOME: "/nowhere",
  LD_LIBRARY_PATH: otherLibraries,
  TMPDIR: "/nowhere/with blanks",
  CI: "1",
};

const porosity = path.join(scratch, "porosity.csv");
fs.writeFileSync(porosity, `${Array.from({ length: 100 }, (_, i) => 0.4 + i / 1000).join(",")}\n`);
const conditions = ["--correlation-length", "1e-5", "--equilibrium-potential", "0", "--flux", "25"];

test("each variable of Node's alone leaves the help, and all together a solution and samples, as they are", () => {
  const help = run([CLI, "--help"]);
  assert.equal(help.status, 0, help.stderr);
  const ofNode = Object.keys(hostile).filter((name) => !/^(PYTHON|JUPYTER|IPYTHON|FONTCONFIG)/.test(name));
  for (const name of ofNode) assert.deepEqual(run([CLI, "--help"], { [name]: hostile[name] }), help, name);
  const threads = { TF_NUM_INTRAOP_THREADS: "1" };
  for (const [verb, ...options] of [
    ["solve", "--porosity", porosity, "--equilibrium-potential", "0", "--flux", "25"],
    ["sample", ...conditions, "--count", "3", "--seed", "1"],
  ]) {
    const written = [{}, hostile].map((env, i) => {
      const out = path.join(scratch, `${verb}-${i}.csv`);
      const result = run([CLI, verb!, ...options, "--out", out], { ...env, ...threads });
      assert.equal(result.status, 0, result.stderr);
      assert.match(result.stderr, /^(\d+ of 3 fields.*\n)*$/); // how far it is, on a slow machine
      return fs.readFileSync(out, "utf8");
    });
    assert.equal(written[1], written[0], verb);
  }
});

test("ts-node's variables do not get into the JavaScript that is kept", () => {
  const file = path.join(scratch, "arrow.ts");
  fs.writeFileSync(file, "const one = (): number => 1;\nconsole.log(String(one));\n");
  const args = ["--require", path.join(root, "scripts", "typescript.js"), file];
  for (const env of [hostile, {}]) assert.equal(run(args, env).stdout, "() => 1\n");
});

test("notebooks run and keep the same, and doctor names what it overrules", () => {
  const notebook = path.join(scratch, "one.ipynb");
  const source = 'console.log("φ ≤ 1", [1, "a"]);';
  const cell = { id: "a", cell_type: "code", metadata: {}, execution_count: null, outputs: [], source };
  const content = { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };
  fs.writeFileSync(notebook, JSON.stringify(content));
  const executed = run(["scripts/notebooks.js", "--to", path.join(scratch, "to"), notebook], hostile);
  assert.equal(executed.status, 0, executed.stderr);
  assert.match(executed.stdout, /^ {4}φ ≤ 1 \[ 1, 'a' \]$/m);
  const kept = fs.readFileSync(path.join(scratch, "to", "one.ipynb"), "utf8");
  assert.ok(kept.includes(`"φ ≤ 1 [ 1, 'a' ]\\n"`), kept);

  const { status, stdout, stderr } = run(["scripts/doctor.js"], hostile);
  assert.equal(status, 0, stdout + stderr);
  const [, named] = /^ok {2}environment +.*overruled: (.*)$/m.exec(stdout)!;
  assert.deepEqual(named!.split(", "), overruled({ ...plain, ...hostile }));
  for (const name of ["TS_NODE_IGNORE", "NODE_OPTIONS", "PYTHONIOENCODING", "JUPYTER_PATH", "TMPDIR"])
    assert.ok(named!.includes(name), name);
});

test("a value that TensorFlow would abort at is told in one sentence, by the doctor, too", () => {
  for (const [name, value, allowed] of [
    ["TF_NUM_INTRAOP_THREADS", "-1", "a whole number from 1 to 1024"],
    ["TF_NUM_INTRAOP_THREADS", "99999", "a whole number from 1 to 1024"],
    ["TF_NUM_INTEROP_THREADS", "two", "a whole number from 1 to 1024"],
    ["TF_CPP_MIN_LOG_LEVEL", "quiet", "0, 1, 2 or 3"],
    ["TF_FORCE_GPU_ALLOW_GROWTH", "1", "true or false"],
  ] as const) {
    const sentence = `${name} is "${value}"; give ${allowed}, or unset it.`;
    const sampled = run([CLI, "sample", ...conditions], { [name]: value });
    assert.deepEqual(sampled, { status: 2, stdout: "", stderr: `${sentence}\n` });
    const doctor = run(["scripts/doctor.js"], { [name]: value });
    assert.equal(doctor.status, 1);
    assert.ok(doctor.stdout.includes(`-> ${sentence}`), doctor.stdout);
  }
});

test("what counts is kept: threads, memory, mirrors and certificates", () => {
  const given = {
    TF_NUM_INTRAOP_THREADS: "3",
    NODE_OPTIONS: "--max-old-space-size=8000 --require ./x.js --inspect=9230",
    TF_CPP_MIN_LOG_LEVEL: "",
    JUPYTER_TOKEN: "t",
    PYTHON: "python3.12",
    NODE_EXTRA_CA_CERTS: "/ca.pem",
    PIP_INDEX_URL: "https://mirror/simple",
    PIP_TARGET: "/nowhere",
    npm_config_registry: "https://mirror/npm",
    NPM_CONFIG_OMIT: "dev",
    npm_config_offline: "true",
    "npm_config_//mirror/:_authToken": "secret",
  };
  const env = environment(given);
  assert.equal(env["NODE_OPTIONS"], "--max-old-space-size=8000 --inspect=9230");
  assert.equal(env["TF_CPP_MIN_LOG_LEVEL"], "2");
  for (const name of ["TF_NUM_INTRAOP_THREADS", "JUPYTER_TOKEN", "PYTHON", "NODE_EXTRA_CA_CERTS"] as const)
    assert.equal(env[name], given[name], name);
  assert.deepEqual(overruled(given), ["NODE_OPTIONS", "PIP_TARGET"]);
  const installing = installationEnvironment("/cache", given);
  for (const name of ["PIP_INDEX_URL", "npm_config_registry", "npm_config_//mirror/:_authToken"] as const)
    assert.equal(installing[name], given[name], name);
  for (const name of ["PIP_TARGET", "NPM_CONFIG_OMIT", "npm_config_offline"])
    assert.equal(installing[name], undefined, name);
});

test("before set-up, the command line and the kernel say in one sentence what to do", () => {
  const clone = path.join(scratch, "a clone");
  for (const name of [
    "environment",
    "porous-sgm",
    "kernel",
    "typescript",
    "processes",
    "setup/machine",
    "setup/failure",
  ])
    fs.cpSync(path.join(root, "scripts", `${name}.js`), path.join(clone, "scripts", `${name}.js`));
  const link = path.join(clone, "porous-sgm");
  fs.symlinkSync(path.join(clone, "scripts", "porous-sgm.js"), link);
  const said = `The project in ${fs.realpathSync(clone)} is not set up: run npm run setup there.\n`;
  for (const program of ["scripts/porous-sgm.js", "scripts/kernel.js", link])
    assert.deepEqual(run([program, "--help"], {}, clone), { status: 1, stdout: "", stderr: said });
  const old = path.join(clone, "old.js"); // as if this Node were an old one
  fs.writeFileSync(old, `Object.defineProperty(process.versions, "node", { value: "18.20.8" });`);
  const told = run(["--require", old, "scripts/porous-sgm.js", "--help"], {}, clone);
  assert.deepEqual([told.status, told.stdout], [1, ""]);
  assert.match(told.stderr, /^Node 18\.20\.8 is too old: install Node 20\.19 [^\n]*\n$/);
  const linked = run([link, "--help"], { NODE_PRESERVE_SYMLINKS_MAIN: "1" }, clone);
  assert.deepEqual(linked, { status: 1, stdout: "", stderr: said });
});
