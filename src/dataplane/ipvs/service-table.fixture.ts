import { placeKey } from "../order.ts";
import { type Command, placeOf } from "./commands.ts";
import { parsePlace } from "./programme.ts";
import { isRange, markOf } from "./ranges.ts";
import type { Service } from "./services.ts";
import type { CommandFailure, ServiceTable, SyncDaemon, TableDestination, TableService } from "./table.ts";

/** A table of services in memory that refuses what the kernel refuses. */
export class FakeTable implements ServiceTable {
  readonly services = new Map<string, TableService>();
  readonly commands: Command[] = [];
  readonly daemons = new Map<SyncDaemon["state"], SyncDaemon>();
  /** What was started and stopped, in order. */
  readonly daemonChanges: string[] = [];
  /** Names of schedulers that this kernel lacks. */
  readonly missingSchedulers = new Set<string>();
  /** Called before each command: a test may die here. */
  onCommand: (command: Command) => void = () => undefined;

  get writeCount(): number {
    return this.commands.length;
  }

  askCount = 0;

  /** As the kernel prints it. */
  listing() {
    const lines = [...this.services].map(([place, { scheduler, destinations }]) => {
      const address = parsePlace(place);
      const { protocol, ip, port } = address;
      const under = [...destinations.values()].map(
        (each) => `\n  -> ${inHexadecimal(each)}  Masq ${each.weight}`,
      );
      const head = isRange(address)
        ? `FWM  ${markOf(address).toString(16).toUpperCase()} ${scheduler}`
        : `${protocol}  ${inHexadecimal({ ip, port })} ${scheduler}`;
      return `${head} ${under.join("")}`;
    });
    return ["", "", "", ...lines].join("\n");
  }

  read() {
    this.askCount += 1 + this.services.size;
    return { services: new Map(this.services), others: [] };
  }

  readService(address: Command["address"]): TableService | undefined {
    this.askCount += 1;
    return this.services.get(placeKey(address));
  }

  readDestinations(address: Command["address"]): readonly TableDestination[] {
    return [...(this.readService(address)?.destinations.values() ?? [])];
  }

  execute(commands: readonly Command[]): readonly CommandFailure[] {
    return commands.flatMap((command) => {
      this.onCommand(command);
      this.commands.push(command);
      const message = this.#run(command);
      return message === undefined ? [] : [{ command, code: "KernelError" as const, message }];
    });
  }

  readTimeouts() {
    return { establishedSeconds: 900, closingSeconds: 120, datagramSeconds: 300 };
  }

  writeTimeouts(): void {
    throw new Error("no test writes time-outs");
  }

  readDaemons(): readonly SyncDaemon[] {
    return [...this.daemons.values()];
  }

  startDaemon(daemon: SyncDaemon): void {
    if (daemon.device === "missing") throw new Error("ENODEV");
    this.daemons.set(daemon.state, daemon);
    this.daemonChanges.push(`start ${daemon.state}`);
  }

  stopDaemon(state: SyncDaemon["state"]): void {
    this.daemons.delete(state);
    this.daemonChanges.push(`stop ${state}`);
  }

  [Symbol.dispose](): void {
    this.services.clear();
  }

  /** What is held, in lines: a service, and under it its destinations with their weights. */
  describe(): readonly string[] {
    return [...this.services].flatMap(([place, { destinations }]) => [
      place,
      ...[...destinations].map(([key, { weight }]) => `  ${key} ${weight}`),
    ]);
  }

  #run(command: Command): string | undefined {
    const place = placeOf(command);
    const service = this.services.get(place);
    if (command.kind === "add-service" && service) return `Cannot add service ${place}: EEXIST`;
    if (command.kind !== "add-service" && !service) return `Cannot change service ${place}: ESRCH`;
    switch (command.kind) {
      case "add-service":
      case "edit-service":
        return this.#putService(place, command.service, service);
      case "delete-service":
        this.services.delete(place);
        return undefined;
      default:
        return service && this.#putDestination(service, command);
    }
  }

  #putService(place: string, wanted: Service, known: TableService | undefined): string | undefined {
    if (this.missingSchedulers.has(wanted.scheduler)) return `no scheduler ${wanted.scheduler}: ENOENT`;
    this.services.set(place, { ...wanted, destinations: known?.destinations ?? new Map() });
    return undefined;
  }

  #putDestination(
    service: TableService,
    { kind, destination }: Extract<Command, { destination: unknown }>,
  ): string | undefined {
    const key = placeKey({ ip: destination.ip, port: destination.port });
    const destinations = new Map(service.destinations);
    const isThere = destinations.has(key);
    if (isThere === (kind === "add-destination"))
      return `destination ${key}: ${isThere ? "EEXIST" : "ENOENT"}`;
    if (kind === "delete-destination") destinations.delete(key);
    else destinations.set(key, { ...NO_TRAFFIC, ...destination });
    this.services.set(placeKey(service.address), { ...service, destinations });
    return undefined;
  }
}

function inHexadecimal({ ip, port }: { readonly ip: string; readonly port: number }): string {
  const hexadecimal = (value: number, digits: number) =>
    value.toString(16).toUpperCase().padStart(digits, "0");
  return `${ip
    .split(".")
    .map((part) => hexadecimal(Number(part), 2))
    .join("")}:${hexadecimal(port, 4)}`;
}

const NO_TRAFFIC: Omit<TableDestination, "ip" | "port" | "weight" | "method"> = {
  activeConnections: 0,
  inactiveConnections: 0,
  totalConnections: 0,
  packetsIn: 0,
  bytesIn: 0,
  packetsOut: 0,
  bytesOut: 0,
};
