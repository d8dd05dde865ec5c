/** Opens the IPVS table of its network namespace and does what lines of JSON on standard input ask. */
import {
  type IpvsCommand,
  type IpvsDaemon,
  type IpvsServiceKey,
  openIpvs,
} from "../../../src/linux/index.ts";
import { answerCalls } from "../answer-calls.ts";

const table = openIpvs();

/** JSON has no bigint: counters travel as numbers. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, each) => (typeof each === "bigint" ? Number(each) : each)));
}

function serviceKey(port: number): IpvsServiceKey {
  return { kind: "address", family: 4, protocol: "TCP", ip: "10.9.0.1", port };
}

/** As many services with two destinations each as a node has connect addresses. */
function manyCommands(count: number): IpvsCommand[] {
  const flags = { persistent: false, onePacket: false, sched1: false, sched2: false, sched3: false };
  return Array.from({ length: count }, (_, index) => serviceKey(30_000 + index)).flatMap((key) => [
    { kind: "add-service", service: { key, scheduler: "rr", flags, persistenceSeconds: 0, netmask: 32 } },
    ...["10.9.1.1", "10.9.1.2"].map(
      (ip): IpvsCommand => ({
        kind: "add-destination",
        service: key,
        destination: {
          family: 4,
          ip,
          port: 8080,
          forwarding: "masq",
          weight: 1,
          upperThreshold: 0,
          lowerThreshold: 0,
        },
      }),
    ),
  ]);
}

answerCalls({
  execute: (commands: IpvsCommand[]) => table.execute(commands),
  services: () => plain(table.services()),
  service: (key: IpvsServiceKey) => plain(table.service(key) ?? null),
  destinations: (key: IpvsServiceKey) => plain(table.destinations(key)),
  dump: () => plain(table.dump()),
  timeouts: () => table.timeouts(),
  setTimeouts: (timeouts: Parameters<typeof table.setTimeouts>[0]) => table.setTimeouts(timeouts),
  daemons: () => table.daemons(),
  startDaemon: (daemon: IpvsDaemon) => table.startDaemon(daemon),
  stopDaemon: (state: IpvsDaemon["state"]) => table.stopDaemon(state),
  info: () => table.info(),
  counts: () => ({ writes: table.writeCount, resyncs: table.resyncCount }),
  /** Loads and reads the whole table. */
  measure(count: number) {
    const commands = manyCommands(count);
    const startMs = performance.now();
    const failures = table.execute(commands);
    const loadedMs = performance.now();
    const entries = table.dump();
    const readMs = performance.now();
    const destinationCount = entries.reduce((sum, { destinations }) => sum + destinations.length, 0);
    return {
      failureCount: failures.length,
      serviceCount: entries.length,
      destinationCount,
      loadMs: loadedMs - startMs,
      dumpMs: readMs - loadedMs,
    };
  },
});
