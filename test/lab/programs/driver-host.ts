/**
 * Opens a driver (eBPF unless `driver` is `ipvs`) in its network namespace and does what lines of JSON on standard input ask:
 * `{"id":1,"method":"apply","parameters":[[...]]}` is answered by `{"id":1,"result":...}` or `{"id":1,"error":"..."}`.
 *
 *     tsx driver-host.ts '{"node":"n1","objectFile":"bpf/build/parasaus.bpf.o"}'
 */
import { createInterface } from "node:readline";
import { type EbpfDriverOptions, openEbpfDriver, uninstallEbpf } from "../../../src/dataplane/ebpf/index.ts";
import {
  allowAdoption,
  type IpvsDriver,
  type IpvsDriverOptions,
  openIpvsDriver,
  uninstallIpvs,
} from "../../../src/dataplane/ipvs/index.ts";
import { type Logger, systemClock } from "../../../src/foundation/index.ts";

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (event, facts) => process.stderr.write(`driver-host: ${event} ${JSON.stringify(facts)}\n`),
  error: (event, facts) => process.stderr.write(`driver-host: ${event} ${String(facts?.["error"])}\n`),
  child: () => logger,
};

type Options =
  | (EbpfDriverOptions & { readonly driver?: "ebpf" })
  | (IpvsDriverOptions & { readonly driver: "ipvs" });

const options = JSON.parse(process.argv[2] ?? "{}") as Options;
const opened =
  options.driver === "ipvs"
    ? { driver: await openIpvsDriver({ ...options, logger }), uninstall: () => uninstallIpvs(options) }
    : {
        driver: await openEbpfDriver({ ...options, logger, clock: systemClock }),
        uninstall: () => uninstallEbpf(options),
      };
const { driver } = opened;
const methods = {
  ...driver,
  introduce: async () => ({ name: driver.name, capabilities: driver.capabilities }),
  foreignServices: async () => driver.foreignServices?.(),
  writeCount: async () => (driver as Partial<IpvsDriver>).writeCount?.(),
  askCount: async () => (driver as Partial<IpvsDriver>).askCount?.(),
  allowAdoption: async () => allowAdoption(options),
  uninstall: async () => opened.uninstall(),
};
process.stdout.write("open\n");

type Method = Exclude<keyof typeof methods, "name" | "capabilities" | "nowMs" | typeof Symbol.asyncDispose>;

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, parameters } = JSON.parse(line) as { id: number; method: Method; parameters: never[] };
  const run = methods[method] as (...values: never[]) => Promise<unknown>;
  run(...parameters).then(
    (result) => process.stdout.write(`${JSON.stringify({ id, result })}\n`),
    (failure: unknown) => process.stdout.write(`${JSON.stringify({ id, error: String(failure) })}\n`),
  );
});
process.on("SIGTERM", () => {
  void driver[Symbol.asyncDispose]().then(() => process.exit(0));
});
