import type { ChildProcess } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMakeNamespaces, endProcess, type Namespace } from "../lab/namespaces.ts";
import { waitUntil } from "../lab/product.ts";
import { openTopology, type Topology } from "../lab/topology.ts";
import { startMember, startTraffic } from "../lab/traffic.ts";
import { buildProgram } from "../scenario/program.ts";
import { call, outputOf, PARASAUS, type Server, startServer } from "./server-program.ts";

/** The clients' machine, where the server runs too: the agent reaches it over the network. */
const SERVER_IP = "10.77.0.2";
const URL = `https://${SERVER_IP}:6780`;
const LIFETIME_S = 9;
const API = "/apis/parasaus.io/v1";
const patience = { timeout: 30_000, interval: 100 };

interface Agent {
  readonly child: ChildProcess;
  /** Its log, one object a line. */
  readonly log: () => readonly Readonly<Record<string, unknown>>[];
  readonly directory: string;
  readonly identity: string;
}

describe.skipIf(!canMakeNamespaces())("a node that enrols (needs root and network namespaces)", () => {
  let folder: string;
  let lab: Topology;
  let server: Server;
  let agent: Agent;
  const nodeName = () => lab.node.id;

  const start = () =>
    startServer(
      lab.client,
      [
        ...["--listen", `${SERVER_IP}:6780`, "--auto-create-namespaces=true"],
        ...["--node-certificate-seconds", String(LIFETIME_S)],
      ],
      path.join(folder, "server"),
    );
  const operator = (...words: readonly string[]) => lab.client.run(PARASAUS, ...words);
  const makeToken = (name: string) => operator("node", "token", name, "--for", "5m");
  const startAgent = (
    namespace: Namespace,
    name: string,
    token: string,
    ...flags: readonly string[]
  ): Agent => {
    const directory = mkdtempSync(path.join(folder, "agent-"));
    const tokenFile = path.join(directory, "token");
    writeFileSync(tokenFile, token);
    const words = ["--server", URL, "--node-name", name, "--data-dir", directory, "--token-file", tokenFile];
    const child = namespace.start(
      [PARASAUS, "agent", ...words, "--metrics-listen", "127.0.0.1:0", "--log-format", "json", ...flags],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let text = "";
    child.stderr?.on("data", (chunk) => {
      text += String(chunk);
    });
    const log = () =>
      text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    return { child, log, directory, identity: path.join(directory, "node/identity.pem") };
  };
  const said = ({ log }: Agent, event: string) => log().filter(({ msg }) => msg === event);
  const applyPool = (scheduler: string) => {
    const members = lab.members.map(({ ip }) => ({ ip, port: 8080 }));
    const healthCheck = { type: "tcp", interval: "1s", timeout: "500ms", rise: 1, fall: 2 };
    const pool = {
      ...{ apiVersion: "parasaus.io/v1", kind: "Pool" },
      metadata: { name: "web", namespace: "default" },
      spec: { port: 30_080, scheduler, members, healthCheck },
    };
    const file = path.join(folder, "pool.json");
    writeFileSync(file, JSON.stringify(pool));
    operator("apply", "-f", file);
  };
  const node = () => JSON.parse(operator("get", "node", nodeName(), "-o", "json"));
  const poolRevision = () =>
    Number(JSON.parse(operator("get", "pool", "web", "-o", "json")).metadata.resourceVersion);
  /** The node's kernel holds the pool as it is now. */
  const isProgrammed = () => Number(node().status?.appliedRevision ?? 0) >= poolRevision();
  const ownerToken = () => readFileSync(server.tokenFile, "utf8").trim();
  /** How many requests the server has refused with 401 since it started. */
  const strangers = () =>
    call(lab.client, "-H", `authorization: Bearer ${ownerToken()}`, "http://127.0.0.1:6780/metrics")
      .body.split("\n")
      .filter((line) => line.startsWith("parasaus_apiserver_requests_total") && line.includes('code="401"'))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  const certificate = () => new X509Certificate(readFileSync(agent.identity, "utf8"));
  const startRequests = () =>
    startTraffic(lab.client, {
      ...{ mode: "requests", host: lab.nodeIp, port: 30_080, concurrency: 4, paceMs: 5, timeoutMs: 2_000 },
      sources: lab.clientIps,
    });
  /** What the node's own certificate may ask, from the node. */
  const asNode = (method: string, route: string, body?: object) => {
    const show = ["--cert", agent.identity, "--key", agent.identity, "--cacert", agent.identity];
    const type = "content-type: application/merge-patch+json";
    const sent = body ? ["-H", type, "-d", JSON.stringify(body)] : [];
    const answer = call(lab.node, ...show, "-X", method, ...sent, `${URL}${route}`);
    return { code: answer.code, body: JSON.parse(answer.body) };
  };

  beforeAll(async () => {
    buildProgram();
    folder = mkdtempSync(path.join(tmpdir(), "parasaus-enrol-"));
    // The owner of the server finds there what it knows him by.
    process.env["PARASAUS_DATA_DIR"] = path.join(folder, "server");
    lab = await openTopology({ memberCount: 2 });
    await Promise.all(lab.members.map((member) => startMember(member)));
    server = await start();
    applyPool("rr");
    agent = startAgent(lab.node, nodeName(), makeToken(nodeName()), "--address", lab.nodeIp);
    await waitUntil(
      "the pool is in the node's kernel",
      async () => isProgrammed(),
      () => JSON.stringify(agent.log()),
    );
  });
  afterAll(async () => {
    await endProcess(agent.child);
    await server[Symbol.asyncDispose]();
    outputOf(lab.node, PARASAUS, "uninstall", "--node-name", nodeName(), "--yes");
    await lab[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it("gets a certificate in its name, with a key that only it has", async () => {
    await expect.poll(() => said(agent, "node enrolled").length, patience).toBe(1);
    expect(certificate().subjectAltName).toContain(`URI:node:${nodeName()}`);
    expect((statSync(agent.identity).mode & 0o777).toString(8)).toBe("600");
    const key = /-----BEGIN PRIVATE KEY-----\n(.+)\n/.exec(readFileSync(agent.identity, "utf8"))?.[1] ?? "";
    const stored = readFileSync(path.join(folder, "server/store/store.mdb"), "latin1");
    expect(stored.includes(key)).toBe(false);
    // The control: the authority's key is there, and is found.
    expect(stored).toContain("BEGIN PRIVATE KEY");
  });

  it("is told to its operator with all that the agent needs", () => {
    const output = outputOf(lab.client, PARASAUS, "node", "token", "edge-7", "--for", "90s");
    const [token = "", ...advice] = output.trim().split("\n");
    expect(token).toMatch(/^[0-9a-f]{64}\.[0-9a-f]{64}$/);
    expect(advice.join("\n")).toMatch(/^Good once, for the node "edge-7", for 1m30s \(until 20\S+Z\)/);
    expect(advice[1]).toBe(`  parasaus agent --server ${URL} --node-name edge-7 --token-file FILE`);
    expect(operator("node", "revoke", "edge-7")).toBe(
      "node.parasaus.io/edge-7 revoked: servers refuse its certificate; what it forwards it forwards until its agent is uninstalled\n",
    );
    expect(outputOf(lab.client, PARASAUS, "node", "revoke", "edge-7")).toContain("it is not enrolled");
    const refused = outputOf(lab.client, PARASAUS, "node", "token", "Edge_7");
    expect(refused).toContain('Cannot make a token: found the name "Edge_7", which must consist of');
  });

  it("reads what it needs, writes its own Node and nothing else", () => {
    const own = `${API}/nodes/${nodeName()}`;
    const change = { metadata: { labels: { a: "b" } } };
    expect(asNode("GET", `${API}/pools`).code).toBe(200);
    expect(asNode("GET", own).code).toBe(200);
    expect(asNode("PATCH", own, change).code).toBe(200);
    for (const [method, route] of [
      ["PATCH", `${API}/nodes/other`],
      ["PATCH", `${API}/nodes/other/status`],
      ["DELETE", own],
      ["PATCH", `${API}/namespaces/default/pools/web`],
      ["POST", "/internal/v1/tokens"],
      ["POST", "/internal/v1/nodes/other/certificates"],
      ["POST", "/internal/v1/nodes/other/revocation"],
      ["GET", `${API}/nodes`],
    ] as const) {
      const { code, body } = asNode(method, route, method === "GET" ? undefined : change);
      expect([method, route, code, body.kind, body.reason]).toEqual([
        method,
        route,
        403,
        "Status",
        "Forbidden",
      ]);
      expect(body.message).toContain(`the node "${nodeName()}"`);
    }
  });

  it("shares its token with no other agent, and no token is good for another name", async () => {
    const used = readFileSync(path.join(agent.directory, "token"), "utf8");
    const [twin, liar] = [
      startAgent(lab.members[0]?.namespace ?? lab.node, nodeName(), used, "--driver", "memory"),
      startAgent(lab.members[1]?.namespace ?? lab.node, "liar", makeToken("honest"), "--driver", "memory"),
    ];
    const refusal = (each: Agent) => JSON.stringify(said(each, "token refused"));
    await expect.poll(() => refusal(twin), patience).toContain("used already");
    await expect.poll(() => refusal(liar), patience).toContain('the token is for the node \\"honest\\"');
    expect(refusal(liar)).toContain("parasaus node token liar");
    for (const { directory } of [twin, liar])
      expect(readdirSync(path.join(directory, "node"))).toEqual(["enrolment-request.pem"]);
    await Promise.all([twin, liar].map(({ child }) => endProcess(child)));
    expect(operator("get", "nodes", "-o", "name").trim()).toBe(`node.parasaus.io/${nodeName()}`);
  });

  it("believes no server but one of the authority that its token names", async () => {
    const [secret = "", hash = ""] = makeToken("careful").trim().split(".");
    const wrong = `${secret}.${hash.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))}`;
    const careful = startAgent(lab.members[0]?.namespace ?? lab.node, "careful", wrong, "--driver", "memory");
    const refusal = () => JSON.stringify(said(careful, "token refused"));
    await expect.poll(refusal, patience).toContain(`Cannot believe ${URL}: its authority is sha256:${hash}`);
    // The control: with the right hash it enrols, so the secret was not shown to the wrong one.
    writeFileSync(path.join(careful.directory, "token"), `${secret}.${hash}`);
    await expect.poll(() => said(careful, "node enrolled").length, patience).toBe(1);
    await endProcess(careful.child);
    operator("delete", "node", "careful", "--ignore-not-found");
  });

  it("renews its certificate again and again, and is never a stranger", async () => {
    const before = strangers();
    const traffic = startRequests();
    const serials = new Set<string>();
    const startMs = performance.now();
    while (serials.size < 4) {
      serials.add(certificate().serialNumber);
      if (performance.now() - startMs > 6 * LIFETIME_S * 1_000) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(serials.size).toBe(4);
    expect(performance.now() - startMs).toBeGreaterThan(LIFETIME_S * 1_000);
    applyPool("lc");
    await expect.poll(isProgrammed, patience).toBe(true);
    const { started, failures } = await traffic.stop();
    process.stdout.write(
      `4 certificates in ${Math.round(performance.now() - startMs)} ms: n=${started} failures=${JSON.stringify(failures)}, refused requests ${strangers() - before}\n`,
    );
    expect([failures, strangers() - before]).toEqual([{}, 0]);
    expect(started).toBeGreaterThan(500);
  });

  it("is a stranger at once when it is revoked, forwards on, and comes back with another token", async () => {
    const traffic = startRequests();
    await expect.poll(isProgrammed, patience).toBe(true);
    const before = strangers();
    const startedMs = Date.now();
    operator("node", "revoke", nodeName());
    await expect.poll(strangers, patience).toBeGreaterThan(before);
    // Long before the certificate ends: it is refused because it was revoked.
    const { code, body } = asNode("GET", `${API}/pools`);
    expect([code, body.message]).toEqual([401, expect.stringContaining("was revoked")]);
    expect(Date.now()).toBeLessThan(new Date(certificate().validTo).getTime());
    applyPool("wrr");
    const revision = poolRevision();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(Number(node().status.appliedRevision)).toBeLessThan(revision);
    writeFileSync(path.join(agent.directory, "token"), makeToken(nodeName()));
    await expect.poll(isProgrammed, patience).toBe(true);
    const { started, failures } = await traffic.stop();
    process.stdout.write(
      `revoked for ${Date.now() - startedMs} ms: n=${started} failures=${JSON.stringify(failures)}\n`,
    );
    expect(failures).toEqual({});
    expect(started).toBeGreaterThan(500);
  });

  it("goes on forwarding when its certificate ended while no server was there, says what to do, and comes back", async () => {
    const traffic = startRequests();
    await server.stop();
    const event = "certificate ended, the node forwards what it has and learns nothing new";
    const { length: saidBefore } = said(agent, event);
    const { validTo } = certificate();
    await expect.poll(() => Date.now() > new Date(validTo).getTime() + 1_000, patience).toBe(true);
    expect(certificate().validTo).toBe(validTo);
    server = await start();
    await expect.poll(() => strangers(), patience).toBeGreaterThan(0);
    await expect
      .poll(() => said(agent, event).slice(saidBefore), patience)
      .toMatchObject([
        {
          level: "error",
          node: nodeName(),
          todo: expect.stringContaining(`parasaus node token ${nodeName()}`),
        },
      ]);
    applyPool("rr");
    const revision = poolRevision();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(Number(node().status.appliedRevision)).toBeLessThan(revision);
    writeFileSync(path.join(agent.directory, "token"), makeToken(nodeName()));
    await expect.poll(isProgrammed, patience).toBe(true);
    const report = await traffic.stop();
    process.stdout.write(
      `expired and enrolled anew: n=${report.started} failures=${JSON.stringify(report.failures)}\n`,
    );
    expect(report.failures).toEqual({});
    expect(report.started).toBeGreaterThan(500);
    // The control: requests do fail when forwarding is really taken away.
    const broken = startRequests();
    lab.node.run("tc", "filter", "del", "dev", "client", "ingress");
    await expect
      .poll(async () => Object.keys((await broken.mark()).failures).length, patience)
      .toBeGreaterThan(0);
    await broken.stop();
  });
});
