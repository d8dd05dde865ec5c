import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingForIpvs } from "../lab/ipvs-world.ts";
import { canMakeNamespaces, makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { labProgram } from "../lab/traffic.ts";

const missing = whyNot();

function whyNot(): string {
  if (!canMakeNamespaces()) return " (skipped: needs root and network namespaces)";
  return missingForIpvs() === "" ? " (skipped: this kernel has ip_vs)" : "";
}

describe.skipIf(missing)(`the IPVS driver on a kernel without ip_vs${missing}`, () => {
  let namespace: Namespace;
  beforeAll(() => {
    namespace = makeNamespace("noipvs");
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  it("refuses and says what to load, before it has touched anything", async () => {
    const node = `paratest-${process.pid}-noipvs`;
    const forwards = () => namespace.run("cat", "/proc/sys/net/ipv4/ip_forward");
    const before = forwards();
    const child = namespace.start(labProgram("driver-host.ts", JSON.stringify({ node, driver: "ipvs" })), {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [printed, said] = await Promise.all([child.stdout, child.stderr].map((each) => each && text(each)));
    expect(printed).toBe("");
    expect(said).toContain("KernelUnsupported");
    expect(said).toContain("modprobe ip_vs");
    expect(existsSync(`/run/parasaus/ipvs/${node}.jsonl`)).toBe(false);
    expect(forwards()).toBe(before);
  });
});
