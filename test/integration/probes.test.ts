import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/index.ts";
import { PROBES, type ProbeCheck, type ProbeResult, runProbe } from "../../src/health/index.ts";

const CHECK: ProbeCheck = {
  type: "tcp",
  intervalMs: 2_000,
  fastIntervalMs: 2_000,
  downIntervalMs: 2_000,
  timeoutMs: 800,
};
const ENVIRONMENT = {
  registry: PROBES,
  clock: systemClock,
  allowedClasses: new Set(["loopback"] as const),
};

const opened: net.Server[] = [];
const sockets = new Set<net.Socket>();
const children: ChildProcess[] = [];

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of opened.splice(0)) server.close();
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function listen(server: net.Server, host = "127.0.0.1"): Promise<number> {
  opened.push(server);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as net.AddressInfo).port;
}

function probe(port: number, check: Partial<ProbeCheck>, ip = "127.0.0.1"): Promise<ProbeResult> {
  return runProbe({ ip, port, check: { ...CHECK, ...check } }, ENVIRONMENT);
}

const answerWith = (bytes: string): net.Server =>
  net.createServer((socket) => {
    socket.on("data", () => undefined);
    socket.write(bytes);
  });
const httpWith = (listener: http.RequestListener): http.Server => http.createServer(listener);
const silent = (): net.Server => net.createServer((socket) => socket.on("data", () => undefined));
const isFreed = (): boolean => sockets.size === 0;

async function until(condition: () => boolean, withinMs = 2_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error("condition did not come true in time");
    await systemClock.sleep(5);
  }
}

/** A port whose kernel answers no SYN: the backlog of its listener, which never accepts, is full. */
async function deafPort(): Promise<number> {
  const program = [
    "import socket,sys,time",
    "s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(0)",
    "c=[socket.socket() for _ in range(4)]",
    "[(x.setblocking(False), x.connect_ex(s.getsockname())) for x in c]",
    "time.sleep(0.1); print(s.getsockname()[1], flush=True); sys.stdin.read()",
  ].join("\n");
  const child = spawn("python3", ["-c", program], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return Number(line.toString());
}

describe("tcp probe", () => {
  it("is healthy when the member completes the handshake, and resets the connection at once", async () => {
    const port = await listen(silent());
    expect(await probe(port, {})).toMatchObject({ outcome: "pass", code: "L4OK" });
    await until(isFreed);
  });

  it("leaves no connection in TIME_WAIT after 200 probes", async () => {
    const port = await listen(silent());
    for (let count = 0; count < 200; count += 1) await probe(port, {});
    const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const waiting = readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[3] === "06" && `${columns[1]} ${columns[2]}`.includes(suffix));
    expect(waiting).toEqual([]);
  });

  it("says connection refused when nobody listens", async () => {
    const port = await listen(silent());
    await new Promise((resolve) => opened.pop()?.close(resolve));
    expect(await probe(port, {})).toMatchObject({
      outcome: "fail",
      code: "L4CON",
      snippet: "connection refused",
    });
  });

  it("refuses guarded addresses without counting them against the member", async () => {
    const result = await probe(80, {}, "169.254.169.254");
    expect(result).toMatchObject({ outcome: "none", code: "REFUSED" });
    expect(result.snippet).toContain("metadata");
  });

  it("settles at its deadline when the address does not answer", async () => {
    const port = await deafPort();
    const result = await probe(port, {});
    expect(result).toMatchObject({ outcome: "fail", code: "L4TOUT", snippet: "no answer within 800 ms" });
    expect(result.durationMs).toBeLessThan(2_500);
  });
});

const hasIpv6 = networkInterfaces()["lo"]?.some(({ address }) => address === "::1") === true;

describe.skipIf(!hasIpv6)("a member of IPv6", () => {
  it("is asked by http as its address in brackets, and by tcp", async () => {
    const hosts: unknown[] = [];
    const server = httpWith((request, response) => {
      hosts.push(request.headers.host);
      response.end("fine");
    });
    const port = await listen(server, "::1");
    const asked = { type: "http", http: { method: "GET", path: "/", expect: ["200"] } } as const;
    expect(await probe(port, asked, "::1")).toMatchObject({ outcome: "pass", code: "L7OK" });
    expect(hosts).toEqual([`[::1]:${port}`]);
    expect((await probe(port, {}, "::1")).code).toBe("L4OK");
    // Control: it listens there alone.
    expect((await probe(port, {}, "127.0.0.1")).code).toBe("L4CON");
  });
});

