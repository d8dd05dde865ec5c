import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { silentLogger } from "../../foundation/index.ts";
import type { LocalRoutes, Masquerade, MasqueradedFamily, PortMark, PortMarks } from "../../linux/index.ts";
import type { DesiredPool, OperationFailure } from "../driver.ts";
import { placeKey } from "../order.ts";
import { planOperations } from "../plan.ts";
import { parsePlace } from "./programme.ts";
import { Programmer } from "./programmer.ts";
import { openRecord } from "./record.ts";
import { FakeTable } from "./service-table.fixture.ts";
import type { Service } from "./services.ts";

export const UID = "0b0e7a4c-0000-4000-8000-000000000001";
export const OTHER_UID = "0b0e7a4c-0000-4000-8000-000000000002";
/** The services of `poolOf()`, one for each of the node's addresses. */
export const FIRST = "TCP 192.0.2.10:30001";
export const SECOND = "TCP 192.0.2.11:30001";

/** A service without destinations, at a place of its own. */
export const EMPTY: Service = {
  address: { ip: "192.0.2.10", port: 80, protocol: "TCP" },
  scheduler: "rr",
  affinitySeconds: 0,
  destinations: new Map(),
};

/** A programmer over a kernel in memory, with a record in a folder of its own. */
export class ProgrammerWorld implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), "parasaus-ipvs-"));
  table = new FakeTable();
  /** By family: services in the table of masqueraded ones, by `placeKey`; undefined while there is no table. */
  readonly masqueraded: { 4: string[] | undefined; 6: string[] | undefined } = {
    4: undefined,
    6: undefined,
  };
  programmer = this.#make();
  nowMs = 1000;
  /** Services of others that may be taken over, by `placeKey`. */
  readonly allowed = new Set<string>();
  /** Addresses that routes make the machine's own. */
  readonly routed = new Set<string>();
  /** The table of marks; undefined while there is none. */
  marked: PortMark[] | undefined;
  /** What was written to the table of marks, in order. */
  readonly markWrites: string[] = [];

  /** As after a crash: nothing but the kernel and the record is left. */
  open(): void {
    this.programmer = this.#make();
  }

  #make(): Programmer {
    return new Programmer({
      table: this.table,
      record: openRecord(path.join(this.folder, "node.jsonl"), "kernel"),
      routes: this.#routes(),
      masquerades: [this.#masquerade(4), this.#masquerade(6)],
      marks: this.#marks(),
      logger: silentLogger,
      nowMs: () => this.nowMs,
      mayTakeOver: () => this.allowed,
    });
  }

  /** Has pools programmed, and no others; `table.commands` then is what that took. */
  async program(...pools: readonly DesiredPool[]): Promise<readonly OperationFailure[]> {
    this.table.commands.length = 0;
    return this.programmer.apply(planOperations(pools, await this.programmer.observe(), this.nowMs));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }

  #routes(): LocalRoutes {
    return {
      list: () => [...this.routed],
      hasChanged: () => true,
      add: (ip) => void this.routed.add(ip),
      remove: (ip) => void this.routed.delete(ip),
      [Symbol.dispose]: () => this.routed.clear(),
    };
  }

  #masquerade(family: MasqueradedFamily): Masquerade {
    const { masqueraded } = this;
    return {
      family,
      list: () => masqueraded[family]?.map(parsePlace),
      hasChanged: () => true,
      install: (services) => {
        masqueraded[family] = services.map(placeKey);
      },
      add: (services) => {
        masqueraded[family] = [...(masqueraded[family] ?? []), ...services.map(placeKey)];
      },
      remove: (services) => {
        const gone = new Set(services.map(placeKey));
        masqueraded[family] = masqueraded[family]?.filter((place) => !gone.has(place));
      },
      whyNot: () => undefined,
      writeCount: 0,
      uninstall: () => {
        masqueraded[family] = undefined;
      },
      [Symbol.dispose]: () => undefined,
    };
  }

  #marks(): PortMarks {
    return {
      list: () => this.marked,
      hasChanged: () => true,
      install: (fresh) => {
        this.markWrites.push("install");
        this.marked = [...fresh];
      },
      change: (gone, fresh) => {
        this.markWrites.push(`-${gone.map(placeKey)} +${fresh.map(placeKey)}`);
        const places = new Set(gone.map(placeKey));
        this.marked = [...(this.marked ?? []).filter((each) => !places.has(placeKey(each))), ...fresh];
      },
      whyNot: () => undefined,
      writeCount: 0,
      uninstall: () => {
        this.marked = undefined;
      },
      [Symbol.dispose]: () => undefined,
    };
  }
}

/** A world whose node has two addresses. */
export async function openProgrammerWorld(): Promise<ProgrammerWorld> {
  const world = new ProgrammerWorld();
  await world.programmer.setNodeAddresses(["192.0.2.10", "192.0.2.11"]);
  return world;
}

/** A pool at port 30001 of the node, with `change` merged in. */
export function poolOf(change: Partial<DesiredPool> = {}, memberCount = 2): DesiredPool {
  return {
    uid: UID,
    addresses: [{ ip: "*", port: 30001, protocol: "TCP" }],
    scheduler: "rr",
    forwarding: "nat",
    affinitySeconds: 0,
    drainSeconds: 30,
    members: Array.from({ length: memberCount }, (_, index) => ({
      ip: `10.0.0.${index + 1}`,
      port: 8080,
      weight: 1,
      disposition: "active" as const,
      drainSeconds: 30,
    })),
    ...change,
  };
}
