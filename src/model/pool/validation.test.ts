import { describe, expect, it } from "vitest";
import { validateObject } from "../validation/validate-object.ts";
import { poolDefinition } from "./definition.ts";

function errorsOf(spec: object): string[] {
  const input = { metadata: { name: "web", namespace: "shop" }, spec };
  return validateObject(poolDefinition, input, "Strict").errors.map(
    ({ field, reason }) => `${field} ${reason}`,
  );
}

function member(ip: string, port = 80): object {
  return { ip, port };
}

describe("a member's address", () => {
  it.each([
    ["loopback", "127.0.0.1"],
    ["link-local", "169.254.10.1"],
    ["the metadata service", "169.254.169.254"],
    ["Alibaba's metadata service", "100.100.100.200"],
    ["multicast", "224.0.0.1"],
    ["reserved", "250.0.0.1"],
    ["broadcast", "255.255.255.255"],
    ["unspecified", "0.0.0.0"],
  ])("is refused when it is %s", (_, ip) => {
    expect(errorsOf({ members: [member("10.0.0.1"), member(ip)] })).toEqual([
      "spec.members[1].ip FieldValueInvalid",
    ]);
  });

  it.each([
    ["loopback", "::1"],
    ["link-local", "fe80::1"],
    ["multicast", "ff02::1"],
    ["unspecified", "::"],
    ["one of IPv4", "::ffff:10.0.0.1"],
    ["AWS's metadata service", "fd00:ec2::254"],
    ["spelt in a second way", "2001:DB8::1"],
  ])("of IPv6 is refused when it is %s", (_, ip) => {
    expect(errorsOf({ addressPool: "public", members: [member(ip)] })).toEqual([
      "spec.members[0].ip FieldValueInvalid",
    ]);
  });

  it.each(["010.0.0.1", "10.1", "10.0.0.256", "web.example.com", ""])("is refused when it is %j", (ip) => {
    expect(errorsOf({ members: [member(ip)] })).toEqual(["spec.members[0].ip FieldValueInvalid"]);
  });

  it("is refused when it is the pool's own asked-for connect address", () => {
    const spec = { addressPool: "public", ip: "10.0.0.9", port: 80, members: [member("10.0.0.9")] };
    expect(errorsOf(spec)).toEqual(["spec.members[0].ip FieldValueInvalid"]);
  });

  it("is refused when it is added where the pool listens already", () => {
    const status = { connectAddresses: [{ ip: "10.0.0.9", port: 80, protocol: "TCP" }] };
    const stored = { metadata: { name: "web" }, spec: {}, status };
    const previous = validateObject(poolDefinition, stored, "Strict").object;
    const input = { metadata: { name: "web" }, spec: { members: [member("10.0.0.9")] } };
    const { errors } = validateObject(poolDefinition, input, "Strict", previous);
    expect(errors.map(({ field }) => field)).toEqual(["spec.members[0].ip"]);
  });

  it("may be the pool's address with another port", () => {
    expect(
      errorsOf({ addressPool: "public", ip: "10.0.0.9", port: 80, members: [member("10.0.0.9", 81)] }),
    ).toEqual([]);
  });
});

describe("members", () => {
  it("are refused where the second of two equal ones stands", () => {
    const members = [member("10.0.0.1"), member("10.0.0.2"), member("10.0.0.1")];
    expect(errorsOf({ members })).toEqual(["spec.members[2] FieldValueDuplicate"]);
  });

  it.each([[-1], [257]])("are refused with weight %i", (weight) => {
    expect(errorsOf({ members: [{ ...member("10.0.0.1"), weight }] })).toEqual([
      "spec.members[0].weight FieldValueInvalid",
    ]);
  });

  it("may be 1,024", () => {
    const members = Array.from({ length: 1024 }, (_, index) => member("10.0.0.1", index + 1));
    expect(errorsOf({ members })).toEqual([]);
  });
});

