import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ParasausError } from "../../foundation/index.ts";

/** Where the console begins; everything under it that is no file is a page of the console. */
const CONSOLE_PATH = "/console/";

const NONCE = "__NONCE__";
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
/** Names with a hash in them never mean anything else. */
const FOR_EVER = "public, max-age=31536000, immutable";
const HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "x-frame-options": "DENY",
};

interface ConsoleFile {
  readonly type: string;
  readonly body: Buffer;
  compressed?: Promise<Buffer>;
}

/**
 * Serves the built console from memory. A path is looked up among the files that the build made and never reaches the
 * file system, so that none leads out of the directory.
 *
 * @param directory What the build made; without an `index.html` there, every page says how to build it.
 */
export function consoleFiles(directory: string | undefined): (app: FastifyInstance) => void {
  const files = directory === undefined ? new Map<string, ConsoleFile>() : readFiles(directory);
  const serve = (request: FastifyRequest, reply: FastifyReply) => {
    const { "*": name = "" } = request.params as { readonly "*"?: string };
    const file = files.get(name);
    if (file && name !== "index.html") return sendFile(file, name, request, reply);
    if (name.startsWith("assets/")) throw new ParasausError("NotFound", `Cannot find the file "${name}"`);
    return sendPage(files.get("index.html"), reply);
  };
  return (app) => {
    for (const url of ["/", "/console"]) {
      app.get(url, (_request, reply) => reply.redirect(CONSOLE_PATH, 302));
    }
    app.route({ method: ["GET", "HEAD"], url: `${CONSOLE_PATH}*`, handler: serve });
  };
}

function readFiles(directory: string): Map<string, ConsoleFile> {
  let names: readonly string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch {
    return new Map();
  }
  const files = names.flatMap((name): [string, ConsoleFile][] => {
    const type = TYPES[path.extname(name)];
    if (type === undefined) return [];
    return [[name.split(path.sep).join("/"), { type, body: readFileSync(path.join(directory, name)) }]];
  });
  return new Map(files);
}

async function sendFile(file: ConsoleFile, name: string, request: FastifyRequest, reply: FastifyReply) {
  const isCompressed = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  reply.headers({
    ...HEADERS,
    "content-type": file.type,
    "cache-control": name.startsWith("assets/") ? FOR_EVER : "no-cache",
    vary: "accept-encoding",
    ...(isCompressed ? { "content-encoding": "gzip" } : {}),
  });
  if (!isCompressed) return reply.send(file.body);
  file.compressed ??= promisify(gzip)(file.body, { level: 9 });
  return reply.send(await file.compressed);
}

/** The page has a new nonce each time, for the style sheets that the component library makes in the browser. */
function sendPage(page: ConsoleFile | undefined, reply: FastifyReply) {
  if (!page) {
    throw new ParasausError("NotFound", "Cannot show the console: it was not built; run npm run build");
  }
  const nonce = randomBytes(16).toString("base64");
  reply.headers({
    ...HEADERS,
    "content-type": page.type,
    "cache-control": "no-store",
    "content-security-policy": contentSecurityPolicy(nonce),
  });
  return reply.send(page.body.toString("utf8").replaceAll(NONCE, nonce));
}

function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
