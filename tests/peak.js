// Preloaded into a process whose memory is measured: appends its largest resident size, in bytes, to the file that
// POROUS_SGM_PEAK names, when it ends.
const fs = require("node:fs");

process.on("exit", () => {
  const file = process.env["POROUS_SGM_PEAK"];
  if (file) fs.appendFileSync(file, `${1024 * process.resourceUsage().maxRSS}\n`);
});
