import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type {
  AddressPool,
  EndpointSubset,
  Endpoints,
  Pool,
  Service,
  ServicePort,
} from "../../model/index.ts";
import { UNDERSTOOD_ANNOTATIONS } from "./annotations.ts";
import { type GenerationInput, generate, SERVICE_PORT_ANNOTATION } from "./generate.ts";

type Spec = Service["spec"];
const HTTP: ServicePort = { name: "http", port: 80 };
const HTTPS: ServicePort = { name: "https", port: 443 };

function service(spec: Spec, annotations: Record<string, string> = {}): Service {
  const metadata = { name: "web", namespace: "default", uid: "uid-web", annotations };
  return { apiVersion: "v1", kind: "Service", metadata, spec };
}

function endpoints(subsets: EndpointSubset[], extra: Partial<Endpoints> = {}): Endpoints {
  const metadata = { name: "web", namespace: "default" };
  return { apiVersion: "v1", kind: "Endpoints", metadata, subsets, ...extra };
}

function addressPool(
  name: string,
  spec: Partial<AddressPool["spec"]>,
  status: AddressPool["status"] = {},
): AddressPool {
  return {
    apiVersion: "parasaus.io/v1",
    kind: "AddressPool",
    metadata: { name },
    spec: {
      addresses: [],
      ports: ["1-65535"],
      autoAssign: true,
      priority: 0,
      quarantineSeconds: 30,
      ...spec,
    },
    status,
  };
}

function ownedPool(
  name: string,
  portName: string,
  spec: Partial<Pool["spec"]>,
  ip: string,
  port: number,
): Pool {
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name, namespace: "default", annotations: { [SERVICE_PORT_ANNOTATION]: portName } },
    spec: { addressPool: "node-ports", members: [], ...spec } as unknown as Pool["spec"],
    status: { connectAddresses: [{ ip, port, protocol: "TCP" }] },
  };
}

const run = (spec: Spec, rest: Partial<GenerationInput> = {}, annotations: Record<string, string> = {}) =>
  generate({
    service: service(spec, annotations),
    endpoints: undefined,
    owned: [],
    addressPools: [],
    ...rest,
  });
const address = (...ips: string[]) => ips.map((ip) => ({ ip }));
const VIPS = addressPool("vips", { addresses: ["10.9.0.0/24"] });

