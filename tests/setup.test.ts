/**
 * Set-up in a scratch copy, where npm, Python and the compiler are small shell scripts that note how they are called:
 * nothing is downloaded. They fail as the variable FAIL says.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { deadline } from "./processes";

type Machine = Record<"root" | "node" | "platform" | "arch" | "cpuinfo" | "glibc", string>;
const { machineFault } = require("../scripts/setup/machine") as {
  machineFault: (machine: Machine) => string | undefined;
};
const { explain, sentenceOf } = require("../scripts/setup/failure") as {
  explain: (what: string, output: string, otherwise: string) => string;
  sentenceOf: (error: Error) => string | undefined;
};
const { startOf } = require("../scripts/setup/lock") as { startOf: (pid: number) => string | undefined };

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-set-up-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const fakes = {
  npm: `
    case "$FAIL" in
      npm-offline) echo "npm error request to https://registry.npmjs.org/ failed, reason: getaddrinfo ENOTFOUND"; exit 1 ;;
      npm-full) echo "npm error code ENOSPC"; exit 1 ;;
      npm-other) echo "npm error code EUSAGE"; exit 1 ;;
      npm-nothing) exit 0 ;;
      npm-hangs) rm -f node_modules/tslab/index.js; sleep 60 & echo $! > "$LOG.orphan"; wait ;;
    esac
    rm -rf node_modules
    mkdir -p node_modules/tslab node_modules/@tensorflow/tfjs-node-gpu/binding
    echo "{}" > node_modules/tslab/package.json
    touch node_modules/tslab/index.js node_modules/@tensorflow/tfjs-node-gpu/binding/tfjs_backend.cc
    touch node_modules/@tensorflow/tfjs-node-gpu/binding/tfjs_binding.cc`,
  python3: `
    case "$2" in
      venv)
        test "$FAIL" = venv && { echo "Error: something odd"; exit 1; }
        mkdir -p "$3/bin" "$3/lib/python3.12/site-packages"
        cp "$0" "$3/bin/python" ;;
      pip)
        case "$FAIL" in
          pip-offline) echo "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution"; exit 1 ;;
          pip-full) echo "ERROR: [Errno 28] No space left on device"; exit 1 ;;
          pip-other) echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"; exit 1 ;;
        esac
        cd "\${0%/bin/python}/lib/python3.12/site-packages"
        mkdir -p tensorflow jupyterlab nbclient kaleido pyarrow ;;
      ziglang)
        test "$FAIL" = compile && { echo "error: no such header"; exit 1; }
        for last; do true; done; touch "$last" ;;
      *) echo "\${VERSION:-3 12 cpython True}" ;;
    esac`,
  "c++": `
    case "$FAIL" in compile | c++) test "$1" = --version || { echo "error: no such header"; exit 1; } ;; esac
    test "$1" = --version || { for last; do true; done; touch "$last"; }`,
};

interface Clone {
  readonly root: string;
  readonly bin: string;
  /** Runs set-up. `calls` are the commands that it gave, without questions for a version. */
  setup(
    env?: NodeJS.ProcessEnv,
    ...args: string[]
  ): { status: number | null; output: string; calls: string[] };
  env(more?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
  has(...names: string[]): boolean;
}

