import { changedIpvsServices, type IpvsServiceKey } from "../../linux/index.ts";
import { bareAddress, placeKey } from "../order.ts";
import { HeldServices } from "./held-services.ts";
import { parsePlace } from "./programme.ts";
import type { Service } from "./services.ts";
import type { RangeAt, ServiceTable } from "./table.ts";

/** Services read one by one after a change; of more, the whole table is read. */
const REREAD_COUNT = 500;
/** The kernel's listing does not tell everything: so often the whole table is read. */
const WHOLE_READ_MS = 3_600_000;

/** What a reading of the kernel found: that nothing has changed, that some services have, or the whole table anew. */
export type Reading = "nothing" | "some" | "whole";

/** What the kernel's table holds, as last read or written: services that are ours, and the names of all others. */
export class KernelView {
  readonly #table: ServiceTable;
  readonly #nowMs: () => number;
  readonly #isOurs: (place: string) => boolean;
  readonly #rangeAt: RangeAt;
  /** The kernel's services that are ours, by `placeKey`. */
  readonly held = new HeldServices();
  readonly #foreign = new Set<string>();
  #others: readonly string[] = [];
  #isKnown = false;
  /** What the kernel listed when it was read last, and when it was last read whole. */
  #listing = "";
  #wholeReadMs = 0;
  /** Services that we have written since, by `placeKey`: somebody may have put them back to what was listed. */
  readonly #written = new Set<string>();

  /**
   * @param nowMs CLOCK_MONOTONIC, milliseconds.
   * @param isOurs Whether the record says that a service is ours, or was when it was being deleted.
   * @param rangeAt The range of ports that a mark stands for.
   */
  constructor(
    table: ServiceTable,
    nowMs: () => number,
    isOurs: (place: string) => boolean,
    rangeAt: RangeAt,
  ) {
    this.#rangeAt = rangeAt;
    this.#table = table;
    this.#nowMs = nowMs;
    this.#isOurs = isOurs;
  }

  /** Whether it was read, and nothing has been left open since. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Nobody knows what the kernel holds now. */
  forget(): void {
    this.#isKnown = false;
  }

  /** Services that Parasaus did not make, in words. */
  get foreignServices(): readonly string[] {
    return [...this.#foreign, ...this.#others];
  }

  /** Whether somebody else's service is there. */
  isForeign(place: string): boolean {
    return this.#foreign.has(place) && !this.held.has(place);
  }

  /** A service that was found there although it is not ours. */
  noteForeign(place: string): void {
    this.#foreign.add(place);
  }

  /** Somebody else's service is ours from now on. */
  takeOver(place: string, service: Service): void {
    this.held.set(place, service);
    this.#foreign.delete(place);
  }

  /** Services that are about to be written. */
  noteWritten(places: Iterable<string>): void {
    for (const place of places) this.#written.add(place);
  }

  /** Compares the kernel's listing with the one before and reads only the services that differ. */
  readChanges(): Reading {
    const listing = this.#table.listing();
    const changed = changedIpvsServices(this.#listing, listing);
    const isOld = this.#nowMs() - this.#wholeReadMs > WHOLE_READ_MS;
    const found = this.#placesOf(changed ?? []);
    const places = new Set([...this.#written, ...(found ?? [])]);
    if (!this.#isKnown || isOld || !changed || !found || places.size > REREAD_COUNT) {
      this.readAll();
      return "whole";
    }
    for (const place of places) this.#take(place);
    this.#listing = listing;
    this.#written.clear();
    return places.size > 0 ? "some" : "nothing";
  }

  /** Reads the whole table. */
  readAll(): void {
    // First: what changes while the table is read is then seen the next time.
    this.#listing = this.#table.listing();
    this.#written.clear();
    const { services, others } = this.#table.read(this.#rangeAt);
    const known = new Set(this.held.keys());
    this.held.clear();
    this.#foreign.clear();
    for (const [place, service] of services) {
      if (this.#isOurs(place) || known.has(place)) this.held.set(place, service);
      else this.#foreign.add(place);
    }
    this.#others = others;
    this.#isKnown = true;
    this.#wholeReadMs = this.#nowMs();
  }

  /** The service as the kernel has it now; what is held stays as it was. */
  readService(place: string): Service | undefined {
    return this.#table.readService(parsePlace(place));
  }

  /** Undefined when a mark is nobody's range: only a whole reading tells others' marks. */
  #placesOf(keys: readonly IpvsServiceKey[]): readonly string[] | undefined {
    const places: string[] = [];
    const unknown = new Set<number>();
    const known = new Set<number>();
    for (const key of keys) {
      const address = key.kind === "mark" ? this.#rangeAt(key.family, key.mark) : key;
      if (address) places.push(placeKey(bareAddress(address)));
      if (key.kind === "mark") (address ? known : unknown).add(key.mark);
    }
    return [...unknown].every((mark) => known.has(mark)) ? places : undefined;
  }

  #take(place: string): void {
    const isOurs = this.#isOurs(place) || this.held.has(place);
    const service = this.readService(place);
    if (service && isOurs) this.held.set(place, service);
    else this.held.delete(place);
    if (service && !isOurs) this.#foreign.add(place);
    else this.#foreign.delete(place);
  }
}
