import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { canMakeNamespaces, endProcess, makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { buildProgram } from "../scenario/program.ts";
import { findKubectls } from "./kubectl.ts";
import { call, outputOf, PARASAUS, type Server, startServer } from "./server-program.ts";

const SERVER_IP = "10.91.0.1";
const HTTPS = `https://${SERVER_IP}:6780`;
const POOL =
  "apiVersion: parasaus.io/v1\nkind: Pool\nmetadata: { name: web, namespace: default }\nspec: {}\n";

/** What its owner shows. */
const bearer = (server: Server) => `authorization: Bearer ${readFileSync(server.tokenFile, "utf8").trim()}`;

describe.skipIf(!canMakeNamespaces())("a server off loopback (needs root)", () => {
  let near: Namespace;
  let far: Namespace;
  const { found } = findKubectls();
  const kubectls = [found[0], found.at(-1)].flatMap((kubectl) => (kubectl ? [kubectl] : []));

  beforeAll(() => {
    buildProgram();
    near = makeNamespace("tls-near");
    far = makeNamespace("tls-far");
    near.run("ip", "link", "add", "far", "type", "veth", "peer", "name", "near", "netns", far.id);
    near.run("ip", "address", "add", `${SERVER_IP}/24`, "dev", "far");
    far.run("ip", "address", "add", "10.91.0.2/24", "dev", "near");
    near.run("ip", "link", "set", "far", "up");
    far.run("ip", "link", "set", "near", "up");
  });
  afterAll(async () => {
    await near[Symbol.asyncDispose]();
    await far[Symbol.asyncDispose]();
  });

  describe.each([`${SERVER_IP}:6780`, "0.0.0.0:6780"])("listening on %s", (listen) => {
    let server: Server;
    beforeAll(async () => {
      server = await startServer(near, ["--listen", listen, "--auto-create-namespaces=true"]);
    });
    afterAll(() => server[Symbol.asyncDispose]());

    it("refuses plain HTTP from elsewhere and says what to do", () => {
      const { code, body } = call(far, `http://${SERVER_IP}:6780/livez`);
      expect([code, JSON.parse(body)]).toMatchObject([
        400,
        { kind: "Status", message: expect.stringMatching(/^Cannot answer plain HTTP on .*: use https$/) },
      ]);
    });

    it("is operated on its own machine: plainly, or over TLS with the kubeconfig", () => {
      expect(call(near, "http://127.0.0.1:6780/livez")).toEqual({ code: 200, body: "ok" });
      const plain = call(near, `http://${SERVER_IP}:6780/livez`);
      expect(plain.code).toBe(400);
      const output = outputOf(near, PARASAUS, "get", "addresspools", "--kubeconfig", server.kubeconfig);
      expect(output).toContain("node-ports");
      expect(readFileSync(server.kubeconfig, "utf8")).toContain("server: https://127.0.0.1:6780");
    });

    it.each(kubectls)("kubectl $version works over TLS with the written kubeconfig", ({ file }) => {
      const kubectl = (...words: string[]) =>
        outputOf(near, file, "--kubeconfig", server.kubeconfig, ...words);
      const manifest = path.join(path.dirname(server.kubeconfig), "pool.yaml");
      near.run("sh", "-c", `printf '${POOL.replaceAll("\n", "\\n")}' > ${manifest}`);
      expect(kubectl("apply", "-f", manifest)).toMatch(/pool.parasaus.io\/web created/);
      expect(kubectl("get", "pools", "-A")).toMatch(/default +web/);
      expect(kubectl("delete", "pool", "web")).toContain('"web" deleted');
      // The control: kubectl believes nobody without the authority in the file.
      const blind = outputOf(
        near,
        file,
        "--kubeconfig=/dev/null",
        "--token=none",
        "--server=https://127.0.0.1:6780",
        "get",
        "pools",
      );
      expect(blind).toMatch(/certificate signed by unknown authority|certificate is not trusted/);
    });

    it("refuses who comes over TLS without a certificate, kubectl and the command line too", () => {
      const refused = call(far, "--insecure", `${HTTPS}/apis/parasaus.io/v1/pools`);
      expect([refused.code, JSON.parse(refused.body)]).toMatchObject([
        401,
        {
          reason: "Unauthorized",
          message: expect.stringContaining("no session, no token and no client certificate"),
        },
      ]);
      expect(call(far, "--insecure", `${HTTPS}/livez`)).toEqual({ code: 200, body: "ok" });
      const output = outputOf(far, PARASAUS, "get", "pools", "--server", HTTPS);
      expect(output).toMatch(/Cannot reach the server .*: .*name the authority .* with --ca/);
    });

    it("shows TLS 1.2 and 1.3 only, and the address in its certificate", () => {
      const shake = (...words: string[]) =>
        far.run(
          "sh",
          "-c",
          `openssl s_client -connect ${SERVER_IP}:6780 "$@" </dev/null 2>&1; true`,
          "sh",
          ...words,
        );
      expect(shake("-tls1_2")).toMatch(/Protocol *: TLSv1\.2/);
      expect(shake("-tls1_3")).toContain("New, TLSv1.3");
      for (const old of ["-tls1", "-tls1_1"]) {
        const refused = shake(old, "-cipher", "DEFAULT@SECLEVEL=0");
        expect(refused).toMatch(/alert protocol version|no peer certificate available/);
        expect(refused).not.toContain("BEGIN CERTIFICATE");
      }
      expect(shake("-verify_ip", SERVER_IP)).not.toContain("IP address mismatch");
      // The control: another address is told apart.
      expect(shake("-verify_ip", "10.91.0.7")).toContain("IP address mismatch");
    });
  });

  it("with --insecure takes plain HTTP and TLS from everywhere, of who is known, as the kubeconfig says", async () => {
    await using server = await startServer(near, ["--listen", `${SERVER_IP}:6780`, "--insecure"]);
    const pools = `http://${SERVER_IP}:6780/apis/parasaus.io/v1/pools`;
    expect(call(far, pools).code).toBe(401);
    expect(call(far, "-H", bearer(server), pools).code).toBe(200);
    const output = outputOf(far, PARASAUS, "get", "addresspools", "--kubeconfig", server.kubeconfig);
    expect(output).toContain("node-ports");
    expect(readFileSync(server.kubeconfig, "utf8")).toContain(`server: ${HTTPS}`);
    const folder = path.dirname(server.kubeconfig);
    const { clusters } = parse(readFileSync(server.kubeconfig, "utf8"));
    writeFileSync(
      path.join(folder, "ca.pem"),
      Buffer.from(clusters[0].cluster["certificate-authority-data"], "base64"),
    );
    const startAgent = (name: string, ...trust: readonly string[]) => {
      const known = ["--agent-token-file", path.join(folder, "agent.token")];
      const words = [
        "agent",
        ...known,
        "--server",
        HTTPS,
        "--node-name",
        name,
        "--data-dir",
        path.join(folder, name),
      ];
      return far.start(
        [PARASAUS, ...words, "--driver", "memory", "--metrics-listen", "10.91.0.2:0", ...trust],
        { stdio: "ignore" },
      );
    };
    const trust = ["--ca", path.join(folder, "ca.pem"), "--metrics-listen", "10.91.0.2:6781"];
    const agents = [startAgent("trusting", ...trust), startAgent("blind")];
    const nodes = () =>
      outputOf(near, PARASAUS, "get", "nodes", "-o", "name", "--kubeconfig", server.kubeconfig);
    await expect.poll(nodes, { timeout: 20_000 }).toContain("trusting");
    // The control: without the authority an agent believes no server.
    expect(nodes()).not.toContain("blind");
    expect(call(near, "http://10.91.0.2:6781/metrics").code).toBe(200);
    await Promise.all(agents.map(endProcess));
  });
});