/** A scratch copy of what set-up needs, with fake programs on its PATH. */
function clone(name: string): Clone {
  const root = path.join(scratch, name, "clone");
  const bin = path.join(scratch, name, "bin");
  const log = path.join(scratch, name, "log");
  const scripts = path.join(root, "scripts");
  fs.mkdirSync(path.join(root, "requirements"), { recursive: true });
  fs.mkdirSync(bin);
  for (const file of [
    "setup",
    "setup.js",
    "environment.js",
    "processes.js",
    "kernel.js",
    "quiet.cc",
    "porous-sgm.js",
  ])
    fs.cpSync(path.join(__dirname, "..", "scripts", file), path.join(scripts, file), { recursive: true });
  const proof = `if (process.env.FAIL === "proof") throw new Error("no such symbol"); console.log("It computes.");`;
  fs.writeFileSync(path.join(scripts, "prove-tensorflow.js"), proof);
  fs.writeFileSync(path.join(root, "package.json"), '{ "dependencies": { "tslab": "1.0.22" } }');
  for (const file of ["package-lock.json", "requirements.txt"])
    fs.writeFileSync(path.join(root, file), "one");
  for (const file of ["cpu.txt", "gpu.txt", "compiler.txt"])
    fs.writeFileSync(path.join(root, "requirements", file), "one");
  for (const [program, body] of Object.entries(fakes)) {
    const text = `#!/bin/sh\nPATH=/usr/bin:/bin\necho "${program} $*" >> "$LOG"\n${body}\n`;
    fs.writeFileSync(path.join(bin, program), text, { mode: 0o755 });
  }
  const env = (more: NodeJS.ProcessEnv = {}) => ({ PATH: bin, LOG: log, ...more });
  return {
    root,
    bin,
    env,
    setup(more, ...args) {
      fs.writeFileSync(log, "");
      const options = { cwd: root, env: env(more), encoding: "utf8" } as const;
      const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/setup.js", ...args], {
        ...options,
        ...deadline(600),
      });
      const lines = fs.readFileSync(log, "utf8").split("\n");
      const calls = lines.filter((line) => line !== "" && !/ (-c|--version)/.test(line));
      return { status, output: stdout + stderr, calls };
    },
    has: (...names) => names.every((file) => fs.existsSync(path.join(root, file))),
  };
}

const BINDING = "node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node";
const KERNEL = ".venv/share/jupyter/kernels/tslab/kernel.json";
/** The first words of each call; npm's first, which runs beside Python. */
const short = (calls: string[]) => {
  const words = calls.map((call) => call.split(" ").slice(0, 3).join(" "));
  return [true, false].flatMap((npm) => words.filter((call) => call.startsWith("npm ") === npm));
};
const COMPILED = ["c++ -std=c++17 -O2", "c++ -std=c++17 -O2"];
const PYTHON = ["python3 -m venv", "python3 -m pip", "python3 -m pip"];

/** A clone that is set up. */
function ready(name: string): Clone {
  const made = clone(name);
  const { status, output } = made.setup();
  assert.equal(status, 0, output);
  return made;
}

/** Whether a process runs: one that has ended and that nobody has asked for (a zombie) does not. */
const alive = (pid: number) => startOf(pid) !== undefined;

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (condition()) return;
    await sleep(25);
  }
  assert.fail(`It did not happen within 5 s: ${what}`);
}

test("a clean clone is set up in order; then nothing is done, said or locked", () => {
  const { setup, has, root } = clone("clean");
  const first = setup();
  assert.equal(first.status, 0, first.output);
  assert.deepEqual(short(first.calls), ["npm ci --ignore-scripts", ...PYTHON, ...COMPILED]);
  assert.match(first.output, /It computes\.\n.*done\.\n$/);
  assert.ok(has(BINDING, KERNEL, "node_modules/.bin/porous-sgm", ".venv/jupyter"));
  assert.ok(!has(".cache") && !has(".setup.lock"));

  // Up to date, it needs not even the lock: here another process holds it.
  const holder = { pid: process.pid, start: startOf(process.pid) };
  fs.writeFileSync(path.join(root, ".setup.lock"), JSON.stringify(holder));
  const second = setup();
  assert.deepEqual(second, { status: 0, output: "", calls: [] });
});

test("packages are installed from the lock files alone, whatever the user's settings say", () => {
  const { setup } = clone("settings");
  const { calls } = setup({
    npm_execpath: "/somewhere/yarn.js",
    NODE_ENV: "production",
    PIP_TARGET: "/else",
  });
  const npm = calls.find((call) => call.startsWith("npm "))!;
  for (const option of ["--include=dev", "--ignore-scripts", "--bin-links", "--no-global"])
    assert.ok(npm.split(" ").includes(option), `${option} is missing in: ${npm}`);
  const pip = calls.filter((call) => call.includes(" pip "));
  assert.equal(pip.length, 2);
  for (const call of pip) assert.match(call, /--require-hashes --no-deps --only-binary=:all:/);
});

