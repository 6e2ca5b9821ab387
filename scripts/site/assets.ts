/** What all pages share: Plotly, KaTeX's fonts and styles, the site's own style and script. */
import fs from "node:fs";
import path from "node:path";
import type { Content } from "./links";

/** The folder of an installed package. */
const packageFolder = (name: string): string => path.dirname(require.resolve(`${name}/package.json`));

/** Files by their path in the site. */
export function sharedFiles(): Map<string, Content> {
  const own = path.join(__dirname, "assets");
  const plotly = packageFolder("plotly.js-dist");
  const katex = packageFolder("katex");
  const fonts = path.join(katex, "dist", "fonts");
  // Every browser of the last ten years reads WOFF2; the two other forms of each font are left out.
  const css = fs
    .readFileSync(path.join(katex, "dist", "katex.min.css"), "utf8")
    .replace(/,url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)/g, "");
  return new Map<string, Content>([
    ["assets/style.css", fs.readFileSync(path.join(own, "style.css"), "utf8")],
    ["assets/page.js", { copy: path.join(own, "page.js") }],
    ["assets/plotly/plotly.js", { copy: path.join(plotly, "plotly.js") }],
    ["assets/plotly/LICENSE", { copy: path.join(plotly, "LICENSE") }],
    ["assets/katex/katex.css", css],
    ["assets/katex/LICENSE", { copy: path.join(katex, "LICENSE") }],
    ...fs
      .readdirSync(fonts)
      .filter((name) => name.endsWith(".woff2"))
      .map((name): [string, Content] => [`assets/katex/fonts/${name}`, { copy: path.join(fonts, name) }]),
  ]);
}
