import type { FlowTuple } from "../../src/dataplane/index.ts";
import { type Delivery, MemoryKernel, openMemoryDriver } from "../../src/dataplane/memory/index.ts";
import { FakeClock } from "../../src/foundation/index.ts";
import { describeDriver } from "./driver.ts";
import type { DriverWorld } from "./driver-world.ts";

describeDriver("memory", openMemoryWorld);

async function openMemoryWorld(): Promise<DriverWorld> {
  const clock = new FakeClock();
  const kernel = new MemoryKernel({ clock });
  const nodeIp = "192.0.2.10";
  const clientIps = Array.from({ length: 16 }, (_, index) => `198.51.100.${index + 1}`);
  let driver = openMemoryDriver(kernel);
  await driver.setNodeAddresses([nodeIp]);
  let clientPort = 40000;
  return {
    driver: () => driver,
    reopen: async () => {
      driver = openMemoryDriver(kernel);
    },
    places: Array.from({ length: 4 }, (_, index) => ({ ip: `10.0.0.${index + 1}`, port: 8080 })),
    nodeIp,
    clientIps,
    connect: async (port, clientIp = clientIps[0] ?? "") => {
      clientPort += 1;
      const tuple: FlowTuple = { protocol: "TCP", clientIp, clientPort, ip: nodeIp, port };
      const member = nameOf(kernel.connect(tuple));
      if (member === "reset") return "reset";
      return {
        tuple,
        member,
        exchange: async () => nameOf(kernel.send(tuple)),
        close: async () => kernel.close(tuple),
      };
    },
    wait: (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

function nameOf(delivery: Delivery): string {
  return delivery.kind === "reset" ? "reset" : `${delivery.memberIp}:${delivery.memberPort}`;
}