test("what is lost or changed is made again, and only that", () => {
  const { setup, root, has } = ready("repair");
  const edit = (name: string, text: string) => fs.writeFileSync(path.join(root, name), text);
  const drop = (name: string) => fs.rmSync(path.join(root, name), { recursive: true });
  const cases: [string, () => void, string[]][] = [
    ["a package", () => drop("node_modules/tslab"), ["npm ci --ignore-scripts", ...COMPILED]],
    ["npm's lock file", () => edit("package-lock.json", "two"), ["npm ci --ignore-scripts", ...COMPILED]],
    ["npm's stamp", () => drop("node_modules/.set-up"), ["npm ci --ignore-scripts", ...COMPILED]],
    [
      "the command line's link",
      () => drop("node_modules/.bin/porous-sgm"),
      ["npm ci --ignore-scripts", ...COMPILED],
    ],
    ["Python", () => drop(".venv/bin/python"), PYTHON],
    ["TensorFlow", () => drop(".venv/lib/python3.12/site-packages/tensorflow"), PYTHON],
    ["the requirements", () => edit("requirements.txt", "two"), [...PYTHON, ...COMPILED]],
    ["the binding", () => drop(BINDING), COMPILED],
    ["the quiet part", () => drop(path.join(path.dirname(BINDING), "quiet.node")), COMPILED],
    ["the kernel", () => drop(KERNEL), []],
    ["the kernel's text", () => edit(KERNEL, "{}"), []],
  ];
  for (const [what, harm, expected] of cases) {
    harm();
    const { status, output, calls } = setup();
    assert.equal(status, 0, output);
    assert.deepEqual(short(calls), expected, what);
    assert.ok(has(BINDING, KERNEL, "node_modules/.bin/porous-sgm"), what);
    assert.deepEqual(setup().calls, [], `${what}: not up to date afterwards`);
  }
});

test("after an upgrade of the system's Python, and in a clone that was moved, .venv is made again", () => {
  const { setup, root, bin } = ready("moved");
  const link = path.join(root, ".venv", "bin", "python");
  fs.renameSync(link, path.join(bin, "python3.13"));
  fs.symlinkSync(path.join(bin, "python3.13"), link); // .venv/lib has python3.12
  assert.deepEqual(short(setup().calls), PYTHON);

  const there = path.join(path.dirname(root), "elsewhere");
  fs.renameSync(root, there);
  const log = path.join(path.dirname(root), "log");
  fs.writeFileSync(log, "");
  const env = { PATH: bin, LOG: log };
  const moved = spawnSync(process.execPath, ["scripts/setup.js"], {
    cwd: there,
    env,
    encoding: "utf8",
    ...deadline(600),
  });
  assert.equal(moved.status, 0, moved.stderr);
  assert.match(fs.readFileSync(log, "utf8"), /-m venv .*elsewhere/);
  const kernel = fs.readFileSync(path.join(there, KERNEL), "utf8");
  assert.ok(kernel.includes(path.join(there, "scripts", "kernel.js")), kernel);
});

test("killed outright, it leaves a lock and a running command: the next set-up ends both and repairs", async () => {
  const { setup, root, env, has } = ready("killed");
  const lockFile = fs.readFileSync(path.join(root, "package-lock.json"), "utf8");
  fs.writeFileSync(path.join(root, "package-lock.json"), "two");
  const child = spawn(process.execPath, ["scripts/setup.js"], {
    cwd: root,
    env: env({ FAIL: "npm-hangs" }),
    ...deadline(600),
  });
  const orphanFile = `${env().LOG}.orphan`;
  await until(() => fs.existsSync(orphanFile), "npm hangs");
  const other = setup();
  assert.equal(other.status, 1);
  assert.match(other.output, new RegExp(`^set-up: Another set-up is running .*process ${child.pid}.*\n$`));

  child.kill("SIGKILL");
  await until(() => !alive(child.pid!), "set-up is killed");
  const orphan = Number(fs.readFileSync(orphanFile, "utf8"));
  assert.ok(alive(orphan) && has(".setup.lock"));
  // Back to what had been installed before: its stamp must not pass for good.
  fs.writeFileSync(path.join(root, "package-lock.json"), lockFile);
  const next = setup();
  assert.equal(next.status, 0, next.output);
  assert.ok(!alive(orphan), "the orphan runs on");
  assert.ok(
    short(next.calls)[0].startsWith("npm ci") &&
      has("node_modules/tslab/index.js", BINDING) &&
      !has(".setup.lock"),
  );
});

