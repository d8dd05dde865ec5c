import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIpv4, formatIpv6 } from "../../foundation/index.ts";
import { kernelError } from "../kernel-error.ts";
import type { NetlinkSocket } from "../netlink.ts";
import { MessageBatch } from "../netlink-batch.ts";
import { HEADER_BYTES } from "../netlink-codec.ts";
import { IpvsDecoder } from "./decode.ts";
import { encodeCommand } from "./encode.ts";
import { openIpvsOver } from "./ipvs-table.ts";
import type { IpvsCommand, IpvsDestinationSettings, IpvsServiceKey, IpvsServiceSettings } from "./types.ts";

const WEB: IpvsServiceKey = { kind: "address", family: 4, protocol: "TCP", ip: "10.0.0.1", port: 80 };

const anyFamily = fc.constantFrom<4 | 6>(4, 6);
const anyIp = (family: 4 | 6) =>
  family === 4
    ? fc.nat(0xffffffff).map(formatIpv4)
    : fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatIpv6(Buffer.from(bytes)));
const anyPort = fc.nat(65_535);
const anyName = fc.stringMatching(/^[a-z]{1,15}$/);

const anyKey: fc.Arbitrary<IpvsServiceKey> = anyFamily.chain((family) =>
  fc.oneof(
    fc.record({
      kind: fc.constant("address" as const),
      family: fc.constant(family),
      protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
      ip: anyIp(family),
      port: anyPort,
    }),
    fc.record({
      kind: fc.constant("mark" as const),
      family: fc.constant(family),
      mark: fc.integer({ min: 1, max: 0xffffffff }),
    }),
  ),
);

const anyService: fc.Arbitrary<IpvsServiceSettings> = anyKey.chain((key) =>
  fc.record(
    {
      key: fc.constant(key),
      scheduler: anyName,
      flags: fc.record({
        persistent: fc.boolean(),
        onePacket: fc.boolean(),
        sched1: fc.boolean(),
        sched2: fc.boolean(),
        sched3: fc.boolean(),
      }),
      persistenceSeconds: fc.nat(0x7fffffff),
      netmask: fc.integer({ min: 1, max: key.family === 6 ? 128 : 32 }),
      persistenceEngine: anyName,
    },
    { requiredKeys: ["key", "scheduler", "flags", "persistenceSeconds", "netmask"] },
  ),
);

const anyDestination: fc.Arbitrary<IpvsDestinationSettings> = anyFamily.chain((family) => {
  const settings = {
    family: fc.constant(family),
    ip: anyIp(family),
    port: anyPort,
    weight: fc.nat(0x7fffffff),
    upperThreshold: fc.nat(0xffffffff),
    lowerThreshold: fc.nat(0xffffffff),
  };
  return fc.oneof(
    fc.record({ ...settings, forwarding: fc.constantFrom("masq", "local", "route", "bypass") }),
    fc.record({
      ...settings,
      forwarding: fc.constant("tunnel" as const),
      tunnel: fc.record({
        type: fc.constantFrom("ipip", "gue", "gre"),
        port: anyPort,
        checksum: fc.constantFrom("none", "outer", "remote"),
      }),
    }),
  );
});

/** The kernel tells an object with the attributes that it was told it with. */
function payloadOf(command: IpvsCommand): Buffer {
  const batch = new MessageBatch();
  encodeCommand(batch, 28, command);
  return batch.seal(1).subarray(HEADER_BYTES);
}

const decoder = new IpvsDecoder();

describe("what was written down for the kernel", () => {
  it("is read back as the same service", () => {
    fc.assert(
      fc.property(anyService, (service) => {
        const { stats, ...settings } = decoder.service(payloadOf({ kind: "add-service", service }));
        expect(settings).toEqual(service);
        expect(stats.connections).toBe(0n);
      }),
    );
  });

  it("is read back as the same destination", () => {
    fc.assert(
      fc.property(anyDestination, (destination) => {
        const payload = payloadOf({ kind: "add-destination", service: WEB, destination });
        expect(decoder.destination(payload)).toMatchObject(destination);
      }),
    );
  });
});

/** A socket on which every question fails with this errno value and every batch has these refusals. */
function socketThat(errno: number): NetlinkSocket {
  return {
    request: (action) => {
      throw kernelError(action, errno);
    },
    requestAll: () => [],
    receive: () => [],
    resyncCount: 0,
    [Symbol.dispose]: () => undefined,
  };
}

describe("openIpvs", () => {
  it("says what to load where the kernel has no IPVS", () => {
    expect(() => openIpvsOver(socketThat(2))).toThrow('load it with "modprobe ip_vs"');
  });

  it("passes on any other failure", () => {
    expect(() => openIpvsOver(socketThat(12))).toThrow("Cannot look up the netlink family IPVS: ENOMEM");
  });
});
