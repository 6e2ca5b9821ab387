/** Code, coloured when the site is built. */
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import typescript from "highlight.js/lib/languages/typescript";
import { escaped } from "./html";

for (const [name, language] of Object.entries({ bash, json, python, typescript })) {
  hljs.registerLanguage(name, language);
}

/** A block of code; one in a language that is not known stays uncoloured. */
export function codeBlock(code: string, language: string): string {
  const text = code.replace(/\n+$/, "");
  const html = hljs.getLanguage(language) ? hljs.highlight(text, { language }).value : escaped(text);
  return `<pre class="code"><code>${html}</code></pre>\n`;
}
