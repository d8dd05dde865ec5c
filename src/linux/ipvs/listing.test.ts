import { expect, it } from "vitest";
import { changedIpvsServices, withoutTraffic } from "./listing.ts";

/** As Linux 6.1 prints it. */
const HEADER = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
`;
const WEB = `TCP  0A090001:0050 rr  
  -> 0A090101:1F90      Masq    1      0          0         
  -> 0A090102:1F90      Masq    1      0          0         
`;
const NAMES = `UDP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0035 rr 
  -> [2001:0db8:0000:0000:0000:0000:0000:0002]:14E9      Masq    1      0          0         
`;
const MARK = `FWM  00000007 rr  
`;

function changed(before: string, after: string): readonly unknown[] | undefined {
  return changedIpvsServices(withoutTraffic(HEADER + before), withoutTraffic(HEADER + after));
}

it("finds no change in what traffic changes", () => {
  const busy = WEB.replace("0          0         ", "17         12345     ");
  expect(busy).not.toBe(WEB);
  expect(withoutTraffic(HEADER + busy)).toBe(withoutTraffic(HEADER + WEB));
  expect(changed(WEB + NAMES, busy + NAMES)).toEqual([]);
});

it("names the services of which something was changed, added or removed", () => {
  const web = { kind: "address", family: 4, protocol: "TCP", ip: "10.9.0.1", port: 80 };
  const names = { kind: "address", family: 6, protocol: "UDP", ip: "2001:db8::1", port: 53 };
  expect(changed(WEB + NAMES, WEB.replace("Masq    1 ", "Masq    0 ") + NAMES)).toEqual([web]);
  expect(changed(WEB + NAMES, WEB.replace(" rr ", " wlc ") + NAMES)).toEqual([web]);
  expect(changed(WEB, WEB.replace("rr  ", "rr  persistent 30000 FFFFFFFF"))).toEqual([web]);
  expect(changed(WEB, WEB.split("\n").slice(0, 2).join("\n"))).toEqual([web]);
  expect(changed(WEB, WEB + NAMES)).toEqual([names]);
  expect(changed(WEB + NAMES, "")).toEqual([web, names]);
});

it("names a mark that has changed in both families, as the kernel tells none", () => {
  const marks = [4, 6].map((family) => ({ kind: "mark", family, mark: 7 }));
  expect(changed(WEB + MARK, WEB + MARK)).toEqual([]);
  expect(changed(WEB + MARK, WEB)).toEqual(marks);
  expect(changed(WEB, WEB + MARK)).toEqual(marks);
  const destination = "  -> 0A090101:0000      Masq    1      0          0\n";
  expect(changed(MARK + MARK, MARK + destination + MARK)).toEqual(marks);
});

it("does not say what has changed in a line that it does not understand", () => {
  expect(changed(WEB, `${WEB}NEW  00000007 rr\n`)).toBeUndefined();
});
