import { beforeEach, expect, it } from "vitest";
import type { ConnectAddress, KubeObject, Pool } from "../../model/index.ts";
import { ConnectAddressIndex } from "./connect-address-index.ts";

const pool = (name: string, ...addresses: readonly [string, number, "TCP" | "UDP"][]): Pool =>
  ({
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { namespace: "shop", name, uid: `uid-${name}` },
    status: {
      connectAddresses: addresses.map(([ip, port, protocol]): ConnectAddress => ({ ip, port, protocol })),
    },
  }) as KubeObject as Pool;

let index: ConnectAddressIndex;
beforeEach(() => {
  index = new ConnectAddressIndex();
  index.setNodeIps(new Set(["10.0.0.1", "10.0.0.2"]));
});

it("knows who listens on an address, by port and protocol", () => {
  index.put(pool("web", ["10.9.0.1", 80, "TCP"]));
  index.put(pool("dns", ["10.9.0.1", 80, "UDP"]));
  expect(index.holderAt("10.9.0.1", 80, "TCP")).toBe("shop/web");
  expect(index.holderAt("10.9.0.1", 80, "UDP")).toBe("shop/dns");
  expect(index.holderAt("10.9.0.1", 81, "TCP")).toBeUndefined();
  expect(index.holderAt("10.9.0.2", 80, "TCP")).toBeUndefined();
});

it("finds a pool that listens on every node at each node's address, and nowhere else", () => {
  index.put(pool("web", ["*", 30_080, "TCP"]));
  expect(index.holderAt("10.0.0.2", 30_080, "TCP")).toBe("shop/web");
  expect(index.holderAt("10.0.0.3", 30_080, "TCP")).toBeUndefined();
});

it("finds a pool that listens on a range of ports at each of them, until it goes", () => {
  const media = pool("media", ["10.9.0.1", 8000, "TCP"]);
  const [address] = media.status?.connectAddresses ?? [];
  if (address) index.put({ ...media, status: { connectAddresses: [{ ...address, lastPort: 8009 }] } });
  const found = [7999, 8000, 8009, 8010].map((port) => index.holderAt("10.9.0.1", port, "TCP"));
  expect(found).toEqual([undefined, "shop/media", "shop/media", undefined]);
  expect(index.holderAt("10.9.0.1", 8000, "UDP")).toBeUndefined();
  index.remove("uid-media");
  expect(index.holderAt("10.9.0.1", 8000, "TCP")).toBeUndefined();
});

it("follows a pool that changes its address, and forgets one that goes, but not its neighbour", () => {
  index.put(pool("web", ["10.9.0.1", 80, "TCP"]));
  index.put(pool("shop", ["10.9.0.2", 80, "TCP"]));
  index.put(pool("web", ["10.9.0.1", 81, "TCP"]));
  expect(index.holderAt("10.9.0.1", 80, "TCP")).toBeUndefined();
  expect(index.holderAt("10.9.0.1", 81, "TCP")).toBe("shop/web");
  index.remove("uid-web");
  expect(index.holderAt("10.9.0.1", 81, "TCP")).toBeUndefined();
  expect(index.holderAt("10.9.0.2", 80, "TCP")).toBe("shop/shop");
  index.clear();
  expect(index.holderAt("10.9.0.2", 80, "TCP")).toBeUndefined();
});
