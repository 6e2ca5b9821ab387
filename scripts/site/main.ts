import path from "node:path";
import { Command } from "commander";
import { InputError } from "../../lib/backend/errors";
import { buildSite, writeSite } from "./site";

const root = path.join(__dirname, "..", "..");

new Command("npm run site --")
  .description("writes executed notebooks as a static site")
  .option("--from <folder>", "notebooks, and solutions/ among them", "notebooks")
  .option("--out <folder>", "where the site goes; what was built there before is replaced", "build/site")
  .action(({ from, out }: { from: string; out: string }) => {
    const site = buildSite(path.resolve(root, from));
    writeSite(site, path.resolve(root, out));
    const { pages, figures, formulas, links } = site;
    const notebooks = Object.keys(pages).length - 1; // and the first page
    const found = `notebooks: ${notebooks}, figures: ${figures}, formulas: ${formulas}, links: ${links}`;
    process.stdout.write(`${path.join(out, "index.html")} (${found})\n`);
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof InputError ? error.message : String((error as Error).stack)}\n`);
    process.exit(error instanceof InputError ? 2 : 1);
  });
