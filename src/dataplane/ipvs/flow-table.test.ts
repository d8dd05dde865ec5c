import { expect, it } from "vitest";
import { parseFlowTable } from "./flow-table.ts";

it("reads flows of every protocol, and leaves out templates and what it does not know", () => {
  const text = `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP 0A4D1001 9C41 0A4D0001 7531 0A4E0102 1F90 ESTABLISHED    7799
TCP 0A4D1002 9C42 0A4D0001 7531 0A4E0102 1F90 SYN_RECV         58
UDP 0A4D1001 9C43 0A4D0001 7532 0A4E0202 1F91 UDP             119
TCP 0A4D1001 0000 0A4D0001 7531 0A4E0102 1F90 NONE             59
TCP 2001:0db8:0000:0000:0000:0000:0000:0001 9C41 2001:0db8:0000:0000:0000:0000:0000:0002 7531 2001:0db8:0000:0000:0000:0000:0000:0003 1F90 ESTABLISHED 7799
SCTP 0A4D1001 9C44 0A4D0001 7533 0A4E0202 1F92 S-SENT           59
`;
  expect(parseFlowTable(text)).toEqual([
    {
      tuple: { protocol: "TCP", clientIp: "10.77.16.1", clientPort: 40001, ip: "10.77.0.1", port: 30001 },
      memberIp: "10.78.1.2",
      memberPort: 8080,
      state: "established",
      expiresSeconds: 7799,
    },
    {
      tuple: { protocol: "TCP", clientIp: "10.77.16.2", clientPort: 40002, ip: "10.77.0.1", port: 30001 },
      memberIp: "10.78.1.2",
      memberPort: 8080,
      state: "half-open",
      expiresSeconds: 58,
    },
    {
      tuple: { protocol: "UDP", clientIp: "10.77.16.1", clientPort: 40003, ip: "10.77.0.1", port: 30002 },
      memberIp: "10.78.2.2",
      memberPort: 8081,
      state: "established",
      expiresSeconds: 119,
    },
    {
      tuple: {
        protocol: "TCP",
        clientIp: "2001:db8::1",
        clientPort: 40001,
        ip: "2001:db8::2",
        port: 30001,
      },
      memberIp: "2001:db8::3",
      memberPort: 8080,
      state: "established",
      expiresSeconds: 7799,
    },
    {
      tuple: { protocol: "SCTP", clientIp: "10.77.16.1", clientPort: 40004, ip: "10.77.0.1", port: 30003 },
      memberIp: "10.78.2.2",
      memberPort: 8082,
      state: "closing",
      expiresSeconds: 59,
    },
  ]);
});
