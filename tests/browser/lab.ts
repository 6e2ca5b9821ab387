/** JupyterLab as npm run lab starts it, in a copy of the project, and a browser that looks at it. */
import fs from "node:fs";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { LabServer } from "../labServer";
import { launch, systemChromium } from "./chromium";
import { pictures, Project } from "./project";

/** Milliseconds until something that is awaited counts as missing: long, as machines for tests are slow at times. */
export const PATIENCE = 180_000;

/** Opens a page that keeps account of what goes wrong in it. */
export async function openPage(browser: Browser, faults: string[], viewport = { width: 1300, height: 1000 }) {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    // JupyterLab's opinion of a slow machine.
    if (!/^Plugin .* (took|is taking too long)/.test(message.text())) faults.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const near = hostname === "127.0.0.1" || ["data:", "blob:", "file:"].includes(protocol);
    if (!near) faults.push(`asks ${hostname} for ${request.url()}`);
  });
  return page;
}

/** Keeps a picture of the page for a person to look at. */
export async function photograph(page: Page, name: string): Promise<void> {
  fs.mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: path.join(pictures, `${name}.png`) });
}

export class Lab {
  /** Warnings and errors of the browser's console, and requests to other machines. */
  readonly faults: string[] = [];

  private constructor(
    readonly project: Project,
    readonly browser: Browser,
    private readonly server: LabServer,
    /** What JupyterLab prints for the user to open: the first notebook, with the token. */
    readonly address: string,
  ) {}

  static async start(name: string): Promise<Lab> {
    const project = new Project(path.join(pictures, name));
    const settings = { POROUS_SGM_BUDGET: "smoke", POROUS_SGM_JUPYTER: project.file("jupyter") };
    // Exposed, so that tests can ask the application what it knows, besides looking at it.
    const options = [`--ServerApp.root_dir=${project.folder}`, "--LabApp.expose_app_in_browser=True"];
    const server = await LabServer.start(options, settings);
    process.once("exit", () => server.process.kill());
    try {
      const address = await printedAddress(server);
      return new Lab(project, await launch(systemChromium()!), server, address);
    } catch (error) {
      await server.end();
      throw error;
    }
  }

  /** The address of a notebook, in a workspace of its own. */
  addressOf(notebook: string): string {
    const { origin, searchParams } = new URL(this.address);
    const workspace = notebook.replace(/\W/g, "-");
    return `${origin}/lab/workspaces/${workspace}/tree/notebooks/${notebook}?token=${searchParams.get("token")}&reset`;
  }

  page(viewport?: { width: number; height: number }): Promise<Page> {
    return openPage(this.browser, this.faults, viewport);
  }

  async stop(): Promise<void> {
    // Tests close what they have finished with. A page may have crashed.
    const left = this.browser.contexts().flatMap((context) => context.pages());
    for (const [i, page] of left.entries())
      await photograph(page, `unfinished-${path.basename(this.project.folder)}-${i}`).catch(() => undefined);
    await this.browser.close();
    await this.server.end();
  }
}

/** The address that the server prints; throws with all that it printed if it ends before it answers. */
async function printedAddress(server: LabServer): Promise<string> {
  await server.ready();
  const found = /http:\/\/127\.0\.0\.1:\d+\/lab\S*token=[0-9a-f]{20,}/.exec(server.printed);
  if (!found) throw new Error(`JupyterLab prints no address:\n${server.printed}`);
  return found[0];
}
