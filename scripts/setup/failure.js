"use strict";
// What goes wrong during set-up, in one plain sentence with what mends it.

/** A sentence for the user, shown without a stack trace. */
class SetupError extends Error {}

const DISK_FULL = "The disk is full: free about 4 GB, then run npm run setup again.";

/** What a failed step means: the disk, the network, or else `otherwise` and the tool's own last words. */
function explain(what, output, otherwise, lines = 12) {
  const words = output.trim().split("\n");
  if (/ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i.test(output))
    return `${what} did not fit. ${DISK_FULL}`;
  const offline =
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|name resolution|Name or service not known|nodename nor servname|Failed to establish a new connection|ProxyError|ConnectTimeoutError|ReadTimeoutError/;
  if (offline.test(output)) {
    const mend = "connect, or set HTTPS_PROXY or npm's and pip's mirrors, then run npm run setup again";
    const told = words.filter((line) => offline.test(line)).sort((a, b) => b.length - a.length);
    return `${what} could not be downloaded, the network cannot be reached: ${mend}.\n  (${told[0].trim().slice(0, 200)})`;
  }
  return `${otherwise}\n${words.slice(-lines).join("\n")}`;
}

/** The sentence for an error that set-up foresees; undefined for a fault of set-up itself. */
function sentenceOf(error) {
  if (error instanceof SetupError) return error.message;
  if (["ENOSPC", "EDQUOT"].includes(error.code)) return DISK_FULL;
  if (["EACCES", "EPERM", "EROFS"].includes(error.code)) {
    const folder = error.path ?? "The project's folder";
    return `${folder} cannot be written (${error.code}): clone the project where you may write, or make yourself its owner: sudo chown -R "$USER" .`;
  }
  return undefined;
}

module.exports = { SetupError, explain, sentenceOf };
