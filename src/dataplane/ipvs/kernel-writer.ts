import { type Command, placeOf, type Steps } from "./commands.ts";
import type { KernelView } from "./kernel-view.ts";
import type { Service } from "./services.ts";
import type { CommandFailure, ServiceTable } from "./table.ts";

/** One service to be brought to what is wanted. */
export interface Work {
  /** By `placeKey`. */
  readonly place: string;
  /** Undefined when there shall be none. */
  readonly wanted: Service | undefined;
  readonly steps: Steps;
}

/** Carries steps out, keeps the view of the kernel right, and counts the connections that deleting cuts. */
export class KernelWriter {
  readonly #table: ServiceTable;
  readonly #view: KernelView;
  #cutCount = 0;

  constructor(table: ServiceTable, view: KernelView) {
    this.#table = table;
    this.#view = view;
  }

  /** How many open connections were cut since the last call. */
  takeCutCount(): number {
    const cutCount = this.#cutCount;
    this.#cutCount = 0;
    return cutCount;
  }

  /** What the kernel refuses of a service leaves the rest of that service's steps out, and no other's. */
  execute(work: readonly Work[]): readonly CommandFailure[] {
    const failures: CommandFailure[] = [];
    const failed = new Set<string>();
    this.#view.noteWritten(work.map(({ place }) => place));
    const take = (step: keyof Steps) => {
      const commands = work.flatMap(({ place, steps }) => (failed.has(place) ? [] : steps[step]));
      if (step === "narrowing") this.#countCut(commands);
      const found = commands.length === 0 ? [] : this.#table.execute(commands);
      failures.push(...found);
      for (const { command } of found) failed.add(placeOf(command));
    };
    take("opening");
    const notOurs = new Set(failed);
    for (const place of notOurs) if (this.#view.readService(place)) this.#view.noteForeign(place);
    take("widening");
    take("narrowing");
    const { held } = this.#view;
    for (const { place, wanted } of work) {
      const isOurs = !notOurs.has(place);
      const now = failed.has(place) && isOurs ? this.#view.readService(place) : wanted;
      if (now && isOurs) held.set(place, now);
      else held.delete(place);
    }
    return failures;
  }

  /** Connections that are open at what is about to be deleted. */
  #countCut(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.kind !== "delete-service" && command.kind !== "delete-destination") continue;
      for (const { ip, port, activeConnections } of this.#table.readDestinations(command.address)) {
        const isMeant =
          command.kind === "delete-service" ||
          (command.destination.ip === ip && command.destination.port === port);
        if (isMeant) this.#cutCount += activeConnections;
      }
    }
  }
}
