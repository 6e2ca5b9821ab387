/**
 * Preloaded into a process whose memory is measured: when it ends, appends its largest resident size, in bytes, to the file
 * that POROUS_SGM_PEAK names.
 */
import fs from "node:fs";

process.on("exit", () => {
  const file = process.env["POROUS_SGM_PEAK"];
  if (file) fs.appendFileSync(file, `${1024 * process.resourceUsage().maxRSS}\n`);
});
