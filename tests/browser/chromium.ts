/** Which Chromium the tests drive: the system's, or the one inside a package of the npm registry. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { type Browser, chromium } from "playwright-core";
import { deadline } from "../processes";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const root = path.join(__dirname, "..", "..");

/** The one that CHROMIUM names, else the first on the PATH, else undefined. */
export function systemChromium(): string | undefined {
  if (process.env["CHROMIUM"]) return process.env["CHROMIUM"];
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Unpacks the one of @sparticuz/chromium, with the libraries and fonts that a bare system lacks, into build/chromium. */
export function packagedChromium(): string {
  const folder = path.join(root, "build", "chromium");
  fs.mkdirSync(folder, { recursive: true });
  // It unpacks into the temporary folder, and its libraries only where it believes to be in a function of AWS.
  const env = { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" };
  const program =
    'require("@sparticuz/chromium").executablePath().then((file) => process.stdout.write(file))';
  const executable = execFileSync(process.execPath, ["-e", program], {
    cwd: __dirname,
    env,
    encoding: "utf8",
    ...deadline(600),
  });
  // Its own configuration looks for fonts elsewhere; without any font it ends at the first field for input.
  const folders = [path.join(folder, "fonts"), "/usr/share/fonts"].map(
    (name) => `<dir>${escaped(name)}</dir>`,
  );
  const cache = `<cachedir>${escaped(path.join(folder, "fonts-cache"))}</cachedir>`;
  fs.writeFileSync(
    path.join(folder, FONTS),
    `<?xml version="1.0"?>\n<fontconfig>${folders.join("")}${cache}</fontconfig>\n`,
  );
  return executable;
}

const FONTS = "fonts.conf";
const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

/** Starts one, headless. Throws Playwright's Error where it does not start. */
export function launch(executablePath: string): Promise<Browser> {
  const folder = path.dirname(executablePath);
  const libraries = path.join(folder, "al2023", "lib"); // beside the packaged one
  const own = { LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: path.join(folder, FONTS) };
  const env = { ...process.env, ...(fs.existsSync(libraries) ? own : {}) } as { [name: string]: string };
  return chromium.launch({ executablePath, env });
}