describe("the type of a Service", () => {
  it("listens on the node port, and only records the port", () => {
    const { pools, problems } = run({ type: "NodePort", ports: [{ ...HTTP, nodePort: 30_080 }] });
    expect(problems).toEqual([]);
    expect(pools).toEqual([
      {
        name: "web",
        portName: "http",
        fields: { addressPool: "node-ports", protocol: "TCP", port: 30_080 },
        members: [],
      },
    ]);
  });

  it("leaves the node port to the allocator where none is given, and keeps the one that was allocated", () => {
    const spec: Spec = { type: "NodePort", ports: [HTTP] };
    expect(run(spec).pools[0]?.fields).toEqual({ addressPool: "node-ports", protocol: "TCP" });
    const owned = [ownedPool("web", "http", {}, "*", 31_234)];
    expect(run(spec, { owned }).pools[0]?.fields).toMatchObject({ port: 31_234 });
  });

  it("takes a nodePort without a type for NodePort, and a type inside a port for the type", () => {
    expect(run({ ports: [{ ...HTTP, nodePort: 30_080 }] }).pools[0]?.fields).toMatchObject({ port: 30_080 });
    expect(run({ ports: [{ ...HTTP, type: "NodePort" }] }).pools[0]?.fields).toMatchObject({
      addressPool: "node-ports",
    });
  });

  it("listens on the port of an address from an address pool for LoadBalancer and ClusterIP", () => {
    for (const type of ["LoadBalancer", "ClusterIP"] as const) {
      const { pools } = run({ type, ports: [{ ...HTTP, nodePort: 30_080 }] }, { addressPools: [VIPS] });
      expect(pools[0]?.fields).toEqual({ addressPool: "vips", protocol: "TCP", port: 80 });
    }
  });

  it("asks for the address that the Service names, from the address pool that holds it", () => {
    const addressPools = [addressPool("other", { addresses: ["10.8.0.0/24"], priority: 0 }), VIPS];
    const balancer = run(
      { type: "LoadBalancer", loadBalancerIP: "10.9.0.7", ports: [HTTP] },
      { addressPools },
    );
    expect(balancer.pools[0]?.fields).toMatchObject({ addressPool: "vips", ip: "10.9.0.7" });
    const cluster = run({ type: "ClusterIP", clusterIP: "10.8.0.9", ports: [HTTP] }, { addressPools });
    expect(cluster.pools[0]?.fields).toMatchObject({ addressPool: "other", ip: "10.8.0.9" });
  });

  it("puts all ports of a Service on one address: the further ones wait for the first", () => {
    const spec: Spec = { type: "LoadBalancer", ports: [HTTP, HTTPS] };
    expect(run(spec, { addressPools: [VIPS] }).pools.map(({ name }) => name)).toEqual(["web"]);
    const owned = [ownedPool("web", "http", { addressPool: "vips" }, "10.9.0.3", 80)];
    const { pools } = run(spec, { addressPools: [VIPS], owned });
    expect(pools.map(({ name, fields }) => [name, fields["ip"], fields["port"]])).toEqual([
      ["web", "10.9.0.3", 80],
      ["web-https", "10.9.0.3", 443],
    ]);
  });

  it("makes no pools for headless and external Services", () => {
    expect(run({ type: "ClusterIP", clusterIP: "None", ports: [HTTP] }).pools).toEqual([]);
    expect(run({ type: "ExternalName", ports: [HTTP] })).toEqual({ pools: [], problems: [] });
  });
});

describe("choosing an address pool", () => {
  const spec: Spec = { type: "LoadBalancer", ports: [HTTP] };
  const chosen = (addressPools: AddressPool[], rest: Partial<GenerationInput> = {}, annotations = {}) =>
    run(spec, { addressPools, ...rest }, annotations).pools[0]?.fields["addressPool"];

  it("takes the lowest priority number, then the first name", () => {
    const [a, b] = [addressPool("a", { addresses: ["10.1.0.0/24"], priority: 5 }), VIPS];
    expect(chosen([a, b])).toBe("vips");
    expect(chosen([b, addressPool("aa", { addresses: ["10.1.0.0/24"] })])).toBe("aa");
  });

  it("takes none that is not for everybody, nor the nodes' own, and says so", () => {
    const closed = addressPool("closed", { addresses: ["10.1.0.0/24"], autoAssign: false });
    const nodes = addressPool("node-ports", { addresses: ["node"] });
    expect(run(spec, { addressPools: [closed, nodes] })).toEqual({
      pools: [],
      problems: [
        {
          type: "NoAddressPool",
          message:
            "no address pool with addresses hands them out by itself (autoAssign): a LoadBalancer Service needs one",
        },
      ],
    });
    expect(chosen([closed], {}, { "parasaus.io/address-pool": "closed" })).toBe("closed");
  });

  it("prefers one that is not full, and stays where the Service is", () => {
    const full = addressPool("full", { addresses: ["10.1.0.1"] }, { capacity: 10, used: 10 });
    expect(chosen([full, VIPS])).toBe("vips");
    const owned = [ownedPool("web", "http", { addressPool: "full" }, "10.1.0.1", 80)];
    expect(chosen([full, VIPS], { owned })).toBe("full");
  });
});

