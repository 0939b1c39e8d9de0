import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".png": "image/png",
};

/**
 * Serves a folder's files to this machine alone.
 *
 * @param port 0 for any that is free
 */
export async function serveFolder(folder: string, port: number): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: Uint8Array | string): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-cache" }).end(body);
    };
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    // plain names only: nothing hidden, nothing above the folder
    if (!/^\/$|^(\/\w[\w.-]*)+$/.test(pathname)) return answer(404, "text/plain", "not here");
    const file = join(folder, pathname === "/" ? "index.html" : pathname);
    readFile(file).then(
      (bytes) => answer(200, TYPES[extname(file)] ?? "application/octet-stream", bytes),
      () => answer(404, "text/plain", "not here"),
    );
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("serveFolder: the server must have a port");
  return { url: `http://127.0.0.1:${address.port}/`, server };
}