describe("a connect address", () => {
  it("cannot be asked for from node-ports, where every node has its own", () => {
    expect(errorsOf({ ip: "10.0.0.9" })).toEqual(["spec.ip FieldValueForbidden"]);
  });

  it("must be one that a client can reach", () => {
    expect(errorsOf({ addressPool: "public", ip: "127.0.0.1" })).toEqual(["spec.ip FieldValueInvalid"]);
  });
});

describe("a pool's family", () => {
  const two = [member("2001:db8::1"), member("2001:db8::2")];

  it("may be IPv6, asked for or not", () => {
    expect(errorsOf({ addressPool: "public", members: two })).toEqual([]);
    expect(errorsOf({ addressPool: "public", ip: "2001:db8::9", members: two })).toEqual([]);
    const sessionAffinity = { type: "ClientIP", prefixLength: 64 };
    expect(errorsOf({ addressPool: "public", members: two, sessionAffinity })).toEqual([]);
  });

  it("is one: the member that is of the other is named", () => {
    const mixed = [...two, member("10.0.0.1")];
    expect(errorsOf({ addressPool: "public", members: mixed })).toEqual([
      "spec.members[2].ip FieldValueInvalid",
    ]);
    expect(errorsOf({ addressPool: "public", ip: "10.0.0.9", members: [member("2001:db8::1")] })).toEqual([
      "spec.members[0].ip FieldValueInvalid",
    ]);
  });

  it("is IPv4 with node-ports, and the message says what to choose instead", () => {
    const input = { metadata: { name: "web" }, spec: { members: [member("2001:db8::1")] } };
    const { errors } = validateObject(poolDefinition, input, "Strict");
    expect(errors).toMatchObject([
      {
        field: "spec.members[0].ip",
        message: expect.stringContaining("name an address pool with IPv6 addresses in spec.addressPool"),
      },
    ]);
  });
});

describe("session affinity", () => {
  it.each([0, 33, 129, "255.255.255.0"])("is refused with a prefix length of %j", (prefixLength) => {
    expect(errorsOf({ sessionAffinity: { type: "ClientIP", prefixLength } })).toEqual([
      "spec.sessionAffinity.prefixLength FieldValueInvalid",
    ]);
  });

  it("may take a network for one client", () => {
    expect(errorsOf({ sessionAffinity: { type: "ClientIP", prefixLength: 24 } })).toEqual([]);
  });
});

describe("a range of ports", () => {
  const range = { addressPool: "public", port: 8000, lastPort: 8099, members: [member("10.0.0.1", 8000)] };

  it("has its members on its first port, as they get the port that the client asked for", () => {
    expect(errorsOf(range)).toEqual([]);
    expect(errorsOf({ ...range, port: 1, lastPort: 65_535, members: [] })).toEqual([]);
    expect(errorsOf({ ...range, forwarding: "dsr" })).toEqual([]);
    const members = [member("10.0.0.1", 8000), member("10.0.0.2", 8001)];
    expect(errorsOf({ ...range, members })).toEqual(["spec.members[1].port FieldValueInvalid"]);
  });

  it("begins somewhere, ends beyond, and has an address of its own", () => {
    const { port, ...without } = range;
    expect(errorsOf({ ...without })).toEqual(["spec.port FieldValueRequired"]);
    expect(errorsOf({ ...range, lastPort: port })).toEqual(["spec.lastPort FieldValueInvalid"]);
    expect(errorsOf({ port: 30_000, lastPort: 30_009 })).toEqual(["spec.lastPort FieldValueForbidden"]);
  });
});

describe("one-packet scheduling", () => {
  it("is for UDP alone, whose datagrams can stand for themselves", () => {
    expect(errorsOf({ protocol: "UDP", onePacketScheduling: true })).toEqual([]);
    expect(errorsOf({ protocol: "TCP", onePacketScheduling: false })).toEqual([]);
    expect(errorsOf({ onePacketScheduling: true })).toEqual(["spec.onePacketScheduling FieldValueForbidden"]);
  });
});

