import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ParasausError, silentLogger, systemClock } from "../../foundation/index.ts";
import { createHttpServer, type HttpServer } from "../http/server.ts";
import { consoleFiles } from "./static-files.ts";
import { type View, viewRoutes } from "./view-route.ts";

let server: HttpServer;
let home: string;
let listeners: Set<() => void>;
let value: unknown;

beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), "parasaus-files-"));
  mkdirSync(path.join(home, "console/assets"), { recursive: true });
  writeFileSync(path.join(home, "secret.js"), "secret");
  writeFileSync(path.join(home, "console/index.html"), '<meta content="__NONCE__">page');
  writeFileSync(path.join(home, "console/assets/main-1.js"), "x".repeat(5_000));
  listeners = new Set();
  value = { count: 1 };
  const view: View = {
    url: "/api/console/thing",
    read: () => {
      if (value === undefined) throw new ParasausError("NotFound", "the thing is gone");
      return value;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  server = await createHttpServer(
    {
      logger: silentLogger,
      version: "1",
      health: { live: [], ready: [] },
      metrics: async () => ({ contentType: "", body: "" }),
      routes: [consoleFiles(path.join(home, "console")), viewRoutes([view], systemClock)],
    },
    { host: "127.0.0.1", port: 0 },
  );
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

function raw(target: string): Promise<string> {
  const socket = net.connect(server.port, "127.0.0.1");
  socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return text(socket);
}

describe("consoleFiles", () => {
  it("answers every page with the same document, and each time with another nonce", async () => {
    const pages = await Promise.all(
      ["", "pools", "pools/shop/web"].map((page) => fetch(`${server.url}/console/${page}`)),
    );
    const bodies = await Promise.all(pages.map((page) => page.text()));
    const nonces = pages.map(
      (page) => /'nonce-([^']+)'/.exec(page.headers.get("content-security-policy") ?? "")?.[1],
    );
    expect(new Set(nonces).size).toBe(3);
    expect(bodies).toEqual(nonces.map((nonce) => `<meta content="${nonce}">page`));
    expect(pages[0]?.headers.get("cache-control")).toBe("no-store");
  });

  it("permits no script but the server's own, and nobody to frame it", async () => {
    const { headers } = await fetch(`${server.url}/console/`);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("lets browsers keep files whose names have a hash, and sends them compressed to who can read that", async () => {
    const file = await fetch(`${server.url}/console/assets/main-1.js`);
    expect(file.headers.get("cache-control")).toContain("immutable");
    expect(file.headers.get("content-encoding")).toBe("gzip");
    expect(await file.text()).toBe("x".repeat(5_000));
    expect(await raw("/console/assets/main-1.js")).toContain("x".repeat(5_000));
  });

  it.each([
    "/console/../secret.js",
    "/console/..%2fsecret.js",
    "/console/%2e%2e/secret.js",
    "/console/assets/..%2f..%2fsecret.js",
    "/console/assets/%2e%2e%2f%2e%2e%2fsecret.js",
    "/console//etc/passwd",
    "/console/..%5csecret.js",
  ])("never leaves its directory: %s", async (target) => {
    const answer = await raw(target);
    expect(answer).toMatch(/^HTTP\/1\.1 (200|400|404)/);
    expect(answer).not.toContain("secret\n");
    expect(answer.split("\r\n\r\n")[1]).not.toMatch(/^secret|root:/);
  });

  it("says 404 for a file that there is not, so that no page passes for a script", async () => {
    expect((await fetch(`${server.url}/console/assets/gone.js`)).status).toBe(404);
  });

  it("leads from the root to the console", async () => {
    const answer = await fetch(`${server.url}/`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/console/"]);
  });
});

describe("viewRoutes", () => {
  const url = () => `${server.url}/api/console/thing`;
  const change = (next: unknown) => {
    value = next;
    for (const listener of listeners) listener();
  };

  it("answers once, or a line for each change and one for the refusal that ends it", async () => {
    expect(await (await fetch(url())).json()).toEqual({ count: 1 });
    const response = await fetch(`${url()}?watch=true`);
    const reader = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    const next = async () => JSON.parse((await reader.read()).value ?? "null") as unknown;
    expect(await next()).toEqual({ count: 1 });
    change({ count: 2 });
    expect(await next()).toEqual({ count: 2 });
    change(undefined);
    expect(await next()).toMatchObject({ kind: "Status", code: 404, message: "the thing is gone" });
    expect((await reader.read()).done).toBe(true);
    expect(listeners.size).toBe(0);
  });

  it("shows changes that come at once together", async () => {
    const ended = new AbortController();
    const response = await fetch(`${url()}?watch=true`, { signal: ended.signal });
    const reader = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    await reader.read();
    for (let count = 2; count <= 100; count += 1) change({ count });
    expect(JSON.parse((await reader.read()).value ?? "")).toEqual({ count: 100 });
    ended.abort();
    await expect.poll(() => listeners.size).toBe(0);
  });

  it("refuses a watch of what there is not with its own code", async () => {
    value = undefined;
    expect((await fetch(`${url()}?watch=true`)).status).toBe(404);
  });
});
