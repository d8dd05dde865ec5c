import type { Protocol } from "../model/index.ts";

interface Place {
  readonly ip: string;
  readonly port: number;
  readonly protocol?: Protocol;
}

/** The order of members and addresses inside a pool: by ip (as text), then port, then protocol. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  if (a.port !== b.port) return a.port - b.port;
  return (a.protocol ?? "").localeCompare(b.protocol ?? "", "en");
}

/** `TCP 10.0.0.1:80`, or without the protocol for a member: what makes a place one and the same. */
export function placeKey(place: Place): string {
  const where = `${place.ip}:${place.port}`;
  return place.protocol ? `${place.protocol} ${where}` : where;
}