describe("names", () => {
  it("names the first pool like the Service and further ones by their port", () => {
    const { pools } = run({ type: "NodePort", ports: [HTTP, HTTPS] });
    expect(pools.map(({ name, portName }) => [name, portName])).toEqual([
      ["web", "http"],
      ["web-https", "https"],
    ]);
  });

  it("keeps the name of a pool when the ports change places", () => {
    const owned = [
      ownedPool("web", "http", {}, "*", 30_001),
      ownedPool("web-https", "https", {}, "*", 30_002),
    ];
    const { pools } = run({ type: "NodePort", ports: [HTTPS, HTTP] }, { owned });
    expect(pools.map(({ name, portName }) => [name, portName])).toEqual([
      ["web-https", "https"],
      ["web", "http"],
    ]);
  });

  it("gives a new first port a name of its own while another pool has the Service's", () => {
    const owned = [ownedPool("web", "http", {}, "*", 30_001)];
    const { pools } = run({ type: "NodePort", ports: [{ name: "grpc", port: 9_000 }, HTTP] }, { owned });
    expect(pools.map(({ name }) => name)).toEqual(["web-grpc", "web"]);
  });
});

describe("members", () => {
  const membersFor = (port: ServicePort, subsets: EndpointSubset[], annotations = {}) =>
    run({ type: "NodePort", ports: [port] }, { endpoints: endpoints(subsets) }, annotations).pools[0]
      ?.members;

  it("joins every subset with its port of the same name", () => {
    const subsets = [
      { addresses: address("10.0.0.1", "10.0.0.2"), ports: [{ name: "http", port: 8_080 }] },
      {
        addresses: address("10.0.0.3"),
        ports: [
          { name: "http", port: 9_090 },
          { name: "https", port: 443 },
        ],
      },
      { addresses: address("10.0.0.4"), ports: [{ name: "https", port: 443 }] },
    ];
    expect(membersFor(HTTP, subsets)).toEqual([
      { ip: "10.0.0.1", port: 8_080 },
      { ip: "10.0.0.2", port: 8_080 },
      { ip: "10.0.0.3", port: 9_090 },
    ]);
  });

  it("takes the only unnamed port of a subset, but none of several", () => {
    expect(membersFor(HTTP, [{ addresses: address("10.0.0.1"), ports: [{ port: 8_080 }] }])).toHaveLength(1);
    const two = [
      {
        addresses: address("10.0.0.1"),
        ports: [
          { name: "a", port: 1 },
          { name: "b", port: 2 },
        ],
      },
    ];
    expect(membersFor(HTTP, two)).toEqual([]);
    expect(membersFor({ port: 80 }, two)).toEqual([]);
  });

  it("keeps TCP and UDP apart", () => {
    const subsets = [
      {
        addresses: address("10.0.0.1"),
        ports: [{ name: "dns", port: 53, protocol: "UDP" as const }],
      },
    ];
    expect(membersFor({ name: "dns", port: 53, protocol: "UDP" }, subsets)).toHaveLength(1);
    expect(membersFor({ name: "dns", port: 53, protocol: "TCP" }, subsets)).toEqual([]);
  });

  it("gives members that are not ready weight 0, unless they are ready in another subset", () => {
    const subsets = [
      { notReadyAddresses: address("10.0.0.1", "10.0.0.2"), ports: [{ port: 80 }] },
      { addresses: address("10.0.0.2"), ports: [{ port: 80 }] },
    ];
    expect(membersFor(HTTP, subsets)).toEqual([
      { ip: "10.0.0.1", port: 80, weight: 0 },
      { ip: "10.0.0.2", port: 80 },
    ]);
  });

  it("takes weights from the annotation, by address and port or by address", () => {
    const subsets = [{ addresses: address("10.0.0.1", "10.0.0.2", "10.0.0.3"), ports: [{ port: 80 }] }];
    const weights = { "parasaus.io/weights": "10.0.0.1:80=3, 10.0.0.2=5, 10.0.0.1=9" };
    expect(membersFor(HTTP, subsets, weights)?.map(({ weight }) => weight)).toEqual([3, 5, undefined]);
  });
});

