/** Copies of the project, in which tests run and edit what they like: the working tree stays as it is. */
import fs from "node:fs";
import path from "node:path";

export const root = path.join(__dirname, "..", "..");
/** Where the pictures of the run are. */
export const pictures = path.join(root, "build", "browser");

const COPIED = [
  "data",
  "docs",
  "lib",
  "notebooks",
  "scripts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];
const LINKED = ["node_modules", ".venv"];

interface Cell {
  cell_type: string;
  source: string | string[];
}

export class Project {
  /** A copy without results of earlier runs, in build/browser/NAME. */
  constructor(readonly folder: string) {
    fs.rmSync(folder, { recursive: true, force: true });
    for (const name of COPIED) fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
    for (const name of LINKED) fs.symlinkSync(path.join(root, name), path.join(folder, name));
    this.addKernel();
  }

  /** The kernel that set-up has made known, but of this folder. */
  private addKernel(): void {
    const place = path.join("share", "jupyter", "kernels", "tslab", "kernel.json");
    const spec = fs.readFileSync(path.join(root, ".venv", place), "utf8");
    this.write(
      path.join("jupyter", "data", "kernels", "tslab", "kernel.json"),
      spec.replaceAll(root, this.folder),
    );
  }

  file(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  read(name: string): string {
    return fs.readFileSync(this.file(name), "utf8");
  }

  write(name: string, text: string): void {
    fs.mkdirSync(path.dirname(this.file(name)), { recursive: true });
    fs.writeFileSync(this.file(name), text);
  }

  /** Names of the committed notebooks, in order. */
  notebooks(): string[] {
    const names = fs.readdirSync(this.file("notebooks")).filter((name) => name.endsWith(".ipynb"));
    return names.sort();
  }

  /** Sources of a notebook's cells of code, in order. */
  code(name: string): string[] {
    const { cells } = JSON.parse(this.read(path.join("notebooks", name))) as { cells: Cell[] };
    return cells
      .filter(({ cell_type }) => cell_type === "code")
      .map(({ source }) => [source].flat().join(""));
  }

  /** The first notebook with a cell that matches. */
  notebookWith(pattern: RegExp): string {
    const found = this.notebooks().find((name) => this.code(name).some((source) => pattern.test(source)));
    if (!found) throw new Error(`No notebook has a cell that matches ${String(pattern)}.`);
    return found;
  }

  /** Writes a notebook of the given cells of code, below a title where there is one, and returns its name. */
  addNotebook(name: string, cells: readonly string[], title?: string): string {
    const metadata = { kernelspec: { name: "tslab", display_name: "TypeScript", language: "typescript" } };
    const heading = { id: "title", cell_type: "markdown", metadata: {}, source: `# ${title}` };
    const list = cells.map((source, i) => {
      return { id: `c${i}`, cell_type: "code", metadata: {}, execution_count: null, outputs: [], source };
    });
    const notebook = { cells: title ? [heading, ...list] : list, metadata, nbformat: 4, nbformat_minor: 5 };
    this.write(path.join("notebooks", name), JSON.stringify(notebook));
    return name;
  }
}