describe("http probe", () => {
  it.each([
    [200, "L7OK"],
    [302, "L7OK"],
    [404, "L7STS"],
    [500, "L7STS"],
  ])("judges status %i as %s and quotes the status line", async (status, code) => {
    const port = await listen(httpWith((_request, response) => response.writeHead(status).end("body")));
    const result = await probe(port, { type: "http" });
    expect(result.code).toBe(code);
    expect(result.snippet).toContain(`HTTP/1.1 ${status}`);
    await until(isFreed);
  });

  it("sends the method, path and host that are asked for", async () => {
    let seen: unknown;
    const port = await listen(
      httpWith((request, response) => {
        seen = [request.method, request.url, request.headers.host];
        response.end();
      }),
    );
    await probe(port, {
      type: "http",
      http: { method: "HEAD", path: "/ready?deep=1", host: "shop.example", expect: ["200"] },
    });
    expect(seen).toEqual(["HEAD", "/ready?deep=1", "shop.example"]);
  });

  it("cannot be made to send a second request by a path with line breaks", async () => {
    const urls: (string | undefined)[] = [];
    const port = await listen(
      httpWith((request, response) => {
        urls.push(request.url);
        response.end();
      }),
    );
    const evil = "/a HTTP/1.1\r\n\r\nDELETE /all HTTP/1.1\r\nHost: x\r\n\r\n";
    await probe(port, { type: "http", http: { method: "GET", path: evil, expect: ["200-399"] } });
    expect(urls).toEqual(["/a%20HTTP/1.1%0D%0A%0D%0ADELETE%20/all%20HTTP/1.1%0D%0AHost:%20x%0D%0A%0D%0A"]);
  });

  it("does not follow a redirect", async () => {
    let count = 0;
    const port = await listen(
      httpWith((_request, response) => {
        count += 1;
        response.writeHead(302, { location: "/elsewhere" }).end();
      }),
    );
    await probe(port, { type: "http" });
    expect(count).toBe(1);
  });

  it.each([
    ["a member that accepts and says nothing", silent, "L7TOUT"],
    ["a member that trickles its head for ever", () => answerWith("HTTP/1.1 200 OK\r\nX: "), "L7TOUT"],
    ["a member that speaks something else", () => answerWith("220 mail.example ESMTP\r\n"), "L7RSP"],
    ["a member that floods", () => answerWith(`HTTP/1.1 200 OK\r\nX: ${"y".repeat(1e6)}`), "L7OK"],
    ["a member that hangs up", () => net.createServer((socket) => socket.resume().end()), "L7RSP"],
  ])("settles in time on %s", async (_what, server, code) => {
    const port = await listen(server());
    const result = await probe(port, { type: "http" });
    expect(result.code).toBe(code);
    expect(result.durationMs).toBeLessThan(2_500);
    await until(isFreed);
  });
});

describe("http probe of a member that resets", () => {
  it("fails, at the layer where the reset is seen first", async () => {
    const port = await listen(net.createServer((socket) => socket.resetAndDestroy()));
    const result = await probe(port, { type: "http" });
    expect(result.outcome).toBe("fail");
    expect(["L4CON", "L7RSP"]).toContain(result.code);
  });
});

describe("https probe", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-probe-"));
  const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=probe.example", "-days", "1"];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  execFileSync("openssl", ["req", "-x509", ...algorithm, "-keyout", key, "-out", cert, ...subject], {
    stdio: "ignore",
  });
  const pem = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });

  it("judges the status inside TLS, and names the asked-for host", async () => {
    let servername: unknown;
    const server = https.createServer(pem, (request, response) => {
      servername = (request.socket as unknown as { servername: unknown }).servername;
      response.writeHead(204).end();
    });
    const port = await listen(server);
    const wanted = { method: "GET", path: "/", host: "probe.example:8443", expect: ["204"] } as const;
    const result = await probe(port, { type: "https", timeoutMs: 2_000, http: wanted });
    expect(result).toMatchObject({ outcome: "pass", code: "L7OK", snippet: "HTTP/1.1 204 No Content" });
    expect(servername).toBe("probe.example");
    await until(isFreed);
  });

  it("says L6RSP when the member does not speak TLS", async () => {
    const port = await listen(answerWith("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await probe(port, { type: "https" })).toMatchObject({ outcome: "fail", code: "L6RSP" });
    await until(isFreed);
  });

  it("says L6RSP when the member hangs up in the handshake, L6TOUT when it stalls", async () => {
    const hangingUp = await listen(net.createServer((socket) => socket.resume().end()));
    expect((await probe(hangingUp, { type: "https" })).code).toBe("L6RSP");
    const stalling = await listen(silent());
    expect((await probe(stalling, { type: "https" })).code).toBe("L6TOUT");
    await until(isFreed);
  });
});

describe("mysql probe against servers that misbehave", () => {
  it.each([
    ["stalls before the greeting", silent, undefined, "L7TOUT"],
    ["stalls before the greeting, with a user", silent, { user: "probe" }, "L7TOUT"],
    ["is no MySQL", () => answerWith("HTTP/1.1 400 Bad Request\r\n"), undefined, "L7RSP"],
    ["hangs up", () => net.createServer((socket) => socket.resume().end()), undefined, "L7RSP"],
    [
      "hangs up, with a user",
      () => net.createServer((socket) => socket.resume().end()),
      { user: "probe" },
      "L7RSP",
    ],
  ])("settles in time when the server %s", async (_what, server, mysql, code) => {
    const port = await listen(server());
    const result = await probe(port, { type: "mysql", ...(mysql ? { mysql } : {}) });
    expect(result).toMatchObject({ outcome: "fail", code });
    expect(result.durationMs).toBeLessThan(2_500);
    await until(isFreed);
  });

  it("names a blocked host, so that the operator knows what to do", async () => {
    const words = "\xff\x69\x04Host '10.0.0.1' is blocked because of many connection errors";
    const frame = Buffer.concat([Buffer.from([words.length, 0, 0, 0]), Buffer.from(words, "latin1")]);
    const port = await listen(answerWith(frame.toString("latin1")));
    const server = opened.at(-1);
    server?.removeAllListeners("connection");
    server?.on("connection", (socket) => socket.on("error", () => undefined).write(frame));
    const result = await probe(port, { type: "mysql" });
    expect(result).toMatchObject({ outcome: "fail", code: "L7STS" });
    expect(result.snippet).toContain("flush-hosts");
  });
});