test("interrupted, it ends its command, gives the lock back and says that it goes on from there", async () => {
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    const { root, env, has, setup } = clone(`interrupted-${signal}`);
    const options = { cwd: root, env: env({ FAIL: "npm-hangs" }) };
    const child = spawn(process.execPath, ["scripts/setup.js"], { ...options, ...deadline(600) });
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    const orphanFile = `${env().LOG}.orphan`;
    await until(() => fs.existsSync(orphanFile) && has(".setup.lock"), "npm hangs");
    await sleep(50);
    child.kill(signal);
    const code = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(code, status);
    assert.match(output, /^set-up: interrupted; npm run setup goes on from here\.\n$/);
    await until(() => !alive(Number(fs.readFileSync(orphanFile, "utf8"))), "its command ends");
    assert.ok(!has(".setup.lock"));
    assert.equal(setup().status, 0);
  }
});

test("a lock is taken over if its process is gone, is another one by now, or was never written", () => {
  const { setup, root, has } = clone("lock");
  const gone = spawnSync(process.execPath, ["-e", ""], deadline(600)).pid;
  for (const content of [
    JSON.stringify({ pid: gone, start: "1" }),
    JSON.stringify({ pid: process.pid, start: "another time" }),
    JSON.stringify({ pid: gone, start: "1", children: [{ pid: process.pid, start: "another time" }] }),
    "",
    "{",
  ]) {
    fs.writeFileSync(path.join(root, ".setup.lock"), content);
    fs.rmSync(path.join(root, KERNEL), { force: true });
    const { status, output } = setup();
    assert.equal(status, 0, `${content}: ${output}`);
    assert.ok(!has(".setup.lock"));
  }
});

