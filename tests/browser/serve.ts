/** A server of plain files, as any host of web pages is. */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves the files of a folder, and nothing else, below a path of the server such as "/people/somebody/"; of a folder in it the
 * index.html. `missing` gets the paths of what was asked for in vain. The caller closes it.
 */
export async function serve(
  folder: string,
  below: string,
  missing: string[] = [],
): Promise<{ readonly address: string; readonly close: () => void }> {
  const server = http.createServer(({ url = "/" }, response) => {
    const name = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const asked = path.join(folder, name.slice(below.length));
    const isFolder = fs.existsSync(asked) && fs.statSync(asked).isDirectory();
    const file = isFolder ? path.join(asked, "index.html") : asked;
    if (!name.startsWith(below) || !fs.existsSync(file)) {
      missing.push(name);
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[path.extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "cache-control": "max-age=60" });
    fs.createReadStream(file).pipe(response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}${below}`, close };
}