describe("annotations", () => {
  const fieldsOf = (annotations: Record<string, string>, extra: Partial<Endpoints> = {}) =>
    run({ type: "NodePort", ports: [HTTP] }, { endpoints: endpoints([], extra) }, annotations).pools[0]
      ?.fields;

  it("reads the check from the Endpoints before the Service, beside metadata too", () => {
    const check = "healthCheck.type";
    expect(fieldsOf({ healthCheckType: "http" })).toMatchObject({ [check]: "http" });
    const beside = { annotations: { healthCheckType: "mysql" } };
    expect(fieldsOf({ healthCheckType: "http" }, beside)).toMatchObject({ [check]: "mysql" });
    const metadata = { name: "web", annotations: { healthCheckType: "tcp" } };
    expect(fieldsOf({ healthCheckType: "http" }, { ...beside, metadata })).toMatchObject({ [check]: "tcp" });
  });

  it("sets no check, scheduler or weight without an annotation: they are the operator's", () => {
    expect(Object.keys(fieldsOf({}) ?? {})).toEqual(["addressPool", "protocol"]);
  });

  it("reads details, and leaves out those that the type has no use for", () => {
    const fields = fieldsOf({
      healthCheckType: "HTTP",
      "parasaus.io/health-check-interval": "500ms",
      "parasaus.io/health-check-rise": "1",
      "parasaus.io/health-check-path": "/ready",
      "parasaus.io/health-check-expect": "200-299,301",
      "parasaus.io/health-check-mysql-user": "probe",
      "parasaus.io/scheduler": "wlc",
      "parasaus.io/fail-open-threshold": "50",
    });
    expect(fields).toEqual({
      addressPool: "node-ports",
      protocol: "TCP",
      "healthCheck.type": "http",
      "healthCheck.interval": "500ms",
      "healthCheck.rise": 1,
      "healthCheck.http.path": "/ready",
      "healthCheck.http.expect": ["200-299", "301"],
      scheduler: "wlc",
      "failOpen.threshold": 50,
    });
  });

  it.each([
    ["healthCheckType", "ping"],
    ["parasaus.io/health-check-interval", "0s"],
    ["parasaus.io/health-check-interval", "soon"],
    ["parasaus.io/health-check-rise", "0"],
    ["parasaus.io/health-check-rise", "-1"],
    ["parasaus.io/health-check-port", "65536"],
    ["parasaus.io/scheduler", "random"],
    ["parasaus.io/weights", "10.0.0.1:80=300"],
    ["parasaus.io/weights", "10.0.0.1:0=3"],
    ["parasaus.io/weights", "web=3"],
    ["parasaus.io/fail-open-threshold", "101"],
  ])("leaves out %s: %s, and names it", (name, text) => {
    const { pools, problems } = run({ type: "NodePort", ports: [HTTP] }, {}, { [name]: text });
    expect(problems).toMatchObject([{ type: "InvalidAnnotation" }]);
    expect(problems[0]?.message).toContain(name);
    expect(Object.keys(pools[0]?.fields ?? {})).toEqual(["addressPool", "protocol"]);
  });

  it("understands every example of the reference, and no annotation is missing there", () => {
    const page = readFileSync(new URL("../../../docs/reference/services.md", import.meta.url), "utf8").split(
      "## Annotations",
    )[1];
    const examples = [...(page ?? "").matchAll(/^\| `([\w./-]+)` \| `([^`]+)` \|/gm)].map(
      ([, name = "", text = ""]) => [name, text],
    );
    const names = examples.map(([name]) => name).filter((name) => name !== "parasaus.io/address-pool");
    expect(names.sort()).toEqual([...UNDERSTOOD_ANNOTATIONS].sort());
    for (const [name = "", text = ""] of examples) {
      const { problems } = run({ type: "NodePort", ports: [HTTP] }, {}, { [name]: text });
      expect(problems).toEqual([]);
    }
  });

  it("passes on session affinity, as the Service says it", () => {
    const spec: Spec = {
      type: "NodePort",
      ports: [HTTP],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    };
    expect(run(spec).pools[0]?.fields).toMatchObject({
      sessionAffinity: { type: "ClientIP", timeoutSeconds: 60 },
    });
  });
});
