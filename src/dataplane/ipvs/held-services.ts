import { parsePlace } from "./programme.ts";
import type { Service } from "./services.ts";

/** The kernel's services that are ours, by `placeKey`, and which addresses they are on. */
export class HeldServices extends Map<string, Service> {
  /** How many services each address has. */
  readonly #counts = new Map<string, number>();

  override set(place: string, service: Service): this {
    if (!this.has(place)) this.#count(place, 1);
    return super.set(place, service);
  }

  override delete(place: string): boolean {
    const isKnown = super.delete(place);
    if (isKnown) this.#count(place, -1);
    return isKnown;
  }

  override clear(): void {
    super.clear();
    this.#counts.clear();
  }

  /** The addresses that services are on. */
  get ips(): Iterable<string> {
    return this.#counts.keys();
  }

  /** Whether a service is on the address. */
  hasIp(ip: string): boolean {
    return this.#counts.has(ip);
  }

  #count(place: string, change: number): void {
    const { ip } = parsePlace(place);
    const count = (this.#counts.get(ip) ?? 0) + change;
    if (count > 0) this.#counts.set(ip, count);
    else this.#counts.delete(ip);
  }
}