describe("a health check", () => {
  it.each<[string, object, string]>([
    ["a timeout above the interval", { interval: "1s", timeout: "2s" }, "timeout"],
    ["a timeout above the fast interval", { fastInterval: "500ms", timeout: "1s" }, "timeout"],
    ["an interval of nothing", { interval: 0 }, "interval"],
    ["a down interval of two days", { downInterval: "48h" }, "downInterval"],
    ["a path without slash", { type: "http", http: { path: "health" } }, "http.path"],
    ["a path with a line feed", { type: "http", http: { path: "/\r\nX: y" } }, "http.path"],
    ["a host with a line feed", { type: "http", http: { host: "a\r\nX: y" } }, "http.host"],
    ["a status code that is none", { type: "http", http: { expect: ["200", "600"] } }, "http.expect[1]"],
    ["a backward range", { type: "http", http: { expect: ["399-200"] } }, "http.expect[0]"],
    ["a rise of 0", { rise: 0 }, "rise"],
    ["a port of 0", { port: 0 }, "port"],
  ])("is refused with %s", (_, healthCheck, field) => {
    expect(errorsOf({ healthCheck })).toEqual([`spec.healthCheck.${field} FieldValueInvalid`]);
  });

  it("may have its interval lowered alone: the default timeout follows", () => {
    expect(errorsOf({ healthCheck: { interval: "200ms" } })).toEqual([]);
  });
});

describe("poolDefinition.warn", () => {
  it("says that round robin does not look at weights", () => {
    const spec = { members: [{ ip: "10.0.0.1", port: 80, weight: 3 }, member("10.0.0.2")] };
    const { warnings } = validateObject(poolDefinition, { metadata: { name: "web" }, spec }, "Strict");
    expect(warnings).toEqual(["spec.scheduler: rr does not look at the members' weights; wrr does"]);
  });

  it("says that a password is no secret here", () => {
    const spec = { healthCheck: { type: "mysql", mysql: { user: "probe", password: "secret" } } };
    const { warnings } = validateObject(poolDefinition, { metadata: { name: "db" }, spec }, "Strict");
    expect(warnings).toEqual([expect.stringContaining("plain text")]);
  });
});

describe("dsr and tunnel", () => {
  const direct = { addressPool: "public", port: 80, members: [member("10.0.0.1")] };
  const messagesOf = (spec: object) =>
    validateObject(poolDefinition, { metadata: { name: "web" }, spec }, "Strict").errors.map(
      ({ field, message }) => `${field}: ${message}`,
    );

  it.each(["dsr", "tunnel"])("%s takes members on the pool's port", (forwarding) => {
    expect(errorsOf({ ...direct, forwarding })).toEqual([]);
  });

  it("are refused where a port would have to be translated, with both ports", () => {
    const members = [member("10.0.0.1"), member("10.0.0.2", 8080)];
    expect(messagesOf({ ...direct, forwarding: "dsr", members })).toEqual([
      "spec.members[1].port: Invalid value: 8080: must be the pool's port 80: dsr does not translate ports",
    ]);
  });

  it("are refused without a port to compare with", () => {
    const { port, ...spec } = direct;
    expect(errorsOf({ ...spec, forwarding: "tunnel" })).toEqual(["spec.port FieldValueRequired"]);
  });

  it("are there for IPv6 too, and GUE with tunnel alone", () => {
    const ipv6 = { ...direct, members: [member("2001:db8::1")] };
    expect(errorsOf({ ...ipv6, forwarding: "dsr" })).toEqual([]);
    expect(errorsOf({ ...ipv6, forwarding: "tunnel", guePort: 6080 })).toEqual([]);
    expect(errorsOf({ ...direct, forwarding: "dsr", guePort: 6080 })).toEqual([
      "spec.guePort FieldValueForbidden",
    ]);
  });

  it("are refused on the nodes' addresses, and say what to choose", () => {
    const [message] = messagesOf({ forwarding: "dsr", port: 30_001, members: [member("10.0.0.1", 30_001)] });
    expect(message).toContain("spec.forwarding: Forbidden: dsr leaves the packet's address as it is");
    expect(message).toContain('name an address pool other than "node-ports"');
  });
});