test("each thing that can be missing gets one sentence with what mends it, and status 1", () => {
  const cases: [string, NodeJS.ProcessEnv, RegExp, string[]?][] = [
    ["old Python", { VERSION: "3 8 cpython True" }, /No Python from 3\.10 .*python3 is 3\.8.*apt install/],
    ["new Python", { VERSION: "3 14 cpython True" }, /No Python from 3\.10 .*python3 is 3\.14/],
    ["PyPy", { VERSION: "3 11 pypy True" }, /No Python .*python3 is pypy/],
    ["no venv", { VERSION: "3 12 cpython False" }, /no venv module: .*apt install python3\.12-venv$/m],
    ["PYTHON", { PYTHON: "/nowhere" }, /PYTHON=\/nowhere is no Python from 3\.10 to 3\.13: name another/],
    ["venv fails", { FAIL: "venv" }, /python3 could not make \.venv: .*apt install python3-venv/],
    ["npm offline", { FAIL: "npm-offline" }, /npm packages could not be downloaded, the network .*PROXY/],
    [
      "pip offline",
      { FAIL: "pip-offline" },
      /requirements\.txt could not be downloaded, the network .*PROXY/,
    ],
    ["disk, npm", { FAIL: "npm-full" }, /npm packages did not fit\. The disk is full: free about 4 GB/],
    ["disk, pip", { FAIL: "pip-full" }, /requirements\.txt did not fit\. The disk is full: free about 4 GB/],
    ["npm", { FAIL: "npm-other" }, /npm packages could not be installed; mend what npm says[^]*EUSAGE/],
    ["pip", { FAIL: "pip-other" }, /could not be installed; mend what pip says[^]*DO NOT MATCH/],
    ["settings", { FAIL: "npm-nothing" }, /tslab\/package\.json is missing though .*npm config list/],
    ["compiler", { FAIL: "compile" }, /did not compile with c\+\+: .*apt install g\+\+.*\n.*no such header/],
    ["CXX", { CXX: "/nowhere/g++" }, /CXX=\/nowhere\/g\+\+ does not run: name another/],
    ["proof", { FAIL: "proof" }, /does not compute here \(see environment\.md.*[^]*no such symbol/],
    ["option", {}, /Unknown option --cuda: npm run setup -- \[--gpu \| --cpu\]$/m, ["--cuda"]],
  ];
  for (const [what, env, sentence, args = []] of cases) {
    const { setup, has } = clone(`fault-${what}`);
    const { status, output } = setup(env, ...args);
    const said = output.split("\n").filter((line) => line.startsWith("set-up: ") && !line.endsWith("..."));
    assert.equal(status, 1, `${what}: ${output}`);
    assert.match(output, sentence, what);
    assert.equal(said.length, 1, `${what}: ${output}`);
    if (what !== "proof") assert.doesNotMatch(output, /^\s+at /m, `${what}: a stack trace`);
    assert.ok(!has(".setup.lock"), `${what}: the lock stays`);
    // With the fault mended, set-up goes on.
    assert.equal(setup().status, 0, `${what}: not mended`);
  }
});

test("without any Python or npm on the PATH it says so", () => {
  const { setup, bin } = clone("nothing");
  fs.renameSync(path.join(bin, "npm"), path.join(bin, "away"));
  assert.match(setup().output, /^set-up: npm was not found beside Node: install it/m);
  fs.renameSync(path.join(bin, "python3"), path.join(bin, "away-too"));
  const { status, output, calls } = setup();
  assert.equal(status, 1);
  assert.match(output, /^set-up: No Python from 3\.10 to 3\.13 was found: install one.*\n$/);
  assert.deepEqual(calls, [], "something was installed before Python was looked for");
});

test("Zig compiles where there is no compiler or one that fails, and CXX may be two words", () => {
  const zig = ["python3 -m pip", "python3 -m ziglang", "python3 -m ziglang"];
  const without = clone("zig");
  fs.rmSync(path.join(without.bin, "c++"));
  assert.deepEqual(short(without.setup().calls).slice(-3), zig);
  assert.ok(without.has(BINDING));

  const failing = clone("zig-instead").setup({ FAIL: "c++" });
  assert.equal(failing.status, 0, failing.output);
  assert.deepEqual(short(failing.calls).slice(-3), zig);

  const own = clone("cxx");
  fs.writeFileSync(path.join(own.bin, "ccache"), `#!/bin/sh\nexec "$@"\n`, { mode: 0o755 });
  const { status, calls } = own.setup({ CXX: "ccache c++" });
  assert.equal(status, 0);
  assert.deepEqual(short(calls).slice(-2), COMPILED);
});

const cuda = process.platform === "linux" && process.arch === "x64";
test("--gpu holds until --cpu, through an interruption too", { skip: !cuda && "no CUDA wheels here" }, () => {
  const { setup, root } = ready("gpu");
  const lists = (calls: string[]) => calls.flatMap((call) => /requirements\/.*/.exec(call) ?? []);
  const failed = setup({ FAIL: "pip-offline" }, "--gpu");
  assert.equal(failed.status, 1);
  assert.deepEqual(lists(setup().calls), ["requirements/gpu.txt"]);
  fs.rmSync(path.join(root, ".venv", "bin"), { recursive: true });
  assert.deepEqual(lists(setup().calls), ["requirements/gpu.txt"]);
  assert.deepEqual(lists(setup({}, "--cpu").calls), ["requirements/cpu.txt"]);
  assert.deepEqual(setup().calls, []);
});

test("a machine that cannot run it is told why", () => {
  const good: Machine = {
    root: "/home/someone/clone",
    node: "22.20.0",
    platform: "linux",
    arch: "x64",
    cpuinfo: "flags\t\t: fpu sse2 avx avx2\n",
    glibc: "2.36",
  };
  for (const fit of [
    { node: "20.19.0" },
    { node: "24.19.0" },
    { node: "26.0.0" },
    { glibc: "2.27" },
    { arch: "arm64", cpuinfo: "Features\t: fp asimd\n" },
    { platform: "darwin", arch: "arm64", cpuinfo: "", glibc: "" },
    { cpuinfo: "" },
  ])
    assert.equal(machineFault({ ...good, ...fit }), undefined, JSON.stringify(fit));
  const faults: [Partial<Machine>, RegExp][] = [
    [{ node: "18.20.4" }, /^Node 18\.20\.4 is too old: install Node 20\.19 .*nvm install 22$/],
    [{ node: "20.18.3" }, /^Node 20\.18\.3 is too old/],
    [{ node: "21.7.0" }, /^Node 21\.7\.0 is not supported: .*nvm install 22$/],
    [{ node: "22.12.0" }, /^Node 22\.12\.0 is not supported/],
    [{ platform: "win32" }, /WSL 2 \(wsl --install\)/],
    [{ platform: "darwin" }, /no wheels for macOS on Intel/],
    [{ arch: "s390x" }, /no wheels for linux on s390x/],
    [{ cpuinfo: "flags\t\t: fpu sse2 ssse3\n" }, /no AVX/],
    [{ glibc: "" }, /no glibc .*node:22-bookworm/],
    [{ glibc: "2.17" }, /glibc 2\.17, and TensorFlow's wheels need 2\.27/],
    [{ root: "/home/a:b" }, /name holds ":".*rename \/home\/a:b$/],
  ];
  for (const [bad, sentence] of faults) assert.match(machineFault({ ...good, ...bad }) ?? "", sentence);
});

test("errors of the file system are sentences, faults of the program are not", () => {
  const failure = (code: string) => Object.assign(new Error(code), { code, path: "/clone/.setup.lock" });
  assert.match(
    sentenceOf(failure("EROFS")) ?? "",
    /^\/clone\/\.setup\.lock cannot be written \(EROFS\): clone/,
  );
  assert.match(sentenceOf(failure("EACCES")) ?? "", /sudo chown/);
  assert.match(sentenceOf(failure("ENOSPC")) ?? "", /^The disk is full/);
  assert.equal(sentenceOf(new TypeError("x is not a function")), undefined);
  const last = explain("It", Array.from({ length: 40 }, (_, i) => `line ${i}`).join("\n"), "It failed:");
  assert.equal(last.split("\n").length, 13, "the tool's own words are not cut");
});

test("the environment, applied twice, is the same as once, with CUDA's libraries first", () => {
  const { root } = clone("environment");
  const nvidia = path.join(root, ".venv", "lib", "python3.12", "site-packages", "nvidia");
  for (const name of ["cublas", "cudnn"]) fs.mkdirSync(path.join(nvidia, name, "lib"), { recursive: true });
  const { environment } = require(path.join(root, "scripts", "environment.js")) as {
    environment: (base: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  };
  const own = ["cublas", "cudnn"].map((name) => path.join(nvidia, name, "lib")).join(":");
  const once = environment({ LD_LIBRARY_PATH: "/opt/lib", PYTHONPATH: "/x", PYTHONHOME: "/y", USER: "me" });
  assert.equal(once.LD_LIBRARY_PATH, `${own}:/opt/lib`);
  assert.deepEqual([once.PYTHONPATH, once.PYTHONHOME, once.USER], [undefined, undefined, "me"]);
  assert.deepEqual(environment(once), once);
  // A program that loads TensorFlow starts itself again once to have the libraries on the loader's path.
  for (const folder of ["node_modules", ".venv", path.dirname(BINDING)]) {
    fs.mkdirSync(path.join(root, folder), { recursive: true });
    fs.writeFileSync(path.join(root, folder, ".set-up"), "");
  }
  const program = path.join(root, "scripts", "again.js");
  const text = `if (!require("./environment").startedAgain()) console.log(process.env.LD_LIBRARY_PATH, process.argv[2]);`;
  fs.writeFileSync(program, text);
  const { stdout } = spawnSync(process.execPath, [program, "x"], {
    encoding: "utf8",
    env: {},
    ...deadline(600),
  });
  assert.equal(stdout, `${own} x\n`);
});
