import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/index.ts";
import { PROBES, type ProbeCheck, type ProbeResult, runProbe } from "../../src/health/index.ts";
import type { Pool } from "../../src/model/index.ts";
import { canMakeNamespaces, ip, makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { hasNginx, makeNginx, type Nginx } from "../lab/nginx.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";

const isPossible = canMakeNamespaces() && hasNginx();
const SERVER_IP = "10.213.78.2";
const CHECKER_IP = "10.213.78.1";
const PLAIN = 8080;
const SECURE = 8443;
/** Its kernel queues two connections that nobody accepts, and no more. */
const NARROW = 8081;
const STATUSES = [200, 204, 302, 399, 400, 404, 500, 503];

const ANSWERS = `
  location / { return 200 "ok"; }
  ${STATUSES.map((status) => `location = /status/${status} { return ${status}; }`).join("\n  ")}
  location = /hang-up { return 444; }
  location = /head { if ($request_method = HEAD) { return 204; } return 405; }
  location = /host { if ($host = shop.example) { return 200; } return 421; }`;
const SITES = `
  server { listen ${SERVER_IP}:${PLAIN}; listen ${SERVER_IP}:${NARROW} backlog=1; ${ANSWERS} }
  server {
    listen ${SERVER_IP}:${SECURE} ssl;
    ssl_certificate $HOME/cert.pem;
    ssl_certificate_key $HOME/key.pem;
    ${ANSWERS}
  }`;

const CHECK: ProbeCheck = {
  type: "http",
  intervalMs: 2_000,
  fastIntervalMs: 2_000,
  downIntervalMs: 2_000,
  timeoutMs: 1_000,
};
type Http = NonNullable<ProbeCheck["http"]>;

const asking = (http: Partial<Http>): Http => ({ method: "GET", path: "/", expect: ["200-399"], ...http });

function probe(type: "http" | "https" | "tcp", check: Partial<ProbeCheck> = {}, port?: number) {
  const own = type === "https" ? SECURE : PLAIN;
  const target = { ip: SERVER_IP, port: port ?? own, check: { ...CHECK, type, ...check } };
  return runProbe(target, { registry: PROBES, clock: systemClock, allowedClasses: new Set() });
}

/** What each of the three checks says, and that none takes longer than it may. */
async function probeAll(port?: number): Promise<Record<string, string>> {
  const types = ["tcp", "http", "https"] as const;
  const results: ProbeResult[] = await Promise.all(types.map((type) => probe(type, {}, port)));
  for (const { durationMs } of results) expect(durationMs).toBeLessThan(3_000);
  return Object.fromEntries(types.map((type, at) => [type, results[at]?.code ?? ""]));
}

function joinByVeth(namespace: Namespace): void {
  const [here, there] = [`pn${process.pid}a`, `pn${process.pid}b`];
  ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", namespace.id);
  ip("addr", "add", `${CHECKER_IP}/30`, "dev", here);
  ip("link", "set", here, "up");
  namespace.run("ip", "addr", "add", `${SERVER_IP}/30`, "dev", there);
  namespace.run("ip", "link", "set", there, "up");
}

describe.skipIf(!isPossible)("checks of a real nginx (needs root and Debian's nginx-light)", () => {
  let namespace: Namespace;
  let nginx: Nginx;

  beforeAll(async () => {
    namespace = makeNamespace("nginx");
    joinByVeth(namespace);
    nginx = makeNginx(namespace, SITES);
    await nginx.start();
  });
  afterAll(async () => {
    await nginx[Symbol.asyncDispose]();
    await namespace[Symbol.asyncDispose]();
  });

  it.each(["http", "https"] as const)("judges nginx's status by %s, and quotes its words", async (type) => {
    const results = await Promise.all(
      STATUSES.map((status) => probe(type, { http: asking({ path: `/status/${status}` }) })),
    );
    expect(results.map(({ code, outcome }, at) => `${STATUSES[at]} ${code} ${outcome}`)).toEqual([
      "200 L7OK pass",
      "204 L7OK pass",
      "302 L7OK pass",
      "399 L7OK pass",
      "400 L7STS fail",
      "404 L7STS fail",
      "500 L7STS fail",
      "503 L7STS fail",
    ]);
    expect(results[5]?.snippet).toBe("HTTP/1.1 404 Not Found");
    expect(results[7]?.snippet).toBe("HTTP/1.1 503 Service Temporarily Unavailable");
  });

  it.each(["http", "https"] as const)(
    "asks nginx by %s with the method and host of the check",
    async (type) => {
      const ask = async (http: Partial<Http>) => (await probe(type, { http: asking(http) })).snippet;
      expect(await ask({ path: "/head", method: "HEAD" })).toBe("HTTP/1.1 204 No Content");
      expect(await ask({ path: "/head" })).toBe("HTTP/1.1 405 Not Allowed");
      expect(await ask({ path: "/host", host: "shop.example" })).toBe("HTTP/1.1 200 OK");
      expect(await ask({ path: "/host" })).toBe("HTTP/1.1 421 Misdirected Request");
    },
  );

  it("takes exactly the statuses that the check expects", async () => {
    const expect404 = (path: string) => probe("http", { http: asking({ path, expect: ["404"] }) });
    expect((await expect404("/status/404")).code).toBe("L7OK");
    expect((await expect404("/")).code).toBe("L7STS");
  });

  it("does not verify the certificate, which nobody signed but itself", async () => {
    expect(await probe("https")).toMatchObject({ code: "L7OK", snippet: "HTTP/1.1 200 OK" });
    const verifying = tls.connect({ host: SERVER_IP, port: SECURE, servername: "shop.example" });
    const [refusal] = (await once(verifying, "error")) as [NodeJS.ErrnoException];
    expect(refusal.code).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
  });

  it("tells the wrong protocol from a dead member", async () => {
    expect(await probe("https", {}, PLAIN)).toMatchObject({ outcome: "fail", code: "L6RSP" });
    expect(await probe("http", {}, SECURE)).toMatchObject({
      code: "L7STS",
      snippet: "HTTP/1.1 400 Bad Request",
    });
  });

  it.each(["http", "https"] as const)("fails by %s when nginx hangs up without an answer", async (type) => {
    const result = await probe(type, { http: asking({ path: "/hang-up" }) });
    expect(result).toMatchObject({ outcome: "fail", code: "L7RSP" });
    expect(result.durationMs).toBeLessThan(CHECK.timeoutMs);
  });

  it("sees a worker that hangs at the layer where it is silent; to tcp the kernel still answers", async () => {
    expect(await probeAll()).toEqual({ tcp: "L4OK", http: "L7OK", https: "L7OK" });
    expect(await nginx.freeze()).toBe("T");
    try {
      expect((await probe("tcp")).code).toBe("L4OK");
      expect(await probe("http")).toMatchObject({
        outcome: "fail",
        code: "L7TOUT",
        snippet: "no answer within 1000 ms",
      });
      expect(await probe("https")).toMatchObject({ outcome: "fail", code: "L6TOUT" });
    } finally {
      nginx.thaw();
    }
    expect((await probe("http", { timeoutMs: 10_000 })).code).toBe("L7OK");
    expect((await probe("https", { timeoutMs: 10_000 })).code).toBe("L7OK");
  });

  it("says L4TOUT once a hanging nginx's queue is full, for every check", async () => {
    // An answer shows that nothing waits to be accepted, which a tcp check would leave to chance: its end does not empty the queue.
    expect((await probe("http", {}, NARROW)).code).toBe("L7OK");
    await nginx.freeze();
    const queue = Array.from({ length: 4 }, () => net.connect({ host: SERVER_IP, port: NARROW }));
    for (const socket of queue) socket.on("error", () => undefined);
    try {
      await Promise.all(queue.slice(0, 2).map((socket) => once(socket, "connect")));
      expect(await probeAll(NARROW)).toEqual({ tcp: "L4TOUT", http: "L4TOUT", https: "L4TOUT" });
    } finally {
      for (const socket of queue) socket.destroy();
      nginx.thaw();
    }
  });

  it("is refused while nginx is stopped, and passes when it is back", async () => {
    await nginx.stop();
    try {
      expect(await probe("tcp")).toMatchObject({ outcome: "fail", snippet: "connection refused" });
      expect(await probeAll()).toEqual({ tcp: "L4CON", http: "L4CON", https: "L4CON" });
    } finally {
      await nginx.start();
    }
    expect((await probe("https")).code).toBe("L7OK");
  });

  describe("circle-healthcheck", () => {
    const TIMING = { interval: "500ms", timeout: "400ms", rise: 2, fall: 2 };
    const POOLS = { tcp: PLAIN, http: PLAIN, https: SECURE, sick: PLAIN };

    async function openWithPools(): Promise<ControlPlane> {
      const plane = await openControlPlane({ probes: PROBES });
      for (const [name, port] of Object.entries(POOLS)) {
        const check = name === "sick" ? { type: "http", http: { path: "/status/503" } } : { type: name };
        await plane.apply({
          apiVersion: "parasaus.io/v1",
          kind: "Pool",
          metadata: { name, namespace: "default" },
          spec: { healthCheck: { ...check, ...TIMING }, members: [{ ip: SERVER_IP, port }] },
        });
      }
      return plane;
    }

    /** Waits for a verdict. @returns verdict and reason */
    async function verdict(plane: ControlPlane, name: string, wanted: "up" | "down"): Promise<string> {
      const member = (pool: Pool | undefined) => pool?.status?.members?.[0];
      const pool = await plane.until<Pool>(
        "Pool",
        `default/${name}`,
        (each) => member(each)?.verdict === wanted,
      );
      return `${member(pool)?.verdict}: ${member(pool)?.reason}`;
    }

    it("writes up and down with nginx's own words as it answers, hangs, goes and comes back", async () => {
      await using plane = await openWithPools();
      expect(await verdict(plane, "tcp", "up")).toBe("up: L4OK connected");
      expect(await verdict(plane, "http", "up")).toBe("up: L7OK HTTP/1.1 200 OK");
      expect(await verdict(plane, "https", "up")).toBe("up: L7OK HTTP/1.1 200 OK");
      const sick = "down: L7STS HTTP/1.1 503 Service Temporarily Unavailable";
      expect(await verdict(plane, "sick", "down")).toBe(sick);

      await nginx.freeze();
      try {
        expect(await verdict(plane, "http", "down")).toBe("down: L7TOUT no answer within 400 ms");
        expect(await verdict(plane, "https", "down")).toBe("down: L6TOUT no answer within 400 ms");
        expect(await verdict(plane, "tcp", "up")).toBe("up: L4OK connected");
      } finally {
        nginx.thaw();
      }
      await verdict(plane, "http", "up");
      await verdict(plane, "https", "up");

      await nginx.stop();
      try {
        for (const name of ["tcp", "http", "https"])
          expect(await verdict(plane, name, "down")).toBe("down: L4CON connection refused");
      } finally {
        await nginx.start();
      }
      for (const name of ["tcp", "http", "https"])
        expect(await verdict(plane, name, "up")).toMatch(/^up: L\dOK/);
      expect(await verdict(plane, "sick", "down")).toBe(sick);
    });
  });
});
