import type { IpvsDestinationKey, IpvsServiceKey } from "./types.ts";

/** A service's name for people and for maps, the same for the same service: `TCP 10.0.0.1:80`, `mark 7 (IPv6)`. */
export function ipvsServiceName(key: IpvsServiceKey): string {
  return key.kind === "mark"
    ? `mark ${key.mark} (IPv${key.family})`
    : `${key.protocol} ${ipvsDestinationName(key)}`;
}

/** A destination's name within its service: `10.0.1.2:8080`, `[2001:db8::2]:8080`. */
export function ipvsDestinationName({ family, ip, port }: IpvsDestinationKey): string {
  return family === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;
}
