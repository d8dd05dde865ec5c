/**
 * Somebody else who uses IPVS in its network namespace: makes a service with one member and takes it away when its
 * standard input ends, or flushes the whole table.
 *
 *     tsx ipvs-service.ts 10.0.0.1 80 192.0.2.99
 *     tsx ipvs-service.ts flush
 */
import { type IpvsCommand, type IpvsServiceKey, openIpvs } from "../../../src/linux/index.ts";

const [ip = "", port, memberIp = ""] = process.argv.slice(2);
const NO_FLAGS = { persistent: false, onePacket: false, sched1: false, sched2: false, sched3: false };

using ipvs = openIpvs();
if (ip === "flush") {
  run(ipvs.services().map(({ key }) => ({ kind: "delete-service", key })));
  process.stdout.write("flushed\n");
} else {
  const key: IpvsServiceKey = { kind: "address", family: 4, protocol: "TCP", ip, port: Number(port) };
  const member = {
    family: 4,
    ip: memberIp,
    port: 80,
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
  } as const;
  run([
    {
      kind: "add-service",
      service: { key, scheduler: "rr", flags: NO_FLAGS, persistenceSeconds: 0, netmask: 32 },
    },
    { kind: "add-destination", service: key, destination: { ...member, forwarding: "masq" } },
  ]);
  process.stdout.write("made\n");
  for await (const _ of process.stdin);
  run([{ kind: "delete-service", key }]);
}

function run(commands: readonly IpvsCommand[]): void {
  const [failure] = ipvs.execute(commands);
  if (failure) throw new Error(failure.message);
}
